"""Error rates of speech recognition: words (WER), characters (CER) or both mixed (MER), pooled or per utterance.

Two metrics that rank systems differently, and therefore have different names: `ErrorRate` (wer, cer, mer) divides all
errors by all units of the references, `UtteranceMean` (wer_mean, cer_mean) is the mean of the utterances' own rates.

Empty texts, after normalisation:

| reference | hypothesis | pooled | mean per utterance |
|---|---|---|---|
| empty | empty | adds nothing | 0 |
| empty | n units | n insertions, no reference units | 1: all that was said is wrong |
| n units | empty | n deletions of n units | 1 |

An answer to silence thus costs the pooled rate as many errors as it has units. A mean over utterances cannot divide by
no units. Other tools take the number of insertions (jiwer 4), infinity (torchmetrics) or put in a word "empty"
(AudioBench): one answer to a silent clip then outweighs hundreds of utterances, or the mean is no number at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, get_args

import numpy as np
from rapidfuzz.distance import Levenshtein

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.languages import spaced
from mmbench.scorers.mean import ratio
from mmbench.text import Unit, normalize, normalizer_version, segmenter_version, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

Counts = tuple[int, int, int, int]
"""Substitutions, deletions, insertions and the number of units of the reference."""


@dataclass(frozen=True, kw_only=True)
class _Edits:
    """What the rates share: which texts are compared, in which units."""

    name: str
    unit: Unit
    normalizer: str = "mmbench"
    segmenter: str | None = None
    stage: str | None = None

    higher_is_better: ClassVar[bool] = False
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = True
    _answered_silence: ClassVar[float]
    """Rate of a hypothesis whose reference is empty."""

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.unit not in get_args(Unit):
            raise UsageError(f"{self.name}: unknown unit {self.unit!r}: known are {', '.join(get_args(Unit))}")
        normalizer_version(self.normalizer)
        if self.segmenter is not None:
            if self.unit != "word":
                raise UsageError(f"{self.name}: a segmenter finds words, and its unit is {self.unit!r}; leave it out")
            segmenter_version(self.segmenter)

    def compared(self, sample: Sample, output: Output | None) -> tuple[Sequence[str], Sequence[str]] | None:
        """Units of the reference that counts and of the hypothesis; None for a sample that adds nothing."""
        if self.stage is None:
            references, language = sample.references, sample.written
            hypothesis = output.text if output else ""
        else:
            said = sorted((s for s in output.steps if s.stage == self.stage), key=lambda s: s.part) if output else ()
            known = sample.transcript is not None and said
            references, language = (sample.transcript or "",) if known else (), sample.spoken
            hypothesis = " ".join(step.text for step in said)
        if not references:
            return None
        right = self._units(hypothesis, language)
        lefts = [self._units(reference, language) for reference in references]
        if len(lefts) == 1:
            return lefts[0], right
        # an empty reference must not make a failure perfect where another one says what was missed
        silence = math.inf if output is None else 0.0
        return min(lefts, key=lambda left: self._rate(edits(left, right), silence)), right

    def language_of(self, sample: Sample) -> str:
        """The language that is compared: of the answer, or for a stage of the input."""
        return sample.spoken if self.stage else sample.written

    def averages(self, language: str) -> bool:
        """Whether the language counts in the mean over languages.

        The rate of "words" that no space separates is that of whole sentences: report CER there, or name a segmenter.
        """
        return not self._spaced_only or spaced(language)

    def unparsed(self, stats: Stats) -> float:
        """0: any text is an answer."""
        return 0.0

    @property
    def _spaced_only(self) -> bool:
        return self.unit == "word" and self.segmenter is None

    def _rate(self, counts: Counts, silence: float = 0.0) -> float:
        """Error rate of one pair; `silence` is that of two empty texts."""
        errors = sum(counts[:3])
        return errors / counts[3] if counts[3] else self._answered_silence if errors else silence

    def _signed(self, rule: str, languages: Sequence[str]) -> str:
        """Signature with the class's own `rule`; key:value pairs in the style of sacreBLEU."""
        answers = () if self.stage else languages  # what a stage says is in others
        segmenter = f"|seg:{segmenter_version(self.segmenter, answers)}" if self.segmenter else ""
        stage = f"|stage:{self.stage}" if self.stage else ""
        mean = "|macro:spaced" if self._spaced_only else ""
        return (
            f"{self.name}|unit:{self.unit}|norm:{normalizer_version(self.normalizer)}{segmenter}{stage}"
            f"|refs:best|{rule}{mean}|mmbench:{__version__}"
        )

    def _units(self, text: str, language: str) -> Sequence[str]:
        clean = normalize(text, name=self.normalizer, language=language)
        if self.unit == "char":
            return "".join(clean.split())  # the same as `units` gives, but rapidfuzz is twice as fast on a string
        if self.segmenter is None:
            return units(clean, unit=self.unit)
        return units(clean, unit=self.unit, segmenter=self.segmenter, language=language)


@dataclass(frozen=True, kw_only=True)
class ErrorRate(_Edits):
    """Errors per unit of the reference: (substitutions + deletions + insertions) / reference units; it may exceed 1.

    Counts are pooled over samples before they are divided, as NIST sclite does; a mean of rates per sample would weigh
    short samples most. They are those of the fewest edits (Levenshtein). Where several alignments have equally few,
    other tools may split them otherwise into substitutions, deletions and insertions; only their sum is comparable.
    Sclite weighs edits 4, 3 and 3 and so may find an alignment of a few errors more, never of fewer.

    - Empty references and hypotheses: see the module. Where all references are empty there is no rate (NaN).
    - Of several references the one with the lowest error rate counts, the first of equals.
    - A failed sample is all deletions, but for a stage's rate.
    - WER of languages without spaces between words is kept out of the mean over languages (`macro:spaced` in the
      signature), so that WER and CER are never averaged together; a segmenter makes words of them.
    - MER has the units of WER in some languages and those of CER in others. Its mean over languages is of MER, under
      its own name: for texts of one script each, report WER and CER instead.

    Args:
        name: of the metric in tables.
        unit: what is counted, see `text.units`.
        normalizer: applied to both sides, see `text.normalizers`.
        segmenter: finds the words of languages without spaces, see `text.segmenters`; for the unit "word" alone.
        stage: score what this stage of a cascade said, against the transcript of the media, instead of the answer.
            A sample without a transcript, or whose answer has no step of that stage, adds nothing; nor does a
            failed one, because another stage may be to blame.

    Raises:
        UsageError: the unit, the normaliser or the segmenter is unknown, or not installed.
    """

    _answered_silence: ClassVar[float] = math.inf

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Substitutions, deletions, insertions and reference units, of shape (4,); zeros without a reference."""
        pair = self.compared(sample, output)
        return np.array(edits(*pair) if pair else (0, 0, 0, 0), dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Error rates as fractions, of shape (...), from totals of shape (..., 4); NaN where no unit is referred to."""
        return ratio(totals[..., :3].sum(axis=-1), totals[..., 3])

    def pair(self, sample: Sample, output: Output | None) -> tuple[Sequence[str], Sequence[str]] | None:
        """What `compared` gives, for tests of pooled errors that align it (MAPSSWE); a mean of rates has no such."""
        return self.compared(sample, output)

    def counts(self, totals: Stats) -> dict[str, float]:
        """The totals, of shape (4,), by name."""
        return dict(zip(("substitutions", "deletions", "insertions", "units"), totals.tolist(), strict=True))

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages, but for the segmenter `auto`."""
        return self._signed("empty_ref:insertions", languages)


@dataclass(frozen=True, kw_only=True)
class UtteranceMean(_Edits):
    """Mean over utterances of each one's own error rate: short ones weigh as much as long ones. Not WER as of NIST.

    It shows what a pooled rate hides (a few short clips that go quite wrong) and is what many leaderboards print; the
    two may rank systems in opposite order. Settings and texts compared are those of `ErrorRate`.

    - Empty references and hypotheses: see the module.
    - Of several references the one with the lowest rate counts.
    - A failed sample has the rate 1, but for a stage's rate, to which it adds nothing.
    """

    _answered_silence: ClassVar[float] = 1.0

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Error rate of the utterance, and 1, of shape (2,); zeros without a reference."""
        pair = self.compared(sample, output)
        if pair is None:
            return np.zeros(2)
        return np.array([self._rate(edits(*pair)) if output is not None else 1.0, 1.0])

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Means, of shape (...), from totals of shape (..., 2); NaN where there are no utterances."""
        return ratio(totals[..., 0], totals[..., 1])

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages, but for the segmenter `auto`."""
        return self._signed("mean:utterance|empty_ref:1|empty_both:0", languages)


def edits(reference: Sequence[str], hypothesis: Sequence[str]) -> Counts:
    """Counts of the fewest edits that make the hypothesis of the reference, split as rapidfuzz's `editops` does.

    Only what the lengths leave open is looked up: S + D + I is the distance and D - I the difference of the lengths.
    """
    size = len(reference)
    if reference == hypothesis:
        return 0, 0, 0, size
    longer = size - len(hypothesis)
    spare = Levenshtein.distance(reference, hypothesis) - abs(longer)  # substitutions + 2 pairs
    pairs = 0  # of a deletion and an insertion
    if spare > 1:
        rarer = "insert" if longer > 0 else "delete"
        pairs = [tag for tag, _, _ in Levenshtein.editops(reference, hypothesis).as_list()].count(rarer)
    return spare - 2 * pairs, pairs + max(longer, 0), pairs + max(-longer, 0), size
