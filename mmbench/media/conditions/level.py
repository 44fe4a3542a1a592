"""Conditions of the level: quieter or louder, and overdriven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmbench.media.conditions.checks import number, short

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Gain:
    """Makes a recording louder or quieter; what goes above full scale is kept.

    Args:
        db: gain in dB; below 0 is quieter.
    """

    db: float

    def __post_init__(self) -> None:
        """Check the gain.

        Raises:
            UsageError: it is out of range.
        """
        number(self, "db", -100, 100, "dB")

    @property
    def label(self) -> str:
        """Such as `gain_-20dB`."""
        return f"gain_{short(self.db)}dB"

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording times 10^(db / 20)."""
        return wave * np.float32(10 ** (self.db / 20))


@dataclass(frozen=True, kw_only=True)
class Clipping:
    """Cuts all samples off at a threshold, as an overdriven microphone does; the level is not restored afterwards.

    Args:
        db: threshold relative to the recording's own peak, in dB; 0 changes nothing.
    """

    db: float

    def __post_init__(self) -> None:
        """Check the threshold.

        Raises:
            UsageError: it is out of range.
        """
        number(self, "db", -100, 0, "dB")

    @property
    def label(self) -> str:
        """Such as `clip_-12dB`."""
        return f"clip_{short(self.db)}dB"

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording, nowhere louder than the threshold."""
        threshold = np.max(np.abs(wave)) * np.float32(10 ** (self.db / 20))
        return np.clip(wave, -threshold, threshold)
