"""From records to scores: sum each sample's statistics by language, put an interval on it, average over languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmbench.bootstrap import interval, macro_interval, wilson
from mmbench.errors import UsageError
from mmbench.records import Record, from_row
from mmbench.schema import Score, Scorer, Stats
from mmbench.store import read_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

ALL, MACRO = "all", "macro"
"""Names that stand in the place of a language: all samples pooled, and the unweighted mean over languages."""

NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its 95 % interval; `n` counts samples, in a mean over languages the languages with a value."""

    value: float = NAN
    low: float = NAN
    high: float = NAN
    n: int = 0
    failed: int = 0
    unparsed: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """Statistics of one group of samples, by language and in order of id: `stats` has shape (samples, k)."""

    ids: tuple[str, ...]
    stats: Stats
    failed: int
    unparsed: int


def read_records(path: Path, *, strict: bool) -> dict[tuple[str | None, str], Record]:
    """Records of a predictions file by (system, sample id).

    A later row replaces an earlier one that failed.

    Raises:
        UsageError: the file is missing, is not as documented, or answers one sample twice (if strict).
    """
    records: dict[tuple[str | None, str], Record] = {}
    lines: dict[tuple[str | None, str], int] = {}
    try:
        for number, row in read_jsonl(path, strict=strict):
            record = from_row(row, where=f"{path}:{number}")
            key = (record.system, record.sample.id)
            if strict and key in records and records[key].prediction.error is None:
                raise UsageError(
                    f"{path}:{number}: sample {key[1]!r} was answered in line {lines[key]}; keep one row of each"
                )
            records[key], lines[key] = record, number
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a file of JSON lines") from error
    return records


def measure(records: Iterable[Record], scorer: Scorer) -> Measured:
    """Statistics of some records. Sorting by id makes every figure independent of the order of answers."""
    ordered = sorted(records, key=lambda record: (record.sample.id, record.system or ""))
    rows = [scorer.stats(record.sample, record.prediction.output) for record in ordered]
    stats = np.stack(rows) if rows else np.zeros((0, 1))
    failed = sum(record.prediction.error is not None for record in ordered)
    unparsed = int(sum(scorer.unparsed(row) for row in rows))
    return Measured(tuple(record.sample.id for record in ordered), stats, failed, unparsed)


def pool(groups: Iterable[Measured]) -> Measured:
    """Several groups as one, without measuring their records again."""
    parts = list(groups)
    if not parts:
        return Measured((), np.zeros((0, 1)), 0, 0)
    return Measured(
        tuple(name for part in parts for name in part.ids),
        np.concatenate([part.stats for part in parts]),
        sum(part.failed for part in parts),
        sum(part.unparsed for part in parts),
    )


def by(records: Iterable[Record], field: Callable[[Record], str]) -> dict[str, list[Record]]:
    """Records by the value of a field, in order of the values."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(field(record), []).append(record)
    return dict(sorted(groups.items()))


def estimate(measured: Measured, scorer: Scorer) -> Estimate:
    """Score of a group: Wilson's interval for proportions, a bootstrap by sample for everything else."""
    count = len(measured.ids)
    if count == 0:
        return Estimate()
    totals = measured.stats.sum(0)
    low, high = wilson(totals[0], totals[1]) if scorer.proportion else interval(measured.stats, scorer.reduce)
    return Estimate(
        value=float(scorer.reduce(totals)),
        low=low,
        high=high,
        n=count,
        failed=measured.failed,
        unparsed=measured.unparsed,
    )


def macro(groups: Sequence[Measured], scorer: Scorer) -> Estimate:
    """Unweighted mean over languages; the interval resamples within each language."""
    values = [float(scorer.reduce(group.stats.sum(0))) for group in groups]
    usable = [group for group, value in zip(groups, values, strict=True) if np.isfinite(value)]
    if not usable:
        return Estimate(failed=sum(g.failed for g in groups), unparsed=sum(g.unparsed for g in groups))
    low, high = macro_interval([group.stats for group in usable], scorer.reduce)
    return Estimate(
        value=float(np.nanmean(values)),
        low=low,
        high=high,
        n=len(usable),
        failed=sum(group.failed for group in groups),
        unparsed=sum(group.unparsed for group in groups),
    )


def score(
    records: Sequence[Record], scorers: Mapping[str, Scorer], *, task: str, model: str, method: str = "generate"
) -> list[Score]:
    """All rows of scores.jsonl: each metric on each language, pooled, and averaged over languages.

    The method by which the task asks is part of the signature: an accuracy by likelihood and one of generated answers
    do not compare.
    """
    scores = []
    languages = by(records, lambda record: record.sample.language)
    for scorer in scorers.values():
        groups = {language: measure(rows, scorer) for language, rows in languages.items()}
        estimates = {language: estimate(group, scorer) for language, group in groups.items()}
        estimates[ALL] = estimate(pool(groups.values()), scorer)
        estimates[MACRO] = macro(list(groups.values()), scorer)
        written = sorted({record.sample.written for record in records})
        signature = f"{scorer.signature(written)}|method:{method}"
        scores += [
            Score(
                task=task,
                model=model,
                language=language,
                metric=scorer.name,
                value=found.value,
                low=found.low,
                high=found.high,
                n=found.n,
                failed=found.failed,
                unparsed=found.unparsed,
                higher_is_better=scorer.higher_is_better,
                fraction=scorer.fraction,
                signature=signature,
            )
            for language, found in estimates.items()
        ]
    return scores
