"""Metrics whose value is the mean of one number per sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmbench.schema import Stats


class MeanOfSamples:
    """Statistics (value, 1) for each sample that can be scored and (0, 0) for the others; the score is their mean."""

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = True

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Means of shape (...) from totals of shape (..., 2); NaN where no sample could be scored."""
        values, counts = totals[..., 0], totals[..., 1]
        means: NDArray[np.float64] = np.divide(values, counts, out=np.full(np.shape(counts), np.nan), where=counts > 0)
        return means

    def unparsed(self, stats: Stats) -> float:
        """0: any text is an answer."""
        return 0.0
