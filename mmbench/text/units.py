"""The units that errors are counted in: words, characters, or both mixed."""

from __future__ import annotations

import re
from typing import Literal

from mmbench.text.segmenters import UNSPACED, segment

Unit = Literal["word", "char", "mixed"]
"""What errors are counted in: WER, CER or MER."""

_MIXED = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]+")


def units(text: str, *, unit: Unit, segmenter: str | None = None, language: str | None = None) -> list[str]:
    """Split a text into the units that errors are counted in; white space is never one.

    - "word": what white space separates (WER). In a `language` without spaces between words, what `segmenter` finds
      (see `segmenters.segment`; both are needed).
    - "char": every code point (CER); a combining mark is a unit of its own, so that a wrong vowel sign is half the
      error of a wrong syllable. Spaces are not counted, unlike in jiwer: they say nothing where none are written.
    - "mixed": code points of scripts without spaces between words (Han, kana, Thai, Lao, Khmer, Myanmar, Tibetan, ...),
      and words of all others (MER). A text that is all of one kind has the same units as by "char" or "word".

    Raises:
        UsageError: the segmenter is unknown, not installed, or does not know the language.
        ValueError: a segmenter without a language, or for another unit than "word".
    """
    if segmenter is not None:
        if unit != "word" or language is None:
            raise ValueError(f"a segmenter finds words of a language: unit {unit!r}, language {language!r}")
        return segment(text, language, segmenter)
    if unit == "word":
        return text.split()
    return list("".join(text.split())) if unit == "char" else _MIXED.findall(text)
