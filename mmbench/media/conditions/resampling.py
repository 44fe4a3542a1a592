"""Resampling that keeps the number of samples that the caller counts on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fit(wave: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """The first `length` samples; zeros after a shorter wave."""
    return wave[:length] if len(wave) >= length else np.pad(wave, (0, length - len(wave)))


def resampled(wave: NDArray[np.float32], rate: float, wanted: float, length: int | None = None) -> NDArray[np.float32]:
    """Samples at `wanted` Hz by soxr HQ, `length` of them: by default as many as last equally long, at least one."""
    if length is None:
        length = max(1, round(len(wave) * wanted / rate))
    return fit(wave if rate == wanted else soxr.resample(wave, rate, wanted, quality="HQ"), length)
