"""WER of 20,000 pairs with its interval: ours beside jiwer and the bare edit distance, in one run on one core.

    python benchmarks/error_rates.py

The ceiling is rapidfuzz's distance on texts that are normalised and split already, without counts and interval.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import jiwer
import numpy as np
from rapidfuzz.distance import Levenshtein

from mmbench.bootstrap import interval
from mmbench.schema import Output, Sample
from mmbench.scorers.edit import ErrorRate

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = 20_000
WORDS = 11


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """Best of three in seconds, and the value."""
    best, value = float("inf"), 0.0
    for _ in range(3):
        begun = time.perf_counter()
        value = work()
        best = min(best, time.perf_counter() - begun)
    return best, value


def main() -> None:
    """Print the table."""
    draw = random.Random(0)
    vocabulary = [f"word{n}" for n in range(2000)]
    references = [" ".join(draw.choices(vocabulary, k=WORDS)) for _ in range(PAIRS)]
    hypotheses = [
        " ".join(w if draw.random() > 0.1 else draw.choice(vocabulary) for w in r.split()) for r in references
    ]
    samples = [Sample(id=str(n), language="eng_Latn", references=(r,)) for n, r in enumerate(references)]
    outputs = [Output(text=text) for text in hypotheses]
    pairs = [(r.split(), h.split()) for r, h in zip(references, hypotheses, strict=True)]
    scorer = ErrorRate(name="wer", unit="word", normalizer="none")

    def ours() -> float:
        stats = np.stack([scorer.stats(s, o) for s, o in zip(samples, outputs, strict=True)])
        interval(stats, scorer.reduce)
        return float(scorer.reduce(stats.sum(0)))

    def ceiling() -> float:
        return sum(Levenshtein.distance(r, h) for r, h in pairs) / sum(len(r) for r, _ in pairs)

    systems = {
        "rapidfuzz distance alone": ceiling,
        "mmbench, counts and interval": ours,
        "jiwer, value alone": lambda: jiwer.wer(references, hypotheses),
    }
    found = {name: timed(work) for name, work in systems.items()}
    base = found["jiwer, value alone"][0]
    print(f"{'':30} {'seconds':>8} {'of jiwer':>9} {'WER':>12}")
    for name, (seconds, value) in found.items():
        print(f"{name:30} {seconds:8.3f} {seconds / base:9.2f} {value:12.9f}")


if __name__ == "__main__":
    main()
