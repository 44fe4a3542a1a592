"""Tables of differences between systems, and of where a cascade loses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mmbench import languages
from mmbench.score import ALL, MACRO
from mmbench.tables import PERCENT, Format, number, render, scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mmbench.attribution import Attribution
    from mmbench.compare import Difference
    from mmbench.schema import Scorer


def difference_table(
    found: Mapping[str, Difference],
    scorer: Scorer,
    names: tuple[str, str],
    *,
    title: str = "",
    form: Format = "table",
) -> str:
    """The differences between two systems by language, and how to read them."""
    rows = []
    for tag, each in found.items():
        scores = (number(value, scale=scale(scorer)) for value in (each.a, each.b))
        shown = [label(tag), *scores, number(each.difference, scale=scale(scorer), signed=True)]
        better = verdict(each, names, scorer.higher_is_better)
        rows.append([*shown, interval(each, scorer), _p(each.p), _p(each.p_holm), each.test, str(each.n), better])
    header = ["", *names, "difference", "95 % interval", "p", "p (Holm)", "test", "n", "better"]
    note = (
        f"{names[0]} minus {names[1]}, paired by sample id; interval by paired bootstrap; p two-sided, and corrected "
        "for the number of languages (Holm). Better: the interval leaves out zero and p, so corrected, is below 0.05.\n"
    )
    return render(title, header, rows, form) + note + _wrong(found, names)


def _wrong(found: Mapping[str, Difference], names: tuple[str, str]) -> str:
    """A line about answers that failed, could not be read, or declined to answer, if there are any."""
    pooled = found.get(ALL)
    if pooled is None or not any((*pooled.a_wrong, *pooled.b_wrong)):
        return ""
    sides = zip(names, (pooled.a_wrong, pooled.b_wrong), strict=True)
    return "failed / unparsed / refused: " + "; ".join(f"{n} {' / '.join(map(str, w))}" for n, w in sides) + "\n"


def attribution_table(whole: Attribution, scorer: Scorer, *, title: str, form: Format = "table") -> str:
    """Where a cascade loses, by language."""
    rows = []
    for tag, lost in whole.recognition.items():
        gap, rival = whole.end_to_end[tag], whole.rival[tag]
        scores = (number(value, scale=scale(scorer)) for value in (lost.a, lost.b, gap.b))
        costs = (
            f"{number(each.difference, scale=scale(scorer), signed=True)} {interval(each, scorer)}"
            for each in (lost, gap)
        )
        better = verdict(rival, ("end to end", "cascade"), scorer.higher_is_better)
        rows.append([label(tag), number(whole.errors.get(tag, math.nan), scale=PERCENT), *scores, *costs, better])
    header = [
        "",
        "ASR errors %",
        "topline",
        "cascade",
        "end to end",
        "topline - cascade",
        "topline - end to end",
        "better",
    ]
    found = whole.correlation
    said = (
        f"Over {found.n} languages, ASR errors and the cascade's {scorer.name}: Pearson {found.r:+.2f} "
        f"[{found.low:+.2f}, {found.high:+.2f}], Spearman {found.rho:+.2f}. "
        if math.isfinite(found.r)
        else ""
    )
    note = said + "topline - cascade is what the first stage's errors cost the same reader.\n"
    return render(f"{scorer.name}: {title}", header, rows, form) + note


def verdict(difference: Difference, names: tuple[str, str], higher_is_better: bool) -> str:
    """Which of two systems is better, if they can be told apart."""
    if not difference.real():
        return "not told apart"
    return names[0] if (difference.low > 0) == higher_is_better else names[1]


def interval(difference: Difference, scorer: Scorer) -> str:
    """The interval of a difference in brackets."""
    ends = (number(value, scale=scale(scorer), signed=True) for value in (difference.low, difference.high))
    return f"[{', '.join(ends)}]"


def label(name: str) -> str:
    """A language tag with the language's name; words for all samples and for the mean."""
    if name == MACRO:
        return "macro mean"
    return "all samples" if name == ALL else f"{name} {languages.language(name).name}"


def _p(p: float) -> str:
    return "-" if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"
