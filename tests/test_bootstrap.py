"""Intervals have the width that theory gives, and paired tests see what is paired."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from mmbench import bootstrap
from mmbench.bootstrap import (
    clustered,
    clustered_wilson,
    effective_counts,
    interval,
    macro_interval,
    macro_wilson,
    paired_difference,
    paired_macro_difference,
    wilson,
)


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
    assert all(map(math.isnan, interval(np.zeros((3, 2)), ratio)))
    one = np.array([[1.0, 4.0]])
    assert all(map(math.isnan, interval(one, ratio)))
    assert all(map(math.isnan, interval(np.concatenate([one, np.zeros((5, 2))]), ratio)))  # one that can be scored
    assert interval(np.concatenate([one, one]), ratio) == (0.25, 0.25)
    assert all(map(math.isnan, macro_interval([ERRORS, one], ratio)))


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


def test_paired_interval_of_one_sample_is_not_known_and_its_p_is_1():
    one = (ones([1.0]), ones([0.0]))
    for difference, low, high, p in (paired_difference(*one, ratio), paired_macro_difference([one], ratio)):
        assert (difference, p) == (1, 1)
        assert math.isnan(low)
        assert math.isnan(high)
    assert math.isnan(paired_macro_difference([one, (ERRORS, ERRORS[::-1])], ratio)[1])


def test_paired_p_needs_no_order_of_samples_or_systems():
    rng = np.random.default_rng(4)
    a, b = ones(rng.normal(size=90)), ones(rng.normal(size=90) + 0.05)
    p, mixed = paired_difference(a, b, ratio)[3], rng.permutation(90)
    assert 0.01 < p < 0.9
    assert paired_difference(a[mixed], b[mixed], ratio)[3] == p
    assert paired_difference(b, a, ratio)[3] == p
    assert paired_difference(np.concatenate([a, a[:5]]), np.concatenate([b, a[:5]]), ratio, seed=1)[3] != p


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


def test_macro_wilson_does_not_shrink_to_a_point():
    low, high = macro_wilson([(5, 5), (3, 3)])
    assert (low, high) == (pytest.approx(wilson(7.5, 7.5)[0]), 1)  # 2^2 / (1/5 + 1/3) samples
    assert low < 0.67
    assert macro_wilson([(0, 4), (0, 8)])[0] == 0
    assert macro_interval([ones([1] * 5), ones([1] * 3)], ratio) == (1, 1)


def test_macro_wilson_of_one_or_of_equal_languages_is_wilson():
    assert macro_wilson([(18, 20), (0, 0)]) == pytest.approx(wilson(18, 20))
    assert macro_wilson([(7, 10)] * 10) == pytest.approx(wilson(70, 100))
    assert all(map(math.isnan, macro_wilson([(0, 0)])))
    assert all(map(math.isnan, macro_wilson([])))


def test_d14_macro_wilson_is_not_that_of_the_pool():
    low, high = macro_wilson([(9000, 10_000), (40, 100)])
    assert (high - low) / (2 * 1.96) == pytest.approx(0.0245, rel=0.02)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)).map(lambda pair: (min(pair), pair[1])), min_size=1))
def test_macro_wilson_holds_the_mean_and_stays_a_proportion(counts):
    low, high = macro_wilson(counts)
    assert 0 <= low <= np.mean([correct / total for correct, total in counts]) + 1e-12
    assert low < high <= 1
    mirrored = macro_wilson([(total - correct, total) for correct, total in counts])
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-9)


@pytest.mark.parametrize(
    ("shares", "count", "bootstrap_covers"),
    [([0.9, 0.95, 0.97, 0.98, 0.99], 5, 0.66), ([0.9, 0.95, 0.97, 0.98, 0.99], 20, 0.92), ([0.98] * 100, 5, 0.92)],
)
def test_coverage_of_macro_means_of_proportions(shares, count, bootstrap_covers):
    """Of 300 simulated data sets; the bootstrap's coverage is what a larger simulation gave."""
    rng, held = np.random.default_rng(6), np.zeros(2)
    for right in rng.binomial(count, shares, size=(300, len(shares))):
        drawn = np.quantile(rng.binomial(count, right / count, size=(300, len(shares))).mean(1) / count, [0.025, 0.975])
        for which, (low, high) in enumerate((macro_wilson([(x, count) for x in right]), drawn)):
            held[which] += low - 1e-9 <= np.mean(shares) <= high + 1e-9
    assert 0.9 <= held[0] / 300 <= 0.99
    assert held[1] / 300 == pytest.approx(bootstrap_covers, abs=0.06)


def test_clusters_are_summed_in_any_order():
    rng = np.random.default_rng(8)
    rows, names = rng.normal(size=(200, 3)), [f"speaker{i % 17}" for i in range(200)]
    summed = clustered(rows, names)
    assert summed.shape == (17, 3)
    assert summed.sum(axis=0) == pytest.approx(rows.sum(axis=0))
    assert summed[0] == pytest.approx(rows[::17].sum(axis=0))
    mixed = rng.permutation(200)
    assert np.array_equal(clustered(rows[mixed], [names[i] for i in mixed]), summed)
    assert clustered(np.zeros((0, 3)), []).shape == (0, 3)
    with pytest.raises(ValueError, match="2 clusters for 200 samples"):
        clustered(rows, ["a", "b"])


def test_interval_by_cluster_is_as_wide_as_what_a_cluster_shares():
    """Ten copies of each sample are no more evidence than one of each."""
    rows, names = np.repeat(ERRORS, 10, axis=0), np.repeat(np.arange(500), 10).astype(str).tolist()
    alone, copied, by_cluster = (interval(x, ratio) for x in (ERRORS, rows, clustered(rows, names)))
    assert by_cluster[1] - by_cluster[0] == pytest.approx(alone[1] - alone[0], rel=0.06)
    assert copied[1] - copied[0] == pytest.approx((alone[1] - alone[0]) / math.sqrt(10), rel=0.06)


def test_paired_p_by_cluster_is_not_small_with_few_clusters():
    """Four speakers, all of whom favour one system: 2 of 16 assignments are as far apart, whatever they say."""
    a, b, speakers = ones([1.0] * 200), ones([0.0] * 200), [f"{i % 4}" for i in range(200)]
    assert paired_difference(a, b, ratio)[3] < 0.001
    p = paired_difference(clustered(a, speakers), clustered(b, speakers), ratio)[3]
    assert p == pytest.approx(2 / 16, abs=0.03)


def test_paired_nan_and_shapes():
    assert all(map(math.isnan, paired_difference(np.zeros((3, 2)), ones([1, 2, 3]), ratio)))
    assert all(map(math.isnan, paired_difference(np.zeros((0, 2)), np.zeros((0, 2)), ratio)))
    with pytest.raises(ValueError, match="differ in shape"):
        paired_difference(ones([1, 2]), ones([1, 2, 3]), ratio)


def test_memory_stays_bounded_with_many_samples():
    rows = np.stack([np.random.default_rng(0).normal(size=100_000), np.ones(100_000)], axis=1)
    low, high = interval(rows, ratio, resamples=40)
    assert high - low < 0.02


def test_a_mean_of_clustered_languages_that_are_all_right_or_all_wrong_has_an_interval():
    """One language all right and three all wrong gave [25.0, 25.0]: a bootstrap of clusters knows no more there."""
    right, wrong = np.array([[3.0, 3], [2, 2]]), np.array([[0.0, 3], [0, 2]])
    assert effective_counts(right) == (2.0, 2.0)
    low, high = macro_wilson([effective_counts(each) for each in (right, wrong, wrong, wrong)])
    assert low < 0.15 < 0.4 < high
    assert effective_counts(np.array([[1.0, 1]] * 3 + [[0.0, 1]] * 3))[1] == pytest.approx(5.0), "clusters of one"
    assert effective_counts(np.zeros((0, 2))) == (0.0, 0.0)
    assert wilson(*effective_counts(right)) == clustered_wilson(right)
