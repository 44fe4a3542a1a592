"""Answers to reading (and listening) comprehension as SQuAD scores them: the same words, or their F1."""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers.mean import MeanOfSamples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbench.schema import Output, Sample, Stats

Measure = Literal["f1", "exact"]
"""F1 of the words that answer and reference share, or whether they are the same."""

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def tokens(text: str) -> list[str]:
    """Words of an answer: lower case, without ASCII punctuation and without English articles."""
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall of words, each as often as it stands there; 0 where none is shared."""
    said, right = tokens(answer), tokens(reference)
    shared = sum((Counter(said) & Counter(right)).values())
    return 2 * shared / (len(said) + len(right)) if shared else 0.0


@dataclass(frozen=True, kw_only=True)
class SquadAnswer(MeanOfSamples):
    """Exact match or F1 of SQuAD 1.1 (Rajpurkar et al. 2016, arXiv:1606.05250), 0 to 1; the best of several references.

    Words are told by spaces and articles are English, as in the paper; for other languages use `exact_match` or
    `contains`. A failed sample is wrong, one without references adds nothing.

    Args:
        measure: "f1" or "exact".
        name: of the metric in tables.

    Raises:
        UsageError: the measure is unknown.
    """

    measure: Measure = "f1"
    name: str = "squad_f1"

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.measure not in get_args(Measure):
            raise UsageError(f"{self.name}: unknown measure {self.measure!r}: known are {', '.join(get_args(Measure))}")

    fraction: ClassVar[bool] = True

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Value of the best reference and 1, of shape (2,); zeros where there is no reference."""
        if not sample.references:
            return np.zeros(2)
        if output is None:
            return np.array([0.0, 1.0])
        return np.array([max(self.value(output.text, reference) for reference in sample.references), 1.0])

    def value(self, answer: str, reference: str) -> float:
        """Value of one answer and one reference."""
        return f1(answer, reference) if self.measure == "f1" else float(tokens(answer) == tokens(reference))

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return f"{self.name}|measure:{self.measure}|words:squad1.1|refs:best|mmbench:{__version__}"
