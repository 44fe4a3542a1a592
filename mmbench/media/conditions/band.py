"""Narrower bands: filters, and lower sample rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, sosfiltfilt

from mmbench.errors import UsageError
from mmbench.media.conditions.checks import number, short
from mmbench.media.conditions.resampling import resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ORDER = 8


@dataclass(frozen=True, kw_only=True)
class BandLimit:
    """Keeps a band of frequencies, such as the 300 to 3400 Hz of a telephone (ITU-T G.712), or goes by a lower rate.

    The filter is a Butterworth of order 8 that runs forwards and backwards: no delay, and 6 dB less at the edges.

    Args:
        low: lower edge in Hz; None keeps everything below.
        high: upper edge in Hz; None keeps everything above. One above half the model's rate changes nothing.
        rate: sample rate in Hz to go down to and come back from, by soxr; one above the model's changes nothing.
    """

    low: float | None = None
    high: float | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            UsageError: one is out of range, the edges are in the wrong order, or nothing is set.
        """
        given = [name for name in ("low", "high", "rate") if getattr(self, name) is not None]
        if not given:
            raise UsageError("BandLimit: low, high and rate are all null; give at least one, as in low=300 high=3400")
        for name in given:
            number(self, name, 1_000 if name == "rate" else 1, 384_000, "Hz")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise UsageError(f"BandLimit: low={self.low:g} must be less than high={self.high:g}")

    @property
    def label(self) -> str:
        """Such as `band_300-3400Hz`, `highpass_300Hz`, `lowpass_3400Hz`, `rate_8000Hz`; joined by "_"."""
        words = [] if self.rate is None else [f"rate_{short(self.rate)}Hz"]
        if self.low is not None and self.high is not None:
            words.insert(0, f"band_{short(self.low)}-{short(self.high)}Hz")
        elif self.low is not None:
            words.insert(0, f"highpass_{short(self.low)}Hz")
        elif self.high is not None:
            words.insert(0, f"lowpass_{short(self.high)}Hz")
        return "_".join(words)

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording in the band, as long as before.

        Raises:
            UsageError: nothing is left at this rate.
        """
        filtered = self._filtered(wave, rate)
        if self.rate is None or self.rate >= rate:
            return filtered
        return resampled(resampled(filtered, rate, self.rate), self.rate, rate, len(wave))

    def _filtered(self, wave: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        high = None if self.high is None or self.high >= rate / 2 else self.high
        if self.low is not None and self.low >= rate / 2:
            raise UsageError(f"BandLimit: low={self.low:g} leaves nothing of a recording at {rate} Hz; lower it")
        edges = [edge for edge in (self.low, high) if edge is not None]
        if not edges:
            return wave
        kind = "bandpass" if len(edges) == 2 else "lowpass" if high is not None else "highpass"
        sections = butter(_ORDER, edges if len(edges) == 2 else edges[0], kind, fs=rate, output="sos")
        # The usual padding mirrors more samples than a short clip has.
        band: NDArray[np.float64] = sosfiltfilt(sections, wave.astype(np.float64), padlen=0)
        return band.astype(np.float32)
