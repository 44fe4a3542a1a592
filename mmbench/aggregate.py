"""What the scores of many languages say together, beside their mean: the middle, the worst, the gap to English."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

from mmbench import languages

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGLISH = "eng_Latn"
ATTRIBUTES = ("script", "family", "region", "resource")
"""Facts about a language that languages are grouped by, see `languages.Language`."""
WORST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Scores of several languages together; NaN where there is none.

    Args:
        median: of the languages; the mean of the two in the middle where their number is even.
        worst: tags and scores of the five worst languages (fewer if there are not more), the worst first.
        worst_mean: their mean.
        gap: mean of all other languages minus English, in the metric's own direction.
        averaged: number of languages with a score that count in all this.
        given: number of languages in the data.
    """

    median: float
    worst: tuple[tuple[str, float], ...]
    worst_mean: float
    gap: float
    averaged: int
    given: int


def summary(values: Mapping[str, float], *, higher_is_better: bool, given: int | None = None) -> Summary:
    """Summary of scores by language tag.

    Args:
        values: scores; NaN is a language without one. Languages that a metric does not average must not be in it.
        higher_is_better: which way is good.
        given: number of languages in the data, if some are not in `values`.
    """
    known = {tag: value for tag, value in values.items() if not math.isnan(value)}
    # equal scores in order of the tag, so that the list does not depend on the order of the data
    worst = sorted(known.items(), key=lambda item: (item[1] if higher_is_better else -item[1], item[0]))[:WORST]
    others = [value for tag, value in known.items() if tag != ENGLISH]
    nan = math.nan
    return Summary(
        median=median(known.values()) if known else nan,
        worst=tuple(worst),
        worst_mean=fmean(value for _, value in worst) if worst else nan,
        gap=fmean(others) - known[ENGLISH] if others and ENGLISH in known else nan,
        averaged=len(known),
        given=len(values) if given is None else given,
    )


def attribute(tag: str, name: str) -> str:
    """A fact about a language, by the name of one of `ATTRIBUTES`."""
    return str(getattr(languages.language(tag), name))
