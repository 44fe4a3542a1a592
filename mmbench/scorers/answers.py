"""Free answers against accepted ones: the same text, contained in it, a number within 5 %, nearly spelt right.

An answer and a reference are compared as the named normaliser writes them (combining marks stay, so that a lost vowel
sign is an error), but for what a normaliser of speech drops and what changes an answer:

- A minus before a number stays, and so does a full stop or comma between two digits (written as a full stop): "-5" is
  not "5", and "5" is not in "3.5". With the normaliser `none` nothing is done about them.
- A text of which nothing would be left ("+", "%") is compared as it stands.
- An empty answer therefore matches nothing but an empty reference.

Of several references the best counts. A sample without references adds nothing; a failed one is wrong.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np
from rapidfuzz.distance import Levenshtein

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.scorers.mean import MeanOfSamples
from mmbench.text import normalize, normalizer_version, units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmbench.schema import Output, Sample, Stats

Match = Literal["exact", "contains"]
"""Whether a reference has to be the whole answer, or may stand in it in whole words."""

_SIGN = re.compile(r"(?<![\w)\]])[-\u2212\u2013\uff0d](?=\d)")
_POINT = re.compile(r"(?<=\d)[.,\u066b\u066c\uff0c\uff0e](?=\d)")
_STACKERS = "\u1039\u17d2\u1a60\u1b44\ua9c0"  # the letter after one of them is written below: one character with it

_DRAWN = {"\u2212": "-", "\u2013": "-", "\uff0d": "-", "\uff0c": ",", "\uff0e": ".", "\u066a": "%", "\uff05": "%"}
_DRAWN |= dict.fromkeys(" \xa0\u2009\u202f\u2019\u066c", "'")  # these part thousands and nothing else
_NUMERAL = re.compile(r"([$%']*)([+-]?)([$%']*)([\d.,'\u066b]+?)([$%']*)")
_WHOLE = re.compile(r"\d+|[1-9]\d{0,2}(?:([.,'])\d{3})(?:\1\d{3})*|[1-9]\d?(?:,\d\d)+,\d{3}")
_COMMA = frozenset(  # languages that write 1,5 in CLDR (as of Babel 2.18), then such as write like their neighbours
    "afr als ast azj bel bos bre bul cat ces dan deu ell epo est eus fao fin fra glg hat hrv hun hye ind isl ita jav "
    "kab kat kaz kea kin kir kmr lao lij lin lit ltz lvs mkd nld nno nob pol por ron run rus sag slk slv spa srd srp "
    "ssw sun swe tat tgk tso tuk tur tzm ukr uzn vec vie wol "
    "ace aeb ary ban bjn bug crh lim min".split()
)


def readings(text: str, *, language: str) -> tuple[frozenset[Decimal], bool]:
    """What numbers a text may be, and whether it is a percentage; none where it is more than one number.

    Digits of all scripts, currency signs, a percent sign on either side, and groups of thousands (or of hundreds after
    the first, as in India) parted by comma, full stop, apostrophe or space are read. "1,234" and "1.234" are what they
    are in English, but both 1234 and 1.234 where the language has a decimal comma: models write either.

    Raises:
        UsageError: the language is unknown.
    """
    if len(text) > 64:
        return frozenset(), False
    found = _NUMERAL.fullmatch("".join(map(_plain, text)).strip("'").rstrip(".\u3002"))
    if found is None:
        return frozenset(), False
    before, sign, between, digits, after = found.groups()
    values = {mark: value for mark in (".", ",", "\u066b", "") if (value := _value(digits, mark)) is not None}
    if len(values) > 1 and tag(language).partition("_")[0] not in _COMMA:
        values = {mark: value for mark, value in values.items() if mark == (".", "")["," in digits]}
    signed = frozenset(-value if sign == "-" else value for value in values.values())
    return signed, "%" in before + between + after


def _plain(char: str) -> str:
    """The character as `_NUMERAL` knows it: an ASCII digit, $ for any currency, nothing for what does not show."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    kind = unicodedata.category(char)
    return "$" if kind == "Sc" else "" if kind == "Cf" else _DRAWN.get(char, char)


def _value(digits: str, mark: str) -> Decimal | None:
    """The number, if `mark` is its decimal mark; "" is that of a whole number."""
    whole, found, part = digits.partition(mark) if mark else (digits, "", "")
    if bool(found) != bool(mark) or not (part.isdecimal() if mark else True):
        return None
    groups = _WHOLE.fullmatch(whole or "0" * bool(mark))
    if groups is None or (mark and mark in whole):
        return None
    return Decimal(re.sub(r"\D", "", whole or "0") + (f".{part}" if mark else ""))


def written(text: str, language: str, normalizer: str) -> str:
    """The text as it is compared: as the normaliser writes it, with signs and decimal marks kept.

    Raises:
        UsageError: the normaliser or the language is unknown.
    """
    bare = " ".join(text.split())
    if normalizer.partition("+")[0] == "none":
        return normalize(bare, name=normalizer, language=language)
    kept = _POINT.sub("\ue001", _SIGN.sub("\ue000", bare))  # of private use, which no normaliser touches
    found = normalize(kept, name=normalizer, language=language).replace("\ue000", "-").replace("\ue001", ".")
    return found or bare


def characters(text: str) -> list[str]:
    """Units of a text: words, and where no spaces part them characters with their marks and what is stacked below."""
    found: list[str] = []
    for unit in units(text, unit="mixed"):
        if found and (unicodedata.category(unit[0])[0] == "M" or found[-1][-1] in _STACKERS):
            found[-1] += unit
        else:
            found.append(unit)
    return found


def _holds(answer: str, reference: str) -> bool:
    """Whether the units of the reference follow each other in the answer."""
    whole, part = ("\0".join(["", *characters(text), ""]) for text in (answer, reference))
    return part in whole


def _stats(value: Callable[[str, str, str], float], sample: Sample, output: Output | None) -> Stats:
    if not sample.references:
        return np.zeros(2)
    if output is None:
        return np.array([0.0, 1.0])
    return np.array([max(value(output.text, reference, sample.written) for reference in sample.references), 1.0])


def _signature(name: str, rule: str, normalizer: str) -> str:
    return f"{name}|{rule}|norm:{normalizer_version(normalizer)}|refs:best|mmbench:{__version__}"


@dataclass(frozen=True, kw_only=True)
class ExactMatch(MeanOfSamples):
    """Share of answers that are one of the references as the normaliser writes both, 0 to 1.

    With `match: contains` it is enough that a reference stands in the answer: whole words where spaces part them,
    elsewhere whole characters with all their marks. Long answers then have better chances, as in MTVQA's protocol.

    Args:
        match: "exact" or "contains".
        normalizer: applied to both sides, see `text.NORMALIZERS`.
        name: of the metric in tables.

    Raises:
        UsageError: a setting is unknown.
    """

    name: str = "exact_match"
    match: Match = "exact"
    normalizer: str = "mmbench"

    proportion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        normalizer_version(self.normalizer)
        if self.match not in get_args(Match):
            raise UsageError(f"{self.name}: unknown match {self.match!r}: known are {', '.join(get_args(Match))}")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Value of the best reference and 1, of shape (2,); zeros where there is no reference."""
        return _stats(self.value, sample, output)

    def value(self, answer: str, reference: str, language: str) -> float:
        """1 if the answer is the reference, or holds it."""
        said, right = (written(text, language, self.normalizer) for text in (answer, reference))
        return float(said == right or bool(self.match == "contains" and said and right and _holds(said, right)))

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return _signature(self.name, f"match:{self.match}", self.normalizer)


@dataclass(frozen=True, kw_only=True)
class RelaxedMatch(MeanOfSamples):
    """ChartQA's relaxed accuracy (Masry et al. 2022; Methani et al. 2020): numbers within 5 %, other texts the same.

    Where both are numbers (`readings`) they alone decide, to the last digit: 1.05 is within 5 % of 1, and nothing but 0
    is within 5 % of 0. If one has a percent sign and the other has none, "50%" is 50 or 0.5. Years are numbers.

    Args:
        tolerance: relative to the reference.
        normalizer: applied to texts that are no numbers.
        name: of the metric in tables.

    Raises:
        UsageError: the normaliser is unknown.
    """

    name: str = "relaxed"
    tolerance: float = 0.05
    normalizer: str = "mmbench"

    proportion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        normalizer_version(self.normalizer)
        if self.tolerance < 0:
            raise UsageError(f"{self.name}: tolerance={self.tolerance}: must be 0 or a share above it")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Value of the best reference and 1, of shape (2,); zeros where there is no reference."""
        return _stats(self.value, sample, output)

    def value(self, answer: str, reference: str, language: str) -> float:
        """1 if both are numbers near enough, or the same text."""
        (said, said_percent), (right, right_percent) = (readings(t, language=language) for t in (answer, reference))
        if not said or not right:
            said_text, right_text = (written(text, language, self.normalizer) for text in (answer, reference))
            return float(said_text == right_text)
        if said_percent != right_percent:
            hundredth = frozenset(value / 100 for value in (said if said_percent else right))
            said, right = (said | hundredth, right) if said_percent else (said, right | hundredth)
        allowed = Decimal(str(self.tolerance))
        return float(any(abs(x - y) <= allowed * abs(y) for x in said for y in right))

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return _signature(self.name, f"tolerance:{self.tolerance:g}|percent:either", self.normalizer)


@dataclass(frozen=True, kw_only=True)
class Anls(MeanOfSamples):
    """Average normalised Levenshtein similarity (Biten et al. 2019, arXiv:1905.13648), 0 to 1.

    1 - edits / length of the longer text in code points, and 0 where edits reach `threshold` of that length. (The
    script of the DocVQA challenge lets a similarity of exactly 0.5 stand; the paper does not.)

    Args:
        threshold: share of edits from which on an answer is wrong.
        normalizer: applied to both sides; the paper's is lower case alone.
        name: of the metric in tables.

    Raises:
        UsageError: the normaliser is unknown.
    """

    name: str = "anls"
    threshold: float = 0.5
    normalizer: str = "mmbench"

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        normalizer_version(self.normalizer)
        if not 0 < self.threshold <= 1:
            raise UsageError(f"{self.name}: threshold={self.threshold}: must be a share above 0, at most 1")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Value of the best reference and 1, of shape (2,); zeros where there is no reference."""
        return _stats(self.value, sample, output)

    def value(self, answer: str, reference: str, language: str) -> float:
        """Similarity of one answer and one reference."""
        said, right = (written(text, language, self.normalizer) for text in (answer, reference))
        share = Levenshtein.normalized_distance(said, right)
        return 1 - share if share < self.threshold else 0.0

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return _signature(self.name, f"threshold:{self.threshold:g}", self.normalizer)
