"""Batches of samples of similar length, the same ones whatever has been answered already.

A batch is padded to its longest sample, so neighbours should be alike. Which samples share a batch depends on the
dataset and the batch size alone: a run that was interrupted continues with the batches that it would have had.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from mmbench.errors import MediaError
from mmbench.media import audio_seconds
from mmbench.schema import Audio, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

WINDOW = 1024
"""Samples that are sorted together: enough for batches without padding, few enough to stream."""


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Consecutive lists of at most `size` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def cost(sample: Sample) -> tuple[float, int]:
    """What a sample is sorted by: seconds of audio, then characters of text. Unreadable media cost nothing."""
    seconds = 0.0
    for part in sample.parts:
        if isinstance(part, Audio):
            try:
                seconds += audio_seconds(part)
            except MediaError:
                continue  # it gets its error row when it is decoded
    return seconds, sum(len(part.text) for part in sample.parts if isinstance(part, Text))


def batches(samples: Iterable[Sample], size: int, *, window: int = WINDOW) -> Iterator[list[Sample]]:
    """Batches of `size` samples, longest first within each window, so that too large a batch shows at once.

    Ties are broken by id, which makes the order independent of how the dataset was shuffled within a window.
    """
    for group in chunks(samples, window):
        yield from chunks(sorted(group, key=lambda sample: (*(-value for value in cost(sample)), sample.id)), size)
