"""Batches of samples of similar length, the same ones whatever has been answered already.

A batch is padded to its longest sample, so neighbours should be alike. Which samples share a batch depends on the
dataset and the batch size alone: a run that was interrupted continues with the batches that it would have had.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from mmbench.errors import MediaError
from mmbench.media import audio_seconds
from mmbench.schema import Audio, Joined, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

WINDOW = 1024
"""Samples that are sorted together: enough for batches without padding, few enough to stream."""

HELD = 256 << 20
"""Bytes of encoded media in memory at which a window ends early; media in files count nothing."""


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Consecutive lists of at most `size` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def windows(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    """Consecutive lists of at most `size` samples whose media take little more than `HELD` bytes of memory."""
    group: list[Sample] = []
    bytes_held = 0
    for sample in samples:
        group.append(sample)
        bytes_held += held(sample)
        if len(group) == size or bytes_held >= HELD:
            yield group
            group, bytes_held = [], 0
    if group:
        yield group


def held(sample: Sample) -> int:
    """Bytes of encoded media that a sample holds in memory."""
    prompts = (sample.parts, *sample.variants.values())
    sources = {part.source for parts in prompts for part in parts if not isinstance(part, Text)}
    pieces = [piece for source in sources for piece in (source.sources if isinstance(source, Joined) else (source,))]
    return sum(len(piece) for piece in pieces if isinstance(piece, bytes))


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
    for group in windows(samples, window):
        yield from chunks(sorted(group, key=lambda sample: (*(-value for value in cost(sample)), sample.id)), size)
