"""Additive noise at a given signal-to-noise ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import scipy.fft

from mmbench.errors import UsageError
from mmbench.identity import weights
from mmbench.media.conditions.checks import choice, number, short
from mmbench.media.conditions.recordings import ambience, named, recordings
from mmbench.prompt import CLEAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["white", "pink", "brown", "speech", "recorded"]
"""Flat, 3 dB and 6 dB less an octave, with the long-term spectrum of the recording itself, or from a folder."""

_DECAY = {"pink": 0.5, "brown": 1.0}  # exponent of the frequency by which the amplitude falls
_LOWEST = 20.0  # Hz; else most of the energy of brown noise is below hearing, and the more so the longer the clip


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Adds noise at an SNR: power of the recording over that of the noise, both over its whole length.

    The pauses count, as in `torchaudio.functional.add_noise` and in AV-HuBERT's noise tests; ITU-T P.56, which takes
    the level of active speech, gives a higher ratio for the same mixture. A silent recording stays silent.

    Args:
        snr: in dB; inf is the recording as it is, bit for bit.
        kind: colour of the noise; pink and brown have nothing below 20 Hz.
        folder: recordings of noise, such as a part of MUSAN. The seed draws a file and a passage; a short one is
            repeated.
        voices: recordings of `folder` at once, at equal power; several of speech are babble.
    """

    snr: float
    kind: Kind = "white"
    folder: str | None = field(default=None, compare=False)
    voices: int = 1

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            UsageError: one is out of range, or they contradict each other.
        """
        number(self, "snr", -100, 100, "dB", infinite=True)
        choice(self, "kind", get_args(Kind))
        if (self.kind == "recorded") != (self.folder is not None):
            raise UsageError(
                f"Noise: kind={self.kind} and folder={self.folder}; kind=recorded and a folder go together"
            )
        if type(self.voices) is not int or not 1 <= self.voices <= 100:
            raise UsageError(f"Noise: voices={self.voices!r} must be a whole number from 1 to 100")
        if self.voices > 1 and self.folder is None:
            raise UsageError(f"Noise: voices={self.voices} is about recordings; it needs kind=recorded and a folder")
        if self.folder is not None:
            recordings(self.folder)

    @property
    def label(self) -> str:
        """Such as `noise_white_10dB`; `noise_8x_speech_5dB` with 8 voices of a folder named speech; `clean` at inf."""
        if self.snr == math.inf:
            return CLEAN
        many = f"{self.voices}x_" if self.voices > 1 else ""
        what = self.kind if self.folder is None else many + named(self.folder)
        return f"noise_{what}_{short(self.snr)}dB"

    @property
    def content(self) -> str | None:
        """Identity of the recordings of noise."""
        return None if self.folder is None else weights(self.folder)

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording with noise, as long as before."""
        power = float(np.mean(np.square(wave, dtype=np.float64)))
        if self.snr == math.inf or power == 0:
            return wave
        noise = self._noise(wave, rate, np.random.default_rng(seed))
        noise *= np.sqrt(power / np.mean(noise**2) / 10 ** (self.snr / 10))
        return (wave + noise).astype(np.float32)

    def _noise(self, wave: NDArray[np.float32], rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
        if self.folder is not None:
            return ambience(self.folder, len(wave), rate, rng, self.voices)
        if self.kind == "white":
            return rng.standard_normal(len(wave))
        if self.kind == "speech":
            return _speech_shaped(wave, rate, rng)
        return _coloured(len(wave), rate, _DECAY[self.kind], rng)


def _spectrum_length(length: int, rate: int) -> int:
    """Length to transform: at least a second, because a short clip has no low frequencies to shape."""
    return int(scipy.fft.next_fast_len(max(length, rate), real=True))


def _coloured(length: int, rate: int, decay: float, rng: np.random.Generator) -> NDArray[np.float64]:
    size = _spectrum_length(length, rate)
    frequencies = scipy.fft.rfftfreq(size, 1 / rate)
    shape = np.where(frequencies < _LOWEST, 0, np.maximum(frequencies, _LOWEST) ** -decay)
    coloured: NDArray[np.float64] = scipy.fft.irfft(scipy.fft.rfft(rng.standard_normal(size)) * shape, size)
    return coloured[:length]


def _speech_shaped(wave: NDArray[np.float32], rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The recording's magnitudes over its whole length with random phases: stationary, and not intelligible."""
    size = _spectrum_length(len(wave), rate)
    spectrum = scipy.fft.rfft(wave.astype(np.float64), size)
    turned = np.abs(spectrum) * np.exp(2j * np.pi * rng.random(len(spectrum)))
    shaped: NDArray[np.float64] = scipy.fft.irfft(turned, size)
    return shaped[: len(wave)]
