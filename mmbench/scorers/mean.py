"""Quotients of statistics, and metrics whose value is the mean of one number per sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmbench.schema import Stats


def ratio(above: Stats, below: Stats) -> NDArray[np.float64]:
    """Quotients of shape (...); NaN where the divisor is not above 0: what cannot be scored is no number."""
    found: NDArray[np.float64] = np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)
    return found


class MeanOfSamples:
    """Statistics (value, 1) for each sample that can be scored and (0, 0) for the others; the score is their mean."""

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = True

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Means of shape (...) from totals of shape (..., 2); NaN where no sample could be scored."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """0: any text is an answer."""
        return 0.0
