"""Tests of significance agree with scipy, statsmodels and sacreBLEU on generated data."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from mmbench.bootstrap import interval, paired_difference
from mmbench.schema import Output, Sample
from mmbench.scorers.translation import Bleu, ChrF
from mmbench.significance import correlation, holm, mcnemar

SAMPLES = Path(__file__).resolve().parents[1] / "../shared/samples"


def outcomes(both, first, second, neither):
    """0/1 outcomes of two systems with so many samples that both, one or none of them has right."""
    pairs = [(1, 1)] * both + [(1, 0)] * first + [(0, 1)] * second + [(0, 0)] * neither
    return np.array(pairs).reshape(-1, 2).T


def mean(totals):
    return totals[..., 0] / totals[..., 1]


def ones(values):
    return np.stack([np.asarray(values, float), np.ones(len(values))], axis=1)


COUNTS = [(0, 1), (1, 6), (3, 3), (5, 12), (10, 15), (12, 14), (25, 60), (160, 200), (4000, 4200), (20, 3000)]


@pytest.mark.parametrize(("first", "second"), COUNTS)
def test_mcnemar_is_the_exact_test_of_scipy_and_statsmodels(first, second):
    p, test = mcnemar(*outcomes(40, first, second, 9))
    assert test == "exact McNemar"
    assert p == pytest.approx(scipy.stats.binomtest(first, first + second).pvalue, rel=1e-9)
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    table = [[40, first], [second, 9]]
    assert p == pytest.approx(min(1, tables.mcnemar(table, exact=True).pvalue), rel=1e-9)
    if first + second > 400 and p > 1e-9:  # with many of them, the chi-square test is close to it
        assert p == pytest.approx(tables.mcnemar(table, exact=False, correction=True).pvalue, abs=0.005)


def test_mcnemar_golden():
    """Of 10 samples that only one of two systems has right, one has 9: 2 (1 + 10) / 2^10."""
    assert mcnemar(*outcomes(5, 9, 1, 5)).p == pytest.approx(22 / 1024)
    assert mcnemar(*outcomes(5, 1, 9, 5)).p == pytest.approx(22 / 1024)


def test_mcnemar_without_difference():
    assert mcnemar(*outcomes(5, 0, 0, 5)).p == 1
    assert mcnemar(*outcomes(0, 7, 7, 0)).p == 1
    assert mcnemar([], []).p == 1


@pytest.mark.parametrize(("a", "b"), [([1, 0], [1]), ([[1]], [[1]]), ([0.5], [1]), ([math.nan], [1]), ([3], [1])])
def test_mcnemar_refuses_what_is_not_an_outcome(a, b):
    with pytest.raises(ValueError, match="outcomes"):
        mcnemar(a, b)


def test_mcnemar_and_randomisation_agree():
    """Swapping the answers of samples that differ is what the binomial distribution counts."""
    a, b = outcomes(100, 30, 17, 50)
    assert paired_difference(ones(a), ones(b), mean, resamples=20_000)[3] == pytest.approx(mcnemar(a, b).p, abs=0.01)


P_VALUES = st.dictionaries(st.text(max_size=3), st.floats(0, 1) | st.just(math.nan), max_size=12)


@settings(max_examples=150, deadline=None)
@given(P_VALUES)
def test_holm(p_values):
    adjusted = holm(p_values)
    assert list(adjusted) == list(p_values)
    known = {name: p for name, p in p_values.items() if not math.isnan(p)}
    assert all(math.isnan(adjusted[name]) for name in p_values.keys() - known.keys())
    for name, p in known.items():
        assert p <= adjusted[name] <= min(1, p * len(known)) + 1e-15  # no more than Bonferroni's
        assert all(adjusted[name] <= adjusted[other] for other in known if p <= known[other])
    assert holm(known) == {name: adjusted[name] for name in known}


def test_holm_agrees_with_statsmodels():
    multitest, rng = pytest.importorskip("statsmodels.stats.multitest"), np.random.default_rng(0)
    for count in (1, 2, 5, 100):
        p_values = (rng.random(count) ** 4).round(4)  # with ties
        expected = multitest.multipletests(p_values, method="holm")[1]
        adjusted = holm({str(i): p for i, p in enumerate(p_values)})
        assert list(adjusted.values()) == pytest.approx(expected, abs=1e-12)


def test_holm_golden():
    """The values .01, .04, .03, .005 of a textbook: .005 x 4, .01 x 3, .03 x 2, and .04 raised to the one before."""
    found = holm({"a": 0.01, "b": 0.04, "x": math.nan, "c": 0.03, "d": 0.005})
    assert [found[name] for name in "abcd"] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm({}) == {}


def test_correlation_agrees_with_scipy():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40).round(1)  # with ties
    y = -0.6 * x + rng.normal(size=40)
    found, expected = correlation(x.tolist(), y.tolist()), scipy.stats.pearsonr(x, y)
    assert found.r == pytest.approx(expected.statistic)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert correlation(x, y, level=0.8)[1:3] == pytest.approx(tuple(expected.confidence_interval(0.8)))
    assert found.rho == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
    assert found.n == 40
    holed = correlation([*x, math.nan, 1.0], [*y, 1.0, math.inf])
    assert holed == found


def test_correlation_of_little():
    assert correlation([], []) == pytest.approx((math.nan,) * 4 + (0,), nan_ok=True)
    assert correlation([1, 2], [3, 4]).n == 2
    assert math.isnan(correlation([1, 2], [3, 4]).r)
    three = correlation([1, 2, 3], [1, 3, 2])
    assert (three.r, three.rho) == pytest.approx((0.5, 0.5))
    assert math.isnan(three.low)
    assert correlation([1, 2, 3, 4], [2, 4, 6, 8]) == pytest.approx((1, 1, 1, 1, 4))
    assert all(map(math.isnan, correlation([0.1 + 0.2, 0.3, 0.3, 0.3], [1, 2, 3, 4])[:4]))
    with pytest.raises(ValueError, match="2 and 1 values"):
        correlation([1, 2], [1])


def test_published_correlation_of_error_rate_and_translation_quality():
    """Fleurs-SLU: over 101 languages, where recognition is bad (CER), so is translation (BLEU)."""
    folder = SAMPLES / "fleurs-slu"
    if not folder.exists():
        pytest.skip("no published tables here")
    tables = []
    for name, column in (("asr", "test_seamlessm4t_asr_cer_mean"), ("bleu", "seamlessm4t_test")):
        with (folder / f"{name}_analysis.csv").open() as file:
            tables.append({row["lang"]: float(row[column] or "nan") for row in csv.DictReader(file)})
    languages = sorted(tables[0].keys() & tables[1].keys())
    found = correlation(*([table[name] for name in languages] for table in tables))
    assert found.n == 101
    assert found.r == pytest.approx(-0.828, abs=0.0005)
    assert found.low < -0.85 < -0.8 < found.high


WORDS = "the a cat dog house river runs sleeps over under green old quickly never , . of and to in".split()


def translations(count=500):
    """References and two systems with wrong, missing and swapped words, the second a little worse."""
    rng = np.random.default_rng(11)
    references, systems = [], ([], [])
    for _ in range(count):
        reference = rng.choice(WORDS, rng.integers(5, 25)).tolist()
        references.append(" ".join(reference))
        for answers, rate in zip(systems, (0.20, 0.22), strict=True):
            wrong = rng.random(len(reference)) < rate
            words = [rng.choice(WORDS) if bad else word for word, bad in zip(reference, wrong, strict=True)]
            answers.append(" ".join(words[: len(words) - int(rng.integers(0, 3))]))
    return references, systems


@pytest.fixture(scope="module")
def translated():
    return translations()


def one_tailed(difference, error):
    """The p of sacreBLEU's paired bootstrap, were the resampled differences normal: of |d*| - mean |d*| > |d|.

    Taking the size of d* before its mean leaves one tail. By this formula 11 % of comparisons between equals are below
    0.05, so mmbench takes the interval from the bootstrap and p from randomisation.
    """
    drawn = np.abs(np.random.default_rng(0).normal(difference, error, 100_000))
    return float(np.mean(drawn - drawn.mean() > abs(difference)))


def test_p_of_a_paired_bootstrap_as_in_sacrebleu_is_too_small():
    differences = np.random.default_rng(1).normal(size=1000)
    drawn = np.abs(differences[:, None] + np.random.default_rng(2).normal(size=1000))
    below = np.mean(drawn - drawn.mean(1, keepdims=True) > np.abs(differences)[:, None], axis=1) < 0.05
    assert 0.08 < below.mean() < 0.14


@pytest.mark.parametrize(("scorer", "metric"), [(Bleu(), BLEU()), (ChrF(), CHRF())], ids=["bleu", "chrf"])
def test_paired_tests_agree_with_sacrebleu(translated, scorer, metric):
    references, systems = translated
    asked = [Sample(id=str(i), language="eng_Latn", references=(text,)) for i, text in enumerate(references)]
    a, b = (
        np.stack([scorer.stats(sample, Output(text=text)) for sample, text in zip(asked, texts, strict=True)])
        for texts in systems
    )
    named = list(zip("ab", systems, strict=True))
    difference, low, high, p = paired_difference(a, b, scorer.reduce, resamples=2000)
    results = {}
    for kind, trials in (("ar", 2000), ("bs", 2000)):
        _, scores = PairedTest(named, {"m": metric}, [references], test_type=kind, n_samples=trials)()
        (results[kind],) = (values for name, values in scores.items() if name != "System")
    first, second = results["ar"]
    assert difference == pytest.approx(first.score - second.score, abs=1e-9)
    assert 0.005 < p < 0.9
    noise = math.sqrt(2 * p * (1 - p) / 2000)
    assert p == pytest.approx(second.p_value, abs=4 * noise)
    assert results["bs"][1].p_value == pytest.approx(one_tailed(difference, (high - low) / (2 * 1.96)), abs=0.02)
    for stats, result in zip((a, b), results["bs"], strict=True):
        ends = interval(stats, scorer.reduce)
        assert (ends[1] - ends[0]) / 2 == pytest.approx(result.ci, rel=0.08)
        assert sum(ends) / 2 == pytest.approx(result.mean, abs=0.15 * float(result.ci))
    assert low < difference < high


def test_equal_systems_are_not_told_apart(translated):
    """SacreBLEU 2.6.0 gives a system and itself p = 1 / (trials + 1), because it counts only what is beyond 0."""
    references, (texts, _) = translated
    found = PairedTest([("a", texts), ("b", texts)], {"m": BLEU()}, [references], test_type="ar", n_samples=99)()[1]
    assert found["BLEU"][1].p_value == pytest.approx(0.01)
    stats = np.array(BLEU()._extract_corpus_statistics(texts, [references]), dtype=float)
    assert paired_difference(stats, stats, Bleu().reduce, resamples=99)[3] == 1


def test_randomisation_agrees_with_scipy():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=60), rng.normal(size=60) + 0.25
    found = paired_difference(ones(a), ones(b), mean, resamples=10_000)[3]
    expected = scipy.stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x, axis) - np.mean(y, axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=10_000,
        rng=0,
    ).pvalue
    assert 0.01 < expected < 0.5
    assert found == pytest.approx(expected, abs=4 * math.sqrt(2 * expected * (1 - expected) / 10_000))


def test_randomisation_of_few_samples_is_scipys_exact_test():
    a, b = np.array([3.0, 1, 4, 1, 5, 9, 2, 6]), np.array([2.0, 7, 1, 8, 2, 8, 1, 8])
    exact = scipy.stats.permutation_test((a, b), lambda x, y: np.mean(x - y), permutation_type="samples").pvalue
    assert paired_difference(ones(a), ones(b), mean, resamples=20_000)[3] == pytest.approx(exact, abs=0.015)


def test_bootstrap_agrees_with_scipy():
    rng = np.random.default_rng(3)
    hits, words = rng.poisson(3, 150).astype(float), rng.integers(5, 30, 150).astype(float)
    other = np.maximum(hits - rng.integers(0, 2, 150), 0)
    common = {"paired": True, "method": "percentile", "vectorized": True, "n_resamples": 10_000, "rng": 1}

    def rate(errors, count, axis):
        return errors.sum(axis) / count.sum(axis)

    def gap(one, two, count, axis):
        return (one - two).sum(axis) / count.sum(axis)

    expected = scipy.stats.bootstrap((hits, words), rate, **common).confidence_interval
    found = interval(np.stack([hits, words], axis=1), mean, resamples=10_000)
    assert found == pytest.approx(tuple(expected), abs=0.05 * (expected.high - expected.low))
    expected = scipy.stats.bootstrap((hits, other, words), gap, **common).confidence_interval
    sides = (np.stack([errors, words], axis=1) for errors in (hits, other))
    found = paired_difference(*sides, mean, resamples=10_000)[1:3]
    assert found == pytest.approx(tuple(expected), abs=0.05 * (expected.high - expected.low))
