"""Whisper's own normalisers, for comparison with numbers that others publish; do not compare languages with them.

Defined in appendix C of Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision. What they lose
outside English is told once per script in the log:

- `whisper_basic` writes a space for every combining mark. The words of Brahmic and Southeast Asian scripts fall apart
  at their vowel signs (the two words नमस्ते दुनिया become five), and a wrong vowel sign costs nothing. Tone marks of
  Yoruba and the points of vocalised Arabic or Hebrew go the same way. Words in brackets are dropped.
- `whisper_english` drops diacritics, so that change and changé are one word, and rewrites numbers, contractions and
  British spellings as it knows them from English. The rules are those that transformers has from Whisper; their table
  of spellings is in the package whisper-normalizer, which the extra `whisper` brings. The rules of that package are not
  Whisper's (release 0.1.15 makes the noun "cause" a "because"), so they are not used.
"""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mmbench.languages import language as known_language
from mmbench.text.extras import load, released

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
_USER = "normalizer whisper_english"
_told: set[tuple[str, str]] = set()

_BRACKETED = re.compile(r"[<\[][^>\]]*[>\]]")  # either kind may close the other
_PARENTHESISED = re.compile(r"\([^)]+\)")


class _Spaces(dict[int, str]):
    """A table for `str.translate`: marks, symbols and punctuation become spaces."""

    def __missing__(self, code: int) -> str:
        self[code] = " " if unicodedata.category(chr(code))[0] in "MSP" else chr(code)
        return self[code]


_SPACES = _Spaces()


def whisper_basic(text: str, language: str) -> str:
    """BasicTextNormalizer without the removal of diacritics, but for white space at the ends."""
    spoken = _PARENTHESISED.sub("", _BRACKETED.sub("", text.lower()))
    compatible = unicodedata.normalize("NFKC", spoken)
    _tell_basic(compatible, language)
    return " ".join(compatible.translate(_SPACES).lower().split())


def whisper_english(text: str, language: str) -> str:
    """EnglishTextNormalizer, but for white space at the ends."""
    known = known_language(language)
    if known.code != "eng":
        _tell(
            ("whisper_english", known.script),
            f"whisper_english is for English: in {known.tag} it drops diacritics, so that other words count as the "
            "same, and rewrites numbers and spellings; use mmbench to compare languages",
        )
    return " ".join(_english()(text).split())


def whisper_english_version() -> str:
    """`whisper_english/1` and the releases that do the work; a UsageError without the extra `whisper`."""
    found = [released(library, extra="whisper", user=_USER) for library in ("transformers", "whisper-normalizer")]
    return f"whisper_english/1({','.join(found)})"


@cache
def _english() -> Callable[[str], str]:
    load("whisper_normalizer", extra="whisper", user=_USER)
    table = files("whisper_normalizer").joinpath("normalizers", "english.json").read_text(encoding="utf-8")
    rules = load("transformers.models.whisper.english_normalizer", extra="whisper", user=_USER)
    normalizer: Callable[[str], str] = rules.EnglishTextNormalizer(json.loads(table))
    return normalizer


def _tell_basic(text: str, language: str) -> None:
    """Warn of what the marks in a text, or the lack of spaces, will do to it."""
    known = known_language(language)
    key = ("whisper_basic", known.script)
    if key in _told or text.isascii():
        return
    if any(unicodedata.category(char)[0] == "M" for char in text):
        _tell(
            key,
            f"whisper_basic splits the words of {known.tag} at vowel signs and other marks and hides wrong ones; "
            "use mmbench to compare languages",
        )
    elif not known.spaced:
        _tell(key, f"whisper_basic leaves the words of {known.tag} unseparated; count characters there (cer)")


def _tell(key: tuple[str, str], message: str) -> None:
    if key not in _told:
        _told.add(key)
        _log.warning(message)
