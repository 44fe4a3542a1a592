"""Options that make a normaliser forgive more: `mmbench+no_points`. Each is named in the version and the signature.

- `no_points`: Hebrew vowel points and cantillation, Arabic short vowels, shadda, dagger alef and Quranic signs are
  removed, as most writers leave them out. Letters stay as they are: hamza and madda are part of theirs. Kashmiri has
  vowels that only such signs write, and loses them.
- `arabic_letters`: what writers and keyboards of Arabic script interchange becomes one letter. Keheh becomes kaf (not
  in Sindhi, where they are two letters); alef maqsura and Farsi yeh become ya (in Uyghur alef maqsura stays, in Pashto
  both: letters of their own); in Arabic, its varieties included, alef with hamza, madda or wasla becomes bare alef.
  These are the alef and ya normalisations of Habash 2010, Introduction to Arabic Natural Language Processing, and of
  CAMeL Tools (Obeid et al. 2020). In Persian and Urdu alef with madda is another letter than alef and stays.
- `ta_marbuta`: in Arabic and its varieties ta marbuta becomes ha. An option of its own, as in CAMeL Tools, because the
  two are pronounced differently in many words; use it for dialects, whose writers interchange them.
- `simplified`: Chinese text, of any variety, is written in simplified characters: OpenCC's configuration t2s.

They look at the script of the text or of the language, so that one setting may be used for all languages.
"""

# ruff: noqa: RUF001 (letters of many scripts look like those of another)

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mmbench.errors import UsageError
from mmbench.languages import language as known_language
from mmbench.languages import whisper_code
from mmbench.text.extras import load, released

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_POINTS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\ufb1e"  # Hebrew
    "\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"  # Arabic
    "\u0897-\u089f\u08ca-\u08e1\u08e3-\u08ff\U00010efa-\U00010eff]"
)
_PRESENTATION_FORMS = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]")
_REFUSED_BY_C = re.compile("[^\0\ud800-\udfff]+")
_OWN_KAF, _OWN_YEH, _OWN_ALEF_MAQSURA = frozenset({"snd"}), frozenset({"pbt", "pbu", "pst"}), frozenset({"uig"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What a plus sign adds.

    Args:
        apply: from a text and its language to the text.
        before: whether it comes before the normaliser, which might take away what it looks for, or after.
        library: the distribution that does the work, and the extra that brings it.
    """

    apply: Callable[[str, str], str]
    before: bool = False
    library: tuple[str, str] | None = None

    def version(self, name: str) -> str:
        """The name, with the release of its library; a UsageError where that is not installed."""
        if self.library is None:
            return name
        package, extra = self.library
        return f"{name}({released(package, extra=extra, user=f'normalizer option {name}')})"


def parse_options(name: str) -> tuple[str, tuple[str, ...]]:
    """Normaliser and options, in order of the alphabet and each once, of a name such as `mmbench+no_points`.

    Raises:
        UsageError: there is no such option.
    """
    base, *given = name.split("+")
    for option in given:
        if option not in OPTIONS:
            raise UsageError(f"unknown option {option!r} of normalizer {name!r}: known are {', '.join(OPTIONS)}")
    return base, tuple(sorted(set(given)))


def _no_points(text: str, _: str) -> str:
    if text.isascii():
        return text
    return _POINTS.sub("", _PRESENTATION_FORMS.sub(_opened, text))


def _opened(form: re.Match[str]) -> str:
    """A presentation form that holds points as its letters and points; any other as it is."""
    parts = unicodedata.normalize("NFKC", form[0]).strip()
    return parts if _POINTS.search(parts) else form[0]


def _arabic_letters(text: str, language: str) -> str:
    table = _letters(language)
    return unicodedata.normalize("NFC", text).translate(table) if table else text


@cache
def _letters(language: str) -> dict[int, str]:
    """What the letters of a language in Arabic script become; nothing in other scripts."""
    known = known_language(language)
    if known.script != "Arab":
        return {}
    table = {} if known.code in _OWN_KAF else {"ک": "ك"}
    if known.code not in _OWN_YEH:
        table["ی"] = "ي"
        if known.code not in _OWN_ALEF_MAQSURA:
            table["ى"] = "ي"
    if _is_arabic(language):
        table |= dict.fromkeys("أإآٱ", "ا")
    return str.maketrans(table)


def _ta_marbuta(text: str, language: str) -> str:
    return text.replace("ة", "ه") if _is_arabic(language) else text


def _is_arabic(language: str) -> bool:
    return whisper_code(language) == "ar"


def _simplified(text: str, language: str) -> str:
    if text.isascii() or known_language(language).script not in ("Hans", "Hant", "Hani"):
        return text
    return _REFUSED_BY_C.sub(lambda run: _to_simplified()(run[0]), text)


@cache
def _to_simplified() -> Callable[[str], str]:
    convert: Callable[[str], str]
    convert = load("opencc", extra="chinese", user="normalizer option simplified").OpenCC("t2s").convert
    return convert


OPTIONS: Mapping[str, Option] = {
    "arabic_letters": Option(apply=_arabic_letters),
    "no_points": Option(apply=_no_points, before=True),
    "simplified": Option(apply=_simplified, library=("opencc", "chinese")),
    "ta_marbuta": Option(apply=_ta_marbuta),
}
"""The options by name."""
