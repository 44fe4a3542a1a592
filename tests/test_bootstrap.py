"""Intervals have the width that theory gives, and paired tests see what is paired."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from mmbench import bootstrap
from mmbench.bootstrap import interval, macro_interval, paired_difference, paired_macro_difference, wilson


def ratio(totals):
    """First over second statistic, as of an error rate."""
    numbers, counts = totals[..., 0], totals[..., 1]
    return np.divide(numbers, counts, out=np.full(np.shape(counts), np.nan), where=counts > 0)


def ones(values):
    return np.stack([np.asarray(values, float), np.ones(len(values))], axis=1)


NORMAL = ones(np.random.default_rng(1).normal(size=400))
WORDS = np.random.default_rng(2).integers(1, 20, 500).astype(float)
ERRORS = np.stack([np.random.default_rng(3).binomial(WORDS.astype(int), 0.1), WORDS], axis=1)


def test_d15_interval_is_not_divided_by_the_root_of_the_resamples():
    """D15: lighteval divided by the root of the number of resamples, 27 times too narrow."""
    low, high = interval(NORMAL, ratio)
    expected = 2 * 1.96 * NORMAL[:, 0].std() / math.sqrt(len(NORMAL))
    assert high - low == pytest.approx(expected, rel=0.08)
    few, many = (interval(NORMAL, ratio, resamples=n) for n in (500, 8000))
    assert few[1] - few[0] == pytest.approx(many[1] - many[0], rel=0.1)


def test_d14_interval_of_a_macro_mean_is_not_that_of_the_pool():
    """D14: p = .9 of 10,000 and .4 of 100: standard error of the mean of both .0245, reported .0030 (pooled)."""
    languages = [ones([1] * 9000 + [0] * 1000), ones([1] * 40 + [0] * 60)]
    low, high = macro_interval(languages, ratio, resamples=4000)
    assert (high - low) / (2 * 1.96) == pytest.approx(0.0245, rel=0.06)
    assert low < 0.65 < high


def test_macro_leaves_out_what_has_no_score():
    full = ones([0, 1] * 30)
    assert macro_interval([full, np.zeros((5, 2)), np.zeros((0, 2))], ratio) == macro_interval([full], ratio)
    assert all(map(math.isnan, macro_interval([np.zeros((5, 2))], ratio)))
    assert all(map(math.isnan, macro_interval([], ratio)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=2, max_size=40))
def test_interval_holds_the_value_up_to_the_grain(rows):
    stats = np.array(rows, float)
    low, high = interval(stats, ratio, resamples=400, level=0.9999)
    assert low <= ratio(stats.sum(axis=0)) + 1e-12
    assert high >= ratio(stats.sum(axis=0)) - 1e-12


def test_interval_holds_the_value():
    low, high = interval(ERRORS, ratio)
    assert low < ratio(ERRORS.sum(axis=0)) < high


def test_coverage():
    """95 % intervals of 300 simulated error rates hold the true one about 95 times in a hundred."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        words = rng.integers(1, 20, 200)
        low, high = interval(np.stack([rng.binomial(words, 0.2), words], axis=1).astype(float), ratio, resamples=400)
        held += low <= 0.2 <= high
    assert 0.91 <= held / 300 <= 0.98


def test_order_plays_no_part_and_the_seed_does():
    shuffled = np.random.default_rng(5).permutation(ERRORS)
    assert interval(ERRORS, ratio) == interval(shuffled, ratio) == interval(ERRORS, ratio, seed=0)
    assert interval(ERRORS, ratio) != interval(ERRORS, ratio, seed=1)


def test_equal_rows_are_drawn_together_with_the_same_spread():
    wide = ones([0, 1] * 500)
    low, high = interval(wide, ratio, resamples=4000)
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 1000), rel=0.06)


def test_chunks_do_not_change_the_result(monkeypatch):
    whole = interval(ERRORS, ratio, resamples=101)
    monkeypatch.setattr(bootstrap, "_CELLS", 1500)
    assert interval(ERRORS, ratio, resamples=101) == whole
    monkeypatch.setattr(bootstrap, "_CELLS", 1)
    assert interval(ERRORS, ratio, resamples=101) == whole


def test_few_samples():
    assert all(map(math.isnan, interval(np.zeros((0, 2)), ratio)))
    assert interval(np.array([[1.0, 4.0]]), ratio) == (0.25, 0.25)
    assert all(map(math.isnan, interval(np.zeros((3, 2)), ratio)))
    half = np.array([[0.0, 0.0], [1.0, 2.0]])
    assert interval(half, ratio) == (0.5, 0.5)


@pytest.mark.parametrize("total", [1, 2, 10, 177, 100_000])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson(total, level):
    for correct in {0, 1, total // 3, total - 1, total}:
        expected = binomtest(correct, total).proportion_ci(confidence_level=level, method="wilson")
        assert wilson(correct, total, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_golden():
    """About as many samples as the test set of SIB-200 has, at .80."""
    low, high = wilson(142, 177)
    assert (round(low, 3), round(high, 3)) == (0.737, 0.854)
    assert all(map(math.isnan, wilson(0, 0)))
    assert wilson(0, 5)[0] == 0
    assert wilson(5, 5)[1] == 1


def test_paired_difference():
    better = ERRORS.copy()
    better[:, 0] = np.maximum(better[:, 0] - (np.arange(500) % 5 == 0), 0)
    difference, low, high, p = paired_difference(better, ERRORS, ratio)
    assert difference == pytest.approx(ratio(better.sum(axis=0)) - ratio(ERRORS.sum(axis=0)))
    assert low < difference < high < 0
    assert p == pytest.approx(1 / 2001)
    back = paired_difference(ERRORS, better, ratio)
    assert back[0] == -difference
    assert back[3] == p
    # far narrower than what two independent samples would give
    alone = interval(ERRORS, ratio)
    assert high - low < (alone[1] - alone[0]) / 2


def test_paired_difference_of_equals():
    assert paired_difference(ERRORS, ERRORS, ratio) == (0, 0, 0, 1)


def test_paired_p_is_calibrated():
    rng, below = np.random.default_rng(0), 0
    for _ in range(300):
        a, b = ones(rng.normal(size=60)), ones(rng.normal(size=60))
        below += paired_difference(a, b, ratio, resamples=400)[3] < 0.05
    assert 0.02 <= below / 300 <= 0.09


def test_paired_p_of_few_samples_is_that_of_the_exact_test():
    """Two samples that both favour one system: 2 of 4 assignments are as far apart, so p = 1/2; of five, 2 of 32."""
    for count in (1, 2, 5):
        p = paired_difference(ones([1.0] * count), ones([0.0] * count), ratio)[3]
        assert p == pytest.approx(2 / 2**count, abs=0.03)


def test_paired_macro_difference_is_the_mean_over_languages():
    better = ERRORS.copy()
    better[:, 0] = np.maximum(better[:, 0] - 1, 0)
    pairs = [(better[:100], ERRORS[:100]), (ERRORS[100:], ERRORS[100:])]
    difference, low, high, p = paired_macro_difference(pairs, ratio)
    assert difference == pytest.approx(paired_difference(*pairs[0], ratio)[0] / 2)
    assert low < difference < high < 0
    assert p < 0.01
    nothing = (np.zeros((3, 2)), np.zeros((3, 2)))
    assert paired_macro_difference([*pairs, nothing], ratio)[0] == difference
    assert all(map(math.isnan, paired_macro_difference([nothing], ratio)))


def test_paired_nan_and_shapes():
    assert all(map(math.isnan, paired_difference(np.zeros((3, 2)), ones([1, 2, 3]), ratio)))
    assert all(map(math.isnan, paired_difference(np.zeros((0, 2)), np.zeros((0, 2)), ratio)))
    with pytest.raises(ValueError, match="differ in shape"):
        paired_difference(ones([1, 2]), ones([1, 2, 3]), ratio)


def test_memory_stays_bounded_with_many_samples():
    rows = np.stack([np.random.default_rng(0).normal(size=100_000), np.ones(100_000)], axis=1)
    low, high = interval(rows, ratio, resamples=40)
    assert high - low < 0.02
