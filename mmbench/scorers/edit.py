"""Error rates of speech recognition: words (WER), characters (CER) or both mixed (MER), from pooled edit counts."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, get_args

import numpy as np
from rapidfuzz.distance import Levenshtein

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.text import Unit, normalize, normalizer_version, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats


@dataclass(frozen=True, kw_only=True)
class ErrorRate:
    """Errors per unit of the reference: (substitutions + deletions + insertions) / reference units; it may exceed 1.

    Counts are pooled over samples before they are divided, as NIST sclite does; a mean of rates per sample would weigh
    short samples most. They are those of the fewest edits (Levenshtein). Where several alignments have equally few,
    other tools may split them otherwise into substitutions, deletions and insertions; only their sum is comparable.

    - An empty reference adds the hypothesis as insertions and no units: an answer to silence is an error. Where all
      references are empty there is no rate (NaN).
    - Of several references the one with the lowest error rate counts, the first of equals.
    - A failed sample is all deletions, but for a stage's rate.

    Args:
        name: of the metric in tables.
        unit: what is counted, see `text.units`.
        normalizer: applied to both sides, see `text.NORMALIZERS`.
        stage: score what this stage of a cascade said, against the transcript of the media, instead of the answer.
            A sample without a transcript, or whose answer has no step of that stage, adds nothing; nor does a
            failed one, because another stage may be to blame.

    Raises:
        UsageError: the unit or the normaliser is unknown.
    """

    name: str
    unit: Unit
    normalizer: str = "mmbench"
    stage: str | None = None

    higher_is_better: ClassVar[bool] = False
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.unit not in get_args(Unit):
            raise UsageError(f"{self.name}: unknown unit {self.unit!r}: known are {', '.join(get_args(Unit))}")
        normalizer_version(self.normalizer)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Substitutions, deletions, insertions and reference units, of shape (4,); zeros without a reference."""
        if self.stage is None:
            references, language = sample.references, sample.written
            hypothesis = output.text if output else ""
        else:
            said = sorted((s for s in output.steps if s.stage == self.stage), key=lambda s: s.part) if output else ()
            known = sample.transcript is not None and said
            references, language = (sample.transcript or "",) if known else (), sample.spoken
            hypothesis = " ".join(step.text for step in said)
        right = self._units(hypothesis, language)
        edits = (_edits(self._units(reference, language), right) for reference in references)
        # an empty reference must not make a failure perfect where another one says what was missed
        best = min(edits, key=lambda counts: _rate(counts, math.inf if output is None else 0.0), default=(0, 0, 0, 0))
        return np.array(best, dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Error rates as fractions, of shape (...), from totals of shape (..., 4); NaN where no unit is referred to."""
        errors, count = totals[..., :3].sum(axis=-1), totals[..., 3]
        rates: NDArray[np.float64] = np.divide(errors, count, out=np.full(np.shape(count), np.nan), where=count > 0)
        return rates

    def unparsed(self, stats: Stats) -> float:
        """0: any text is an answer."""
        return 0.0

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        stage = f"|stage:{self.stage}" if self.stage else ""
        return (
            f"{self.name}|unit:{self.unit}|norm:{normalizer_version(self.normalizer)}{stage}"
            f"|refs:best|empty_ref:insertions|mmbench:{__version__}"
        )

    def _units(self, text: str, language: str) -> list[str]:
        return units(normalize(text, name=self.normalizer, language=language), unit=self.unit)


def _edits(reference: list[str], hypothesis: list[str]) -> tuple[int, int, int, int]:
    """Substitutions, deletions, insertions and the length of the reference."""
    if reference == hypothesis:
        return 0, 0, 0, len(reference)
    tags = Counter([edit.tag for edit in Levenshtein.editops(reference, hypothesis)])
    return tags["replace"], tags["delete"], tags["insert"], len(reference)


def _rate(counts: tuple[int, int, int, int], nothing: float) -> float:
    """Error rate of one pair; `nothing` is that of two empty texts."""
    errors = sum(counts[:3])
    return errors / counts[3] if counts[3] else math.inf if errors else nothing
