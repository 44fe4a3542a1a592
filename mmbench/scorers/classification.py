"""Labels: which one an answer mentions, and the mean over labels of F1."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers import choices
from mmbench.scorers.accuracy import Accuracy, Normalization, chance, majority
from mmbench.scorers.answers import characters, written
from mmbench.scorers.choices import Mode
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats


@dataclass(frozen=True, kw_only=True)
class MacroF1:
    """Unweighted mean over labels of F1 = 2 TP / (2 TP + FP + FN), 0 to 1, as scikit-learn's `average="macro"`.

    Labels are the texts of the choices, whatever their order in a sample, or the first references of samples without
    choices; `fitted` collects them. How an answer is read is `Accuracy`'s matter: likelihoods, or `choices.parse`.

    - A label that no sample of a language has does not count there: its F1 would be 0 whatever the answers.
    - An unparsed or failed answer is a false negative of the right label and no false positive. (For scikit-learn it
      would be a label of its own, which this mean leaves out.)

    Args:
        normalization: of log-likelihoods, as for `Accuracy`.
        parser: which of several answers in a text counts, as for `Accuracy`.
        name: of the metric in tables.
        labels: what `fitted` found, in order.

    Raises:
        UsageError: a setting is unknown.
    """

    normalization: Normalization = "sum"
    parser: Mode = "first"
    name: str = "macro_f1"
    labels: tuple[str, ...] = ()

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        self._reader()

    def fitted(self, samples: Sequence[Sample]) -> MacroF1:
        """The scorer with all labels of the samples."""
        found = {label for sample in samples if _gold(sample) for label in sample.choices or sample.references[:1]}
        return replace(self, labels=tuple(sorted({label.strip() for label in found})))

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """True positives, false positives and false negatives of each label, and unparsed: of shape (3 labels + 1,).

        Raises:
            UsageError: a label is not among those that `fitted` has seen, or the likelihoods do not fit the choices.
        """
        row = np.zeros(3 * len(self.labels) + 1)
        right = _gold(sample)
        if right is None:
            return row
        true, false, missed = row[:-1].reshape(3, -1)
        gold = self._index(right, sample)
        missed[gold] = 1
        if output is None:
            return row
        options = sample.choices or self.labels
        picked = self._reader().picked(replace(sample, choices=options), output)
        if picked is None:
            row[-1] = 1
            return row
        guess = self._index(options[picked], sample)
        missed[gold] = guess != gold
        true[gold] = guess == gold
        false[guess] = guess != gold
        return row

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Macro-F1 of shape (...) from totals of shape (..., 3 labels + 1); NaN where no label has a sample."""
        width = totals.shape[-1] // 3
        true, false, missed = (totals[..., part * width : (part + 1) * width] for part in range(3))
        present = true + missed > 0
        scores = np.divide(2 * true, 2 * true + false + missed, out=np.zeros_like(true), where=present)
        return ratio(scores.sum(axis=-1), present.sum(axis=-1))

    def unparsed(self, stats: Stats) -> float:
        """Number of unparsed samples behind statistics of shape (k,) or (n, k)."""
        return float(stats[..., -1].sum())

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return (
            f"{self.name}|labels:of_references|scores:{self.normalization}|parser:choices/{choices.VERSION}"
            f"|mode:{self.parser}|unparsed:missed|mmbench:{__version__}"
        )

    def chance(self, samples: Iterable[Sample]) -> float:
        """Value that guessing each label as often tends to with many samples; NaN where no sample has a label."""
        shares = _shares(samples)
        return sum(2 * p / (1 + p * len(shares)) for p in shares) / len(shares) if shares else math.nan

    def majority(self, samples: Iterable[Sample]) -> float:
        """Value of always answering the most frequent label; NaN where no sample has a label."""
        shares = _shares(samples)
        return 2 * max(shares) / (1 + max(shares)) / len(shares) if shares else math.nan

    def _reader(self) -> Accuracy:
        return Accuracy(normalization=self.normalization, parser=self.parser, name=self.name)

    def _index(self, label: str, sample: Sample) -> int:
        try:
            return self.labels.index(label.strip())
        except ValueError:
            raise UsageError(
                f"sample {sample.id}: label {label.strip()!r} is not among the {len(self.labels)} labels of "
                f"{self.name}, which are collected by fitted(samples) from all that is scored together"
            ) from None


def _gold(sample: Sample) -> str | None:
    """Text of the right label."""
    if sample.choices:
        return None if sample.answer is None else sample.choices[sample.answer]
    return sample.references[0] if sample.references else None


def _shares(samples: Iterable[Sample]) -> list[float]:
    """Share of the samples that each label has."""
    counts = Counter(label.strip() for sample in samples if (label := _gold(sample)) is not None)
    return [count / counts.total() for count in counts.values()]


@dataclass(frozen=True, kw_only=True)
class LabelMention:
    """Share of answers that mention the right one of the choices first (or last), 0 to 1.

    For labels such as SIB-200's, in whole words and any case; "science/technology" is mentioned by either part, unless
    another label has that part too. Inside a longer label a shorter one is not mentioned. An answer without a label is
    unparsed and wrong. `choices.parse` is stricter: an answer that mentions two labels names none.

    Args:
        mode: "first" or "last".
        name: of the metric in tables.

    Raises:
        UsageError: the mode is unknown.
    """

    mode: Mode = "first"
    name: str = "label_mention"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = True
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.mode not in get_args(Mode):
            raise UsageError(f"{self.name}: unknown mode {self.mode!r}: known are {', '.join(get_args(Mode))}")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Correct, total and unparsed, of shape (3,); zeros where the sample has no choices or no right answer."""
        if sample.answer is None or not sample.choices:
            return np.zeros(3)
        if output is None:
            return np.array([0.0, 1.0, 0.0])
        found = mentions(output.text, sample.choices)
        named = (found[0] if self.mode == "first" else found[-1]) if found else None
        return np.array([named == sample.answer, 1.0, named is None], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Accuracies of shape (...) from totals of shape (..., 3); NaN where there are no samples."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """Number of unparsed samples behind statistics of shape (3,) or (n, 3)."""
        return float(stats[..., 2].sum())

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return f"{self.name}|mode:{self.mode}|parts:any|unparsed:wrong|mmbench:{__version__}"

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of naming any of the labels; NaN where there are no choices at all."""
        return chance(samples)

    def majority(self, samples: Iterable[Sample]) -> float:
        """Value of always naming the same label; NaN where there are no choices."""
        return majority(samples)


def mentions(text: str, labels: Sequence[str]) -> list[int]:
    """0-based indices of the labels that a text mentions, in order and as often as it does."""
    owners: dict[tuple[str, ...], set[int]] = {}
    for index, label in enumerate(labels):
        for part in {label, *label.split("/")}:
            owners.setdefault(tuple(_label_units(part)), set()).add(index)
    known = {part: next(iter(found)) for part, found in owners.items() if part and len(found) == 1}
    sizes = sorted({len(part) for part in known}, reverse=True)
    words, at, named = _label_units(text), 0, []
    while at < len(words):
        size = next((size for size in sizes if tuple(words[at : at + size]) in known), 0)
        if size:
            named.append(known[tuple(words[at : at + size])])
        at += max(size, 1)
    return named


def _label_units(text: str) -> list[str]:
    """Units with any case of any i, for labels and answers may be of different languages."""
    return characters(written(text, "eng_Latn", "mmbench").replace("\u0131", "i"))
