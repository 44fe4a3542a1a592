"""Which choice a free answer names, by rules that rather find none than guess: version 1, for answers in English."""

from __future__ import annotations

import re

from mmbench.text import normalize, units

VERSION = "1"
"""Changes whenever any answer may be read differently; it is in the signature of the scores."""

_WRAP = r"[\s*_()\[\]{}\"'\u201c\u201d.:,;!$`]*"  # + - # and digits are no wrapping: "B+" may be a choice of its own
_LONE = re.compile(rf"{_WRAP}([A-Za-z]){_WRAP}")
_FRONT = re.compile(
    r"[\s*_(\[\"'\u201c]*([A-Z])[*_]*(?:[).:\]]+[*_]*(?=\s|$)|[^\S\n]+[-\u2013\u2014][^\S\n]|[^\S\n]*\n)"
)
_LISTED = re.compile(r"(?<![\w'\u2019.])([A-Z])[*_]*(?:[):\]]|(\.)(?=\s+\S))")
_TOKEN = r"[*_(\[\"'\u201c]{0,9}[A-Z](?![\w'\u2019+#\-])[*_)\]\"'\u201d]*"
_JOINED = rf"\s*(?:,|/|&|\b(?:or|and|not)\b)\s*(?:(?:or|and|not)\s+)?{_TOKEN}"
_PHRASE = re.compile(  # {0,9}: what may wrap a letter is bounded, or a long row of * would take minutes
    r"(?i:\banswer|\b(?:correct|right|best)\s+(?:option|choice))[*_]*\s*(?::|(?i:\bis\b))[\s:*_]{0,9}"
    rf"((?:(?i:option|choice)\s+)?{_TOKEN}(?:{_JOINED})*)"
)
_LETTER = re.compile(r"(?<![^\W_])[A-Z](?![^\W_])")
_ARTICLE = re.compile(r"[^\S\n]+(?!(?:because|since|as|due|given|and|or)\b)\w")


def parse(text: str, choices: tuple[str, ...]) -> int | None:
    """0-based index of the choice that the answer names; None where it names none, or more than one.

    The first rule that applies decides:

    1. The answer is the text of a choice, as it stands or as the normaliser `basic` writes both.
    2. It is a letter alone, in either case: "B", "(b)", "B.", "**B**".
    3. It says so with an upper-case letter as a word of its own: in front ("B) a red car", "B: ...") or after "answer
       is", "answer:" and the like ("the answer is (B)"). Two different letters name none. A list of all options in
       front is no answer. "A" and "I" before another word are read as words ("The answer is A red car").
    4. It contains the whole text of exactly one choice, in whole words; longer choices are looked for first and hide
       shorter ones inside them ("a red car", "car"). A choice of one letter or character is not looked for.

    There is no fall-back to a random choice.
    """
    answer = text.strip()
    exact = [index for index, choice in enumerate(choices) if choice.strip() == answer]
    written = [_normal(choice) for choice in choices]
    exact = exact or [index for index, choice in enumerate(written) if choice and choice == _normal(answer)]
    if len(exact) == 1:
        return exact[0]
    lone = _LONE.fullmatch(answer)
    if letters := {lone[1].upper()} if lone else _stated(answer, len(choices)):
        index = ord(min(letters)) - ord("A")
        return index if len(letters) == 1 and index < len(choices) else None
    found = _contained(_normal(answer), written)
    return found.pop() if len(found) == 1 else None


def _normal(text: str) -> str:
    return normalize(text, name="basic", language="eng_Latn")


def _stated(answer: str, count: int) -> set[str]:
    """Upper-case letters that the answer names as its answer, or begins with unless it lists options."""
    letters = set[str]()
    for match in _PHRASE.finditer(answer):
        found = _LETTER.findall(match[1])
        if found[-1] in "AI" and match[0][-1] == found[-1] and _ARTICLE.match(answer, match.end()):
            found.pop()
        letters.update(found)
    front = _FRONT.match(answer)
    if front and ord(front[1]) - ord("A") < count:
        # after a full stop only the next letter makes a list: "B. It lacks vitamin D. ..."
        listed = {m[1] for m in _LISTED.finditer(answer) if not m[2] or ord(m[1]) == ord(front[1]) + 1}
        if listed <= letters | {front[1]}:
            letters.add(front[1])
    return letters


def _contained(answer: str, choices: list[str]) -> set[int]:
    """Choices whose units follow each other in the answer, longest first and none inside another."""
    words, found = units(answer, unit="mixed"), set[int]()
    parts = {i: units(c, unit="mixed") for i, c in enumerate(choices) if len(c) > 1 or c.isdigit()}
    hidden = [False] * len(words)
    for size in sorted({len(part) for part in parts.values()}, reverse=True):
        seen = [(i, at) for i, part in parts.items() if len(part) == size for at in _places(words, part)]
        seen = [(i, at) for i, at in seen if not any(hidden[at : at + size])]
        for i, at in seen:
            found.add(i)
            hidden[at : at + size] = [True] * size
    return found


def _places(words: list[str], part: list[str]) -> list[int]:
    """Where `part` begins in `words`."""
    return [at for at in range(len(words) - len(part) + 1) if words[at : at + len(part)] == part] if part else []
