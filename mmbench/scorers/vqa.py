"""Short answers to questions about images: VQA accuracy among annotators, and answers that start or end with the gold.

Both sides are written as in `mmbench.scorers.answers`: combining marks stay, so that a lost vowel sign is another word.
An empty answer is never right, nor is one for an empty reference. A sample without references adds nothing; a failed
one is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mmbench import __version__
from mmbench.scorers.answers import characters, written
from mmbench.scorers.mean import MeanOfSamples
from mmbench.text import normalizer_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbench.schema import Output, Sample, Stats

ENOUGH = 3
"""Annotators who have to have said it for an answer to be wholly right."""

_ENGLISH = "eng_Latn"
_ARTICLES = frozenset({"a", "an", "the"})
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS)} | {"none": "0"}


@dataclass(frozen=True, kw_only=True)
class VqaRelaxed(MeanOfSamples):
    """Share of answers that start or end with one of the references, 0 to 1: "a red chair" for "red chair".

    As in the evaluation of mBLIP (Geigle et al. 2023, arXiv:2307.06930), but by whole words, or where no spaces are
    written by whole characters with their marks: "nothing" does not start with "no". An answer that hedges ("no, yes")
    is right twice over; report `exact_match` beside it.

    Args:
        normalizer: applied to both sides, see `text.NORMALIZERS`.
        name: of the metric in tables.

    Raises:
        UsageError: the normaliser is unknown.
    """

    name: str = "vqa_relaxed"
    normalizer: str = "mmbench"

    proportion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        normalizer_version(self.normalizer)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Value of the best reference and 1, of shape (2,); zeros where there is no reference."""
        if not sample.references:
            return np.zeros(2)
        if output is None:
            return np.array([0.0, 1.0])
        best = max(self.value(output.text, reference, sample.written) for reference in sample.references)
        return np.array([best, 1.0])

    def value(self, answer: str, reference: str, language: str) -> float:
        """1 if the answer starts or ends with the reference."""
        said, right = (characters(written(text, language, self.normalizer)) for text in (answer, reference))
        return float(bool(right) and right in (said[: len(right)], said[-len(right) :]))

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        norm = normalizer_version(self.normalizer)
        return f"{self.name}|match:start or end|norm:{norm}|refs:best|mmbench:{__version__}"


@dataclass(frozen=True, kw_only=True)
class VqaAccuracy(MeanOfSamples):
    """VQA accuracy: min(1, annotators who said it / 3), 0 to 1 (Antol et al. 2015; Goyal et al. 2017).

    The references are the answers of all annotators (ten in VQAv2), the same ones as often as they were given. As
    published, each annotator in turn is left out and the mean is taken, so that an answer that 1, 2, 3 or 4 of ten gave
    scores 0.3, 0.6, 0.9 or 1. Where one list of accepted answers is given instead, use `exact_match`.

    Args:
        leave_one_out: else all annotators are counted together: 1/3, 2/3, 1.
        english: in English answers articles are left out, number words are digits, and apostrophes do not count. The
            published script also does so, and has lists of contractions for the last.
        normalizer: applied to both sides before that, see `text.NORMALIZERS`.
        name: of the metric in tables.

    Raises:
        UsageError: the normaliser is unknown.
    """

    leave_one_out: bool = True
    english: bool = True
    normalizer: str = "mmbench"
    name: str = "vqa_accuracy"

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        normalizer_version(self.normalizer)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Accuracy and 1, of shape (2,); zeros where there is no reference."""
        if not sample.references:
            return np.zeros(2)
        if output is None:
            return np.array([0.0, 1.0])
        said = self.cleaned(output.text, sample.written)
        same = [bool(said) and self.cleaned(text, sample.written) == said for text in sample.references]
        hits = sum(same)
        if not self.leave_one_out or len(same) == 1:
            return np.array([min(1.0, hits / ENOUGH), 1.0])
        return np.array([sum(min(1.0, (hits - own) / ENOUGH) for own in same) / len(same), 1.0])

    def cleaned(self, text: str, language: str) -> str:
        """An answer as it is compared."""
        plain = written(text, language, self.normalizer)
        if not self.english or language != _ENGLISH:
            return plain
        words = [_DIGITS.get(word, word) for word in plain.replace("'", "").split() if word not in _ARTICLES]
        return " ".join(words) or plain

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        left, english = ("yes" if value else "no" for value in (self.leave_one_out, self.english))
        norm = normalizer_version(self.normalizer)
        return f"{self.name}|enough:{ENOUGH}|leave one out:{left}|english:{english}|norm:{norm}|mmbench:{__version__}"
