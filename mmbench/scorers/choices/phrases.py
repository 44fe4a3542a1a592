"""Words that announce an answer, in many languages, read from `phrases.tsv`, whose first lines explain its columns."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from mmbench.facts import table
from mmbench.scorers.choices.clean import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNSPACED = re.compile("[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af]")
_END = r"(?![^\W\d_])"


_SHAPES = dict(  # dotless i, stroked letters, apostrophes; ya, kaf and ha of Persian, Urdu and their neighbours
    zip(
        "\u0131\u0111\u0142\u00f8\u2018\u2019\u02bb\u02bc\u0649\u06cc\u06a9\u0629\u06c0\u06d5\u06be\u06c1",
        "idlo''''\u064a\u064a\u0643\u0647\u0647\u0647\u0647\u0647",
        strict=True,
    )
)


class _Folded(dict[int, str]):
    """A table for `str.translate` from characters to small ones without accents, always one to one."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if code < 0x700 or 0x1E00 <= code < 0x2000:
            char = unicodedata.normalize("NFD", char)[0]
        small = char if len(char.lower()) > 1 else char.lower()
        self[code] = _SHAPES.get(small, small)
        return self[code]


_FOLDED = _Folded()


def fold(text: str) -> str:
    """The text in small letters without accents, of the same length; Arabic letters in one shape each."""
    return text.translate(_FOLDED)


@cache
def _rows() -> tuple[dict[str, tuple[str, ...]], ...]:
    """Rows of the file as tuples of folded items by column, but for the letters in the column `word`."""
    rows = list[dict[str, tuple[str, ...]]]()
    for cells in table("mmbench.scorers.choices", "phrases.tsv"):
        folded = {name: cell if name == "word" else fold(visible(cell)) for name, cell in cells.items()}
        rows.append({name: tuple(filter(None, cell.split("|"))) for name, cell in folded.items()})
    return tuple(rows)


def _any_of(items: Iterable[str]) -> str:
    """Regular expression of items, the longest first, grouped by first character, which makes it much faster.

    An item that ends with * lets letters follow; another one that is written with spaces ends where its word ends.
    """
    groups = dict[str, list[str]]()
    for item in sorted(set(items), key=lambda item: (-len(item), item)):
        letters = "[\uac00-\ud7a3]" if "\uac00" <= item[0] <= "\ud7a3" else r"[^\W\d_]"
        end = letters + "{0,8}" if item.endswith("*") else "" if _UNSPACED.search(item) else _END
        groups.setdefault(item[0], []).append(re.escape(item.strip("*")[1:]) + end)
    return "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in groups.items())


def _column(name: str) -> list[str]:
    return [item for row in _rows() for item in row[name]]


def _words(items: Iterable[str]) -> str:
    """The same where items that are written with spaces also begin where a word begins."""
    runs = {item for item in items if _UNSPACED.match(item) and not "\uac00" <= item[0] <= "\ud7af"}
    firsts = re.escape("".join(sorted({item[0] for item in items})))
    return rf"(?=[{firsts}])(?:(?<![^\W_])(?:{_any_of(set(items) - runs)})|{_any_of(runs)})"


_QUOTES = "\"'\u201c\u201d\u201e\u00ab\u00bb\u300c\u300e"
_COLONS = ":=>\u055d\u1361\u1366\u2192\u2236\u2013\u2014-"
_LINK = _any_of(_column("link"))
ANNOUNCED = re.compile(
    rf"(?P<stem>{_words([item.strip('!') for item in _column('answer')])}|\\boxed\s?\{{)"
    rf"(?P<gap>(?:\s{{0,2}}(?:{_LINK})|\s{{0,2}}[{_COLONS}]|\s?[{_QUOTES}]|\s[^\W\d_](?=\s)){{0,7}})"
)
"""An announcement and all that stands between it and the answer, in folded text."""
LINKED = re.compile(rf"[^\w\n]{{0,4}}(?:(?:{_LINK})[^\w\n]{{0,4}})*")
"""Words such as `option`, in folded text."""
_JOIN_LETTERS = {item for item in _column("join") if len(item) == 1 and not _UNSPACED.match(item)}
_JOIN = _any_of(set(_column("join")) - _JOIN_LETTERS)
JOINED = re.compile(rf"[)\]\s\"'.]{{0,4}}(?:[,/&+;|\u060c\u3001]\s?)?(?:(?:{_JOIN})\s?){{0,2}}[(\[\"']{{0,3}}")
"""What joins two letters, in folded text; it matches marks alone too."""
JOINED_BY_LETTER = re.compile(rf"\s[{''.join(sorted(_JOIN_LETTERS))}]\s")
"""The same for words of one letter ("B o C"); where it is a capital in the text itself, it is an option."""
SUFFIX = re.compile(rf"['-]?\s?(?:{_any_of(_column('suffix'))})")
"""An ending at a letter, in folded text."""
UNDO = re.compile(_words(_column("undo")))
"""A word that makes the opposite, in folded text."""
QUESTION = re.compile(rf"^\W{{0,3}}(?:{_any_of(_column('question'))})\s?\d{{0,3}}\s?:", re.MULTILINE)
"""A next question, in folded text."""
_UNDO = tuple(_column("undo"))
_VERBS = frozenset(item[1:] for item in _column("answer") if item.startswith("!"))


def undone(before: str) -> bool:
    """Whether folded text ends with a word that makes the opposite of what comes next."""
    before = before.rstrip(" ")
    return before.endswith(_UNDO) and any(match.end() == len(before) for match in UNDO.finditer(before))


def needs_no_link(stem: str) -> bool:
    """Whether a letter may follow at once what was matched as `stem`: a verb, a box."""
    return stem in _VERBS or stem.endswith("{")


@cache
def letters_that_are_words(stem: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Capital letters that are words in the languages of `stem`, and the words that follow them as options yet."""
    rows = [row for row in _rows() if any(stem.startswith(item.strip("!*")) for item in row["answer"])]
    return frozenset(w for row in rows for w in row["word"]), tuple(w for row in rows for w in row["since"])


@cache
def letters_of_all_languages() -> frozenset[str]:
    """Capital letters that are words of some language."""
    return frozenset(w for row in _rows() for w in row["word"])
