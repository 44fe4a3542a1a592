"""Scores and labels that a judge model gave, from its raw text: no model is needed to score again.

What is scored are the predictions of a judge's own run, a row for each answer that was judged (`docs/judges.md`).

- A judge that failed, or whose text names no score, leaves the answer without a score. It is counted as unparsed and
  is not in the mean: a failure of the judge says nothing about the system that is judged.
- An answer that the judged system failed to give (group field `failed`) has the lowest score, whatever the judge says
  of the empty text. A system does not gain by failing.

The prompt and the judge are in the fingerprint of the judge's run, not in the signature here: values compare only
where both are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers import verdicts
from mmbench.scorers.calibrated import Calibrated
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats


@dataclass(frozen=True, kw_only=True)
class Judge(Calibrated):
    """Mean of the scores that a judge gave.

    Args:
        low, high: ends of the scale that the prompt asks for. Scores outside are clamped to it and counted; those
            further outside than the scale is wide are no scores.
        pattern: regular expression whose only group is the score, in place of the rules of `verdicts.parse_score`. Two
            matches with different scores are none.
        name: of the metric in tables.

    Raises:
        UsageError: the scale or the pattern is wrong, or the calibration record is not one for this scorer.
    """

    low: float = 0.0
    high: float = 10.0
    pattern: str | None = None
    name: str = "judge"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        check_scale(self.name, self.low, self.high)
        if self.pattern is not None:
            try:
                groups = re.compile(self.pattern).groups
            except re.error as error:
                raise UsageError(f"{self.name}: pattern={self.pattern!r} is no regular expression: {error}") from error
            if groups != 1:
                raise UsageError(f"{self.name}: pattern={self.pattern!r} has {groups} groups; make it one, the score")
        self.calibrate(self.rules)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Sum of scores, scored, unparsed, clamped and failed answers of the judged system, of shape (5,)."""
        if "failed" in sample.group:
            return np.array([self.low, 1.0, 0.0, 0.0, 1.0])
        said = None if output is None else self._parse(output.text)
        if said is None:
            return np.array([0.0, 0.0, 1.0, 0.0, 0.0])
        score = min(max(said, self.low), self.high)
        return np.array([score, 1.0, 0.0, score != said, 0.0], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Mean scores of shape (...) from totals of shape (..., 5); NaN where nothing was scored."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """How many answers have no score because the judge failed or named none."""
        return float(stats[..., 2].sum())

    def counts(self, totals: Stats) -> dict[str, float]:
        """How many scores were clamped, and how many answers the judged system failed to give."""
        return {"clamped": float(totals[3]), "not answered": float(totals[4])}

    @property
    def rules(self) -> str:
        """How the judge's text becomes a score."""
        how = f"judge/{verdicts.VERSION}" if self.pattern is None else repr(self.pattern)
        return f"reads:score|scale:{self.low:g}-{self.high:g}|parser:{how}"

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs; the same for all languages. The judge and its prompt are not known here."""
        return f"{self.name}|{self.rules}|averaged:{self.averaging}|mmbench:{__version__}"

    def human(self, value: object) -> float:
        """A person's score, as `mmbench calibrate` reads it.

        Raises:
            UsageError: it is no number on the scale.
        """
        return number_between(value, self.low, self.high)

    def _parse(self, text: str) -> float | None:
        if self.pattern is None:
            return verdicts.parse_score(text, self.low, self.high)
        try:
            found = {float(match[1].replace(",", ".")) for match in re.finditer(self.pattern, verdicts.clean(text))}
        except (AttributeError, ValueError):  # the group did not take part, or is no number
            return None
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, kw_only=True)
class JudgeLabel(Calibrated):
    """Mean of the values of the labels that a judge gave.

    Args:
        labels: value of each label; `verdicts.parse_label` says how they are found in the judge's text.
        name: of the metric in tables.

    Raises:
        UsageError: there are fewer than two labels or two that are alike, or the calibration record is not one for this
            scorer.
    """

    labels: Mapping[str, float] = field(default_factory=lambda: {"yes": 1.0, "no": 0.0})
    name: str = "judge_label"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        for label, value in self.labels.items():
            if not isinstance(label, str) or verdicts.parse_label(label, list(self.labels), anywhere=False) != label:
                raise UsageError(
                    f"{self.name}: label {label!r} is no text or like another label; quote it, and tell them apart"
                )
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UsageError(f"{self.name}: label {label!r} has the value {value!r}; give a number")
        if len(self.labels) < 2:
            raise UsageError(f"{self.name}: has {len(self.labels)} labels; give two or more")
        self.calibrate(self.rules)

    @property
    def fraction(self) -> bool:
        """Whether the values run from 0 to 1."""
        return all(0 <= value <= 1 for value in self.labels.values())

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.labels)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Sum of values, scored, unparsed, failed answers of the judged system, and how often each label was given.

        The shape is (4 + labels,).
        """
        row = np.zeros(4 + len(self.labels))
        label = None if output is None else verdicts.parse_label(output.text, self._names, anywhere=True)
        if "failed" in sample.group:
            row[[0, 1, 3]] = min(self.labels.values()), 1.0, 1.0
        elif label is None:
            row[2] = 1.0
        else:
            row[[0, 1, 4 + self._names.index(label)]] = self.labels[label], 1.0, 1.0
        return row

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Mean values of shape (...) from totals of shape (..., 4 + labels); NaN where nothing was scored."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """How many answers have no label because the judge failed or named none, or several."""
        return float(stats[..., 2].sum())

    def counts(self, totals: Stats) -> dict[str, float]:
        """How often each label was given, and how many answers the judged system failed to give."""
        given = dict(zip(self._names, map(float, totals[4:]), strict=True))
        return {**given, "not answered": float(totals[3])}

    @property
    def rules(self) -> str:
        """How the judge's text becomes a value."""
        values = ",".join(f"{label}={value:g}" for label, value in self.labels.items())
        return f"reads:label|labels:{values}|parser:judge/{verdicts.VERSION}"

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs; the same for all languages. The judge and its prompt are not known here."""
        return f"{self.name}|{self.rules}|averaged:{self.averaging}|mmbench:{__version__}"

    def human(self, value: object) -> str:
        """A person's label, as `mmbench calibrate` reads it.

        Raises:
            UsageError: it is none of the labels.
        """
        found = verdicts.parse_label(value, self._names, anywhere=False) if isinstance(value, str) else None
        if found is None:
            raise UsageError(f"{value!r} is none of the labels {', '.join(self._names)}")
        return found

    def value(self, label: str) -> float:
        """Value of a label."""
        return float(self.labels[label])

    def label(self, row: Stats) -> str:
        """The label that the judge gave, from the statistics of an answer that has one."""
        return self._names[int(row[4:].argmax())]


def check_scale(name: str, low: float, high: float) -> None:
    """Refuse a scale that is none."""
    if not low < high:
        raise UsageError(f"{name}: low={low:g} is not below high={high:g}; give the ends of the scale")


def number_between(value: object, low: float, high: float) -> float:
    """A number of a row of human scores; UsageError if it is none on the scale."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{value!r} is no number from {low:g} to {high:g}")
    return float(value)
