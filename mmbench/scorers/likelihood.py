"""What the likelihood of a document's text says: bits per byte, what its images are worth, and which are its own.

A byte is a byte in every language and under every tokenizer, so bits per byte compare where perplexities do not (Gao et
al. 2020, arXiv:2101.00027, section 3.1). Text that the document is asked with and that is not its own is not counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mmbench import __version__
from mmbench.schema import WHOLE
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

_LARGEST = 1e300
"""Bits of text that a model holds for impossible: more than any other, and a number."""


@dataclass(frozen=True, slots=True)
class Read:
    """Bits that a model needs for a document's text, and its bytes."""

    bits: float
    bytes: int


def read(output: Output | None) -> dict[str, Read]:
    """Bits and bytes by variant; nothing for a failed sample."""
    found: dict[str, Read] = {}
    for each in output.readings if output else ():
        before = found.get(each.variant, Read(0.0, 0))
        bits = min(-each.loglikelihood / math.log(2), _LARGEST)
        found[each.variant] = Read(before.bits + bits, before.bytes + each.bytes)
    return found


@dataclass(frozen=True, kw_only=True)
class BitsPerByte:
    """Bits that a model needs for each byte of the text, over all documents; lower is better.

    Args:
        variant: of the documents: "images", as they are, or one that the loader makes, such as "none".
        name: of the metric in tables.
    """

    variant: str = WHOLE
    name: str = "bits_per_byte"

    higher_is_better: ClassVar[bool] = False
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = False
    decimals: ClassVar[int] = 3

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Bits and bytes, of shape (2,); zeros where the document was not read in this variant."""
        own = read(output).get(self.variant)
        return np.zeros(2) if own is None else np.array([own.bits, own.bytes], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Bits per byte of shape (...) from totals of shape (..., 2); NaN where nothing was read."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """0: there is nothing to parse."""
        return 0.0

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return f"{self.name}|variant:{self.variant}|unit:byte|mmbench:{__version__}"


@dataclass(frozen=True, kw_only=True)
class ImageGain:
    """Bits per byte that a document's own images save: those needed in another variant less those needed with them.

    It is 0 for a model that cannot see. Documents without the other variant, as those that have no images, add nothing.

    Args:
        against: the variant without them: "none", or "shuffled" with those of another document.
        name: of the metric in tables.
    """

    against: str = "none"
    name: str = "image_gain"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = False
    decimals: ClassVar[int] = 3

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Bits saved and bytes, of shape (2,); zeros where one of the two was not read."""
        found = read(output)
        if WHOLE not in found or self.against not in found:
            return np.zeros(2)
        return np.array([found[self.against].bits - found[WHOLE].bits, found[WHOLE].bytes], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Bits per byte of shape (...) from totals of shape (..., 2); NaN where nothing was read."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """0: there is nothing to parse."""
        return 0.0

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return f"{self.name}|images:{WHOLE}|against:{self.against}|unit:byte|mmbench:{__version__}"


@dataclass(frozen=True, kw_only=True)
class VariantAccuracy:
    """Share of documents whose text is likeliest as they are, 0 to 1: with their own images, in their own order.

    A tie with another variant is wrong, so that a model that cannot see gets 0 and not chance. `chance` needs the group
    field `candidates`, the number of prompts with the true one.

    Args:
        name: of the metric in tables.
    """

    name: str = "variant_accuracy"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = True
    fraction: ClassVar[bool] = True

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Right, total and undecided (NaN), of shape (3,); zeros where there was nothing to choose from."""
        if output is None:
            return np.array([0.0, 1.0, 0.0])
        bits = {variant: own.bits for variant, own in read(output).items()}
        if WHOLE not in bits or len(bits) < 2:
            return np.zeros(3)
        own, others = bits.pop(WHOLE), list(bits.values())
        undecided = any(math.isnan(value) for value in (own, *others))
        return np.array([not undecided and own < min(others), 1.0, undecided], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Accuracies of shape (...) from totals of shape (..., 3); NaN where there are no documents."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """Number of undecided documents behind statistics of shape (3,) or (n, 3)."""
        return float(stats[..., 2].sum())

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return f"{self.name}|true:{WHOLE}|score:loglikelihood|ties:wrong|mmbench:{__version__}"

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of guessing; NaN where the samples do not say among how many."""
        shares = [1 / int(sample.group["candidates"]) for sample in samples if sample.group.get("candidates")]
        return math.fsum(shares) / len(shares) if shares else math.nan
