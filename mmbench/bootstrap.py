"""Intervals and paired tests from additive statistics: samples are resampled, nothing is scored again.

Statistics are of shape (n, k), a row per sample. A row may also be the sum over a cluster (a speaker, the recordings of
a sentence); then clusters are resampled. `reduce` is a scorer's: totals of shape (..., k) to scores of shape (...).
Resamples without a score (NaN) are left out. `seed` fixes the result; 2000 `resamples` leave each end of a 95 %
interval a Monte Carlo error of 1 to 2 % of its width.

Percentile bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3. The spread of the
resampled scores is the uncertainty itself; it is not divided by the root of their number.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Stats

    Reduce = Callable[[Stats], NDArray[np.float64]]

_CELLS = 1 << 21  # counts held at a time, 16 MB; with what they are made from about four times that


def interval(
    stats: Stats, reduce: Reduce, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the score of samples with statistics of shape (n, k), whatever their order.

    With one sample both ends are its score; with none both are NaN.
    """
    return _percentiles(_resampled(stats, reduce, resamples, np.random.default_rng(seed)), level)


def macro_interval(
    stats: Sequence[Stats], reduce: Reduce, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Interval of the unweighted mean over languages, from statistics of shape (n, k) for each of them.

    Each language is resampled by itself, then the mean is taken; those without any score are left out. Pooling them
    instead gives the interval of the pooled score, many times too narrow where small and large languages differ. The
    languages stay as they are: the interval is for these, not for others like them.
    """
    seeds = np.random.SeedSequence(seed).spawn(len(stats))
    pairs = zip(stats, map(np.random.default_rng, seeds), strict=True)
    scores = [_resampled(rows, reduce, resamples, rng) for rows, rng in pairs]
    scored = [values for values in scores if not np.isnan(values).all()]
    return _percentiles(np.mean(scored, axis=0) if scored else np.array([]), level)


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

    All four are NaN where one of the systems has no score.

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
    observed, drawn, swapped = [], [], []
    seeds = np.random.SeedSequence(seed).spawn(len(pairs))
    for (stats_a, stats_b), rng in zip(pairs, map(np.random.default_rng, seeds), strict=True):
        difference = _difference(reduce, _width(stats_a, stats_b))
        both = np.concatenate([stats_a, stats_b], axis=1)
        value = float(difference(both.sum(axis=0)))
        if not math.isnan(value):
            observed.append(value)
            drawn.append(_resampled(both, difference, resamples, rng))
            swapped.append(_swapped(stats_a, stats_b, difference, resamples, rng))
    if not observed:
        return math.nan, math.nan, math.nan, math.nan
    mean = float(np.mean(observed))
    values = np.mean(swapped, axis=0)
    values = values[~np.isnan(values)]
    beyond = int(np.count_nonzero(np.abs(values) >= abs(mean) - 1e-12))  # equal but for rounding counts as equal
    return mean, *_percentiles(np.mean(drawn, axis=0), level), (1 + beyond) / (len(values) + 1)


def _swapped(
    stats_a: Stats, stats_b: Stats, difference: Reduce, resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Differences, of shape (resamples,), after the answers to randomly chosen samples have changed sides."""
    gap, count = stats_b - stats_a, len(stats_a)
    step = max(1, _CELLS // count)
    found = []
    for size in (min(step, resamples - start) for start in range(0, resamples, step)):
        moved = rng.integers(2, size=(size, count)).astype(np.float64) @ gap
        totals = np.concatenate([stats_a.sum(axis=0) + moved, stats_b.sum(axis=0) - moved], axis=1)
        found.append(difference(totals))
    return np.concatenate(found)


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


def _percentiles(scores: NDArray[np.float64], level: float) -> tuple[float, float]:
    known = scores[~np.isnan(scores)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _resampled(stats: Stats, reduce: Reduce, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Scores of shape (resamples,) of samples drawn with replacement; empty where there are no samples."""
    if not len(stats):
        return np.array([])
    return np.concatenate([reduce(totals) for totals in _totals(stats, resamples, rng)])


def _totals(stats: Stats, resamples: int, rng: np.random.Generator) -> Iterator[Stats]:
    """Totals of resamples, of shape (chunk, k), through how often each row is drawn (multinomial counts)."""
    count = len(stats)
    rows, repeats = np.unique(stats, axis=0, return_counts=True)  # sorted, so that the order given plays no part
    few = 10 * len(rows) < count  # equal rows, as of accuracy, need not be told apart
    rows = rows if few else np.repeat(rows, repeats, axis=0)
    step = max(1, _CELLS // len(rows))
    for size in (min(step, resamples - start) for start in range(0, resamples, step)):
        if few:
            counts = rng.multinomial(count, repeats / count, size=size)
        else:
            drawn = rng.integers(count, size=(size, count)) + np.arange(size)[:, None] * count
            counts = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        yield counts.astype(np.float64) @ rows
