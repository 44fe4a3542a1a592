"""WER and CER of 20,000 pairs with intervals of 10,000 resamples, beside jiwer, torchmetrics and the bare distance.

    OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/error_rates.py

The target is less than 5 s on one core for mmbench's line, all of it: normalising, splitting, counts of substitutions,
deletions and insertions, both values and both intervals. The others give the two values alone, on texts that are
normalised already. The ceiling is rapidfuzz's distance on texts that are split already, too. Times are of the
processor, so that a busy machine changes them little; torchmetrics is left out where it is not installed.
"""

from __future__ import annotations

import random
import sys
import time
from typing import TYPE_CHECKING

import jiwer
import numpy as np
from rapidfuzz.distance import Levenshtein

from mmbench.bootstrap import interval
from mmbench.schema import Output, Sample
from mmbench.scorers.edit import ErrorRate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rates = tuple[float, float]

PAIRS = 20_000
WORDS = 11
RESAMPLES = 10_000
TARGET = 5.0
SCORERS = (ErrorRate(name="wer", unit="word"), ErrorRate(name="cer", unit="char"))


def texts(draw: random.Random) -> tuple[list[str], list[str]]:
    """References, and hypotheses with about one word in ten wrong, in lengths as they occur in speech."""
    letters = "etaoinshrdlcumwfgypbvk"
    lengths = (1 + int(draw.gammavariate(4, 1)) for _ in range(5000))
    vocabulary = ["".join(draw.choices(letters, k=length)) for length in lengths]
    often = [1 / rank for rank in range(1, 5001)]  # Zipf

    def heard(word: str, wrong: float) -> Iterator[str]:
        fate = draw.random() / wrong
        if fate >= 1 or fate < 0.2:
            yield word
        if fate < 0.4:
            yield draw.choice(vocabulary)
        elif 0.6 <= fate < 1:
            yield word[:-1] + draw.choice(letters)

    references = [draw.choices(vocabulary, often, k=1 + int(draw.gammavariate(4, WORDS / 4))) for _ in range(PAIRS)]
    hypotheses = []
    for words in references:
        wrong = draw.betavariate(0.4, 3)  # most utterances are perfect, some are bad
        hypotheses.append(" ".join(said for word in words for said in heard(word, wrong)))
    return [" ".join(words) for words in references], hypotheses


def timed(work: Callable[[], Rates], rounds: int = 3) -> tuple[float, Rates]:
    """Best of some rounds in seconds of processor time, and the values."""
    best, rates = float("inf"), (0.0, 0.0)
    for _ in range(rounds):
        begun = time.process_time()
        rates = work()
        best = min(best, time.process_time() - begun)
    return best, rates


def main() -> int:
    """Print the table; 1 where the target is missed."""
    references, hypotheses = texts(random.Random(0))
    samples = [Sample(id=str(n), language="eng_Latn", references=(text,)) for n, text in enumerate(references)]
    outputs = [Output(text=text) for text in hypotheses]
    joined = [[text.replace(" ", "") for text in side] for side in (references, hypotheses)]  # CER without spaces
    words = [(one.split(), other.split()) for one, other in zip(references, hypotheses, strict=True)]
    letters = list(zip(*joined, strict=True))

    def stats(scorer: ErrorRate) -> np.ndarray:
        return np.stack([scorer.stats(*pair) for pair in zip(samples, outputs, strict=True)])

    def counts() -> Rates:
        wer, cer = (float(scorer.reduce(stats(scorer).sum(0))) for scorer in SCORERS)
        return wer, cer

    def ours() -> Rates:
        rates = []
        for scorer in SCORERS:
            rows = stats(scorer)
            interval(rows, scorer.reduce, resamples=RESAMPLES)
            rates.append(float(scorer.reduce(rows.sum(0))))
        return rates[0], rates[1]

    def ceiling() -> Rates:
        wer, cer = (
            sum(Levenshtein.distance(*pair) for pair in pairs) / sum(len(pair[0]) for pair in pairs)
            for pairs in (words, letters)
        )
        return wer, cer

    found = {
        "rapidfuzz distance alone": timed(ceiling),
        "mmbench, counts and values": timed(counts),
        f"mmbench, and {RESAMPLES} resamples": timed(ours),
        "jiwer, values alone": timed(lambda: (jiwer.wer(references, hypotheses), jiwer.cer(*joined))),
    }
    try:
        from torchmetrics.functional.text import char_error_rate, word_error_rate
    except ImportError:
        print("torchmetrics is not installed: left out")
    else:
        found["torchmetrics, values alone"] = timed(
            lambda: (float(word_error_rate(hypotheses, references)), float(char_error_rate(*reversed(joined)))), 1
        )
    base = found["jiwer, values alone"][0]
    print(f"{'':30} {'seconds':>8} {'of jiwer':>9} {'WER':>12} {'CER':>12}")
    for name, (seconds, (wer, cer)) in found.items():
        print(f"{name:30} {seconds:8.3f} {seconds / base:9.2f} {wer:12.9f} {cer:12.9f}")
    needed = found[f"mmbench, and {RESAMPLES} resamples"][0]
    print(f"target: {needed:.2f} s of {TARGET:g} s")
    return int(needed >= TARGET)


if __name__ == "__main__":
    sys.exit(main())
