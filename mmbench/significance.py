"""Tests of paired outcomes, corrections for many of them, and correlations of two series by language."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike


class McNemar(NamedTuple):
    """Two-sided p, and the name of the test that gave it."""

    p: float
    test: str


class Correlation(NamedTuple):
    """Pearson's r with its interval, Spearman's rho, and the number `n` of pairs that they are of."""

    r: float
    low: float
    high: float
    rho: float
    n: int


def mcnemar(a: ArrayLike, b: ArrayLike) -> McNemar:
    """Whether two systems, right (1) or wrong (0) on the same samples in the same order, are right equally often.

    Only samples that one of them has right say something (McNemar 1947, Note on the sampling error of the difference
    between correlated proportions or percentages). Their number being given, how many are the first one's is binomial
    with 1/2, and p is that distribution's: exact for any number. The chi-square test approximates it, and is not needed
    where the exact p of millions of samples takes a microsecond. Without such samples p is 1.

    The samples have to be independent; where speakers or documents have several, take approximate randomisation with
    clusters.

    Raises:
        ValueError: the two differ in shape, or hold something other than 0 and 1.
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"outcomes of two systems must be two equally long lists, not {one.shape} and {other.shape}")
    if not np.isin([one, other], (0.0, 1.0)).all():
        raise ValueError("outcomes of McNemar's test are 0 (wrong) or 1 (right)")
    return McNemar(_sign_test(int(np.sum(one > other)), int(np.sum(one < other))), "exact McNemar")


def _sign_test(wins: int, losses: int) -> float:
    """Two-sided p of that many wins and losses between equals."""
    from scipy.special import bdtr  # here, so that the command line starts without it

    return min(1.0, 2 * float(bdtr(min(wins, losses), wins + losses, 0.5))) if wins + losses else 1.0


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P values that hold for all tests together, one of them for each name (Holm 1979).

    With m tests at level 0.05 each, 1 - 0.95^m of comparisons between equals show a difference somewhere. Of p values
    adjusted so, the chance that any test of equals is below 0.05 is at most 0.05, whether the tests depend on each
    other or not. A test without a result (NaN) stays so and is not counted.
    """
    known = sorted((p, name) for name, p in p_values.items() if not math.isnan(p))
    adjusted, highest = dict.fromkeys(p_values, math.nan), 0.0
    for done, (p, name) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - done)))
        adjusted[name] = highest
    return adjusted


def correlation(x: Sequence[float], y: Sequence[float], level: float = 0.95) -> Correlation:
    """How far two series, one value each for a language, go together.

    Pairs in which a value is not finite are left out. The interval of r is Fisher's (1915): artanh r is about normal
    with variance 1 / (n - 3). Both coefficients are NaN for fewer than 3 pairs and where one series is constant, the
    interval also for 3.

    Raises:
        ValueError: the series differ in length.
    """
    if len(x) != len(y):
        raise ValueError(f"series of {len(x)} and {len(y)} values have no pairs")
    both = np.array([pair for pair in zip(x, y, strict=True) if all(map(math.isfinite, pair))]).reshape(-1, 2)
    if len(both) < 3 or (np.ptp(both, axis=0) <= 1e-12 * np.abs(both).max(axis=0)).any():  # constant but for rounding
        return Correlation(math.nan, math.nan, math.nan, math.nan, len(both))
    from scipy.stats import rankdata

    r, rho = (float(np.corrcoef(values.T)[0, 1].clip(-1, 1)) for values in (both, rankdata(both, axis=0)))
    return Correlation(r, *_fisher(r, len(both), level), rho, len(both))


def _fisher(r: float, count: int, level: float) -> tuple[float, float]:
    """Interval of a correlation of `count` pairs; a perfect one has no width."""
    if count < 4:
        return math.nan, math.nan
    if abs(r) == 1:
        return r, r
    half = NormalDist().inv_cdf((1 + level) / 2) / math.sqrt(count - 3)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
