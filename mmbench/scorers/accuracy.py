"""Accuracy of multiple choice, from log-likelihoods of the choices or the text of the answer, and its baselines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers import choices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

Normalization = Literal["sum", "token", "byte"]
"""What the log-likelihood of a choice is divided by: nothing, its number of tokens, or of UTF-8 bytes."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Share of samples whose right choice is picked, 0 to 1.

    Where the output has `choice_scores`, the highest is picked, the first of equals; a NaN among them makes the sample
    unparsed. Otherwise `choices.parse` reads the text. An unparsed or failed sample is wrong; nothing is guessed.

    Args:
        normalization: of the log-likelihoods; "token" and "byte" take the advantage from short choices.
        name: of the metric in tables.

    Raises:
        UsageError: the normalisation is unknown.
    """

    normalization: Normalization = "sum"
    name: str = "accuracy"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = True
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.normalization not in get_args(Normalization):
            known = ", ".join(get_args(Normalization))
            raise UsageError(f"{self.name}: unknown normalization {self.normalization!r}: known are {known}")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Correct, total and unparsed, of shape (3,); zeros where the sample has no choices or no right answer.

        Raises:
            UsageError: there is not one score (for "token", not one length) for each choice.
        """
        if sample.answer is None or not sample.choices:
            return np.zeros(3)
        if output is None:
            return np.array([0.0, 1.0, 0.0])
        picked = self._best(sample, output) if output.choice_scores else choices.parse(output.text, sample.choices)
        return np.array([picked == sample.answer, 1.0, picked is None], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Accuracies of shape (...) from totals of shape (..., 3); NaN where there are no samples."""
        correct, total = totals[..., 0], totals[..., 1]
        shares: NDArray[np.float64] = np.divide(correct, total, out=np.full(np.shape(total), np.nan), where=total > 0)
        return shares

    def unparsed(self, stats: Stats) -> float:
        """Number of unparsed samples behind statistics of shape (3,) or (n, 3)."""
        return float(stats[..., 2].sum())

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return (
            f"{self.name}|scores:{self.normalization}|ties:first|parser:choices/{choices.VERSION}"
            f"|unparsed:wrong|mmbench:{__version__}"
        )

    def _best(self, sample: Sample, output: Output) -> int | None:
        lengths: Sequence[int] = [1] * len(sample.choices)
        if self.normalization == "token":
            lengths = output.choice_lengths
        elif self.normalization == "byte":
            lengths = [len(choice.encode()) for choice in sample.choices]
        if not len(output.choice_scores) == len(lengths) == len(sample.choices):
            raise UsageError(
                f"sample {sample.id}: {len(sample.choices)} choices, but {len(output.choice_scores)} choice_scores and "
                f"{len(lengths)} lengths; predict this task again, or score it with normalization sum"
            )
        scores = np.array(output.choice_scores) / np.maximum(lengths, 1)
        return None if np.isnan(scores).any() else int(scores.argmax())


def chance(samples: Iterable[Sample]) -> float:
    """Expected accuracy of guessing: the mean of 1 / number of choices; NaN where there are no choices at all."""
    shares = [1 / len(sample.choices) for sample in samples if sample.choices and sample.answer is not None]
    return sum(shares) / len(shares) if shares else float("nan")


def majority(samples: Iterable[Sample]) -> float:
    """Accuracy of the best constant answer, the same position or the same text; NaN where there are no choices."""
    known = [(s.answer, s.choices[s.answer]) for s in samples if s.choices and s.answer is not None]
    if not known:
        return float("nan")
    positions, texts = Counter(answer for answer, _ in known), Counter(text for _, text in known)
    return max(*positions.values(), *texts.values()) / len(known)
