"""Choices are picked by likelihood or read from the text, and never guessed."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.schema import Output, Sample, Scorer
from mmbench.scorers.accuracy import Accuracy, chance, majority
from mmbench.scorers.choices import VERSION, parse

ANIMALS = ("a dog", "a red car", "a cat", "a bird")
TITLED = ("A dog", "A red car", "A cat", "A bird")


@pytest.mark.parametrize("choices", [ANIMALS, TITLED])
@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("a red car", 1),
        (" A Red Car.\n", 1),
        ("B", 1),
        ("b", 1),
        ("(B)", 1),
        ("B.", 1),
        ("B)", 1),
        ("**B**", 1),
        ("[b]", 1),
        ("B) a red car", 1),
        ("B: the red one", 1),
        ("(B) the red one", 1),
        ("**B.** the red one", 1),
        ("B - the red one", 1),
        ("B\nbecause it is red", 1),
        ("B. It lacks vitamin D. That is why.", 1),
        ("answer is B", 1),
        ("Answer: B", 1),
        ("ANSWER: (B) a red car", 1),
        ("**Answer:** B", 1),
        ("**Answer**: **B**", 1),
        ("I think the answer is (B).", 1),
        ("The correct option is B because it is red", 1),
        ("The answer is A because it is red", 0),
        ("The answer is (A) dog-like", 0),
        ("Answer: A\nIt barks", 0),
        ("A) a dog B) a red car C) a cat D) a bird. The answer is C.", 2),
        ("The answer is a red car", 1),
        ("The answer is a red car.", 1),
        ("The answer is A red car.", 1),
        ("The answer is a bird", 3),
        ("It must be a cat!", 2),
        ("the answer is blue", None),
        ("The answer is based on the picture", None),
        ("A blue thing", None),
        ("definitely C, not A", None),
        ("The answer is C, not A", None),
        ("The answer is B or C", None),
        ("The answer is A and (C)", None),
        ("The answer is not B", None),
        ("B) or C)", None),
        ("B) the red one. The answer is C.", None),
        ("A) a dog B) a red car C) a cat D) a bird", None),
        ("A. a dog B. a red car", None),
        ("a dog or a bird", None),
        ("E", None),
        ("The answer is E", None),
        ("a redcar", None),
        ("", None),
        ("...", None),
    ],
)
def test_parse(choices, text, index):
    """VLMEvalKit reads the A of "The answer is a red car" or of "answer is a bird" and guesses where it finds none."""
    assert parse(text, choices) == index


@pytest.mark.parametrize(
    ("choices", "text", "index"),
    [
        (("car", "red car", "red"), "It is a red car", 1),
        (("car", "red car"), "a car, and a red car", None),
        (("yes", "no"), "No, it is not.", 1),
        (("yes", "no"), "I know nothing", None),
        (("yes", "yes "), "yes", None),
        (("+", "-", "*"), "-", 1),
        (("C", "C++", "C#"), "C++", 1),
        (("A+", "A-", "B+", "B-"), "The answer is B+", 2),
        (("A+", "A-", "B+", "B-"), "B-", 3),
        (("B", "A"), "B", 0),
        (("1", "2", "3"), "There are 2 cars.", 1),
        (("红色汽车", "汽车", "狗"), "答案是红色汽车。", 0),
        (("是", "否"), "不知道是什么", None),
        (("是", "否"), "否。", 1),
        (("कुत्ता", "बिल्ली"), "यह एक बिल्ली है।", 1),
        (("Washington, D.C.", "New York"), "It is Washington D.C.", 0),
        (("a dog", "a cat"), "Q: what is it? a cat", 1),
    ],
)
def test_parse_other_choices(choices, text, index):
    assert parse(text, choices) == index


@given(st.text(max_size=40), st.lists(st.text(max_size=6), max_size=5).map(tuple))
def test_parse_never_fails(text, choices):
    index = parse(text, choices)
    assert index is None or 0 <= index < len(choices)


@given(st.lists(st.text("abcde ", min_size=2, max_size=9).filter(str.strip), min_size=1, unique=True).map(tuple))
def test_a_choice_as_it_stands_is_that_choice(choices):
    for index, choice in enumerate(choices):
        if sum(other.strip() == choice.strip() for other in choices) == 1:
            assert parse(choice, choices) == index


@pytest.mark.parametrize(("start", "again"), [("answer:", "*"), ("", "Answer: "), ("answer is A", " or A")])
def test_parse_takes_no_time_on_what_models_repeat_for_ever(start, again):
    begin = time.perf_counter()
    parse(start + again * 50_000 + "x", ANIMALS)
    assert time.perf_counter() - begin < 2


def sample(answer=1, choices=ANIMALS):
    return Sample(id="1", language="eng_Latn", choices=choices, answer=answer)


def scored(*scores, lengths=()):
    return Output(text="", choice_scores=scores, choice_lengths=lengths)


def test_from_text():
    assert Accuracy().stats(sample(), Output(text="B")).tolist() == [1, 1, 0]
    assert Accuracy().stats(sample(), Output(text="C")).tolist() == [0, 1, 0]
    assert Accuracy().stats(sample(), Output(text="no idea")).tolist() == [0, 1, 1]


def test_from_likelihoods():
    short = sample(choices=("no", "a very long answer"))
    scores = (-4.0, -6.0)
    assert Accuracy().stats(short, scored(*scores))[0] == 0
    assert Accuracy(normalization="byte").stats(short, scored(*scores))[0] == 1
    assert Accuracy(normalization="token").stats(short, scored(*scores, lengths=(1, 4)))[0] == 1
    assert Accuracy(normalization="token").stats(short, scored(*scores, lengths=(1, 1)))[0] == 0
    # bytes, not characters: -6 / 6 against -4 / 3
    assert Accuracy(normalization="byte").stats(sample(choices=("abc", "нет")), scored(-4.0, -6.0))[0] == 1


def test_ties_and_nan():
    assert Accuracy().stats(sample(answer=0), scored(-1.0, -1.0, -1.0, -2.0)).tolist() == [1, 1, 0]
    assert Accuracy().stats(sample(answer=1), scored(-1.0, -1.0, -1.0, -2.0)).tolist() == [0, 1, 0]
    assert Accuracy().stats(sample(answer=0), scored(math.nan, -1.0, -1.0, -2.0)).tolist() == [0, 1, 1]
    assert Accuracy().stats(sample(answer=1), scored(-math.inf, -1.0, -math.inf, -math.inf)).tolist() == [1, 1, 0]


def test_failed_and_unscorable_samples():
    assert Accuracy().stats(sample(), None).tolist() == [0, 1, 0]
    assert Accuracy().stats(sample(answer=None), Output(text="B")).tolist() == [0, 0, 0]
    assert Accuracy().stats(sample(choices=()), Output(text="B")).tolist() == [0, 0, 0]


def test_scores_that_do_not_fit_the_choices():
    with pytest.raises(UsageError, match="sample 1: 4 choices, but 3 choice_scores"):
        Accuracy().stats(sample(), scored(-1.0, -2.0, -3.0))
    with pytest.raises(UsageError, match="normalization token needs choice_lengths for its 4 choices, and there are 0"):
        Accuracy(normalization="token").stats(sample(), scored(-1.0, -2.0, -3.0, -4.0))


@pytest.mark.parametrize(
    ("key", "known"),
    [("normalization", "sum, token, byte, calibrated"), ("ties", "first, wrong"), ("parser", "first, last")],
)
def test_misspelt_settings(key, known):
    with pytest.raises(UsageError, match=f"unknown {key} 'chars': known are {known}"):
        Accuracy(**{key: "chars"})


def test_reduce_and_protocol():
    scorer: Scorer = Accuracy()
    np.testing.assert_equal(scorer.reduce(np.array([[3.0, 4, 1], [0, 0, 0]])), [0.75, np.nan])
    assert scorer.reduce(np.array([3.0, 4, 1])) == 0.75
    assert scorer.unparsed(np.array([3.0, 4, 1])) == 1
    assert scorer.unparsed(np.array([[1.0, 1, 0], [0, 1, 1], [0, 1, 1]])) == 2
    assert scorer.higher_is_better
    assert scorer.proportion
    expected = (
        f"accuracy|scores:sum|ties:first|parser:choices/{VERSION}|mode:first|unparsed:wrong|mmbench:{__version__}"
    )
    assert scorer.signature(["eng_Latn"]) == expected
    settings = [{}, {"normalization": "token"}, {"ties": "wrong"}, {"parser": "last"}, {"name": "letters"}]
    assert len({Accuracy(**setting).signature(["eng_Latn"]) for setting in settings}) == len(settings)


def test_baselines():
    samples = [sample(0), sample(1), sample(1), sample(0, ("x", "y")), sample(None), sample(0, ())]
    assert chance(samples) == pytest.approx((3 / 4 + 1 / 2) / 4)
    assert majority(samples) == 0.5
    shuffled = [sample(0, ("yes", "no")), sample(1, ("no", "yes")), sample(0, ("yes", "no")), sample(1, ("yes", "no"))]
    assert majority(shuffled) == 0.75
    assert math.isnan(chance([]))
    assert math.isnan(majority([sample(None)]))
