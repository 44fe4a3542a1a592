"""Ranking of candidates by their scores, with ties defined, and retrieval among embeddings.

Every query is ranked by itself and the values are averaged, because scores of different queries need not be on one
scale. The area under one curve drawn through the candidates of all queries (as in MLLM-MSR's code, whose AUC pools all
users) is another number: a user whose scores are all a little higher changes it and no ranking.

Tied candidates have no order, and one made up by a sort is chance or cheating. `ties: mean` takes the exact expectation
over all their orders, so that equal scores get exactly what random ones get on average; `ties: worst` ranks relevant
candidates behind all that they are tied with, so that a constant scorer gets nothing for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

    Floats = NDArray[np.float64]

Metric = Literal["auc", "recall", "hit", "mrr", "ndcg"]
Ties = Literal["mean", "worst"]
"""How tied candidates count: as the mean over all their orders, or in the worst order."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Mean over queries of a ranking metric, 0 to 1; `choice_scores` rank the choices of a sample, highest first.

    Relevant are the right choice and those whose text is among the references. `metric` is one of these, where the
    first k candidates count (all of them without k):

    - "auc": share of pairs of a relevant and another candidate in the right order, a tie one half (Hanley and McNeil
      1982); no k.
    - "recall": relevant candidates among the first k, as a share of all relevant ones. "hit": whether there is one.
    - "mrr": 1 / rank of the first relevant candidate (Voorhees 1999), 0 if it is not among the first k.
    - "ndcg": gains 2^1 - 1 for relevant candidates, divided by log2(rank + 1), as a share of the best possible sum
      (Järvelin and Kekäläinen 2002; Burges et al. 2005).

    A sample without a relevant candidate (for "auc", or without another one) adds nothing. A NaN among the scores makes
    it unparsed; that and a failure are 0.

    Args:
        name: of the metric in tables.
        metric: what is computed.
        k: how many candidates count.
        ties: "mean" or "worst".

    Raises:
        UsageError: a setting is unknown or does not go with the others.
    """

    name: str
    metric: Metric
    k: int | None = None
    ties: Ties = "mean"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        for key, known in (("metric", Metric), ("ties", Ties)):
            if (value := getattr(self, key)) not in get_args(known):
                raise UsageError(f"{self.name}: unknown {key} {value!r}: known are {', '.join(get_args(known))}")
        if (self.k is None) != (self.metric == "auc") and self.metric in ("auc", "recall", "hit"):
            raise UsageError(f"{self.name}: metric {self.metric} {'needs' if self.k is None else 'has no'} k")
        if self.k is not None and self.k < 1:
            raise UsageError(f"{self.name}: k={self.k} is no number of candidates; give 1 or more")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Value, 1 and unparsed, of shape (3,); zeros where there is nothing to rank.

        Raises:
            UsageError: there is not one score for each choice.
        """
        return self.row(_relevant(sample), None if output is None else _scores(sample, output))

    def row(self, relevant: NDArray[np.bool_], scores: Floats | None) -> Stats:
        """Value, 1 and unparsed, of shape (3,), of one query of candidates; scores of None are a failure."""
        if not relevant.any() or (self.metric == "auc" and relevant.all()):
            return np.zeros(3)
        if scores is None or np.isnan(scores).any():
            return np.array([0.0, 1.0, scores is not None], dtype=np.float64)
        sizes, hits = _tied(scores, relevant, self.ties)
        return np.array([_VALUES[self.metric](sizes, hits, len(scores) if self.k is None else self.k), 1.0, 0.0])

    def reduce(self, totals: Stats) -> Floats:
        """Means of shape (...) from totals of shape (..., 3); NaN where there are no samples."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """Number of unparsed samples behind statistics of shape (3,) or (n, 3)."""
        return float(stats[..., 2].sum())

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        cut = "all" if self.k is None else self.k
        return (
            f"{self.name}|metric:{self.metric}|k:{cut}|ties:{self.ties}|per:query|unparsed:wrong|mmbench:{__version__}"
        )

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of random scores; NaN where there is nothing to rank."""
        even = replace(self, ties="mean")
        return float(even.reduce(sum((even.row(r, np.zeros(len(r))) for r in map(_relevant, samples)), np.zeros(3))))


@dataclass(frozen=True, kw_only=True)
class PointwiseRanking(Ranking):
    """Ranking of candidates that are samples of their own, as MLLM-MSR asks of each one whether the user will like it.

    Samples with one value in the group field `joined_by` are the candidates of one query. They are ranked by the share
    that the likelihood of the choice `positive` has among a sample's choices; relevant are those where it is the right
    one. Where a candidate failed the query has failed, and where one has a NaN it is unparsed.

    Args:
        joined_by: group field that names the query.
        positive: text of the choice that says that a candidate is relevant.

    Raises:
        UsageError: as for `Ranking`.
    """

    joined_by: str = "query"
    positive: str = "yes"

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Relevance, score, and 1 (2 if failed), of shape (3,), which only `join` makes a value of.

        Raises:
            UsageError: there is not one score for each choice, or none of the choices is the positive one.
        """
        if sample.answer is None or not sample.choices:
            return np.zeros(3)
        if self.positive not in sample.choices:
            raise UsageError(
                f"sample {sample.id}: no choice is {self.positive!r}; say in the scorer's `positive` which one counts"
            )
        index = sample.choices.index(self.positive)
        if output is None:
            return np.array([sample.answer == index, 0.0, 2.0])
        scores = _scores(sample, output)
        with np.errstate(invalid="ignore"):  # where all are impossible the share is NaN
            return np.array([sample.answer == index, scores[index] - np.logaddexp.reduce(scores), 1.0])

    def join(self, rows: Stats) -> Stats:
        """Value, 1 and unparsed, of shape (3,), of one query from the rows of its candidates, of shape (m, 3)."""
        relevant, scores, state = rows[rows[:, 2] > 0].T
        return self.row(relevant > 0, None if (state > 1).any() else scores)

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of random scores; NaN where there is nothing to rank."""
        queries: dict[tuple[str, str | None], list[bool]] = {}
        for sample in samples:
            if sample.answer is not None and sample.choices:
                key = sample.language, sample.group.get(self.joined_by)
                queries.setdefault(key, []).append(sample.choices[sample.answer] == self.positive)
        even = replace(self, ties="mean")
        rows = [even.row(np.array(right), np.zeros(len(right))) for right in queries.values()]
        return float(even.reduce(sum(rows, np.zeros(3))))


def _relevant(sample: Sample) -> NDArray[np.bool_]:
    found = [sample.answer == index or text in sample.references for index, text in enumerate(sample.choices)]
    return np.array(found, dtype=bool)


def _scores(sample: Sample, output: Output) -> Floats:
    if len(output.choice_scores) != len(sample.choices):
        raise UsageError(
            f"sample {sample.id}: {len(sample.choices)} choices, but {len(output.choice_scores)} choice_scores to rank "
            "by; ask with task.method=loglikelihood"
        )
    return np.array(output.choice_scores, dtype=np.float64)


def _tied(scores: Floats, relevant: NDArray[np.bool_], ties: Ties) -> tuple[Floats, Floats]:
    """Size of each group of tied candidates, and how many of it are relevant, best first."""
    keys = np.stack([0.0 - scores, relevant & (ties == "worst")])  # worst: relevant ones are a group behind the others
    _, groups, sizes = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    hits = np.bincount(groups.ravel(), weights=relevant, minlength=len(sizes))
    return sizes.astype(np.float64), hits.astype(np.float64)


def _auc(sizes: Floats, hits: Floats, k: int) -> float:
    others = sizes - hits
    below = others.sum() - others.cumsum()
    return float((hits * (below + others / 2)).sum() / (hits.sum() * others.sum()))


def _recall(sizes: Floats, hits: Floats, k: int) -> float:
    taken = np.clip(k - (sizes.cumsum() - sizes), 0, sizes)  # of each group, among the first k
    return float((hits * taken / sizes).sum() / hits.sum())


def _first(sizes: Floats, hits: Floats, k: int) -> tuple[Floats, Floats]:
    """Ranks up to k at which the first relevant candidate may be, and how probable each is over the orders of ties."""
    group = int(np.flatnonzero(hits)[0])
    above, size, count = sizes[:group].sum(), sizes[group], hits[group]
    place = np.arange(1, size - count + 2)
    passed = 1 - count / (size - place + 1)  # no relevant one at this place either
    probable = np.concatenate([[1.0], passed[:-1].cumprod()]) * (1 - passed)
    kept = above + place <= k
    return (above + place)[kept], probable[kept]


def _hit(sizes: Floats, hits: Floats, k: int) -> float:
    return float(_first(sizes, hits, k)[1].sum())


def _mrr(sizes: Floats, hits: Floats, k: int) -> float:
    places, probable = _first(sizes, hits, k)
    return float((probable / places).sum())


def _ndcg(sizes: Floats, hits: Floats, k: int) -> float:
    places = np.arange(1, min(k, int(sizes.sum())) + 1)
    discounts = np.concatenate([[0.0], (1 / np.log2(places + 1)).cumsum()])
    ends = sizes.cumsum()
    gained = [discounts[np.minimum(at, len(places)).astype(int)] for at in (ends - sizes, ends)]
    ideal = discounts[min(int(hits.sum()), len(places))]
    return float((hits / sizes * (gained[1] - gained[0])).sum() / ideal)


_VALUES = {"auc": _auc, "recall": _recall, "hit": _hit, "mrr": _mrr, "ndcg": _ndcg}


def ranks(
    queries: Floats, items: Floats, targets: NDArray[np.intp], *, cosine: bool = False, chunk: int = 2048
) -> NDArray[np.intp]:
    """Rank of each query's target among all items by dot product, of shape (q,); 1 is first, ties count against it.

    Scores count as tied where rounding (in float64) could tell no difference. A NaN is never below: with one in the
    query or the target the rank is last. At most `chunk` x `chunk` scores are held at a time.

    Args:
        queries: embeddings of shape (q, d).
        items: embeddings of the full pool, of shape (n, d).
        targets: index of the right item of each query, of shape (q,).
        cosine: divide by the norms; a vector of zeros is at a right angle to all.
        chunk: rows of queries and of items that are compared at once.

    Raises:
        UsageError: shapes do not fit, or a target is no item.
    """
    if queries.ndim != 2 or items.ndim != 2 or queries.shape[1] != items.shape[1] or len(queries) != len(targets):
        raise UsageError(
            f"ranks: queries {queries.shape}, items {items.shape} and targets {np.shape(targets)} do not fit; "
            "give (q, d), (n, d) and (q,)"
        )
    if len(targets) and not 0 <= np.min(targets) <= np.max(targets) < len(items):
        raise UsageError(f"ranks: a target is not among the {len(items)} items, which are counted from 0")
    found = np.ones(len(queries), dtype=np.intp)
    for start in range(0, len(queries), chunk):
        rows = slice(start, start + chunk)
        asked, right = _vectors(queries[rows], cosine), _vectors(items[targets[rows]], cosine)
        wanted, sizes = (asked * right).sum(axis=1), np.linalg.norm(asked, axis=1)
        own = np.linalg.norm(right, axis=1)
        for first in range(0, len(items), chunk):
            block = _vectors(items[first : first + chunk], cosine)
            norms = np.linalg.norm(block, axis=1)
            largest = np.maximum(own, norms[np.isfinite(norms)].max(initial=0.0))
            margin = 4 * items.shape[1] * np.finfo(np.float64).eps * sizes * largest
            with np.errstate(invalid="ignore"):
                against = ~(asked @ block.T < (wanted - margin)[:, None])
            inside = np.flatnonzero((targets[rows] >= first) & (targets[rows] < first + len(block)))
            against[inside, targets[rows][inside] - first] = False
            found[rows] += against.sum(axis=1)
    return found


def recall_at(found: NDArray[np.intp], k: int) -> float:
    """Share of queries whose target is among the first k, from `ranks`; NaN where there are none (NoteLLM-2's R@k)."""
    return float(np.mean(found <= k)) if len(found) else math.nan


def _vectors(rows: Floats, cosine: bool) -> Floats:
    """Rows in float64, of length 1 (or 0) for the cosine."""
    exact = rows.astype(np.float64)
    if not cosine:
        return exact
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    unit: Floats = np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths != 0)
    return unit
