"""ROUGE-L and CIDEr, metrics of captions and summaries, on tokens that exist in every language.

Both sides are normalised (`text.normalize`) and cut into words, or into characters where no spaces are written
(`text.units`, "mixed"); with unit "word" and a segmenter, into words everywhere. Other tools do neither: rouge_score
deletes whatever is not a-z or 0-9, so that all Hindi or Thai texts score 0; the COCO tools cut by the rules of the
English Penn Treebank, so that a Chinese, Japanese or Thai caption is one word and scores 0 unless it is right to the
last character. Values on English differ from theirs where a text has apostrophes, accents or hyphens.

- A reference without tokens is left out; a sample without any other adds nothing, and where nothing is left the score
  is NaN. An answer without tokens scores 0, and so does a failed sample.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np
from rapidfuzz.distance import LCSseq

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers import documents
from mmbench.scorers.documents import Documents, ngrams
from mmbench.scorers.mean import MeanOfSamples
from mmbench.text import Unit, normalize, normalizer_version, segmenter_version, units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.schema import Output, Sample, Stats
    from mmbench.scorers.documents import Ngram

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _OnTokens(MeanOfSamples):
    normalizer: str = "mmbench"
    unit: Unit = "mixed"
    segmenter: str | None = None

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise UsageError(f"unknown unit {self.unit!r}: known are {', '.join(get_args(Unit))}")
        if self.segmenter is not None and self.unit != "word":
            raise UsageError(f"segmenter={self.segmenter} finds words, and the unit is {self.unit!r}; add unit=word")
        self._signed()

    def _tokens(self, text: str, language: str) -> list[str]:
        clean = normalize(text, name=self.normalizer, language=language)
        return units(clean, unit=self.unit, segmenter=self.segmenter, language=language)

    def _references(self, sample: Sample) -> list[list[str]]:
        """Tokens of the references that have any."""
        return [tokens for text in sample.references if (tokens := self._tokens(text, sample.written))]

    def _answer(self, sample: Sample, output: Output | None) -> list[str]:
        return self._tokens(output.text, sample.written) if output else []

    def _signed(self, *languages: str) -> str:
        segmenter = f"|seg:{segmenter_version(self.segmenter, languages)}" if self.segmenter else ""
        return f"norm:{normalizer_version(self.normalizer)}|unit:{self.unit}{segmenter}"


@dataclass(frozen=True, kw_only=True)
class RougeL(_OnTokens):
    """Mean F-measure of the longest common subsequence of tokens (Lin 2004, section 3.1), 0 to 1.

    Of several references the one with the highest F-measure counts, as in rouge_score. (The COCO tools combine the best
    precision with the best recall, even of different references, with a beta of 1.2.) Texts are scored whole, not by
    sentence: this is ROUGE-L, not ROUGE-Lsum. Nothing is stemmed.

    Args:
        beta: how many times as much recall counts as precision; 1 is rouge_score's F1.
        normalizer: applied to both sides, see `text.NORMALIZERS`.
        unit: what a token is, see `text.units`.
        segmenter: finds the words of languages without spaces, see `text.segmenters`; for the unit "word" alone.

    Raises:
        UsageError: a setting is unknown or not a positive number, or the segmenter is not installed.
    """

    beta: float = 1.0
    name: ClassVar[str] = "rouge_l"

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        super().__post_init__()
        _positive("rouge_l", "beta", self.beta)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """The sample's F-measure and 1, of shape (2,); zeros without a reference."""
        references, answer = self._references(sample), self._answer(sample, output)
        if not references:
            return np.zeros(2)
        return np.array([max(self._f_measure(reference, answer) for reference in references), 1.0])

    def _f_measure(self, reference: list[str], answer: list[str]) -> float:
        common = LCSseq.similarity(reference, answer)
        if not common:
            return 0.0
        precision, recall, square = common / len(answer), common / len(reference), self.beta**2
        return (1 + square) * precision * recall / (recall + square * precision)

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages, but for the segmenter `auto`."""
        return f"{self.name}|beta:{self.beta:g}|{self._signed(*languages)}|stem:no|refs:best|mmbench:{__version__}"


Variant = Literal["cider-d", "cider"]
"""The metric of the COCO tools, or that of the paper's section 4."""


@dataclass(frozen=True, kw_only=True)
class Cider(_OnTokens):
    """Mean over captions of their likeness to the references in tf-idf weighted n-grams (Vedantam et al. 2015).

    For each order of n-grams, 1 to 4, the cosine of answer and reference is taken, and the mean over orders and
    references. A rare n-gram weighs log(N / documents it is in), where the N documents are the references of one
    sample each, by language; those that no reference has weigh log N.

    `cider-d` clips the answer's weights to the reference's, lowers them by exp(-difference of lengths squared / (2
    sigma squared)), and multiplies by 10, as the COCO tools do: 0 to 10; papers mostly print it times 100, and so do
    tables here. `cider` is the plain cosine, 0 to 1. Nothing is stemmed.

    The weights belong to the value: a part of a dataset is scored like the whole only with the statistics of the
    whole. `save` writes them and `statistics` reads them; without it they are taken from the samples that are scored
    together. Where a language has one document only, all weights are 0 and nothing can be scored: NaN, after a warning.

    Args:
        variant: which of the two.
        sigma: of the penalty on lengths, in tokens.
        statistics: file that `save` wrote.
        normalizer: applied to both sides, see `text.NORMALIZERS`.
        unit: what a token is, see `text.units`.
        segmenter: finds the words of languages without spaces, see `text.segmenters`; for the unit "word" alone.
        corpora: the statistics by language; `fitted` and `statistics` set them.

    Raises:
        UsageError: a setting is unknown, or the file is missing, damaged, or of other tokens.
    """

    variant: Variant = "cider-d"
    sigma: float = 6.0
    statistics: str | None = None
    corpora: Mapping[str, Documents] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The variant."""
        return self.variant

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, and read the file, before any model has worked."""
        super().__post_init__()
        if self.variant not in get_args(Variant):
            raise UsageError(f"cider: unknown variant {self.variant!r}: known are {', '.join(get_args(Variant))}")
        _positive(self.name, "sigma", self.sigma)
        if self.statistics is not None and not self.corpora:
            object.__setattr__(self, "corpora", documents.read(Path(self.statistics), self._signed))

    def fitted(self, samples: Sequence[Sample]) -> Cider:
        """The scorer with the document frequencies of these samples, or of the file where there is one.

        Raises:
            UsageError: the file lacks a language.
        """
        if self.statistics is not None:
            for sample in samples:
                if sample.references:
                    self._corpus(sample.written)
            return self
        # Answers of several systems come with the same samples, which are one document each.
        unique = {(sample.written, sample.id): sample for sample in samples}
        references: dict[str, list[list[list[str]]]] = {}
        for (language, _), sample in sorted(unique.items(), key=lambda item: item[0]):
            if found := self._references(sample):
                references.setdefault(language, []).append(found)
        corpora = {language: documents.count(texts) for language, texts in references.items()}
        for language, corpus in corpora.items():
            if corpus.count == 1:
                log.warning("%s: %s has one captioned sample, which gives no n-gram any weight", self.name, language)
        return replace(self, corpora=corpora)

    def save(self, path: Path) -> None:
        """Write the statistics as JSON lines, one for each language, for the setting `statistics`."""
        documents.write(path, self.corpora, self._signed)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """The sample's CIDEr and 1, of shape (2,); zeros without a reference, and where there is one document only.

        Raises:
            UsageError: there are no statistics of the language.
        """
        references = self._references(sample)
        if not references:
            return np.zeros(2)
        corpus = self._corpus(sample.written)
        if corpus.count < 2:
            return np.zeros(2)
        answer = self._answer(sample, output)
        mean = sum(self._similarity(answer, reference, corpus) for reference in references) / len(references)
        return np.array([mean * self._scale, 1.0])

    @property
    def _scale(self) -> float:
        return 10.0 if self.variant == "cider-d" else 1.0

    def _corpus(self, language: str) -> Documents:
        if language not in self.corpora:
            where = f"{self.statistics} has" if self.statistics else "there are"
            known = ", ".join(self.corpora) or "none"
            raise UsageError(f"{self.name}: {where} no document frequencies of {language}; known are {known}")
        return self.corpora[language]

    def _similarity(self, answer: list[str], reference: list[str], corpus: Documents) -> float:
        """Mean over orders of the cosine, clipped and lowered where the variant says so."""
        clipped, total = self.variant == "cider-d", 0.0
        for ours, theirs in zip(_weights(answer, corpus), _weights(reference, corpus), strict=True):
            shared = ours.keys() & theirs.keys()
            product = math.fsum((min(ours[k], theirs[k]) if clipped else ours[k]) * theirs[k] for k in shared)
            norm = math.sqrt(math.fsum(w * w for w in ours.values()) * math.fsum(w * w for w in theirs.values()))
            total += product / norm if norm else 0.0
        gap = len(answer) - len(reference) if clipped else 0
        return total / documents.ORDERS * math.exp(-(gap**2) / (2 * self.sigma**2))

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU, with the number of documents of all `languages` and a digest."""
        used = {language: self.corpora[language] for language in sorted(set(languages)) if language in self.corpora}
        count = sum(corpus.count for corpus in used.values())
        penalty = f"sigma:{self.sigma:g}|" if self.variant == "cider-d" else ""
        return (
            f"{self.name}|n:{documents.ORDERS}|{penalty}scale:{self._scale:g}|{self._signed(*languages)}|stem:no"
            f"|refs:mean|docs:{count}|df:{documents.digest(used)}|mmbench:{__version__}"
        )


def _weights(tokens: list[str], corpus: Documents) -> list[dict[Ngram, float]]:
    """Weights of the n-grams of each order: how often they occur, times log(documents / documents they are in)."""
    orders: list[dict[Ngram, float]] = [{} for _ in range(documents.ORDERS)]
    for ngram, count in Counter(ngrams(tokens)).items():
        orders[len(ngram) - 1][ngram] = count * corpus.weight(ngram)
    return orders


def _positive(name: str, setting: str, value: object) -> None:
    if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise UsageError(f"{name}: {setting} is {value!r}; give a positive number")
