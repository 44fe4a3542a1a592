"""What a judge's text says, a score, two scores or a label, by rules that rather find none than guess: version 1.

Before anything is looked for, blocks of reasoning (`<think> ... </think>`) and marks of Markdown are taken out, and
digits of all scripts become ASCII. A decimal comma is one. On a scale from 0 to 10:

- "7/10", "7 out of 10" and "7 of 10" are 7; what is said on another scale ("16/20", "80 %") is no score.
- A range ("0-10", "0 to 10", "7-8") is no score.
- A number further outside the scale than the scale is wide ("2024", "100") is no score.

A reader that finds several different scores finds none. The rules were written for judges that answer in English;
the words for "score" of some other languages are known too.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from mmbench.text import normalize, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VERSION = "1"
"""Changes whenever any text may be read differently; it is in the signature of the scores."""

_REASONING = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_SPECIAL = {  # the fullwidth forms of ASCII come on top
    **{"*": "", "`": "", "_": " ", "\u3000": " ", "\u00a0": " ", "\u066b": ".", "\u066a": "%", "\u2044": "/"},
    **{"\u00bd": ".5", "\u00bc": ".25", "\u00be": ".75"},
    **{"\u2212": "-", "\u2013": " - ", "\u2014": " - ", "\u3010": "[", "\u3011": "]"},
}

# Nothing is unbounded around what repeats, or a judge that goes on about spaces would take minutes.
_FIGURE = r"-?(?:\d{1,9}(?:\.\d{1,9}|,\d{1,2}(?![\d,]))?|\.\d{1,9})"
_NUMBER = rf"(?<![A-Za-z0-9.,/%$#-])({_FIGURE})(?![A-Za-z0-9]|[.,]\d|\s?%)"
_NUMBERS = re.compile(_NUMBER)
_RANGE = re.compile(
    rf"(?<![\w.,]){_FIGURE}\s{{0,3}}(?:-|~|\bto\b|\bbis\b|\u5230|\u81f3)\s{{0,3}}\d[\d.,]*"
    rf"|\bbetween\s+{_FIGURE}\s+and\s+\d[\d.,]*",
    re.IGNORECASE,
)
_SHARE = re.compile(
    rf"(?<![\w.,])({_FIGURE})\s{{0,3}}(?:/|\b(?:out\s+of|of|sur|von|de|van|su|av)\b|\u0438\u0437)\s{{0,3}}({_FIGURE})",
    re.IGNORECASE,
)
_FULL = re.compile(
    rf"(?:/|\bout\s+of\b|\bmax(?:imum)?\b|\u6ee1\u5206|\u6eff\u5206)[:\s]{{0,3}}{_FIGURE}", re.IGNORECASE
)
_WORD = (
    r"(?<!cannot )(?<!can't )(?<!can\u2019t )(?<!not )(?<!unable to )"
    r"(?:\b(?:scor(?:e[sd]?|ing)|rat(?:e[sd]?|ings?)|grade[sd]?"
    r"|puntuaci[o\u00f3]n|calificaci[o\u00f3]n|nota|bewertung|punktzahl|skor|puan)\b"
    r"|\u043e\u0446\u0435\u043d\u043a\u0430|\u0431\u0430\u043b\u043b|\u8bc4\u5206|\u8a55\u5206|\u5f97\u5206|\u5206\u6570"
    r"|\u5206\u6578|\u30b9\u30b3\u30a2|\u70b9\u6570|\u8a55\u4fa1|\uc810\uc218|\ud3c9\uc810|\u0627\u0644\u062f\u0631\u062c\u0629"
    r"|\u0627\u0644\u062a\u0642\u064a\u064a\u0645|\u0938\u094d\u0915\u094b\u0930|\u0905\u0902\u0915)"
)
_SAYS = rf"[^\d\n:=.]{{0,40}}[:=][\s\"'(\[{{]{{0,9}}{_NUMBER}"
_BRACKETS = re.compile(rf"(?:\[\[|\\boxed\{{)\s{{0,3}}{_NUMBER}\s{{0,3}}(?:\]\]|\}})")
_OVERALL = re.compile(rf"\b(?:overall|(?:overall|final|total)\s+{_WORD}){_SAYS}", re.IGNORECASE)
_LABELLED = re.compile(rf"{_WORD}{_SAYS}", re.IGNORECASE)
_PROSE = re.compile(rf"(?:{_WORD}|\b(?:giv(?:e|es|ing)|assign|deserves)\b)(?=([^\n]{{0,100}})(?!\d))", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?](?:\s|$)")
_LONE = re.compile(rf"\W{{0,9}}{_NUMBER}\s?(?:points?|pts?|\u5206|\u70b9|\u9ede|\uc810)?\W{{0,9}}", re.IGNORECASE)
_SIDE = re.compile(rf"(?<![A-Za-z0-9])([AB12])(?![A-Za-z0-9])(?:'s)?{_SAYS}")
_TWO = re.compile(rf"\W{{0,9}}{_NUMBER}[\s,;&|]{{1,9}}(?:and\s)?{_NUMBER}\W{{0,9}}")


def clean(text: str) -> str:
    """The text without reasoning and Markdown, with digits and fullwidth punctuation as ASCII.

    Reasoning that was cut off hides all that follows; an end without a begin, which some chat templates leave, hides
    all before it.
    """
    kept, depth, at = list[str](), 0, 0
    for match in _REASONING.finditer(text):
        if depth == 0:
            kept.append(text[at : match.start()])
        if not match[1]:
            depth += 1
        elif depth:
            depth -= 1
        else:
            kept.clear()
        at = match.end()
    if depth == 0:
        kept.append(text[at:])
    return "".join(map(_character, "".join(kept))).strip()


def _character(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if "\uff01" <= char <= "\uff5e":
        char = chr(ord(char) - 0xFEE0)
        return _SPECIAL.get(char, char)
    return str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char


def parse_score(text: str, low: float, high: float) -> float | None:
    r"""The score that a judge gives, on a scale from `low` to `high`; None where there is none, or more than one.

    It may lie up to the scale's width outside the scale; the caller clamps it. The first kind of place that holds any
    number decides:

    1. `[[7]]` or `\boxed{7}`.
    2. After "overall score:", "final rating:" or "overall:".
    3. After "score:", "rating:" or the like, JSON's quotes included.
    4. On the scale, in a sentence that rates, scores, grades, gives or deserves: the first number after that word.
    5. On the scale, alone on the first or the last line.
    6. On the scale, the only number on it in the text, and behind a colon, at the end, or in front of punctuation at
       the beginning ("The 2024 answer: 9" is 9, "I cannot say, for 3 parts are missing" is nothing).
    """
    said = _on_scale(clean(text), high)
    lines = [line for line in said.splitlines() if line.strip()]
    ends = [match for line in {*lines[:1], *lines[-1:]} if (match := _LONE.fullmatch(line))]
    places = (
        [_value(match[1]) for match in _BRACKETS.finditer(said)],
        [_value(match[1]) for match in _OVERALL.finditer(said)],
        [_value(match[1]) for match in _LABELLED.finditer(said)],
        _inside(_rated(said, low, high), low, high),
        _inside((_value(match[1]) for match in ends), low, high),
        _only(said, low, high),
    )
    for place in places:
        found = set(_inside(place, 2 * low - high, 2 * high - low))
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _rated(said: str, low: float, high: float) -> list[float]:
    """The first number on the scale after each word that rates, in the same sentence."""
    found = list[float]()
    for match in _PROSE.finditer(said):
        found += _inside(_values(_SENTENCE.split(match[1], maxsplit=1)[0]), low, high)[:1]
    return found


def _only(said: str, low: float, high: float) -> list[float]:
    """The only number on the scale, where it stands as a score stands and not in the middle of a sentence."""
    found = [match for match in _NUMBERS.finditer(said) if low <= _value(match[1]) <= high]
    if len(found) != 1:
        return []
    before, after = said[: found[0].start()].rstrip(), said[found[0].end() :].lstrip()
    first, last = not re.search(r"\w", before), not re.search(r"\w", after)
    stands = before[-1:] in (":", "=") or last or (first and not after[0].isalnum())
    return [_value(found[0][1])] if stands else []


def parse_pair(text: str, low: float, high: float) -> tuple[float, float] | None:
    """The two scores that a judge gives to the first and the second of two answers; None where they are not clear.

    They are `[[8]] [[9]]`, or stand after "A:" and "B:" or "1:" and "2:", or alone on the first or the last line
    ("8 9"), or are the only two numbers on the scale in the text. A comma separates here, it is no decimal comma.
    """
    said = _on_scale(clean(text), high).replace(",", " , ")
    least, most = 2 * low - high, 2 * high - low
    sides: dict[str, set[float]] = {"1": set(), "2": set()}
    for match in _SIDE.finditer(said):
        sides[{"A": "1", "B": "2"}.get(match[1], match[1])].add(_value(match[2]))
    lines = [line for line in said.splitlines() if line.strip()]
    ends = {(_value(m[1]), _value(m[2])) for line in (*lines[:1], *lines[-1:]) if (m := _TWO.fullmatch(line))}
    places = (
        [_value(match[1]) for match in _BRACKETS.finditer(said)],
        [value for side in sides.values() for value in side] if all(sides.values()) else [],
        [value for pair in ends for value in pair],
        _inside(_values(said), low, high),
    )
    for place in places:
        if found := _inside(place, least, most):
            return (found[0], found[1]) if len(found) == 2 else None
    return None


def _values(said: str) -> Iterable[float]:
    return (_value(match[1]) for match in _NUMBERS.finditer(said))


def _value(figure: str) -> float:
    return float(figure.replace(",", "."))


def _inside(values: Iterable[float], low: float, high: float) -> list[float]:
    return [value for value in values if low <= value <= high]


def _on_scale(text: str, high: float) -> str:
    """The text without ranges, with "7/10" as 7 where 10 is the highest score, and without scores on other scales."""

    def share(match: re.Match[str]) -> str:
        return match[1] if _value(match[2]) == high else " "

    return _FULL.sub(" ", _SHARE.sub(share, _RANGE.sub(" ", text)))


_NAMED = re.compile(
    r"\b(?:verdict|label|answer|judge?ment|rating|score|decision|conclusion|result|winner)\b[\"'\s]{0,5}"
    r"(?:[:=]|\bis\b)[ \t\"'(\[]{0,5}([^\n]{1,120})",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"(?:\[\[|\\boxed\{)([^\[\]{}\n]{1,120})(?:\]\]|\})")
_CLAUSE = re.compile(r"[,.:;!(]| - |\n")
_NEGATION = frozenset({"not", "no", "neither", "nor", "never", "cannot"})


def parse_label(text: str, labels: Sequence[str], *, anywhere: bool) -> str | None:
    """The label that a judge gives, as it stands in `labels`; None where there is none, or more than one.

    Case, punctuation and white space do not matter, and labels are whole words: "incorrect" is not "correct". The
    first place that holds any decides: the whole text; `[[label]]`; behind "verdict:", "label:", "the answer is" and
    the like; the last line. With `anywhere` also the first clause ("Yes, because ..."), and else all of the text, where
    a longer label hides a shorter one in it and a label up to three words behind "not" does not count.
    """
    said = clean(text)
    known = {_words(label): label for label in labels if _words(label)}
    lines = [line for line in said.splitlines() if line.strip()]
    places = [
        {known.get(_words(said))},
        {known.get(_words(match[1])) for match in _BRACKETED.finditer(said)},
        {_begins(_words(match[1]), known) for match in _NAMED.finditer(said)},
        {known.get(_words(line)) for line in lines[-1:]},
    ]
    if anywhere:
        places += [{known.get(_words(_CLAUSE.split(said, maxsplit=1)[0]))}, _contained(_words(said), known)]
    for place in places:
        found = place - {None}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _words(text: str) -> tuple[str, ...]:
    return tuple(units(normalize(text.replace("_", " "), name="basic", language="eng_Latn"), unit="mixed"))


def _begins(words: tuple[str, ...], known: dict[tuple[str, ...], str]) -> str | None:
    """The longest label that some words begin with."""
    fits = [label for label in known if words[: len(label)] == label]
    return known[max(fits, key=len)] if fits else None


def _contained(words: tuple[str, ...], known: dict[tuple[str, ...], str]) -> set[str | None]:
    """Labels in some words; each word belongs to one label at most, the longest."""
    found, at = set[str | None](), 0
    negation = _NEGATION - {word for label in known for word in label}  # "No, not yes" with labels yes and no
    while at < len(words):
        label = _begins(words[at : at + 20], known)
        before = words[max(0, at - 3) : at]
        negated = any(word in negation or word.endswith("n't") for word in before)
        if label is not None and not negated:
            found.add(label)
        at += len(_words(label)) if label is not None else 1
    return found
