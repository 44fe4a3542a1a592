"""Retrieval among embeddings: the image of a caption among all images, the caption of an image among all captions."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.schema import ITEM, QUERY
from mmbench.scorers.mean import ratio
from mmbench.scorers.ranking import ranks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

    Pair = tuple[Sample, Output | None]
    Floats = NDArray[np.float64]

Direction = Literal["query_to_item", "item_to_query"]
"""What is asked with: the sample's parts (a caption), or its other side (the image)."""

NAMES = ("item", "image", "stamp")
"""Group fields that say which item a sample's other side is; the first that it has counts."""


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Share of queries that have a right answer among the k nearest of the whole pool of their language, 0 to 1.

    Nearness is the cosine, and ties count against the right answer. An item that several samples share (an image with
    five captions) is in the pool once; as a query it counts once, and any of its captions is right. What failed is not
    in the pool, and as a query it is a miss.

    Args:
        k: how many of the nearest count.
        direction: one of `Direction`.
        cosine: else the dot product, as in NoteLLM-2's code.
        name: of the metric in tables.

    Raises:
        UsageError: a setting is unknown.
    """

    k: int
    direction: Direction = "query_to_item"
    cosine: bool = True
    name: str = "retrieval"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = True
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.direction not in get_args(Direction):
            known = ", ".join(get_args(Direction))
            raise UsageError(f"{self.name}: unknown direction {self.direction!r}: known are {known}")
        if not isinstance(self.k, int) or self.k < 1:
            raise UsageError(f"{self.name}: k={self.k}: must be a whole number from 1")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Those of a pool of one, of shape (2,): use `all_stats`."""
        row: Stats = self.all_stats([(sample, output)])[0]
        return row

    def all_stats(self, pairs: Sequence[Pair]) -> Stats:
        """Found and asked for each sample, of shape (n, 2); of samples that share an item the first one asks.

        Raises:
            UsageError: a sample does not say which item it is about, or vectors are not of one length.
        """
        found = np.zeros((len(pairs), 2))
        languages: dict[str, list[int]] = {}
        for index, (sample, output) in enumerate(pairs):
            # Rows that say nothing of embeddings, as those of another task, are not scored.
            if output is None or output.vectors:
                languages.setdefault(sample.language, []).append(index)
        for rows in languages.values():
            found[rows] = self._pool([pairs[index] for index in rows])
        return found

    def _pool(self, pairs: Sequence[Pair]) -> Stats:
        found = np.zeros((len(pairs), 2))
        first: dict[str, int] = {}
        for index, (sample, _) in enumerate(pairs):
            first.setdefault(item_of(sample), index)
        asks = set(range(len(pairs))) if self.direction == "query_to_item" else set(first.values())
        found[sorted(asks), 1] = 1.0
        there = [index for index, (_, output) in enumerate(pairs) if output is not None and ITEM in output.vectors]
        if not there:
            return found
        names = [item_of(pairs[index][0]) for index in there]
        pool = {name: place for place, name in enumerate(dict.fromkeys(names))}
        queries = self._vectors([pairs[index] for index in there], QUERY)
        owners = np.array([pool[name] for name in names])
        items = self._vectors([pairs[there[place]] for place in np.unique(owners, return_index=True)[1]], ITEM)
        if queries.shape[1] != items.shape[1]:
            raise UsageError(
                f"{self.name}: vectors of {queries.shape[1]} and of {items.shape[1]} numbers do not compare"
            )
        if self.direction == "query_to_item":
            found[there, 0] = ranks(queries, items, owners, cosine=self.cosine) <= self.k
            return found
        places = ranks(items[owners], queries, np.arange(len(there)), cosine=self.cosine)
        for place, name in enumerate(pool):
            own = places[owners == place]
            tied = int((own == own.min()).sum()) - 1  # right captions that are equally near are none against each other
            found[first[name], 0] = own.min() - tied <= self.k
        return found

    def _vectors(self, pairs: Sequence[Pair], side: str) -> Floats:
        rows = [output.vectors[side] for _, output in pairs if output is not None]
        if len({len(row) for row in rows}) > 1:
            raise UsageError(f"{self.name}: vectors of several lengths; predict all of it with one model")
        return np.array(rows, dtype=np.float64)

    def reduce(self, totals: Stats) -> Floats:
        """Shares of shape (...) from totals of shape (..., 2); NaN where nothing was asked."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """0: a vector needs no parsing."""
        return 0.0

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        near = "cosine" if self.cosine else "dot"
        return (
            f"{self.name}|k:{self.k}|direction:{self.direction}|near:{near}|pool:language|ties:worst"
            f"|mmbench:{__version__}"
        )

    def chance(self, samples: Iterable[Sample]) -> float:
        """Expected value of a random order; NaN where there are no samples."""
        names = [item_of(sample) for sample in samples]
        if not names:
            return math.nan
        if self.direction == "query_to_item":
            return min(1.0, self.k / len(set(names)))
        total, shares = len(names), []
        for own in Counter(names).values():
            missed = math.prod(max(0, total - own - drawn) / (total - drawn) for drawn in range(min(self.k, total)))
            shares.append(1 - missed)
        return math.fsum(shares) / len(shares)


def item_of(sample: Sample) -> str:
    """Name of the item that a sample is about.

    Raises:
        UsageError: it has none of the fields that say so.
    """
    for name in NAMES:
        if name in sample.group:
            return sample.group[name]
    raise UsageError(f"sample {sample.id}: retrieval needs the group field {' or '.join(NAMES)}, which names its item")
