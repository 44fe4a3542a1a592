"""How well two series of opinions agree: kappa, correlations, bias, and how well people agree among themselves."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.bootstrap import interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Values = NDArray[np.float64]


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Agreement of labels beyond chance, (p - e) / (1 - e) (Cohen 1960); NaN where chance explains all."""
    if not pairs:
        return math.nan
    first, second = Counter(one for one, _ in pairs), Counter(two for _, two in pairs)
    chance = sum(first[name] * second[name] for name in first) / len(pairs) ** 2
    seen = sum(one == two for one, two in pairs) / len(pairs)
    return (seen - chance) / (1 - chance) if chance < 1 else math.nan


def quadratic_kappa(a: Values, b: Values) -> float:
    """Cohen's kappa with quadratic weights (Cohen 1968): 1 - mean (a - b)^2 / its expectation for independent a and b.

    The weights are the squared differences of the scores themselves, so that no rounding is needed; of unrounded scores
    this is Lin's concordance correlation (1989). NaN where both series are one and the same constant.
    """
    if not len(a):
        return math.nan
    expected = float(a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    return 1 - float(np.mean((a - b) ** 2)) / expected if expected > 0 else math.nan


def compared(judge: Values, human: Values, names: Sequence[tuple[str, str]] | None) -> dict[str, Any]:
    """Figures of agreement of a judge with people; NaN where there are too few, or nothing varies.

    Args:
        judge: scores, or the values of labels.
        human: those of people on the same samples.
        names: labels of judge and people, where there are any; samples that people are divided on are not among them.

    Returns:
        `agreement` (share of equal labels, or of scores equal when rounded), `kappa` (with quadratic weights unless
        there are labels), `pearson`, `spearman`, `kendall` (tau-b), `bias` (mean of judge minus people) with the ends
        of its 95 % bootstrap interval over samples, `mae` (mean absolute difference), both means, and `confusion`:
        numbers of labels, people's first.
    """
    low, high = interval(
        np.stack([judge - human, np.ones(len(judge))], axis=1), lambda totals: totals[..., 0] / totals[..., 1]
    )
    return {
        **_agreement(judge, human, names),
        **_ranks(judge, human),
        "bias": _mean(judge - human),
        "bias_low": low,
        "bias_high": high,
        "judge_mean": _mean(judge),
        "human_mean": _mean(human),
        "confusion": None if names is None else _confusion(names),
    }


def people(opinions: Sequence[Sequence[Any]], number: Callable[[Any], float]) -> dict[str, Any]:
    """How well people agree among themselves, which no judge can be expected to surpass.

    Each two people who judged one sample are compared, both ways round; `n` counts the samples with two or more.
    """
    several = [given for given in opinions if len(given) > 1]
    pairs = [pair for given in several for pair in permutations(given, 2)]
    values = np.array([[number(one), number(two)] for one, two in pairs], dtype=np.float64).reshape(-1, 2)
    names = [(str(one), str(two)) for one, two in pairs] if any(isinstance(one, str) for one, _ in pairs) else None
    return {"n": len(several), **_agreement(values[:, 0], values[:, 1], names)}


def _agreement(a: Values, b: Values, names: Sequence[tuple[str, str]] | None) -> dict[str, float]:
    if names is None:
        same = _mean((np.floor(a + 0.5) == np.floor(b + 0.5)).astype(np.float64))
        kappa = quadratic_kappa(a, b)
    else:
        same = sum(one == two for one, two in names) / len(names) if names else math.nan
        kappa = cohen_kappa(names)
    return {"agreement": same, "kappa": kappa, "mae": _mean(np.abs(a - b))}


def _ranks(a: Values, b: Values) -> dict[str, float]:
    if len(a) < 2 or not np.ptp(a) or not np.ptp(b):
        return dict.fromkeys(("pearson", "spearman", "kendall"), math.nan)
    from scipy import stats  # here, because it takes longer to import than all of this package

    return {
        "pearson": float(np.corrcoef(a, b)[0, 1]),
        "spearman": float(stats.spearmanr(a, b).statistic),
        "kendall": float(stats.kendalltau(a, b).statistic),
    }


def _confusion(names: Sequence[tuple[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for mine, theirs in names:
        row = table.setdefault(theirs, {})
        row[mine] = row.get(mine, 0) + 1
    return {name: dict(sorted(table[name].items())) for name in sorted(table)}


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else math.nan
