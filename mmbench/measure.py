"""Statistics of many answers, made once: everything that is reported of them is a sum over a part of these rows."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.bootstrap import clustered
from mmbench.errors import UsageError
from mmbench.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mmbench.records import Record
    from mmbench.schema import Sample, Scorer, Stats

_CLUSTERS = ("cluster", "document", "speaker", "circular")
_ENOUGH = 10
"""Clusters of each language below which an interval over clusters says less than one over samples."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Statistics of one group of questions, in order of id.

    Args:
        ids: of the questions; one is a sample, or the samples that `Scorer.join` makes one of.
        records: of each question, the first where it has several.
        stats: of shape (questions, k).
        failed: of shape (questions,), whether there is an answer that failed.
        refused: of shape (questions,), whether there is an answer that declines to answer.
        cluster: group field whose questions are not independent of each other; None if all are.
        clusters: of each question, the name of its cluster; empty if all are independent.
    """

    ids: tuple[str, ...]
    records: tuple[Record, ...]
    stats: Stats
    failed: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    cluster: str | None = None
    clusters: tuple[str, ...] = ()

    @property
    def drawn(self) -> Stats:
        """What a bootstrap draws: questions, or the sums over clusters of them."""
        return self.stats if self.cluster is None else clustered(self.stats, self.clusters)

    def take(self, index: Sequence[int]) -> Measured:
        """Some of the questions, in the order of the indices."""
        rows = np.asarray(index, dtype=np.intp)
        return Measured(
            tuple(self.ids[i] for i in index),
            tuple(self.records[i] for i in index),
            self.stats[rows],
            self.failed[rows],
            self.refused[rows],
            self.cluster,
            tuple(self.clusters[i] for i in index) if self.clusters else (),
        )


def baselines(scorer: Scorer, samples: Sequence[Sample]) -> dict[str, float]:
    """What systems that know nothing score on average over languages, where the metric can say so.

    That is by chance, and with the constant answer that is best for each language.
    """
    languages: dict[str, list[Sample]] = {}
    for sample in sorted(samples, key=lambda sample: (sample.language, sample.id)):
        languages.setdefault(sample.language, []).append(sample)
    found = {}
    for name in ("chance", "majority"):
        if hasattr(scorer, name):
            values = [value for each in languages.values() if not math.isnan(value := getattr(scorer, name)(each))]
            found[name] = math.fsum(values) / len(values) if values else math.nan
    return found


def fit(scorer: Scorer, records: Iterable[Record]) -> Scorer:
    """The scorer with facts about the whole set, where it needs any (`Scorer.fitted`)."""
    fitted: Callable[[list[Any]], Scorer] | None = getattr(scorer, "fitted", None)
    return scorer if fitted is None else fitted([record.sample for record in records])


def measure(records: Iterable[Record], scorer: Scorer, cluster: str | None = None) -> Measured:
    """Statistics of some records. Sorting by id makes every figure independent of the order of answers.

    Args:
        records: the answers.
        scorer: the metric.
        cluster: a group field whose samples are not independent; "auto" finds one (`cluster_field`), None or "none" is
            no field.

    Raises:
        UsageError: a sample lacks the group field by which the scorer joins samples, or that of the clusters.
    """
    ordered = tuple(sorted(records, key=_place))
    together = getattr(scorer, "all_stats", None)
    if not ordered:
        stats = np.zeros((0, 1))
    elif together is not None:
        stats = together([(record.sample, record.prediction.output) for record in ordered])
    else:
        stats = np.stack([scorer.stats(record.sample, record.prediction.output) for record in ordered])
    measured = Measured(
        tuple(record.sample.id for record in ordered),
        ordered,
        stats,
        np.array([record.prediction.error is not None for record in ordered], dtype=bool),
        np.array([_refused(record) for record in ordered], dtype=bool),
    )
    field = getattr(scorer, "joined_by", None)
    measured = measured if field is None else _joined(measured, scorer, field)
    name = cluster_field(measured.records) if cluster == "auto" else None if cluster == "none" else cluster
    return measured if name is None else replace(measured, cluster=name, clusters=_labels(measured.records, name))


def _place(record: Record) -> tuple[str, str, str]:
    return record.sample.id, record.sample.language, record.system or ""


def _refused(record: Record) -> bool:
    """Whether the answer declines to answer; not where a reference does so too, as a transcript may."""
    output = record.prediction.output
    if output is None or not refused(output.text, record.sample.written):
        return False
    return not any(refused(reference, record.sample.written) for reference in record.sample.references)


def _joined(measured: Measured, scorer: Any, field: str) -> Measured:
    """One row for all samples of a question, named by the value of the field."""
    questions: dict[tuple[str, str, str], list[int]] = {}
    for index, record in enumerate(measured.records):
        value = record.sample.group.get(field)
        if value is None:
            raise UsageError(
                f"sample {record.sample.id}: has no group field {field!r}, by which {scorer.name} joins the samples of "
                f'one question; write "group": {{"{field}": ...}}'
            )
        questions.setdefault((value, record.sample.language, record.system or ""), []).append(index)
    rows = [questions[key] for key in sorted(questions)]
    return Measured(
        tuple(key[0] for key in sorted(questions)),
        tuple(measured.records[indices[0]] for indices in rows),
        np.stack([scorer.join(measured.stats[indices]) for indices in rows]) if rows else measured.stats,
        np.array([measured.failed[indices].any() for indices in rows], dtype=bool),
        np.array([measured.refused[indices].any() for indices in rows], dtype=bool),
    )


def pool(groups: Iterable[Measured]) -> Measured:
    """Several groups as one, without measuring their records again."""
    parts = [part for part in groups if part.ids]
    if not parts:
        none = np.zeros(0, dtype=bool)
        return Measured((), (), np.zeros((0, 1)), none, none)
    first = parts[0]
    return Measured(
        tuple(name for part in parts for name in part.ids),
        tuple(record for part in parts for record in part.records),
        np.concatenate([part.stats for part in parts]),
        np.concatenate([part.failed for part in parts]),
        np.concatenate([part.refused for part in parts]),
        first.cluster,
        tuple(name for part in parts for name in part.clusters),
    )


def averages(scorer: Scorer, sample: Sample) -> bool:
    """Whether the language of a sample counts in a mean over languages: all do, unless `Scorer.averages` refuses some.

    It is asked about the language that the metric compares (`Scorer.language_of`), which in translation is not the one
    that results are reported under.
    """
    counts = getattr(scorer, "averages", lambda language: True)
    compares = getattr(scorer, "language_of", lambda sample: sample.language)
    return bool(counts(compares(sample)))


def averaged(groups: Mapping[str, Measured], scorer: Scorer) -> dict[str, Measured]:
    """The groups, by language, that a mean over languages is of."""
    return {tag: group for tag, group in groups.items() if group.ids and averages(scorer, group.records[0].sample)}


def poolable(groups: Mapping[str, Measured], scorer: Scorer) -> list[Measured]:
    """The groups, by language, that may be pooled: all of them, unless `Scorer.pools` refuses some of several."""
    pools = getattr(scorer, "pools", lambda language: True)
    return [group for tag, group in groups.items() if len(groups) == 1 or pools(tag)]


def split(measured: Measured, field: Callable[[Record], str]) -> dict[str, Measured]:
    """Parts of what was measured by the value of a field, in order of the values."""
    groups: dict[str, list[int]] = {}
    for index, record in enumerate(measured.records):
        groups.setdefault(field(record), []).append(index)
    return {value: measured.take(groups[value]) for value in sorted(groups)}


def by_language(measured: Measured) -> dict[str, Measured]:
    """Parts by the language that results are reported under."""
    return split(measured, lambda record: record.sample.language)


def _labels(records: Iterable[Record], cluster: str) -> tuple[str, ...]:
    """Name of the cluster of each record: the value of a group field, told apart by language."""
    found = []
    for record in records:
        value = record.sample.group.get(cluster)
        if value is None:
            known = ", ".join(sorted(record.sample.group)) or "none"
            raise UsageError(
                f"sample {record.sample.id}: has no group field {cluster!r} to make clusters of; it has {known}"
            )
        found.append(f"{record.sample.language}\t{value}")
    return tuple(found)


def cluster_field(records: Sequence[Record]) -> str | None:
    """The group field by which samples are not independent: `cluster`, `document`, `speaker` or `circular`.

    The first that serves is taken; the last is the question that several rotations of choices belong to.

    It serves if every sample has it, some share a value, and every language has at least ten values: an interval over
    fewer clusters is more wrong than one over samples.
    """
    for field in _CLUSTERS:
        values = {(record.sample.language, record.sample.group.get(field)) for record in records}
        if all(value is not None for _, value in values) and len(values) < len(records):
            if min(Counter(language for language, _ in values).values()) >= _ENOUGH:
                return field
    return None
