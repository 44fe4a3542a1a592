"""Figures of agreement against scikit-learn and SciPy, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from mmbench.agreement import cohen_kappa, compared, people, quadratic_kappa

PAIRS = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=40)


def arrays(pairs):
    values = np.array(pairs, dtype=np.float64)
    return values[:, 0], values[:, 1]


@given(PAIRS)
def test_quadratic_kappa_is_that_of_scikit_learn(pairs):
    a, b = arrays(pairs)
    assume(np.ptp(np.concatenate([a, b])) > 0)
    wanted = cohen_kappa_score(a.astype(int), b.astype(int), labels=range(11), weights="quadratic")
    assert quadratic_kappa(a, b) == pytest.approx(wanted, abs=1e-9)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs):
    assume(len({name for pair in pairs for name in pair}) > 1)
    wanted = cohen_kappa_score(*zip(*pairs, strict=True))
    assert cohen_kappa(pairs) == pytest.approx(wanted, abs=1e-9)


def test_kappa_by_hand():
    """Cohen 1960: 20 + 15 of 50 agree; chance is .5 x .6 + .5 x .4 = .5, so kappa is (.7 - .5) / .5."""
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    assert math.isnan(cohen_kappa([("yes", "yes")] * 5))
    assert math.isnan(cohen_kappa([]))


@given(PAIRS)
def test_correlations_are_those_of_scipy(pairs):
    a, b = arrays(pairs)
    found = compared(a, b, None)
    if not np.ptp(a) or not np.ptp(b):
        assert math.isnan(found["pearson"]) and math.isnan(found["kendall"])
        return
    assert found["pearson"] == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-9)
    assert found["spearman"] == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)
    assert found["kendall"] == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-9)


def test_bias_and_its_interval():
    rng = np.random.default_rng(0)
    human = rng.integers(0, 9, 200).astype(float)
    found = compared(human + rng.choice([0.0, 1.0, 2.0], 200), human, None)
    assert found["bias"] == pytest.approx(found["judge_mean"] - found["human_mean"])
    assert 0.8 < found["bias_low"] < found["bias"] < found["bias_high"] < 1.2
    assert found["mae"] == found["bias"]
    unbiased = compared(human, human, None)
    assert (unbiased["bias_low"], unbiased["bias_high"], unbiased["agreement"], unbiased["kappa"]) == (0, 0, 1, 1)


def test_scores_agree_when_rounded():
    judge, human = np.array([7.5, 7.4, 2.0]), np.array([8.0, 8.0, 2.49])
    assert compared(judge, human, None)["agreement"] == pytest.approx(2 / 3)


def test_nothing_to_compare():
    found = compared(np.zeros(0), np.zeros(0), None)
    assert all(math.isnan(found[name]) for name in found if name != "confusion")


def test_people_among_themselves():
    found = people([(7.0, 7.0), (8.0, 6.0), (3.0,)], float)
    assert (found["n"], found["agreement"], found["mae"]) == (2, 0.5, 1.0)
    assert found["kappa"] == people([(7.0, 7.0), (6.0, 8.0)], float)["kappa"], "who is first does not matter"
    named = people([("yes", "yes"), ("no", "no"), ("yes", "no")], {"yes": 1.0, "no": 0.0}.__getitem__)
    pairs = [("yes", "yes")] * 2 + [("no", "no")] * 2 + [("yes", "no"), ("no", "yes")]
    assert named["kappa"] == pytest.approx(cohen_kappa(pairs))
    assert math.isnan(people([(1.0,)], float)["agreement"])


def test_confusion_has_peoples_labels_first():
    names = [("yes", "no"), ("yes", "yes"), ("yes", "no")]
    found = compared(np.ones(3), np.array([0.0, 1.0, 0.0]), names)
    assert found["confusion"] == {"no": {"yes": 2}, "yes": {"yes": 1}}
