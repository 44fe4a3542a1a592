"""Named, versioned normalisers: `none`, `basic`, `mmbench`, and Whisper's two.

What a normaliser does never changes under one version, because the version is part of every score's signature.

- `none`: any run of Unicode white space becomes one space; nothing else.
- `basic`: NFC, lower case, punctuation and symbols (categories P and S) become spaces, but an apostrophe (' or U+2019,
  written ') stays between two letters. The language is not looked at.
- `mmbench`: like `basic`, but NFKC; lower case by language (the dotless i of Turkish, Azerbaijani, Crimean Tatar and
  Gagauz; a final sigma is a sigma; a sharp s stays); decimal digits of all scripts become ASCII; characters without
  sound or look (Cf and Cc: soft hyphen, zero-width space, byte order mark, bidi and other controls), tatweel and the
  marks that Armenian writes inside a word are removed.
  One letter in two encodings is one: Romanian s and t with cedilla (comma below is right), Vietnamese eth (it is d with
  stroke), and the chillus of Malayalam and khanda ta of Bengali as they were written with ZWJ before Unicode 5.1 and
  4.1. Any other ZWJ and ZWNJ is removed: they change how a word looks, and writers leave them out at will.
  Inside a word stay: apostrophes, in any of nine encodings (Uzbek, Ukrainian, Hebrew geresh), as '; the middle dot of
  Catalan l·l. The gershayim of a Hebrew acronym, or the quotation mark typed for them, go without splitting it.
- `whisper_basic`, `whisper_english`: for comparison with what others publish, see `mmbench.text.whisper`.

Combining marks (M) are kept by the first three: taking them away splits the words of Brahmic scripts and hides their
vowels. The exceptions are variation selectors and their like, which neither sound nor show. Arabic vowel marks stay, so
a vocalised word is another word; `mmbench.text.options` has what forgives that and more. NFKC writes Thai and Lao am
(U+0E33, U+0EB3) as two characters.

Version 2 of `mmbench` is the first to know the letters in two encodings, geresh, gershayim, l·l, the apostrophes
U+0060, U+00B4 and U+055A, and to remove Cc; under version 1 two words of Malayalam, he (avan) written with ZWJ and
to him (avanu), were one. Version 2 of `basic` is NFC also where an invisible mark stood between others.
"""

# ruff: noqa: RUF001 (letters of many scripts look like those of another)

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.text.options import OPTIONS, parse_options
from mmbench.text.whisper import whisper_basic, whisper_english, whisper_english_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Function = Callable[[str, str], str]

_LETTERS: Mapping[str, Mapping[int, int]] = {  # before lower case
    **dict.fromkeys(("tur_Latn", "azj_Latn", "crh_Latn", "gag_Latn"), str.maketrans("I", "ı")),
    "ron_Latn": str.maketrans("ŞşŢţ\u0327", "ȘșȚț\u0326"),
    "vie_Latn": str.maketrans("Ðð", "Đđ"),
}
_INVISIBLE_MARKS = (  # and the keycap around an emoji digit
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u20e3\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
)
_REMOVED = re.compile(f"[\u0640\u055b\u055c\u055e{_INVISIBLE_MARKS}]")  # tatweel, marks inside Armenian words
_INVISIBLE = re.compile(f"[{_INVISIBLE_MARKS}]")
_APOSTROPHE = re.compile("['\u2019]")
_QUOTES, _MIDDLE_DOTS = '"\u201d\u05f4', "\u00b7\u2027"
_MEANT_INSIDE = frozenset(f"'\u2018\u2019\u02bb\u02bc\u055a\u05f3`\u00b4{_QUOTES}{_MIDDLE_DOTS}")
_IN_WORD = re.compile(f"[{''.join(sorted(_MEANT_INSIDE))}]")

# consonant, virama and ZWJ -> the letter: The Unicode Standard, chapter 12, Bengali khanda ta and Malayalam chillu
_WITH_ZWJ = re.compile("([\u0d15\u0d23\u0d28\u0d30\u0d32\u0d33]\u0d4d|\u09a4\u09cd)\u200d")
_OWN_LETTER = dict(
    zip("\u0d15\u0d23\u0d28\u0d30\u0d32\u0d33\u09a4", "\u0d7f\u0d7a\u0d7b\u0d7c\u0d7d\u0d7e\u09ce", strict=True)
)


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


def _replace_mmbench(char: str, *, letters: Mapping[int, int]) -> str:
    if char in _MEANT_INSIDE:
        return char  # until it is known what stands beside it
    compatible = unicodedata.normalize("NFKC", char)
    if unicodedata.category(char)[0] == "S" and (compatible[0] == " " or char in "\u2120\u2122"):
        return " "  # a spacing accent would leave its mark behind, and (TM) or (SM) would grow on to the word
    cased = compatible.translate(letters).replace("\u0130", "i").lower()
    return "".join(map(_replace_folded, cased.replace("\u03c2", "\u03c3")))


def _replace_folded(char: str) -> str:
    category = unicodedata.category(char)
    if (category in ("Cf", "Cc") and not char.isspace()) or _REMOVED.match(char):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return " " if category[0] in "PS" and char not in _MEANT_INSIDE else char


_BASIC = _Table(_replace_basic)
_MMBENCH = _Table(partial(_replace_mmbench, letters={}))
_MMBENCH_BY_LANGUAGE = {code: _Table(partial(_replace_mmbench, letters=known)) for code, known in _LETTERS.items()}


def _sides(match: re.Match[str]) -> tuple[str, str]:
    """The characters before and after; empty at an end."""
    text, start, end = match.string, match.start(), match.end()
    return text[start - 1 : start] if start else "", text[end : end + 1]


def _apostrophe(match: re.Match[str]) -> str:
    """An apostrophe where there is a letter on both sides, else a space."""
    before, after = _sides(match)
    inside = before and after and unicodedata.category(before)[0] in "LM" and unicodedata.category(after)[0] == "L"
    return "'" if inside else " "


def _in_word(match: re.Match[str]) -> str:
    """What becomes of a character that means something inside a word alone."""
    before, after = _sides(match)
    if before in _MEANT_INSIDE or after in _MEANT_INSIDE:
        return " "  # two of them; some are letters by their category
    if match[0] in _QUOTES:
        return "" if "\u0591" <= before <= "\u05f2" and "\u05d0" <= after <= "\u05f2" else " "
    if match[0] in _MIDDLE_DOTS:
        return "\u00b7" if before == after == "l" else " "
    return _apostrophe(match)


def _none(text: str, _: str) -> str:
    return " ".join(text.split())


def _basic(text: str, _: str) -> str:
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower()).translate(_BASIC)
    reordered = unicodedata.normalize("NFC", composed)  # where an invisible mark stood between others
    return " ".join(_APOSTROPHE.sub(_apostrophe, reordered).split())


def _mmbench(text: str, language: str) -> str:
    table = _MMBENCH_BY_LANGUAGE.get(tag(language), _MMBENCH)
    # NFC before, so that I with a dot is one character; and after, because NFKC of each is not yet NFKC of all
    composed = unicodedata.normalize("NFC", text)
    if "\u200d" in composed:
        composed = _WITH_ZWJ.sub(lambda old: _OWN_LETTER[old[0][0]], composed)
    folded = unicodedata.normalize("NFC", composed.translate(table))
    return " ".join(_IN_WORD.sub(_in_word, folded).split())


@dataclass(frozen=True, slots=True)
class Normalizer:
    """A normaliser: `version` gives its name and version (a UsageError without its library), `apply` the text."""

    version: Callable[[], str]
    apply: Function


NORMALIZERS: Mapping[str, Normalizer] = {
    "none": Normalizer(lambda: "none/1", _none),
    "basic": Normalizer(lambda: "basic/2", _basic),
    "mmbench": Normalizer(lambda: "mmbench/2", _mmbench),
    "whisper_basic": Normalizer(lambda: "whisper_basic/1", whisper_basic),
    "whisper_english": Normalizer(whisper_english_version, whisper_english),
}
"""The normalisers by name."""


def _normalizer(base: str) -> Normalizer:
    if base not in NORMALIZERS:
        raise UsageError(f"unknown normalizer {base!r}: known are {', '.join(NORMALIZERS)}")
    return NORMALIZERS[base]


@cache
def _function(name: str) -> Function:
    base, options = parse_options(name)
    apply = _normalizer(base).apply
    before = [OPTIONS[option].apply for option in options if OPTIONS[option].before]
    after = [OPTIONS[option].apply for option in options if not OPTIONS[option].before]
    steps = (*before, apply, *after)

    def all_steps(text: str, language: str) -> str:
        for step in steps:
            text = step(text, language)
        return text

    return all_steps if options else apply


def normalize(text: str, *, name: str, language: str) -> str:
    """The text as the normaliser `name` writes it, for a text in `language` (a tag or what `languages.tag` accepts).

    Words in the result are separated by one space each, whatever the white space in `text` was: tab, line end and
    no-break space separate words like a space. Normalising twice gives the same as once with `none`, `basic` and
    `mmbench`. Options follow the name, each after a plus sign, in any order: `mmbench+no_points+arabic_letters`.

    Raises:
        UsageError: no normaliser or option has that name, the language is unknown to one that looks at it, or a library
            is not installed.
    """
    return _function(name)(text, language)


def normalizer_version(name: str) -> str:
    """The normaliser as signatures name it, such as `mmbench/2` or, with options in order, `mmbench/2+no_points`.

    Raises:
        UsageError: no normaliser or option has that name, or a library is not installed.
    """
    base, options = parse_options(name)
    return "+".join((_normalizer(base).version(), *(OPTIONS[option].version(option) for option in options)))
