"""Accuracy of multiple choice, from log-likelihoods of the choices or the text of the answer, and its baselines."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers import choices
from mmbench.scorers.choices import Mode
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

Normalization = Literal["sum", "token", "byte", "calibrated"]
"""What is done to the log-likelihood of a choice: nothing; a division by its number of tokens, or of UTF-8 bytes; or
the log-likelihood of the same choice after an empty question is taken away (Brown et al. 2020, arXiv:2005.14165,
section 2.4; PMI_DC of Holtzman et al. 2021, arXiv:2104.08315)."""

Ties = Literal["first", "wrong"]
"""What becomes of several choices that score highest: the first one is picked, or none."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Share of samples whose right choice is picked, 0 to 1.

    Where the output has `choice_scores`, the highest is picked; a NaN among them makes the sample unparsed. Otherwise
    `choices.parse` reads the text. An unparsed or failed sample is wrong; nothing is guessed.

    With `normalization: token` and `ties: wrong` it is the contrastive score of CoMMuTE (Futeral et al. 2023): the
    perplexity of the right choice has to be strictly below that of every other.

    Args:
        normalization: of the log-likelihoods; "token" and "byte" take the advantage from short choices, "calibrated"
            from those that are likely whatever is asked.
        parser: which of several answers in a text counts, see `choices.parse`: "last" is for reasoning aloud.
        ties: "first" picks the first of equals; "wrong" picks none of them, so that a constant scorer gets 0.
        name: of the metric in tables.

    Raises:
        UsageError: a setting is unknown.
    """

    normalization: Normalization = "sum"
    parser: Mode = "first"
    ties: Ties = "first"
    name: str = "accuracy"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = True
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        for key, known in (("normalization", Normalization), ("parser", Mode), ("ties", Ties)):
            if (value := getattr(self, key)) not in get_args(known):
                raise UsageError(f"{self.name}: unknown {key} {value!r}: known are {', '.join(get_args(known))}")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Correct, total and unparsed, of shape (3,); zeros where the sample has no choices or no right answer.

        Raises:
            UsageError: there is not one score (one length, one prior score) for each choice.
        """
        if sample.answer is None or not sample.choices:
            return np.zeros(3)
        if output is None:
            return np.array([0.0, 1.0, 0.0])
        picked = self.picked(sample, output)
        return np.array([picked == sample.answer, 1.0, picked is None], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Accuracies of shape (...) from totals of shape (..., k); NaN where there are no samples."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """Number of unparsed samples behind statistics of shape (k,) or (n, k)."""
        return float(stats[..., 2].sum())

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return (
            f"{self.name}|scores:{self.normalization}|ties:{self.ties}|parser:choices/{choices.VERSION}"
            f"|mode:{self.parser}|unparsed:wrong|mmbench:{__version__}"
        )

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of guessing; NaN where there are no choices at all."""
        return chance(samples)

    def majority(self, samples: Iterable[Sample]) -> float:
        """Value of the best constant answer; NaN where there are no choices."""
        return majority(samples)

    def picked(self, sample: Sample, output: Output) -> int | None:
        """0-based index of the choice that the output picks, None if unparsed; -1 if it is a tie and ties are wrong.

        Raises:
            UsageError: there is not one score (one length, one prior score) for each choice.
        """
        if not output.choice_scores:
            if self.normalization != "sum":
                raise UsageError(
                    f"sample {sample.id}: {self.name} compares log-likelihoods ({self.normalization}), and the answer "
                    "has no choice_scores; use accuracy to read its text"
                )
            return choices.parse(output.text, sample.choices, mode=self.parser)
        scores = self._scores(sample, output)
        if np.isnan(scores).any():
            return None
        best = np.flatnonzero(scores == scores.max())
        return int(best[0]) if self.ties == "first" or len(best) == 1 else -1

    def _scores(self, sample: Sample, output: Output) -> NDArray[np.float64]:
        count = len(sample.choices)
        divisors: Sequence[float] = [1.0] * count
        priors: Sequence[float] = [0.0] * count
        if self.normalization == "token":
            divisors = output.choice_lengths
        elif self.normalization == "byte":
            divisors = [len(choice.encode()) for choice in sample.choices]
        elif self.normalization == "calibrated":
            priors = output.prior_scores
        if len(output.choice_scores) != count:
            raise UsageError(
                f"sample {sample.id}: {count} choices, but {len(output.choice_scores)} choice_scores; predict it again"
            )
        if not len(divisors) == len(priors) == count:
            needed = "prior_scores (task.calibrated=true)" if len(priors) != count else "choice_lengths"
            raise UsageError(
                f"sample {sample.id}: normalization {self.normalization} needs {needed} for its {count} choices, and "
                f"there are {min(len(divisors), len(priors))}; predict it again, or score it with normalization sum"
            )
        with np.errstate(invalid="ignore"):  # -inf from -inf is NaN: nothing can be said, so it is unparsed
            scores: NDArray[np.float64] = np.array(output.choice_scores) - np.array(priors)
        return scores / np.maximum(divisors, 1)


@dataclass(frozen=True, kw_only=True)
class CircularAccuracy(Accuracy):
    """Share of questions that are right under every rotation of their choices (CircularEval, arXiv:2307.06281).

    Samples with one value in the group field `joined_by` are one question. It takes as many rotations as there are
    choices: one that is missing or failed is not right. A question is unparsed where any of its rotations is.
    """

    joined_by: str = "circular"

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Those of `Accuracy` and the share that the sample is of its question, 1 / choices: of shape (4,)."""
        row = super().stats(sample, output)
        return np.append(row, 1 / len(sample.choices) if row[1] else 0.0)

    def join(self, rows: Stats) -> Stats:
        """Statistics of one question, of shape (4,), from those of its rotations, of shape (m, 4)."""
        correct, total, unparsed, share = rows.sum(axis=0)
        whole = share > 1 - 1e-9 and correct == total
        return np.array([total > 0 and whole, total > 0, unparsed > 0, total > 0], dtype=np.float64)

    def signature(self, languages: Sequence[str]) -> str:
        """That of `Accuracy`, and how rotations become one question."""
        name, rest = super().signature(languages).split("|", 1)
        return f"{name}|circular:all|{rest}"

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of guessing each rotation by itself; NaN where there are no questions."""
        questions: dict[tuple[str, str | None], float] = {}
        for sample in samples:
            if sample.choices and sample.answer is not None:
                key = sample.language, sample.group.get(self.joined_by)
                questions[key] = questions.get(key, 1.0) / len(sample.choices)
        return math.fsum(questions.values()) / len(questions) if questions else math.nan

    def majority(self, samples: Iterable[Sample]) -> float:
        """Value of the best constant text; a constant position is never right under all rotations."""
        right = {
            (sample.language, sample.group.get(self.joined_by)): sample.choices[sample.answer]
            for sample in samples
            if sample.choices and sample.answer is not None
        }
        return max(Counter(right.values()).values()) / len(right) if right else math.nan


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
