"""What every wrapper needs of a sample's parts: the one kind it can take, or a clear refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmbench.errors import SampleError
from mmbench.media import load_audio
from mmbench.schema import Audio, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def clips(sample: Sample) -> list[Audio]:
    """Audio parts of a sample, in order.

    Raises:
        SampleError: it has none.
    """
    found = [part for part in sample.parts if isinstance(part, Audio)]
    if not found:
        raise SampleError(f"sample {sample.id} has no audio, and this model answers audio alone")
    return found


def decode(
    samples: Sequence[Sample], rate: int, *, window: float | None = None
) -> tuple[list[NDArray[np.float32]], list[int]]:
    """Decode all clips of a batch.

    Args:
        samples: the batch.
        rate: sample rate in Hz that the model wants.
        window: seconds that the model can take; longer clips are refused.

    Returns:
        The waveforms of all clips, and for each the index of its sample.
    """
    waves, owners = [], []
    for index, sample in enumerate(samples):
        for clip in clips(sample):
            wave = load_audio(clip, rate=rate)
            if window is not None and len(wave) > window * rate:
                raise SampleError(
                    f"sample {sample.id}: the clip lasts {len(wave) / rate:.1f} s, the model takes {window:g} s; cut it"
                )
            waves.append(wave)
            owners.append(index)
    return waves, owners


def join(texts: Sequence[str], owners: Sequence[int], count: int) -> list[str]:
    """Texts of all clips back to one text for each of `count` samples."""
    joined: list[list[str]] = [[] for _ in range(count)]
    for text, owner in zip(texts, owners, strict=True):
        joined[owner].append(text)
    return [" ".join(filter(None, (text.strip() for text in group))) for group in joined]


def prompt_text(sample: Sample) -> str:
    """The prompt of a sample that holds text alone.

    Raises:
        SampleError: it holds media, which a text model cannot read.
    """
    for part in sample.parts:
        if not isinstance(part, Text):
            kind = type(part).__name__.lower()
            raise SampleError(f"sample {sample.id} holds {kind}, which a text model cannot read; put a stage before it")
    return "".join(part.text for part in sample.parts if isinstance(part, Text))
