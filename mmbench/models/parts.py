"""What every wrapper needs of a sample's parts: the one kind it can take, or a clear refusal.

This is also the one place that decides what becomes of a clip that is longer than the model's window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from mmbench.errors import SampleError, UsageError
from mmbench.media import load_audio
from mmbench.schema import Audio, Output, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LongAudio = Literal["refuse", "truncate", "chunk"]
"""What to do with a clip longer than the window: no answer, its first window alone, or window after window."""

LEAST = 0.1
"""Seconds that every model can take: a clip with fewer samples than a model's filters are wide has no frame."""

_SEARCHED = 1 / 6
"""Share of a window, at its end, in which the place to cut is looked for: 5 of Whisper's 30 seconds."""
_QUIET = 0.1
"""Seconds over which loudness is averaged there: longer than the closure of a plosive, shorter than most pauses."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The clips of a batch as a model takes them.

    Args:
        samples: the batch.
        waves: waveforms of shape (n,); each fits in the window. A clip that was cut gives several in a row.
        owners: for each waveform the index of its sample.
        notes: for each sample what was done to its clips.
    """

    samples: tuple[Sample, ...]
    waves: list[NDArray[np.float32]]
    owners: list[int]
    notes: list[tuple[str, ...]]

    def outputs(self, texts: Sequence[str], tokens: Sequence[int] | None = None) -> list[Output]:
        """One output for each sample from a text, and a number of tokens, for each waveform."""
        joined = join(texts, self.owners, len(self.samples))
        counts: list[int | None] = [None] * len(self.samples)
        if tokens is not None:
            for owner, count in zip(self.owners, tokens, strict=True):
                counts[owner] = (counts[owner] or 0) + count
        return [
            Output(text=text, tokens=count, notes=notes)
            for text, count, notes in zip(joined, counts, self.notes, strict=True)
        ]


def clips(sample: Sample) -> list[Audio]:
    """Audio parts of a sample, in order.

    Raises:
        SampleError: it has none.
    """
    found = [part for part in sample.parts if isinstance(part, Audio)]
    if not found:
        raise SampleError(f"sample {sample.id} has no audio, and this model answers audio alone")
    return found


def hear(
    samples: Sequence[Sample],
    rate: int,
    *,
    window: float | None = None,
    long_audio: LongAudio = "refuse",
    least: float = 0.0,
) -> Heard:
    """Decode all clips of a batch and make each fit the model.

    Args:
        samples: the batch.
        rate: sample rate in Hz that the model wants.
        window: seconds that the model can take; None is without limit.
        long_audio: what becomes of longer clips.
        least: seconds that the model needs; silence is added to shorter clips.

    Raises:
        SampleError: a sample has no audio, or a clip is too long and `long_audio` is refuse.
        MediaError: a clip cannot be decoded.
    """
    heard = Heard(tuple(samples), [], [], [])
    for index, sample in enumerate(samples):
        notes: list[str] = []
        for clip in clips(sample):
            whole = load_audio(clip, rate=rate)
            if len(whole) < round(least * rate):
                notes.append(f"padded {len(whole) / rate:.3g} s to {least:g} s")
                whole = np.pad(whole, (0, round(least * rate) - len(whole)))
            waves, note = _fit(sample, whole, rate, window, long_audio)
            heard.waves.extend(waves)
            heard.owners.extend([index] * len(waves))
            notes += [note] if note else []
        heard.notes.append(tuple(notes))
    return heard


def pick_window(name: str, own: float | None, wanted: float | None, long_audio: str) -> float | None:
    """Seconds that clips are held to: the setting `window`, or else what the model says of itself.

    Args:
        name: of the model, for messages.
        own: seconds beyond which the model hears nothing; None where it has no such limit.
        wanted: the setting.
        long_audio: the setting, to check it.

    Raises:
        UsageError: the settings cannot be met.
    """
    if long_audio not in get_args(LongAudio):
        raise UsageError(f"model {name}: long_audio={long_audio}: known are {', '.join(get_args(LongAudio))}")
    if wanted is None:
        return own
    if not wanted > 0:
        raise UsageError(f"model {name}: window={wanted:g}: it is in seconds and must be positive")
    if own is not None and wanted > own:
        raise UsageError(f"model {name}: window={wanted:g}, but the model hears {own:g} s; leave it out or take less")
    return wanted


def windows(wave: NDArray[np.float32], rate: int, window: float) -> list[NDArray[np.float32]]:
    """Cut a waveform of shape (n,) into pieces in a row, none longer than `window` seconds and none lost.

    Each cut is at the quietest point of the last sixth of its window, so that it falls between words where it can,
    and never leaves a last piece too short to hold a word.
    """
    most, pieces = max(1, int(window * rate)), []
    while len(wave) > most:
        searched = int(most * _SEARCHED)
        first, last = most - searched, min(most, len(wave) - searched // 5)
        cut = first + _quietest(wave[first:last], rate)
        pieces.append(wave[:cut])
        wave = wave[cut:]
    return [*pieces, wave]


def _quietest(wave: NDArray[np.float32], rate: int) -> int:
    """Index of the middle of the quietest stretch; of equally quiet ones the last, for fewer pieces."""
    length = max(1, min(int(_QUIET * rate), len(wave)))
    energy = np.concatenate(([0.0], np.cumsum(np.square(wave, dtype=np.float64))))
    loudness = np.maximum(energy[length:] - energy[:-length], 0.0)
    if not len(loudness):
        return 0
    last = len(loudness) - 1 - int(np.argmin(loudness[::-1]))
    return last + (length + 1) // 2


def _fit(
    sample: Sample, wave: NDArray[np.float32], rate: int, window: float | None, long_audio: LongAudio
) -> tuple[list[NDArray[np.float32]], str]:
    """The pieces of a clip that are heard, and a note where that is not simply the clip."""
    if window is None or len(wave) <= window * rate:
        return [wave], ""
    seconds = len(wave) / rate
    if long_audio == "truncate":
        return [wave[: int(window * rate)]], f"truncated {seconds:.1f} s to {window:g} s"
    if long_audio == "chunk":
        pieces = windows(wave, rate, window)
        return pieces, f"cut into {len(pieces)} windows"
    raise SampleError(
        f"sample {sample.id}: the clip lasts {seconds:.1f} s, the model takes {window:g} s; "
        "cut it, or set model.long_audio to chunk or truncate"
    )


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


def own_text(sample: Sample) -> str:
    """The text of a sample that holds text alone, without the task's instruction.

    Raises:
        SampleError: it holds media, which a text model cannot read.
    """
    prompt_text(sample)
    return "".join(part.text for part in sample.parts if isinstance(part, Text) and not part.instruction).strip()
