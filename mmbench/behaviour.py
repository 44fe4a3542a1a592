"""Behaviour alignment: does a model say the same to a recording as to its transcript?

The idea is BLSP's (arXiv 2309.00916), which trains for it; here it is measured on any model that reads both. How much
worse it is on speech is an ordinary paired difference; this module adds how often the two answers agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmbench.bootstrap import macro_wilson, wilson
from mmbench.difference_tables import label
from mmbench.score import MACRO
from mmbench.tables import PERCENT, Format, number, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Share of samples with the same answer, its 95 % interval (Wilson), and how many samples both answered."""

    value: float
    low: float
    high: float
    n: int


def agreement(a: Sequence[Record], b: Sequence[Record]) -> dict[str, Agreement]:
    """Agreement of two runs by language and, with more than one of them, of the mean over languages.

    Samples that one of them failed on or lacks do not count. Answers are the same where the chosen option is, or,
    without options, where the texts are equal but for space around them.
    """
    others = {record.key: record for record in b}
    same: dict[str, list[bool]] = {}
    for record in a:
        other = others.get(record.key)
        if other is not None and record.prediction.output is not None and other.prediction.output is not None:
            same.setdefault(record.sample.language, []).append(_said(record) == _said(other))
    found = {tag: _share(sum(each), len(each)) for tag, each in sorted(same.items())}
    if len(found) > 1:
        low, high = macro_wilson([(sum(each), len(each)) for each in same.values()])
        mean = sum(each.value for each in found.values()) / len(found)
        found[MACRO] = Agreement(value=mean, low=low, high=high, n=sum(each.n for each in found.values()))
    return found


def agreement_table(found: Mapping[str, Agreement], *, title: str, form: Format = "table") -> str:
    """How often two runs agree, by language."""
    rows = [
        [label(tag), number(each.value, scale=PERCENT), f"[{_percent(each.low)}, {_percent(each.high)}]", str(each.n)]
        for tag, each in found.items()
    ]
    return render(title, ["", "same answer %", "95 % interval", "n"], rows, form)


def _said(record: Record) -> str | int:
    """The option with the highest likelihood, or the text."""
    output = record.prediction.output
    assert output is not None
    scores = output.choice_scores
    return max(range(len(scores)), key=scores.__getitem__) if scores else output.text.strip()


def _share(same: int, n: int) -> Agreement:
    low, high = wilson(same, n)
    return Agreement(value=same / n, low=low, high=high, n=n)


def _percent(value: float) -> str:
    return number(value, scale=PERCENT)
