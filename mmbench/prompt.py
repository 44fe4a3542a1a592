"""The parts of a prompt: text, and windows on encoded media that are decoded late."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Joined:
    """Several recordings one after the other, with `gap` seconds of silence between them."""

    sources: tuple[str | Path | bytes, ...]
    _: KW_ONLY
    gap: float = 0.0


Source = str | Path | bytes | Joined
"""Where media are: a path, or the encoded bytes themselves; of audio also several of them in a row."""


CLEAN = "clean"
"""Label of the condition that changes nothing: the same cell as that without one."""


class Condition(Protocol):
    """What is done to a recording before a model hears it, such as noise; a frozen dataclass of its settings."""

    @property
    def label(self) -> str:
        """Short name, fit for a file name: `noise_10dB`."""

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording, mono at `rate` Hz, under the condition; the same for the same seed, its length may change."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text in a prompt; `instruction` marks the task's own words, which no cascade stage rewrites."""

    text: str
    _: KW_ONLY
    instruction: bool = False


@dataclass(frozen=True, slots=True)
class Audio:
    """A window on encoded audio, decoded late by `mmbench.media.load_audio`.

    Args:
        source: path of the file, or its bytes; several of them where a passage was recorded in pieces.
        start: begin of the window in seconds.
        end: end of the window in seconds; None is the end of the file.
        transcript: the reference transcript of the window, where there is one. Only the gold stage and the
            scorers of a cascade's stages read it; no model does.
        hypotheses: what systems said of it by name, where the dataset publishes that; only `Published` reads it.
        condition: what is done to it once it is decoded.
        seed: of what is random in the condition; depends on the sample alone.
    """

    source: Source
    _: KW_ONLY
    start: float = 0.0
    end: float | None = None
    transcript: str | None = None
    hypotheses: tuple[tuple[str, str], ...] = ()
    condition: Condition | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """An encoded image, decoded late by `mmbench.media.load_image`; `transcript` is its reference text."""

    source: Source
    _: KW_ONLY
    transcript: str | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """A window on an encoded video, in seconds like `Audio`."""

    source: Source
    _: KW_ONLY
    start: float = 0.0
    end: float | None = None
    transcript: str | None = None


Part = Text | Image | Audio | Video
"""A prompt is an ordered sequence of parts, so that interleaved documents are nothing special."""
