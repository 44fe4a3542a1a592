"""Reverberation by a synthetic or a measured impulse response."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import oaconvolve

from mmbench.errors import UsageError
from mmbench.identity import weights
from mmbench.media.conditions.checks import number, short
from mmbench.media.conditions.recordings import impulse_response, named, recordings

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Reverberation:
    """Convolves with the impulse response of a room; begin, length and energy of the recording stay.

    The synthetic response is Polack's statistical model (1988): the direct sound, then Gaussian noise whose energy
    falls exponentially by 60 dB in `rt60`. It has no early reflections; a folder of measured responses, such as those
    of Ko et al. (2017), has. What would sound on after the recording's end is cut.

    Args:
        rt60: reverberation time in seconds.
        drr: energy of the direct sound over that of all the rest, in dB.
        folder: measured impulse responses instead, of which the seed draws one; heard from its largest peak on.
    """

    rt60: float | None = None
    drr: float = 0.0
    folder: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            UsageError: one is out of range, or they contradict each other.
        """
        number(self, "drr", -60, 60, "dB")
        if (self.rt60 is None) == (self.folder is None):
            raise UsageError(f"Reverberation: rt60={self.rt60} and folder={self.folder}; give one of the two")
        if self.rt60 is not None:
            number(self, "rt60", 0.01, 20, "seconds")
        if self.folder is not None:
            if self.drr:
                raise UsageError(f"Reverberation: drr={self.drr:g} is that of the folder's recordings; leave it out")
            recordings(self.folder)

    @property
    def label(self) -> str:
        """Such as `reverb_0.5s`, `reverb_0.5s_6dB` with another `drr`, or `reverb_NAME` of a folder."""
        if self.rt60 is None:
            return f"reverb_{named(str(self.folder))}"
        return f"reverb_{short(self.rt60)}s" + (f"_{short(self.drr)}dB" if self.drr else "")

    @property
    def content(self) -> str | None:
        """Identity of the impulse responses."""
        return None if self.folder is None else weights(self.folder)

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording as heard in the room, as long as before."""
        before = float(np.sum(np.square(wave, dtype=np.float64)))
        if before == 0:
            return wave
        response = self._response(rate, np.random.default_rng(seed))
        heard = oaconvolve(wave.astype(np.float64), response)[: len(wave)]
        scaled: NDArray[np.float64] = heard * np.sqrt(before / np.sum(heard**2))
        return scaled.astype(np.float32)

    def _response(self, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
        if self.rt60 is None:
            return impulse_response(str(self.folder), rate, rng)
        times = np.arange(1, max(2, round(self.rt60 * rate))) / rate
        tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / self.rt60)
        tail *= np.sqrt(10 ** (-self.drr / 10) / np.sum(tail**2))
        return np.concatenate([[1.0], tail])
