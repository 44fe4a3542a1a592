"""Document frequencies of n-grams, the statistics that CIDEr weighs by: counted, written, read, and told apart."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mmbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

Ngram = tuple[str, ...]

ORDERS = 4
"""Longest n-gram, in tokens."""


@dataclass(frozen=True)
class Documents:
    """How many documents there are, and in how many of them an n-gram is, for n-grams that are in two or more.

    The others need not be kept: an n-gram in no document weighs as much as one in a single document.
    """

    count: int
    frequency: Mapping[Ngram, int]

    def weight(self, ngram: Ngram) -> float:
        """Natural logarithm of documents / documents with the n-gram."""
        return math.log(self.count) - math.log(self.frequency.get(ngram, 1))

    @cached_property
    def content(self) -> str:
        """SHA-256 (hex) of all of it, whatever the order it was counted in."""
        rows = [f"{times} {' '.join(ngram)}\n" for ngram, times in sorted(self.frequency.items())]
        return hashlib.sha256(f"{self.count}\n{''.join(rows)}".encode()).hexdigest()


def ngrams(tokens: list[str]) -> Iterator[Ngram]:
    """All n-grams of 1 to `ORDERS` tokens."""
    for order in range(1, ORDERS + 1):
        yield from zip(*(tokens[start:] for start in range(order)), strict=False)


def count(documents: Iterable[Iterable[list[str]]]) -> Documents:
    """Statistics of documents, each of which is several texts as tokens: an n-gram counts once in each."""
    total, found = 0, Counter[Ngram]()
    for texts in documents:
        total += 1
        found.update({ngram for tokens in texts for ngram in ngrams(tokens)})
    return Documents(total, {ngram: times for ngram, times in found.items() if times > 1})


def digest(corpora: Mapping[str, Documents]) -> str:
    """Twelve hex digits that stand for the statistics of several languages."""
    lines = [f"{language} {corpus.content}\n" for language, corpus in sorted(corpora.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:12]


def write(path: Path, corpora: Mapping[str, Documents], tokens: Callable[[str], str]) -> None:
    """Write statistics as JSON lines, one for each language; `tokens` says how its texts were cut."""
    with path.open("w", encoding="utf-8") as file:
        for language, corpus in sorted(corpora.items()):
            # A space can join the tokens, because none has one.
            frequency = {" ".join(ngram): times for ngram, times in sorted(corpus.frequency.items())}
            row = {"language": language, "documents": corpus.count, "tokens": tokens(language), "frequency": frequency}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read(path: Path, tokens: Callable[[str], str]) -> dict[str, Documents]:
    """Statistics by language from a file that `write` made.

    Raises:
        UsageError: the file is missing or damaged, or its texts were cut in another way.
    """
    corpora = {}
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").rstrip("\n").split("\n"), start=1):
            row = json.loads(line)
            language, wanted = str(row["language"]), tokens(str(row["language"]))
            if row["tokens"] != wanted:
                raise UsageError(f"{path}:{number}: has statistics of {row['tokens']}, not of {wanted}; make them anew")
            frequency = {tuple(key.split(" ")): int(times) for key, times in row["frequency"].items()}
            corpora[language] = Documents(int(row["documents"]), frequency)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a file that Cider.save wrote") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: is no file that Cider.save wrote ({error!r})") from error
    return corpora
