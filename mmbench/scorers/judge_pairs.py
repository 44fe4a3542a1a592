"""Two systems before one judge, each pair of answers in both orders: who wins, and what share of the other's score.

A judge prefers the answer that it reads first, or last (Wang et al. 2023, Large language models are not fair
evaluators). So a verdict counts only where both orders give it. The samples of a pair share the group field `pair`;
`order` is "ab" where the judged system comes first, "ba" where it comes second. A pair with one verdict missing is
unparsed and counts nowhere. System a is the one that is judged, b the one that it is judged against.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers import verdicts
from mmbench.scorers.calibrated import Calibrated
from mmbench.scorers.judge import check_scale, number_between
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

Measure = Literal["win", "consistency", "position_bias"]
"""Share of wins; share of pairs whose verdicts agree; |first - second| / (first + second) of the decided verdicts."""

_SCORE, _PAIRS, _UNPARSED, _CONSISTENT, _COMPARED, _FIRST, _SECOND, _TIES, _WINS, _LOSSES = range(10)
_CHOSEN = {"first": _FIRST, "second": _SECOND, "tie": _TIES}


@dataclass(frozen=True, kw_only=True)
class JudgePairwise(Calibrated):
    """Share of pairs that system a wins, a tie counted as half a win.

    A pair is won or lost where both orders say so; a tie, or two orders that disagree, is half. Where one system
    failed to answer (group field `failed`: a, b or both) the other one wins, whatever the judge says; such pairs do not
    count in the consistency and the position.

    Args:
        measure: what is reported of the same verdicts. "position_bias" is 0 where both positions are chosen equally
            often and 1 where always the same one is; which one, `counts` says. Like every absolute value it is above 0
            by chance where there are few pairs, and its interval does not hold 0.
        verdicts: what the judge writes, in brackets as in `[[A]]`, alone or behind "verdict:", for the first answer,
            the second and a tie.
        name: of the metric in tables.

    Raises:
        UsageError: a setting is wrong, or the calibration record is not one for this scorer.
    """

    measure: Measure = "win"
    verdicts: Mapping[str, str] = field(default_factory=lambda: {"A": "first", "B": "second", "C": "tie"})
    name: str = "judge_win"

    joined_by: ClassVar[str] = "pair"
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.measure not in get_args(Measure):
            raise UsageError(f"{self.name}: unknown measure {self.measure!r}: known are {', '.join(get_args(Measure))}")
        if not {"first", "second"} <= set(self.verdicts.values()) <= set(_CHOSEN):
            raise UsageError(f"{self.name}: verdicts={dict(self.verdicts)}: each must mean one of {', '.join(_CHOSEN)}")
        self.calibrate(self.rules)

    @property
    def higher_is_better(self) -> bool:
        """Which way is good."""
        return self.measure != "position_bias"

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Statistics of one verdict, of shape (10,); `join` makes those of a pair.

        They are the score of a, pairs, unparsed, consistent pairs, pairs that the judge decided, verdicts for the
        first position, for the second, for neither, wins and losses of a.

        Raises:
            UsageError: the sample is not of a pair.
        """
        order = order_of(sample, self.name)
        failed = sample.group.get("failed")
        if failed is not None:
            return _won({"a": 0.0, "b": 1.0}.get(failed, 0.5))
        said = None if output is None else verdicts.parse_label(output.text, list(self.verdicts), anywhere=False)
        if said is None:
            return _unparsed(10)
        chosen = self.verdicts[said]
        row = _won(0.5 if chosen == "tie" else float((chosen == "first") == (order == "ab")))
        row[_CHOSEN[chosen]] = 1.0
        return row

    def join(self, rows: Stats) -> Stats:
        """Statistics of a pair, of shape (10,), from those of its verdicts, of shape (2, 10)."""
        if len(rows) != 2 or rows[:, _UNPARSED].any():
            return _unparsed(10)
        agree = rows[0, _SCORE] == rows[1, _SCORE]
        row = _won(rows[0, _SCORE] if agree else 0.5)
        positions = slice(_FIRST, _TIES + 1)
        row[positions] = rows[:, positions].sum(axis=0)
        row[_COMPARED] = row[positions].any()
        row[_CONSISTENT] = row[_COMPARED] and agree
        return row

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """The share that `measure` names, of shape (...), from totals of shape (..., 10); NaN where there is none."""
        if self.measure == "win":
            return ratio(totals[..., _SCORE], totals[..., _PAIRS])
        if self.measure == "consistency":
            return ratio(totals[..., _CONSISTENT], totals[..., _COMPARED])
        first, second = totals[..., _FIRST], totals[..., _SECOND]
        return ratio(np.abs(first - second), first + second)

    def unparsed(self, stats: Stats) -> float:
        """How many pairs lack a verdict."""
        return float(stats[..., _UNPARSED].sum())

    def counts(self, totals: Stats) -> dict[str, float]:
        """Pairs that a won, lost, tied, and that the orders disagree about; verdicts for either position."""
        split = totals[_COMPARED] - totals[_CONSISTENT]
        named = {
            "wins": totals[_WINS],
            "losses": totals[_LOSSES],
            "ties": totals[_PAIRS] - totals[_WINS] - totals[_LOSSES] - split,
            "split": split,
            "first": totals[_FIRST],
            "second": totals[_SECOND],
        }
        return {key: float(value) for key, value in named.items()}

    @property
    def rules(self) -> str:
        """How the judge's texts become a score; the measure is no part of it, for the verdicts are the same."""
        words = ",".join(f"{word}={chosen}" for word, chosen in self.verdicts.items())
        return f"reads:pairwise|verdicts:{words}|orders:both|parser:judge/{verdicts.VERSION}"

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs; the same for all languages. The judge and its prompt are not known here."""
        return f"{self.name}|measure:{self.measure}|{self.rules}|averaged:{self.averaging}|mmbench:{__version__}"

    def human(self, value: object) -> str:
        """A person's verdict, as `mmbench calibrate` reads it.

        Raises:
            UsageError: it is none of a, b and tie.
        """
        if value not in ("a", "b", "tie"):
            raise UsageError(f"{value!r} is none of a, b and tie")
        return str(value)

    def value(self, label: str) -> float:
        """Score of a by a person's verdict."""
        return {"a": 1.0, "b": 0.0}.get(label, 0.5)

    def label(self, row: Stats) -> str:
        """The judge's verdict on a pair that has one; orders that disagree are a tie."""
        return "a" if row[_WINS] else "b" if row[_LOSSES] else "tie"


@dataclass(frozen=True, kw_only=True)
class JudgeRelative(Calibrated):
    """Score of system a in per cent of that of system b: 100 x sum of a's scores / sum of b's scores.

    A ratio of sums and not the mean of the ratios, as X-LLM reports it (Chen et al. 2023), over both orders of each
    pair. An answer that a failed to give has the lowest score against the highest; where b failed there is nothing to
    relate to, and the pair is unparsed.

    Args:
        low, high: ends of the scale that the prompt asks for; see `Judge`.
        name: of the metric in tables.

    Raises:
        UsageError: the scale is wrong, or the calibration record is not one for this scorer.
    """

    low: float = 1.0
    high: float = 10.0
    name: str = "judge_relative"

    joined_by: ClassVar[str] = "pair"
    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        check_scale(self.name, self.low, self.high)
        self.calibrate(self.rules)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Scores of a and of b, unparsed, pairs and clamped scores of one order, of shape (5,).

        Raises:
            UsageError: the sample is not of a pair.
        """
        order = order_of(sample, self.name)
        failed = sample.group.get("failed")
        if failed == "a":
            return np.array([self.low, self.high, 0.0, 1.0, 0.0])
        said = None if output is None else verdicts.parse_pair(output.text, self.low, self.high)
        if said is None or failed is not None:
            return np.array([0.0, 0.0, 1.0, 0.0, 0.0])
        first, second = (min(max(score, self.low), self.high) for score in said)
        clamped = (first != said[0]) + (second != said[1])
        scores = (first, second) if order == "ab" else (second, first)
        return np.array([*scores, 0.0, 1.0, clamped], dtype=np.float64)

    def join(self, rows: Stats) -> Stats:
        """Statistics of a pair from those of its orders: the scores of both are summed."""
        if len(rows) != 2 or rows[:, 2].any():
            return np.array([0.0, 0.0, 1.0, 0.0, 0.0])
        return np.array([*rows[:, :2].sum(axis=0), 0.0, 1.0, rows[:, 4].sum()])

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Relative scores of shape (...) from totals of shape (..., 5); NaN where b has no score above 0."""
        return 100 * ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """How many pairs lack a score."""
        return float(stats[..., 2].sum())

    def counts(self, totals: Stats) -> dict[str, float]:
        """How many scores were clamped."""
        return {"clamped": float(totals[4])}

    @property
    def rules(self) -> str:
        """How the judge's texts become a score."""
        return f"reads:relative|scale:{self.low:g}-{self.high:g}|orders:both|parser:judge/{verdicts.VERSION}"

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs; the same for all languages. The judge and its prompt are not known here."""
        return f"{self.name}|{self.rules}|averaged:{self.averaging}|mmbench:{__version__}"

    def human(self, value: object) -> float:
        """A person's relative score of an item in per cent, as `mmbench calibrate` reads it.

        Raises:
            UsageError: it is no number that the scale allows.
        """
        return number_between(value, 0.0, 100 * self.high / self.low if self.low > 0 else float("inf"))


def order_of(sample: Sample, name: str) -> str:
    """Order in which a sample shows the answers of its pair; UsageError if it is not of a pair."""
    order = sample.group.get("order")
    if order not in ("ab", "ba"):
        raise UsageError(f"sample {sample.id}: has no group field 'order'; {name} scores pairs in both orders")
    return order


def _unparsed(size: int) -> Stats:
    row = np.zeros(size)
    row[_UNPARSED] = 1.0
    return row


def _won(score: float) -> Stats:
    row = np.zeros(10)
    row[[_SCORE, _PAIRS, _WINS, _LOSSES]] = score, 1.0, score == 1.0, score == 0.0
    return row
