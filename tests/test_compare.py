"""Two systems, joined by id and never by position."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.compare import differences
from mmbench.score import MACRO
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
        assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_difference_is_a_minus_b():
    indices = [index for index in range(1, 120, 3) if index % 3]
    found = differences(answers(indices, wrong=indices[:20]), answers(indices), WER)
    assert list(found) == ["swh_Latn", MACRO]
    better = found["swh_Latn"]
    assert better.value == pytest.approx(20 / (3 * len(indices)))
    assert 0 < better.low < better.value < better.high
    assert better.p < 0.01
    swapped = differences(answers(indices), answers(indices, wrong=indices[:20]), WER)["swh_Latn"]
    assert swapped.value == -better.value


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_order_plays_no_part_and_only_shared_samples_count(one, other, rng: random.Random):
    a, b = answers(sorted(one), wrong=(1, 2, 5)), answers(sorted(other), wrong=(1,))
    found = differences(a, b, WER)
    assert differences(rng.sample(a, len(a)), rng.sample(b, len(b)), WER) == found
    if one & other:
        assert found[MACRO].n == len(one & other)
        assert sum(each.n for tag, each in found.items() if tag != MACRO) == len(one & other)
    else:
        assert found == {}


def test_samples_of_different_languages_are_never_paired():
    a = [record(1, "x", language="eng_Latn"), record(2, "x", language="hin_Deva"), record(4, "x", language="eng_Latn")]
    b = [record(1, "x", language="hin_Deva"), record(2, "x", language="eng_Latn"), record(4, "x", language="eng_Latn")]
    found = differences(a, b, WER)
    assert {tag: each.n for tag, each in found.items()} == {"eng_Latn": 1, MACRO: 1}


def test_failed_samples_count_against_the_system_that_failed():
    found = differences([record(1, None)], answers([1]), WER)["swh_Latn"]
    assert (found.value, found.n) == (1, 1)


def test_nothing_to_score_has_no_difference():
    from mmbench.scorers.accuracy import Accuracy

    found = differences(answers([1]), answers([1]), Accuracy())
    assert all(math.isnan(each.value) and math.isnan(each.p) for each in found.values())
