"""Translation edit rate (Snover et al. 2006) on sacreBLEU's own statistics per segment.

TER counts edits and shifts of words, so an unspaced sentence has to be cut first, or it is one word, right or wrong.
Tercom, which sacreBLEU follows, does that for Chinese characters alone, and only with `normalized`; text in Thai, Lao,
Khmer, Burmese, Tibetan or kana it leaves whole whatever its `asian_support` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from sacrebleu.metrics.ter import TER

from mmbench import __version__
from mmbench.languages import language
from mmbench.scorers.mean import ratio
from mmbench.scorers.sacre import bleu, merged, segment_stats, signed, tokenizer
from mmbench.text import segment, segmenter_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

_ter = cache(TER)


@dataclass(frozen=True, kw_only=True)
class Ter:
    """Edits and shifts per word of the reference, pooled, 0 to 100 and above; lower is better. Case does not count.

    - Words are those between spaces. Chinese is scored as by `sacrebleu --ter-normalized --ter-asian-support`, one
      character a word; Japanese by morphemes where ja-mecab is installed; other unspaced languages by characters, which
      takes about a second for a sentence of 120 characters. The signature says which. With a `segmenter` (see
      `text.segmenters`) the words of all of them are what it finds.
    - Of several references the one with the fewest edits counts, over their mean length, as in sacreBLEU. An empty one
      is left out where the sample has others; where it is the only one, all words of the answer are edits.
    - A sample without references adds nothing; totals without a word of a reference are NaN. A failed sample is an
      empty answer, which costs one edit for each word.

    Raises:
        UsageError: the segmenter is unknown or not installed.
    """

    segmenter: str | None = None

    name: ClassVar[str] = "ter"
    higher_is_better: ClassVar[bool] = False
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Look for the segmenter, before any model has worked."""
        if self.segmenter is not None:
            segmenter_version(self.segmenter)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Edits, and the length of the reference in words: of shape (2,)."""
        written = sample.written
        return segment_stats(_metric(self._cut(written)), sample, output, 2, lambda text: self._words(text, written))

    def _cut(self, written: str) -> str:
        """How a language is cut: `tercom`, `zh` (Tercom's way with Chinese), a tokeniser of BLEU, or the segmenter."""
        return "tercom" if language(written).spaced else self.segmenter or tokenizer(written)

    def _words(self, text: str, written: str) -> str:
        """The text with spaces where Tercom would not see the words."""
        cut = self._cut(written)
        if cut in ("tercom", "zh"):
            return text
        return " ".join(segment(text, written, cut)) if self.segmenter else str(bleu(cut).tokenizer(text))

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """TER of shape (...) from totals of shape (..., 2); NaN where the references have no words."""
        return 100 * ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """0: any text is an answer."""
        return 0.0

    def counts(self, totals: Stats) -> dict[str, float]:
        """Edits, and words of the references."""
        return {"edits": float(totals[0]), "reference words": float(totals[1])}

    def signature(self, languages: Sequence[str]) -> str:
        """SacreBLEU's; `languages`, those of the answers (`Sample.written`), stand behind settings that are theirs."""
        pairs = {written: self._signed(written) for written in languages}
        return f"{self.name}|{merged(signed(_metric('tercom')), pairs)}|mmbench:{__version__}"

    def _signed(self, written: str) -> str:
        cut = self._cut(written)
        shown = "tercom" if cut in ("tercom", "zh") else segmenter_version(cut, [written]) if self.segmenter else cut
        return signed(_metric(cut)).replace("tok:tercom", f"tok:{shown}")


def _metric(cut: str) -> TER:
    return _ter(normalized=True, asian_support=True) if cut == "zh" else _ter()
