"""MMMU's own rules for free answers, multiple choice and open, and M3GIA's variant of them, without their guessing."""

from __future__ import annotations

import math
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers import accuracy
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

Variant = Literal["mmmu", "m3gia"]
"""Whose rules: M3GIA's also take a letter before a bracket, full stop or colon."""

VERSION = "1"
"""Changes whenever any answer may be read differently; it is in the signature of the scores."""

_MARKS = ",.!?;:'"
_FEW = 5  # words up to which an answer is not searched for the text of a choice
_ANNOUNCING = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"-?(?:\d*\.\d+|\d+\b)(?![,\d]|[eE][+-]?\d)"),
)
"""Numbers with commas between thousands, with an exponent, and plain ones."""


def pick(text: str, choices: Sequence[str], variant: Variant = "mmmu") -> int | None:
    """0-based index of the choice that an answer names, as the benchmark reads it; None where that would guess.

    Marks around the answer are taken off. The first of these that is anywhere in it decides, and of several choices
    the one that is named last: a letter in brackets "(B)"; for M3GIA a letter with something behind it, "B)", "B." or
    "B:"; a capital letter between spaces; in an answer of more than five words the text of a choice, whatever its
    case. So "A man" names A, and with M3GIA's rules "USA." does; `choices.parse` is more careful.
    """
    text = text.strip()
    for mark in _MARKS:
        text = text.strip(mark)
    said, letters = f" {text} ", string.ascii_uppercase[: len(choices)]
    ends = (")", ".", ":") if variant == "m3gia" else ()
    stages: list[list[tuple[str, ...]]] = [
        [(f"({letter})",) for letter in letters],
        [tuple(letter + end for end in ends) for letter in letters],
        [(f" {letter} ",) for letter in letters],
    ]
    for stage in stages:
        if (found := _last(said, stage)) is not None:
            return found
    contents = [(choice.lower(),) if choice else () for choice in choices]
    return _last(said.lower(), contents) if len(said.split()) > _FEW else None


def _last(text: str, options: Sequence[tuple[str, ...]]) -> int | None:
    """Which option's form stands last in the text; of options at one place the first; None where none does."""
    places = [max((text.rfind(form) for form in forms), default=-1) for forms in options]
    return places.index(max(places)) if places and max(places) >= 0 else None


def plain(text: str) -> list[str | float]:
    """A text as open answers are compared: a number to two decimals, or lower case; a single letter with a space.

    What Python takes for a number but is none to compare ("nan", "inf") stays text.
    """
    text = text.strip()
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return [round(number, 2)]
    lower = text.lower()
    return [f" {lower}", f"{lower} "] if len(lower) == 1 else [lower]


def read(text: str) -> list[str | float]:
    """What an open answer may be understood to say: the ends of its lines after an announcement, and their numbers.

    Of a line it is the shortest text behind "is", "answer", "so" and their like, in the last line also behind "=";
    where no line announces anything it is the whole answer.
    """
    whole = text.strip().strip(".").lower()
    lines = whole.split("\n")
    said = [end for n, line in enumerate(lines, 1) if (end := _announced(line, last=n == len(lines)))]
    kept = said or [whole]
    found = [*kept, *(number for each in kept for pattern in _NUMBERS for number in pattern.findall(each))]
    return [value for each in found for value in plain(each)]


def _announced(line: str, *, last: bool) -> str:
    shortest = ""
    for word in (*_ANNOUNCING, "=") if last else _ANNOUNCING:
        if word in line:
            end = line.rpartition(word)[2].strip()
            shortest = end if not shortest or len(end) < len(shortest) else shortest
    return "" if len(shortest) == 1 and shortest in _MARKS else shortest


def agrees(text: str, references: Iterable[str]) -> bool:
    """Whether an open answer says one of the references: an equal number, or a text that holds the reference."""
    accepted = [value for reference in references if reference.strip() for value in plain(reference)]
    for value in read(text):
        if isinstance(value, float):
            if value in accepted:
                return True
        elif any(isinstance(reference, str) and reference in value for reference in accepted):
            return True
    return False


@dataclass(frozen=True, kw_only=True)
class Mmmu:
    """Share of right answers by the benchmark's own rules, 0 to 1, with one exception: nothing is guessed.

    MMMU (Yue et al. 2024, arXiv:2311.16502) and M3GIA (Song et al. 2024, arXiv:2406.05343) take a choice at random
    where an answer names none; here it is wrong and counted as unparsed. Where M3GIA finds several letters before a
    bracket, full stop or colon, it looks up the place of the last one in a list of another length, and may take another
    of them; here it is the one that stands last. A sample with choices is multiple choice, one
    with references alone an open question, one with neither adds nothing. An empty answer is unparsed.

    The rules are those of mmmu/utils/eval_utils.py in MMMU-Benchmark/MMMU and utils/eval_utils.py in songweii/M3GIA.

    Args:
        variant: whose rules, of `Variant`.
        name: of the metric in tables.

    Raises:
        UsageError: the variant is unknown.
    """

    variant: Variant = "mmmu"
    name: str = "mmmu"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = True
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.variant not in get_args(Variant):
            raise UsageError(f"{self.name}: unknown variant {self.variant!r}: known are {', '.join(get_args(Variant))}")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Correct, total and unparsed, of shape (3,); zeros where there is nothing to compare with.

        Raises:
            UsageError: the output has likelihoods, which these rules do not read.
        """
        if not _asks(sample):
            return np.zeros(3)
        if output is None:
            return np.array([0.0, 1.0, 0.0])
        if output.choice_scores:
            raise UsageError(f"sample {sample.id}: {self.name} reads answers, not likelihoods; use accuracy for those")
        if not sample.choices:
            right = agrees(output.text, sample.references)
            return np.array([right, 1.0, not output.text.strip()], dtype=np.float64)
        picked = pick(output.text, sample.choices, self.variant)
        return np.array([picked == sample.answer, 1.0, picked is None], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Accuracies of shape (...) from totals of shape (..., 3); NaN where there are no samples."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """Number of unparsed samples behind statistics of shape (3,) or (n, 3)."""
        return float(stats[..., 2].sum())

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return f"{self.name}|parser:{self.variant}/{VERSION}|unparsed:wrong|mmbench:{__version__}"

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of guessing, which no open question is won by; NaN where nothing can be scored."""
        return _shared(accuracy.chance, samples)

    def majority(self, samples: Iterable[Sample]) -> float:
        """Value of the best constant choice, which no open question is won by; NaN where nothing can be scored."""
        return _shared(accuracy.majority, samples)


def _asks(sample: Sample) -> bool:
    return sample.answer is not None if sample.choices else any(text.strip() for text in sample.references)


def _shared(baseline: Callable[[list[Sample]], float], samples: Iterable[Sample]) -> float:
    asked = [sample for sample in samples if _asks(sample)]
    closed = [sample for sample in asked if sample.choices]
    if not asked:
        return math.nan
    return baseline(closed) * len(closed) / len(asked) if closed else 0.0
