"""Several askings of one question, such as its recordings by several speakers, counted as one by a vote of answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from mmbench.errors import UsageError
from mmbench.scorers import accuracy
from mmbench.scorers.accuracy import Accuracy, Ties

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmbench.schema import Output, Sample, Stats


@dataclass(frozen=True, kw_only=True)
class MajorityAccuracy(Accuracy):
    """Share of questions to which most votes are right, 0 to 1.

    Samples with one value in the group field `joined_by` are one question; the choice that each picks, from its
    likelihoods or its text as `Accuracy` does, is a vote. The choice with most votes is the answer. A sample that
    failed, is unparsed or picks nothing counts as a vote for the strongest wrong choice, so that nobody gains by not
    answering. A question is unparsed where no sample picks anything and one of them is unparsed. Rotations of choices
    (task.circular) vote for the choice, not for its place.

    Args:
        joined_by: group field whose samples are one question.
        tied_votes: what becomes of several choices with most votes: "wrong", or "first", which takes the one of them
            that was voted for first, in order of sample ids.

    Raises:
        UsageError: a setting is unknown.
    """

    joined_by: str = "sentence"
    tied_votes: Ties = "wrong"
    name: str = "majority"

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells."""
        super().__post_init__()
        if self.tied_votes not in get_args(Ties):
            raise UsageError(
                f"{self.name}: unknown tied_votes {self.tied_votes!r}: known are {', '.join(get_args(Ties))}"
            )

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Those of `Accuracy` and the vote, of shape (4,).

        A vote is 1 plus the number of choices from the right one on to the one that is picked, in a circle; 0 is none.
        """
        row = super().stats(sample, output)
        picked = self.picked(sample, output) if row[1] and output is not None else None
        cast = picked is not None and picked >= 0
        return np.append(row, 1 + ((picked or 0) - (sample.answer or 0)) % len(sample.choices) if cast else 0.0)

    def join(self, rows: Stats) -> Stats:
        """Statistics of one question, of shape (4,), from those of its samples, of shape (m, 4)."""
        asked = rows[rows[:, 1] > 0]
        votes = asked[:, 3]
        nothing = not votes.any() and asked[:, 2].any()
        return np.array([len(votes) > 0 and self._wins(votes), len(votes) > 0, nothing, 0.0], dtype=np.float64)

    def _wins(self, votes: Stats) -> bool:
        """Whether the right choice, vote 1, has most; votes for none, 0, go to the strongest of the others."""
        rivals, counts = np.unique(votes[votes > 1], return_counts=True)
        most = counts.max(initial=0)
        against = np.isin(votes, rivals[counts == most]) | (votes == 0)
        right, wrong = np.count_nonzero(votes == 1), most + np.count_nonzero(votes == 0)
        if right != wrong or self.tied_votes == "wrong":
            return bool(right > wrong)
        return bool(np.argmax(votes == 1) < np.argmax(against))

    def signature(self, languages: Sequence[str]) -> str:
        """That of `Accuracy`, and how votes become one answer."""
        name, rest = super().signature(languages).split("|", 1)
        return f"{name}|votes_by:{self.joined_by}|tied_votes:{self.tied_votes}|{rest}"

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of guessing each sample by itself; NaN where there are no questions."""
        questions = self._questions(samples).values()
        shares = [
            1 / len(group[0].choices) if self.tied_votes == "first" else plurality(len(group), len(group[0].choices))
            for group in questions
        ]
        return math.fsum(shares) / len(shares) if shares else math.nan

    def majority(self, samples: Iterable[Sample]) -> float:
        """Value of the best constant answer, for which all samples of a question vote; NaN without questions."""
        return accuracy.majority(group[0] for group in self._questions(samples).values())

    def _questions(self, samples: Iterable[Sample]) -> dict[tuple[str, str | None], list[Sample]]:
        found: dict[tuple[str, str | None], list[Sample]] = {}
        for sample in samples:
            if sample.choices and sample.answer is not None:
                found.setdefault((sample.language, sample.group.get(self.joined_by)), []).append(sample)
        return found


def plurality(votes: int, choices: int) -> float:
    """Probability that one choice gets more votes than each other one, when every vote is drawn at random.

    Args:
        votes: how many there are.
        choices: how many they are drawn from.
    """
    ways = math.fsum(math.comb(votes, own) * _spread(votes - own, choices - 1, own - 1) for own in range(1, votes + 1))
    return ways / float(choices) ** votes


def _spread(votes: int, choices: int, most: int) -> int:
    """In how many ways votes go to choices when none gets more than `most` of them."""
    ways = [1, *[0] * votes]
    for _ in range(choices):
        ways = [sum(math.comb(n, own) * ways[n - own] for own in range(min(n, most) + 1)) for n in range(votes + 1)]
    return ways[votes]
