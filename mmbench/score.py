"""From records to scores: sum each sample's statistics by language, put an interval on it, average over languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.bootstrap import clustered, interval, macro_interval, macro_wilson, wilson
from mmbench.errors import UsageError
from mmbench.measure import Measured, by_language, fit, labels, measure, pool, pooled
from mmbench.records import Record, from_row
from mmbench.schema import Score
from mmbench.store import read_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mmbench.schema import Scorer, Stats

ALL, MACRO = "all", "macro"
"""Names that stand in the place of a language: all samples pooled, and the unweighted mean over languages."""

NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its 95 % interval; `n` counts questions, in a mean over languages the languages that it is of."""

    value: float = NAN
    low: float = NAN
    high: float = NAN
    n: int = 0
    failed: int = 0
    unparsed: int = 0
    refused: int = 0
    counts: Mapping[str, float] = field(default_factory=dict)


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


def estimate(measured: Measured, scorer: Scorer, cluster: str | None = None) -> Estimate:
    """Score of a group with its interval.

    Wilson's interval for proportions, a bootstrap by sample for everything else; where `cluster` names a group field,
    such as speaker, samples that share its value are not independent, and the bootstrap draws clusters.
    """
    if not measured.ids:
        return Estimate()
    totals = measured.stats.sum(0)
    if scorer.proportion and cluster is None:
        low, high = wilson(totals[0], totals[1])
    else:
        low, high = interval(_drawn(measured, cluster), scorer.reduce)
    counts = getattr(scorer, "counts", None)
    return Estimate(
        value=float(scorer.reduce(totals)),
        low=low,
        high=high,
        n=len(measured.ids),
        counts={} if counts is None else counts(totals),
        **shares([measured], scorer),
    )


def whole(groups: Mapping[str, Measured], scorer: Scorer, cluster: str | None = None) -> Estimate:
    """Score of all languages pooled, or of those that the scorer lets pool; what failed is counted in all."""
    usable = pooled(groups, scorer)
    if usable:
        return estimate(pool(usable), scorer, cluster)
    every = list(groups.values())
    return Estimate(n=sum(len(group.ids) for group in every), **shares(every, scorer))


def macro(groups: Sequence[Measured], scorer: Scorer, cluster: str | None = None) -> Estimate:
    """Unweighted mean over languages, from one group for each.

    Its interval resamples within each language; that of a mean of proportions comes from their variances, because a
    bootstrap covers far too little where nearly all answers are right (.65 of the time instead of .95 with 5 languages
    of 5 samples, p .9 to .99).
    Languages without a value, and those that the scorer does not average (WER where no spaces separate words), are
    left out.
    """
    averages = getattr(scorer, "averages", lambda language: True)
    given = [group for group in groups if group.ids and averages(group.records[0].sample.language)]
    values = [float(scorer.reduce(group.stats.sum(0))) for group in given]
    usable = [group for group, value in zip(given, values, strict=True) if np.isfinite(value)]
    if not usable:
        return Estimate(**shares(groups, scorer))
    if scorer.proportion and cluster is None:
        low, high = macro_wilson([tuple(group.stats[:, :2].sum(0)) for group in usable])
    else:
        low, high = macro_interval([_drawn(group, cluster) for group in usable], scorer.reduce)
    return Estimate(value=float(np.nanmean(values)), low=low, high=high, n=len(usable), **shares(groups, scorer))


def shares(groups: Sequence[Measured], scorer: Scorer) -> Any:
    """How many of the answers say nothing, for one reason or another."""
    return {
        "failed": sum(int(group.failed.sum()) for group in groups),
        "unparsed": sum(int(scorer.unparsed(group.stats)) for group in groups if group.ids),
        "refused": sum(int(group.refused.sum()) for group in groups),
    }


def _drawn(measured: Measured, cluster: str | None) -> Stats:
    """What a bootstrap draws: questions, or the sums over clusters of them."""
    return measured.stats if cluster is None else clustered(measured.stats, labels(measured, cluster))


def score(
    records: Sequence[Record],
    scorers: Mapping[str, Scorer],
    *,
    task: str,
    model: str,
    method: str = "generate",
    cluster: str | None = None,
) -> list[Score]:
    """All rows of scores.jsonl: each metric on each language, pooled, and averaged over languages.

    The method by which the task asks is part of the signature: an accuracy by likelihood and one of generated answers
    do not compare.
    """
    scores = []
    for scorer in (fit(scorer, records) for scorer in scorers.values()):
        groups = by_language(measure(records, scorer))
        estimates = {language: estimate(group, scorer, cluster) for language, group in groups.items()}
        estimates[ALL] = whole(groups, scorer, cluster)
        estimates[MACRO] = macro(list(groups.values()), scorer, cluster)
        signature = f"{signed(scorer, records, cluster)}|method:{method}"
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
                refused=found.refused,
                higher_is_better=scorer.higher_is_better,
                fraction=scorer.fraction,
                signature=signature,
            )
            for language, found in estimates.items()
        ]
    return scores


def signed(scorer: Scorer, records: Iterable[Record], cluster: str | None = None) -> str:
    """The scorer's signature for the languages of some answers, and what about them has to be equal too.

    That is whether choices are picked by likelihood or read from text, for a scorer that does either, and how the
    interval is made if not by sample.
    """
    written, ways = set[str](), set[str]()
    for record in records:
        written.add(record.sample.written)
        if record.sample.choices and record.prediction.output is not None:
            ways.add("likelihood" if record.prediction.output.choice_scores else "text")
    picks = f"|answers:{'+'.join(sorted(ways))}" if ways and hasattr(scorer, "normalization") else ""
    return scorer.signature(sorted(written)) + picks + (f"|ci:{cluster}" if cluster else "")
