"""BLEU and chrF, on sacreBLEU's own statistics per segment, so that corpus values are sacreBLEU's to the last digit.

Texts are scored as they are: neither side is lower-cased, normalised or stripped of punctuation. Values are 0 to 100.

- Of several references sacreBLEU's rule applies: BLEU clips n-grams by the union and takes the closest length, chrF
  takes the best one. Samples may have different numbers of references.
- An empty reference is left out where the sample has others, because sacreBLEU would let an empty answer match its
  length. Where it is the only one, BLEU counts the answer's n-grams as wrong, as sacreBLEU does, and chrF nothing.
- A sample without references adds nothing; totals without reference text are NaN. A failed sample is an empty answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers.sacre import bleu, merged, segment_stats, signed, splits, tokenizer, warn_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

_chrf = cache(CHRF)


class _Common:
    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = False

    def unparsed(self, stats: Stats) -> float:
        """0: any text is an answer."""
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Bleu(_Common):
    """Corpus BLEU of n-grams up to 4 with exponential smoothing (Papineni et al. 2002; Post 2018), 0 to 100.

    Statistics of languages with different tokenisers may be summed; the signature lists them.

    Args:
        tokenize: one of sacreBLEU's tokenisers for all languages; None picks it by the language of the answer, see
            `sacre.tokenizer`. One that leaves the sentences of a language whole (13a on Thai) is obeyed, because
            published figures were made so, but a warning and `tok:13a-unsplit(tha_Thai)` in the signature say it.
        name: of the metric in tables.

    Raises:
        UsageError: the tokeniser is unknown or cannot be loaded here.
    """

    tokenize: str | None = None
    name: str = "bleu"

    def __post_init__(self) -> None:
        """Load a tokeniser that is asked for, so that it fails before any model has worked."""
        if self.tokenize is not None:
            bleu(self.tokenize)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Lengths of answer and reference, matches of each order, n-grams of each order: of shape (10,)."""
        if self.tokenize is not None and not splits(self.tokenize, sample.written):
            warn_once(
                f"{self.name}: tokenize={self.tokenize} leaves the sentences of {sample.written} whole, so that one "
                "wrong character spoils all of a sentence; leave it out for a tokenizer that fits"
            )
        return segment_stats(bleu(self.tokenize or tokenizer(sample.written)), sample, output, 10)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """BLEU of shape (...) from totals of shape (..., 10); NaN where the length of the references is 0."""
        rows = totals.reshape(-1, 10)
        lengths, references, matches, grams = rows[:, 0], rows[:, 1], rows[:, 2:6], rows[:, 6:]
        scores = np.where(references > 0, 0.0, np.nan)
        some = (references > 0) & matches.any(axis=1) & grams.all(axis=1)  # else one of the precisions is 0
        matches, grams = matches[some], grams[some]
        smooth = np.exp2(np.cumsum(matches == 0, axis=1))  # mteval: 1/2, 1/4, ... of a match where there is none
        precisions = np.where(matches > 0, 100.0 * matches / grams, 100.0 / (smooth * grams))
        # Python's own exp and log, as in sacreBLEU: NumPy's differ in the last digit.
        means = [sum(map(math.log, row)) / 4 for row in precisions.tolist()]
        ratios = zip(references[some].tolist(), lengths[some].tolist(), strict=True)
        brevity = [math.exp(min(0.0, 1 - reference / length)) for reference, length in ratios]
        scores[some] = np.array(brevity) * np.array([math.exp(mean) for mean in means])
        return scores.reshape(totals.shape[:-1])

    def counts(self, totals: Stats) -> dict[str, float]:
        """Tokens of the answers and of the references: an answer that is too short costs the brevity penalty."""
        return {"answer tokens": float(totals[0]), "reference tokens": float(totals[1])}

    def signature(self, languages: Sequence[str]) -> str:
        """SacreBLEU's; `languages`, those of the answers (`Sample.written`), stand behind tokenisers other than 13a."""
        usual = signed(bleu(self.tokenize or "13a"))
        shown = {written: self._signed(written) for written in languages}
        return f"{self.name}|{merged(usual, shown)}|mmbench:{__version__}"

    def _signed(self, written: str) -> str:
        name = self.tokenize or tokenizer(written)
        pairs = signed(bleu(name))
        return pairs if splits(name, written) else pairs.replace(f"tok:{name}", f"tok:{name}-unsplit")


@dataclass(frozen=True, kw_only=True)
class ChrF(_Common):
    """Corpus chrF2 (Popović 2015) on character n-grams up to 6, 0 to 100; white space is not counted.

    With `word_order` n-grams of that many words count beside them; 2 is chrF++ (Popović 2017). A word is what stands
    between spaces, so that in Thai or Chinese the words of chrF++ are whole clauses.
    """

    word_order: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.word_order < 0:
            raise UsageError(f"word_order={self.word_order}: must be 0 (chrF) or more (2 is chrF++)")

    @property
    def name(self) -> str:
        """`chrf`, with a plus for each order of word n-grams."""
        return "chrf" + "+" * self.word_order

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """N-grams of the answer, of the reference, and matches, for each order: of shape (18 + 3 word_order,)."""
        return segment_stats(_chrf(word_order=self.word_order), sample, output, 18 + 3 * self.word_order)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """The chrF of shape (...) from totals of shape (..., k); NaN where there are no n-grams of references."""
        answer, reference, match = totals[..., 0::3], totals[..., 1::3], totals[..., 2::3]
        both = (answer > 0) & (reference > 0)  # other orders do not count
        orders = np.maximum(1, both.sum(axis=-1))
        # A running sum adds order by order, as sacreBLEU does; `sum` may add in another sequence.
        precision = np.cumsum(np.divide(match, answer, out=np.zeros_like(match), where=both), axis=-1)[..., -1] / orders
        recall = np.cumsum(np.divide(match, reference, out=np.zeros_like(match), where=both), axis=-1)[..., -1] / orders
        factor, norm = 4, 4 * precision + recall  # beta is 2
        score = np.divide((1 + factor) * precision * recall, norm, out=np.zeros_like(norm), where=norm > 0)
        return np.where(reference.any(axis=-1), 100 * score, np.nan)

    def signature(self, languages: Sequence[str]) -> str:
        """SacreBLEU's; the same for all languages."""
        return f"{self.name}|{signed(_chrf(word_order=self.word_order))}|mmbench:{__version__}"
