"""From records to scores: sum each sample's statistics by language, put an interval on it, average over languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.bootstrap import clustered_wilson, effective_counts, interval, macro_interval, macro_wilson, wilson
from mmbench.errors import UsageError
from mmbench.measure import Measured, averaged, by_language, fit, measure, pool, poolable
from mmbench.records import Record, from_row
from mmbench.schema import Score
from mmbench.store import read_jsonl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mmbench.schema import Scorer

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


def read_records(path: Path, *, strict: bool) -> dict[tuple[str | None, str, str], Record]:
    """Records of a predictions file by (system, language, sample id).

    A later row replaces an earlier one that failed.

    Raises:
        UsageError: the file is missing, is not as documented, or answers one sample twice (if strict).
    """
    records: dict[tuple[str | None, str, str], Record] = {}
    lines: dict[tuple[str | None, str, str], int] = {}
    try:
        for number, row in read_jsonl(path, strict=strict):
            record = from_row(row, where=f"{path}:{number}")
            key = (record.system, record.sample.language, record.sample.id)
            if strict and key in records and records[key].prediction.error is None:
                raise UsageError(
                    f"{path}:{number}: sample {key[2]!r} was answered in line {lines[key]}; keep one row of each"
                )
            records[key], lines[key] = record, number
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a file of JSON lines") from error
    return records


def estimate(measured: Measured, scorer: Scorer) -> Estimate:
    """Score of a group with its interval.

    Wilson's interval for proportions (over clusters, with the effective number of samples), a bootstrap by sample or
    by cluster for everything else.
    """
    if not measured.ids:
        return Estimate()
    totals = measured.stats.sum(0)
    if not scorer.proportion:
        low, high = interval(measured.drawn, scorer.reduce)
    elif measured.cluster is None:
        low, high = wilson(totals[0], totals[1])
    else:
        low, high = clustered_wilson(measured.drawn[:, :2])
    counts = getattr(scorer, "counts", None)
    return Estimate(
        value=float(scorer.reduce(totals)),
        low=low,
        high=high,
        n=len(measured.ids),
        counts={} if counts is None else counts(totals),
        **shares([measured], scorer),
    )


def whole(groups: Mapping[str, Measured], scorer: Scorer) -> Estimate:
    """Score of all languages pooled, or of those that the scorer lets pool; with none it only counts."""
    usable = poolable(groups, scorer)
    if usable:
        return estimate(pool(usable), scorer)
    every = list(groups.values())
    return Estimate(n=sum(len(group.ids) for group in every), **shares(every, scorer))


def macro(groups: Mapping[str, Measured], scorer: Scorer) -> Estimate:
    """Unweighted mean over languages, from one group for each.

    Languages without a value, and those that the scorer does not average (WER where no spaces separate words), are
    left out. The interval resamples within each language; that of a mean of proportions comes from their variances (of
    clusters by the number of samples that they are worth), because a bootstrap covers far too little where nearly all
    answers are right (.65 of the time instead of .95 with 5 languages of 5 samples, p .9 to .99).
    """
    every = list(groups.values())
    given = list(averaged(groups, scorer).values())
    values = [float(scorer.reduce(group.stats.sum(0))) for group in given]
    usable = [group for group, value in zip(given, values, strict=True) if np.isfinite(value)]
    if not usable:
        return Estimate(**shares(every, scorer))
    if scorer.proportion:
        whole = usable[0].cluster is None
        low, high = macro_wilson(
            [tuple(g.stats[:, :2].sum(0)) if whole else effective_counts(g.drawn[:, :2]) for g in usable]
        )
    else:
        low, high = macro_interval([group.drawn for group in usable], scorer.reduce)
    return Estimate(value=float(np.nanmean(values)), low=low, high=high, n=len(usable), **shares(every, scorer))


def shares(groups: Sequence[Measured], scorer: Scorer) -> Any:
    """How many of the answers say nothing, for one reason or another."""
    return {
        "failed": sum(int(group.failed.sum()) for group in groups),
        "unparsed": sum(int(scorer.unparsed(group.stats)) for group in groups if group.ids),
        "refused": sum(int(group.refused.sum()) for group in groups),
    }


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
        everything = measure(records, scorer, cluster)
        groups = by_language(everything)
        estimates = {language: estimate(group, scorer) for language, group in groups.items()}
        estimates[ALL] = whole(groups, scorer)
        estimates[MACRO] = macro(groups, scorer)
        signature = f"{signed(scorer, everything)}|method:{method}"
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
                decimals=getattr(scorer, "decimals", 1),
                signature=signature,
            )
            for language, found in estimates.items()
        ]
    return scores


def signed(scorer: Scorer, measured: Measured) -> str:
    """The scorer's signature for the languages of some answers, and what about them has to be equal too.

    That is whether choices are picked by likelihood or read from text, for a scorer that does either, and how the
    interval is made if not by sample.
    """
    written = sorted({record.sample.written for record in measured.records})
    picks = f"|answers:{'+'.join(sorted(found))}" if (found := ways(scorer, measured)) else ""
    return scorer.signature(written) + picks + (f"|ci:{measured.cluster}" if measured.cluster else "")


def ways(scorer: Scorer, measured: Measured) -> set[str]:
    """How choices were picked, "likelihood" or "text" or both, for a scorer that does either; empty for others."""
    if not hasattr(scorer, "normalization"):
        return set()
    outputs = [r.prediction.output for r in measured.records if r.sample.choices]
    return {"likelihood" if output.choice_scores else "text" for output in outputs if output is not None}
