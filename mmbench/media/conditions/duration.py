"""Conditions that make a recording shorter or longer: another speed, silence around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmbench.errors import UsageError
from mmbench.media.conditions.checks import number, short
from mmbench.media.conditions.resampling import fit, resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Plays a recording `factor` times as fast.

    Tempo and pitch change together, by resampling, as in Ko et al. (2015), Kaldi and `torchaudio.functional.speed`;
    with `keep_pitch` the tempo alone, by librosa's phase vocoder with windows of about 64 ms.

    Args:
        factor: above 1 is faster; n samples become n / factor.
        keep_pitch: change the tempo alone.
    """

    factor: float
    keep_pitch: bool = False

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            UsageError: the factor is out of range.
        """
        number(self, "factor", 0.1, 10, "times")
        if not isinstance(self.keep_pitch, bool):
            raise UsageError(f"Speed: keep_pitch={self.keep_pitch!r} must be true or false")

    @property
    def label(self) -> str:
        """Such as `speed_1.1x`, or `tempo_1.1x` where the pitch is kept."""
        return f"{'tempo' if self.keep_pitch else 'speed'}_{short(self.factor)}x"

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording at the other speed, at least one sample of it."""
        length = max(1, round(len(wave) / self.factor))
        if self.factor == 1 or not self.keep_pitch:
            # 16000 * 1.1 is no whole number in binary, and a ratio of whole numbers is resampled faster.
            return resampled(wave, round(rate * self.factor, 6), rate, length)
        from librosa.effects import time_stretch

        window = 1 << max(5, round(np.log2(0.064 * rate)))
        padded = fit(wave, max(len(wave), window))
        return fit(time_stretch(padded, rate=self.factor, n_fft=window).astype(np.float32), length)


@dataclass(frozen=True, kw_only=True)
class SilencePadding:
    """Puts silence before and after a recording, on which models that generate text may invent some.

    Args:
        before: seconds.
        after: seconds.
        level: root mean square in dB re full scale of white noise in the silence; None is digital silence, all zeros.
    """

    before: float = 0.0
    after: float = 0.0
    level: float | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            UsageError: one is out of range.
        """
        number(self, "before", 0, 3600, "seconds")
        number(self, "after", 0, 3600, "seconds")
        if self.level is not None:
            number(self, "level", -150, 0, "dB")

    @property
    def label(self) -> str:
        """Such as `pad_1s_1s`, or `pad_1s_1s_-60dB` with noise."""
        noise = "" if self.level is None else f"_{short(self.level)}dB"
        return f"pad_{short(self.before)}s_{short(self.after)}s{noise}"

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The silence, the recording as it is, the silence."""
        before, after = round(self.before * rate), round(self.after * rate)
        silence = np.zeros(before + after, np.float32)
        if self.level is not None:
            silence = np.random.default_rng(seed).standard_normal(before + after, np.float32)
            silence *= np.float32(10 ** (self.level / 20))
        return np.concatenate([silence[:before], wave, silence[before:]])
