"""Text as the metrics see it: named, versioned normalisers, and the units that errors are counted in.

A normaliser is applied to reference and hypothesis alike. What it does never changes under one version, because the
version is part of every score's signature.

- `none`: any run of Unicode white space becomes one space; nothing else.
- `basic`: NFC, lower case, punctuation and symbols (categories P and S) become spaces, but an apostrophe (' or U+2019,
  written ') stays between two letters. The language is not looked at.
- `mmbench`: like `basic`, but NFKC; lower case by language (the dotless i of Turkish, Azerbaijani, Crimean Tatar and
  Gagauz; a final sigma is a sigma; a sharp s stays); decimal digits of all scripts become ASCII; format characters (Cf:
  soft hyphen, zero-width space, byte order mark, bidi controls), tatweel and the marks that Armenian writes inside a
  word are removed; the look-alikes U+2018, U+02BB and U+02BC (Uzbek, Ukrainian) count as apostrophes.
  ZWJ and ZWNJ are removed too: they change how a word looks, not how it sounds, and writers leave them out at will.

Combining marks (M) are kept by all of them: taking them away splits the words of Brahmic scripts and hides their
vowels. The exceptions are variation selectors and their like, which neither sound nor show. Arabic vowel marks stay, so
a vocalised word is another word. NFKC writes Thai and Lao am (U+0E33, U+0EB3) as two characters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Literal

from mmbench.errors import UsageError
from mmbench.languages import tag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Unit = Literal["word", "char", "mixed"]
"""What errors are counted in: WER, CER or MER."""

_DOTLESS_I = frozenset({"tur_Latn", "azj_Latn", "crh_Latn", "gag_Latn"})
_INVISIBLE_MARKS = (  # and the keycap around an emoji digit
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u20e3\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
)
_REMOVED = re.compile(f"[\u0640\u055b\u055c\u055e{_INVISIBLE_MARKS}]")  # tatweel, marks inside Armenian words
_INVISIBLE = re.compile(f"[{_INVISIBLE_MARKS}]")
_APOSTROPHE = re.compile("['\u2019]")
_LOOKS_LIKE_APOSTROPHE = re.compile("['\u2018\u2019\u02bb\u02bc]")

# the scripts of `languages` whose words are not separated by spaces
_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Thai, Lao, Tibetan, Myanmar
    "\u1780-\u17ff\u1980-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9df"  # Khmer, Tai Lue, Tai Tham, Bali, Java
    "\u3005-\u3007\u303b\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b16f"  # kana, Bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
)
_MIXED = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


class _Table(dict[int, str]):
    """A table for `str.translate` that works out what becomes of a character when it is first met."""

    def __init__(self, replace: Callable[[str], str]) -> None:
        super().__init__()
        self._replace = replace

    def __missing__(self, code: int) -> str:
        self[code] = self._replace(chr(code))
        return self[code]


def _replace_basic(char: str) -> str:
    if _APOSTROPHE.match(char):
        return char
    return " " if unicodedata.category(char)[0] in "PS" else _INVISIBLE.sub("", char)


def _replace_mmbench(char: str, *, dotless_i: bool) -> str:
    compatible = unicodedata.normalize("NFKC", char)
    if unicodedata.category(char)[0] == "S" and (compatible[0] == " " or char in "\u2120\u2122"):
        return " "  # a spacing accent would leave its mark behind, and (TM) or (SM) would grow on to the word
    cased = (compatible.replace("I", "\u0131") if dotless_i else compatible).replace("\u0130", "i").lower()
    return "".join(map(_replace_folded, cased.replace("\u03c2", "\u03c3")))


def _replace_folded(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cf" or _REMOVED.match(char):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return " " if category[0] in "PS" and not _LOOKS_LIKE_APOSTROPHE.match(char) else char


_BASIC = _Table(_replace_basic)
_MMBENCH = _Table(partial(_replace_mmbench, dotless_i=False))
_MMBENCH_DOTLESS_I = _Table(partial(_replace_mmbench, dotless_i=True))


def _apostrophe(match: re.Match[str]) -> str:
    """An apostrophe where there is a letter on both sides, else a space."""
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    inside = before and after and unicodedata.category(before)[0] in "LM" and unicodedata.category(after)[0] == "L"
    return "'" if inside else " "


def _none(text: str, _: str) -> str:
    return " ".join(text.split())


def _basic(text: str, _: str) -> str:
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower()).translate(_BASIC)
    return " ".join(_APOSTROPHE.sub(_apostrophe, composed).split())


def _mmbench(text: str, language: str) -> str:
    table = _MMBENCH_DOTLESS_I if tag(language) in _DOTLESS_I else _MMBENCH
    # NFC before, so that I with a dot is one character; and after, because NFKC of each is not yet NFKC of all
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).translate(table))
    return " ".join(_LOOKS_LIKE_APOSTROPHE.sub(_apostrophe, folded).split())


NORMALIZERS: Mapping[str, tuple[str, Callable[[str, str], str]]] = {
    "none": ("none/1", _none),
    "basic": ("basic/1", _basic),
    "mmbench": ("mmbench/1", _mmbench),
}
"""Each normaliser's version, and the function from text and language tag to text."""


def _normalizer(name: str) -> tuple[str, Callable[[str, str], str]]:
    if name not in NORMALIZERS:
        raise UsageError(f"unknown normalizer {name!r}: known are {', '.join(NORMALIZERS)}")
    return NORMALIZERS[name]


def normalize(text: str, *, name: str, language: str) -> str:
    """The text as the normaliser `name` writes it, for a text in `language` (a tag or what `languages.tag` accepts).

    Words in the result are separated by one space each, whatever the white space in `text` was: tab, line end and
    no-break space separate words like a space. Normalising twice gives the same as once.

    Raises:
        UsageError: no normaliser has that name, or the language is unknown to a normaliser that looks at it.
    """
    return _normalizer(name)[1](text, language)


def normalizer_version(name: str) -> str:
    """The normaliser as signatures name it, such as `mmbench/1`.

    Raises:
        UsageError: no normaliser has that name.
    """
    return _normalizer(name)[0]


def units(text: str, *, unit: Unit) -> list[str]:
    """Split a text into the units that errors are counted in; white space is never one.

    - "word": what white space separates (WER).
    - "char": every code point (CER); a combining mark is a unit of its own, so that a wrong vowel sign is half the
      error of a wrong syllable. Spaces are not counted, unlike in jiwer: they say nothing where none are written.
    - "mixed": code points of scripts without spaces between words (Han, kana, Thai, Lao, Khmer, Myanmar, Tibetan, ...),
      and words of all others (MER). A text that is all of one kind has the same units as by "char" or "word".
    """
    if unit == "word":
        return text.split()
    return list("".join(text.split())) if unit == "char" else _MIXED.findall(text)
