"""Intervals and paired tests from additive statistics: samples are resampled, nothing is scored again.

Statistics are of shape (n, k), a row per sample, in any order. A row may also be the sum over a cluster, see
`clustered`; then clusters are resampled. `reduce` is a scorer's: totals of shape (..., k) to scores of shape (...).
Resamples without a score (NaN) are left out. `seed` fixes the result; 2000 `resamples` leave each end of a 95 %
interval a Monte Carlo error of 1 to 2 % of its width.

An interval comes from the spread of the samples, so one sample or cluster has none: both ends are NaN. Samples that are
all alike have no spread either, and both ends are the score itself; for proportions there are `wilson` and
`macro_wilson`, which know better.

Percentile bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3. The spread of the
resampled scores is the uncertainty itself; it is not divided by the root of their number.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Stats

    Reduce = Callable[[Stats], NDArray[np.float64]]

_CELLS = 1 << 17  # counts held at a time: 1 MB, which stays in a core's cache
_ALIKE = 1e-10  # differences this close are equal but for rounding
_MORE = 4  # samples added to each language where its variance is estimated


def interval(
    stats: Stats, reduce: Reduce, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the score of samples with statistics of shape (n, k).

    Both ends are NaN with fewer than two samples that count (those that cannot be scored have zeros alone).
    """
    if not _spread(stats):
        return math.nan, math.nan
    return _percentiles(_resampled(stats, reduce, resamples, np.random.default_rng(seed)), level)


def macro_interval(
    stats: Sequence[Stats], reduce: Reduce, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Interval of the unweighted mean over languages, from statistics of shape (n, k) for each of them.

    Each language is resampled by itself, then the mean is taken; those without any score are left out. Pooling them
    instead gives the interval of the pooled score, many times too narrow where small and large languages differ. The
    languages stay as they are: the interval is for these, not for others like them.

    Both ends are NaN where a language with a score has a single sample, whose part of the uncertainty is not known.
    """
    seeds = np.random.SeedSequence(seed).spawn(len(stats))
    pairs = zip(stats, map(np.random.default_rng, seeds), strict=True)
    scored = [(rows, rng) for rows, rng in pairs if len(rows) and not np.isnan(reduce(rows.sum(axis=0)))]
    if not scored or not all(_spread(rows) for rows, _ in scored):
        return math.nan, math.nan
    return _percentiles(np.mean([_resampled(rows, reduce, resamples, rng) for rows, rng in scored], axis=0), level)


def paired_difference(
    stats_a: Stats, stats_b: Stats, reduce: Reduce, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float, float]:
    """Difference a - b of two systems on the same samples in the same order, low and high of it, and two-sided p.

    The interval: both systems are resampled by the same rows (Koehn 2004, Statistical significance tests for machine
    translation evaluation), so that what makes a sample hard for both cancels out. The p: approximate randomisation
    (Noreen 1989; Riezler and Maxwell 2005, On some pitfalls in automatic evaluation and significance testing for MT).
    If the systems were alike, either could have given either answer to a sample; d* is the difference after the answers
    of randomly chosen samples have changed sides, and p = (1 + #{|d*| >= |d|}) / (B + 1). Unlike a p read off the
    bootstrap it is never small where there are few samples.

    All four are NaN where one of the systems has no score, the interval also where there is a single sample.

    Raises:
        ValueError: the shapes, (n, k) both, differ.
    """
    return paired_macro_difference([(stats_a, stats_b)], reduce, resamples=resamples, level=level, seed=seed)


def paired_macro_difference(
    pairs: Sequence[tuple[Stats, Stats]], reduce: Reduce, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float, float]:
    """The same for the unweighted mean of the differences of several languages, each resampled by itself.

    `pairs` holds the statistics of both systems for each language; languages in which one of them has no score are
    left out.
    """
    observed, drawn, swapped, known = [], [], [], True
    seeds = np.random.SeedSequence(seed).spawn(len(pairs))
    for (stats_a, stats_b), rng in zip(pairs, map(np.random.default_rng, seeds), strict=True):
        difference = _difference(reduce, _width(stats_a, stats_b))
        both = np.concatenate([stats_a, stats_b], axis=1)
        value = float(difference(both.sum(axis=0)))
        if not math.isnan(value):
            known = known and _spread(both)
            observed.append(value)
            drawn.append(_resampled(both, difference, resamples, rng))
            swapped.append(_swapped(stats_a, stats_b, difference, resamples, rng))
    if not observed:
        return math.nan, math.nan, math.nan, math.nan
    mean = float(np.mean(observed))
    values = np.mean(swapped, axis=0)
    values = values[~np.isnan(values)]
    beyond = int(np.count_nonzero(np.abs(values) >= abs(mean) - _ALIKE))
    low, high = _percentiles(np.mean(drawn, axis=0), level) if known else (math.nan, math.nan)
    return mean, low, high, (1 + beyond) / (len(values) + 1)


def _swapped(
    stats_a: Stats, stats_b: Stats, difference: Reduce, resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Differences, of shape (resamples,), after the answers to randomly chosen samples have changed sides."""
    gap = stats_b - stats_a
    gap = gap[gap.any(axis=1)]  # equal answers may stay where they are
    # Rows are sorted but for their sign: neither the order of samples nor that of the systems plays a part in p. One
    # with the sign turned stays where the others move, which is as likely.
    turned = np.take_along_axis(gap, (gap != 0).argmax(axis=1)[:, None], axis=1)[:, 0] < 0
    rows = np.where(turned[:, None], -gap, gap)
    away, rows = rows[turned].sum(axis=0), rows[np.lexsort(rows.T)]
    count, step = len(rows), max(1, _CELLS // max(1, len(rows)))
    moved = np.empty((resamples, rows.shape[1]))
    for start in range(0, resamples, step):
        words = rng.integers(1 << 64, size=(min(step, resamples - start), -(-count // 64)), dtype=np.uint64)
        bits = np.unpackbits(words.view(np.uint8), axis=1, count=count)
        moved[start : start + step] = bits.astype(np.float64) @ rows - away
    return difference(np.concatenate([stats_a.sum(axis=0) + moved, stats_b.sum(axis=0) - moved], axis=1))


def _width(stats_a: Stats, stats_b: Stats) -> int:
    if stats_a.shape != stats_b.shape:
        raise ValueError(f"paired statistics differ in shape: {stats_a.shape} and {stats_b.shape}")
    return int(stats_a.shape[1])


def _difference(reduce: Reduce, width: int) -> Reduce:
    """Score of the first `width` statistics minus that of the rest."""
    return lambda totals: reduce(totals[..., :width]) - reduce(totals[..., width:])


def wilson(correct: float, total: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927), without continuity correction; (NaN, NaN) for no samples."""
    if not total:
        return math.nan, math.nan
    z, share = NormalDist().inv_cdf((1 + level) / 2), correct / total
    centre, scale = share + z * z / (2 * total), 1 + z * z / total
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low, high = (centre - half) / scale, (centre + half) / scale
    return (low if correct else 0.0), (high if correct != total else 1.0)


def macro_wilson(counts: Sequence[tuple[float, float]], level: float = 0.95) -> tuple[float, float]:
    """Interval of the unweighted mean of proportions, from (correct, total) of each language.

    Wilson's interval with the effective number of samples: as many as would give one proportion of this value the
    variance of the mean (Korn and Graubard 1998, Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data; Dean and Pagano 2015, Evaluating confidence interval methods for
    binomial proportions in clustered surveys). Because few samples that agree do not mean that there is no variance,
    each language's is taken as if it had four samples more, at the mean of all.

    Unlike a bootstrap it does not shrink to a point where each language's answers are all right or all wrong. Limits of
    each language that are combined afterwards (MOVER) hold the mean too seldom where many languages are near 1, because
    each of them leans towards 1/2. Languages without samples are left out; (NaN, NaN) where none is left.
    """
    correct, total = np.array([pair for pair in counts if pair[1]], dtype=np.float64).reshape(-1, 2).T
    if not len(total):
        return math.nan, math.nan
    share = float(np.mean(correct / total))
    near = (correct + _MORE * share) / (total + _MORE)
    parts = near * (1 - near) / (share * (1 - share)) if 0 < share < 1 else np.ones_like(total)
    effective = len(total) ** 2 / float(np.sum(parts / total))
    return wilson(share * effective, effective, level)


def clustered_wilson(stats: Stats, level: float = 0.95) -> tuple[float, float]:
    """Interval of a proportion from (correct, total) of each cluster, of shape (clusters, 2).

    Wilson's with the effective number of samples, as many as would give the variance between clusters (Korn and
    Graubard 1998); where all answers are alike nothing is known of that, and each cluster is one sample. A bootstrap of
    clusters collapses to a point there, and covers too little near it: .45 of the time for 10 clusters of 5 samples,
    p .98, intraclass correlation .3, where this covers .96. (NaN, NaN) for fewer than two clusters with samples.
    """
    if int(np.count_nonzero(stats[:, 1] > 0)) < 2:
        return math.nan, math.nan
    return wilson(*effective_counts(stats), level)


def effective_counts(stats: Stats) -> tuple[float, float]:
    """(correct, total) of as many independent samples as these clusters, of shape (clusters, 2), are worth."""
    rows = stats[stats[:, 1] > 0]
    count, total = len(rows), float(rows[:, 1].sum())
    if not count:
        return 0.0, 0.0
    share, effective = float(rows[:, 0].sum()) / total, float(count)
    if 0 < share < 1 and count > 1:
        spread = count / (count - 1) * float(np.sum((rows[:, 0] - share * rows[:, 1]) ** 2)) / total**2
        effective = min(share * (1 - share) / spread, total) if spread else total
    return share * effective, effective


def clustered(stats: Stats, clusters: Sequence[str]) -> Stats:
    """Statistics of shape (clusters, k), summed over the samples of each cluster and in order of its name.

    Where one speaker says several sentences, or a text has several questions, the samples are not independent, and an
    interval that resamples them is too narrow; resampling clusters keeps what they share (Davison and Hinkley 1997,
    Bootstrap Methods and their Application, section 3.8). Put both systems of a paired difference through this with the
    same clusters.

    With few clusters, below about 20, such an interval is too narrow as well: a percentile bootstrap of c clusters
    spreads by a factor of the root of (c - 1) / c too little, and knows only the tails that it has seen.

    Raises:
        ValueError: there is not one cluster for each row.
    """
    if len(clusters) != len(stats):
        raise ValueError(f"{len(clusters)} clusters for {len(stats)} samples")
    if not len(stats):
        return stats
    names = np.asarray(clusters, dtype=str)
    order = np.lexsort((*stats.T, names))  # within a cluster as well, so that a sum is rounded the same way
    starts = np.flatnonzero(np.r_[True, names[order][1:] != names[order][:-1]])
    summed: Stats = np.add.reduceat(stats[order], starts, axis=0)
    return summed


def _percentiles(scores: NDArray[np.float64], level: float) -> tuple[float, float]:
    known = scores[~np.isnan(scores)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _spread(stats: Stats) -> bool:
    """Whether two samples or more count."""
    return int(np.count_nonzero(stats.any(axis=1))) > 1


def _resampled(stats: Stats, reduce: Reduce, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Scores, of shape (resamples,), of at least one sample drawn with replacement."""
    count = len(stats)
    rows, repeats = np.unique(stats, axis=0, return_counts=True)  # sorted, so that the order given plays no part
    few = 16 * len(rows) < count  # equal rows, as of accuracy, are drawn together where that is faster
    rows = rows if few else np.repeat(rows, repeats, axis=0)
    step = max(1, _CELLS // len(rows))
    totals = np.empty((resamples, stats.shape[1]))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        if few:
            counts = rng.multinomial(count, repeats / count, size=size)
        else:  # how often each row is drawn is multinomial too
            drawn = rng.integers(count, size=(size, count), dtype=np.int32) + np.arange(size)[:, None] * count
            counts = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        totals[start : start + size] = counts.astype(np.float64) @ rows
    return reduce(totals)
