"""Two systems, joined by id and never by position."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.compare import differences
from mmbench.errors import UsageError
from mmbench.score import ALL, MACRO
from mmbench.scorers.accuracy import Accuracy
from mmbench.scorers.edit import ErrorRate
from mmbench.scorers.translation import ChrF
from tests.fakes import WER, record

if TYPE_CHECKING:
    import random

RIGHT = "word{} and more"


def answers(indices, wrong=()):
    """Answers that are right except in one word of the samples named."""
    return [record(index, RIGHT.format(index) if index not in wrong else "x and more") for index in indices]


def test_a_system_does_not_differ_from_itself():
    a = answers(range(1, 30, 3), wrong=(4, 10))
    for found in differences(a, list(reversed(a)), WER).values():
        assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_difference_is_a_minus_b():
    indices = [index for index in range(1, 120, 3) if index % 3]
    found = differences(answers(indices, wrong=indices[:20]), answers(indices), WER)
    assert list(found) == ["swh_Latn", ALL, MACRO]
    better = found["swh_Latn"]
    assert better.difference == pytest.approx(20 / (3 * len(indices)))
    assert 0 < better.low < better.difference < better.high
    assert better.p < 0.01
    swapped = differences(answers(indices), answers(indices, wrong=indices[:20]), WER)["swh_Latn"]
    assert swapped.difference == -better.difference


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_order_plays_no_part_and_only_shared_samples_count(one, other, rng: random.Random):
    a, b = answers(sorted(one), wrong=(1, 2, 5)), answers(sorted(other), wrong=(1,))
    found = differences(a, b, WER, intersect=True)
    shuffled = differences(rng.sample(a, len(a)), rng.sample(b, len(b)), WER, intersect=True)
    assert str(shuffled) == str(found)  # as text, where NaN equals NaN
    if one & other:
        assert found[ALL].n == len(one & other)
        assert sum(each.n for tag, each in found.items() if tag not in (ALL, MACRO)) == len(one & other)
    else:
        assert found == {}


def test_samples_of_different_languages_are_never_paired():
    a = [record(1, "x", language="eng_Latn"), record(2, "x", language="hin_Deva"), record(4, "x", language="eng_Latn")]
    b = [record(1, "x", language="hin_Deva"), record(2, "x", language="eng_Latn"), record(4, "x", language="eng_Latn")]
    found = differences(a, b, WER, intersect=True)
    assert {tag: each.n for tag, each in found.items()} == {"eng_Latn": 1, ALL: 1, MACRO: 1}


def test_failed_samples_count_against_the_system_that_failed():
    found = differences([record(1, None)], answers([1]), WER)["swh_Latn"]
    assert (found.difference, found.n) == (1, 1)


def test_nothing_to_score_has_no_difference():
    found = differences(answers([1]), answers([1]), Accuracy())
    assert all(math.isnan(each.difference) and math.isnan(each.p) for each in found.values())


CHOICE = {"choices": ("yes", "no"), "answer": 0}


def choosing(right, count=30, language="eng_Latn"):
    return [record(i, "yes" if i in right else "no", **CHOICE, language=language) for i in range(count)]


def test_each_metric_has_the_test_of_its_field():
    idx = range(1, 90, 3)
    a, b = answers(idx, wrong=(1, 4, 7, 13)), answers(idx, wrong=(10,))
    assert differences(a, b, WER)["swh_Latn"].test == "mapsswe"
    assert differences(a, b, ErrorRate(name="cer", unit="char"))["swh_Latn"].test == "randomisation"
    assert differences(a, b, ChrF())["swh_Latn"].test == "randomisation"
    found = differences(choosing({1, 2, 3}), choosing({1, 9}), Accuracy())
    assert (found["eng_Latn"].test, found[ALL].test, found[MACRO].test) == ("exact McNemar",) * 2 + ("randomisation",)
    assert found["eng_Latn"].p == 1  # two wins and one loss


def test_mcnemar_by_hand():
    found = differences(choosing(set(range(10))), choosing({0, 20}), Accuracy())["eng_Latn"]
    assert found.p == pytest.approx(2 * (1 + 10) / 2**10), "nine wins and one loss"
    assert (found.a, found.b, found.difference) == pytest.approx((10 / 30, 2 / 30, 8 / 30))


def test_holm_counts_the_languages():
    tags = ("eng_Latn", "swh_Latn", "hin_Deva")
    wins = ({*range(10)}, {*range(8)}, {*range(3)})
    a = [each for right, tag in zip(wins, tags, strict=True) for each in choosing(right, language=tag)]
    b = [each for tag in tags for each in choosing(set(), language=tag)]
    found = differences(a, b, Accuracy())
    assert found["eng_Latn"].p_holm == pytest.approx(3 * 2 / 2**10)
    assert found["swh_Latn"].p_holm == pytest.approx(2 * 2 / 2**8)
    assert found["hin_Deva"].p_holm == pytest.approx(0.25)
    assert math.isnan(found[ALL].p_holm) and math.isnan(found[MACRO].p_holm)
    assert [found[tag].real() for tag in tags] == [True, True, False]


def test_other_samples_are_refused_unless_told_to_intersect():
    a, b = answers([1, 4, 7]), answers([4, 7, 10, 13])
    with pytest.raises(
        UsageError, match=r"1 are only in the first and 2 only in the second, such as 's001' \(swh_Latn\)"
    ):
        differences(a, b, WER)
    assert differences(a, b, WER, intersect=True)["swh_Latn"].n == 2


def test_answers_to_other_data_are_refused():
    a, b = answers([1, 4]), answers([1, 4])
    object.__setattr__(b[1].sample, "references", ("something else",))
    with pytest.raises(
        UsageError, match=r"sample 's004' \(swh_Latn\): the first and the second do not agree in references"
    ):
        differences(a, b, WER, intersect=True)


def test_a_file_of_two_systems_is_refused():
    a = answers([1, 4])
    with pytest.raises(UsageError, match=r"the second holds 2 systems \(x, y\)"):
        differences(a, [replace(each, system=name) for each, name in zip(a, "xy", strict=True)], WER)


def test_tests_that_do_not_fit_are_refused():
    a = answers([1, 4])
    for name, words in (("mcnemar", "right or wrong, which wer"), ("nope", "known are auto, mapsswe")):
        with pytest.raises(UsageError, match=words):
            differences(a, a, WER, test=name)
    spoken = [record(1, "x", group={"speaker": "s"})]
    with pytest.raises(UsageError, match="with clusters use --test randomisation"):
        differences(spoken, spoken, WER, test="mapsswe", cluster="speaker")


def test_clusters_make_a_difference_less_sure():
    """Ten clips of each of six speakers: all that differs is how one system does on speakers."""

    def said(wrong):
        return [
            record(100 * s + i, "x" if s in wrong else "another text", language="eng_Latn", group={"speaker": str(s)})
            for s in range(0, 18, 3)
            for i in range(0, 30, 3)
        ]

    a, b = said({0, 3}), said(set())
    single, grouped = (differences(a, b, WER, test="randomisation", cluster=c)["eng_Latn"] for c in (None, "speaker"))
    assert single.difference == grouped.difference
    assert grouped.test == "randomisation by speaker"
    assert single.p < 0.01 < grouped.p
    assert grouped.high - grouped.low > 2 * (single.high - single.low)


def test_languages_that_a_metric_does_not_average_are_left_out_of_the_mean():
    a, b = ([record(i, f"word{i} and {end}") for i in range(30)] for end in ("x", "more"))
    found = differences(a, b, WER)
    assert set(found) == {"eng_Latn", "swh_Latn", "tha_Thai", ALL, MACRO}
    assert found[MACRO].n == 2
