"""The order in which characters of both directions are shown: the Unicode Bidirectional Algorithm without its controls.

Pillow's layout orders what is in one font. A line in several fonts has to be put in order before it is cut into pieces,
and Noto's Hebrew font, for one, has neither digits nor full stops.

Rules W1-W7, N0-N2, I1-I2 and L2 of Unicode Standard Annex 9. Left out are embeddings and isolates, whose characters are
taken for nothing, and brackets other than ASCII's, which go with what stands beside them.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOTHING = {"BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_NEUTRAL = {"B", "S", "WS", "ON"}


def right_to_left(text: str) -> bool:
    """Whether the first character that has a direction goes from right to left (rules P2 and P3)."""
    return next((kind != "L" for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL")), False)


def levels(text: str, *, rtl: bool) -> list[int]:
    """Embedding level of each character of a paragraph: odd ones go from right to left."""
    kinds = _weak([unicodedata.bidirectional(char) for char in text], "R" if rtl else "L")
    found: list[int] = []
    start = "R" if rtl else "L"
    for first, last in _pairs(text, kinds):
        kinds[first] = kinds[last] = _bracket(kinds, first, last, start)
    groups = [(neutral, list(group)) for neutral, group in groupby(kinds, key=_NEUTRAL.__contains__)]
    for index, (neutral, group) in enumerate(groups):
        if neutral:  # N1 and N2
            before = _side(groups[index - 1][1][-1]) if index else start
            after = _side(groups[index + 1][1][0]) if index + 1 < len(groups) else start
            group = [before if before == after else start] * len(group)
        found += [_level(kind, rtl=rtl) for kind in group]
    return found


def _weak(kinds: list[str], start: str) -> list[str]:
    """Rules W1 to W7."""
    before, strong = start, start
    for index, kind in enumerate(kinds):  # W1, and what is nothing goes with what it follows
        before = kinds[index] = before if kind == "NSM" or kind in _NOTHING else kind
    for index, kind in enumerate(kinds):  # W2
        strong = kind if kind in ("L", "R", "AL") else strong
        if kind == "EN" and strong == "AL":
            kinds[index] = "AN"
    kinds = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for index in range(1, len(kinds) - 1):  # W4
        sides = {kinds[index - 1], kinds[index + 1]}
        if (kinds[index] in ("ES", "CS") and sides == {"EN"}) or (kinds[index] == "CS" and sides == {"AN"}):
            kinds[index] = kinds[index - 1]
    groups = [(kind, len(list(group))) for kind, group in groupby(kinds)]
    for index, (kind, size) in enumerate(groups):  # W5 and W6
        beside = {groups[at][0] for at in (index - 1, index + 1) if 0 <= at < len(groups)}
        if kind in ("ET", "ES", "CS"):
            groups[index] = ("EN" if kind == "ET" and "EN" in beside else "ON", size)
    kinds, strong = [kind for kind, size in groups for _ in range(size)], start
    for index, kind in enumerate(kinds):  # W7
        strong = kind if kind in ("L", "R") else strong
        if kind == "EN" and strong == "L":
            kinds[index] = "L"
    return kinds


def _pairs(text: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    """Where brackets open and close, in the order of their beginnings (definition BD16)."""
    found, opened = [], list[int]()
    for index, char in enumerate(text):
        if kinds[index] != "ON":
            continue
        if char in _BRACKETS.values():
            opened.append(index)
        elif char in _BRACKETS:
            own = next((at for at in reversed(range(len(opened))) if text[opened[at]] == _BRACKETS[char]), None)
            if own is not None:
                found.append((opened[own], index))
                del opened[own:]
    return sorted(found)


def _bracket(kinds: Sequence[str], first: int, last: int, start: str) -> str:
    """Kind of the two brackets of a pair (rule N0)."""
    inside = {_side(kind) for kind in kinds[first + 1 : last] if kind not in _NEUTRAL}
    if start in inside or not inside:
        return start if inside else "ON"
    before = next((_side(kind) for kind in reversed(kinds[:first]) if kind not in _NEUTRAL), start)
    return before if before in inside else start


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _level(kind: str, *, rtl: bool) -> int:
    """Rules I1 and I2."""
    if rtl:
        return 1 if kind == "R" else 2
    return {"L": 0, "R": 1}.get(kind, 2)


def visual(runs: Sequence[int]) -> list[int]:
    """Indices of the runs of a line, whose levels are given, from left to right (rule L2)."""
    order = list(range(len(runs)))
    for level in range(max(runs, default=0), 0, -1):
        shown: list[int] = []
        for high, group in groupby(order, key=lambda index: runs[index] >= level):
            own = list(group)
            shown += reversed(own) if high else own
        order = shown
    return order
