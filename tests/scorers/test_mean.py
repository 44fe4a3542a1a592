"""A mean over samples leaves out what cannot be scored."""

from __future__ import annotations

import numpy as np

from mmbench.scorers.mean import MeanOfSamples


def test_mean():
    rows = np.array([[0.5, 1], [0, 1], [0, 0]])
    assert MeanOfSamples().reduce(rows.sum(axis=0)) == 0.25
    assert np.isnan(MeanOfSamples().reduce(rows[2]))
    assert MeanOfSamples().reduce(np.stack([rows, rows])).shape == (2, 3)
    assert MeanOfSamples().unparsed(rows) == 0
