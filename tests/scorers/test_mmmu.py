"""MMMU's and M3GIA's rules, branch by branch; what they would guess is unparsed and wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmbench.config import load
from mmbench.errors import UsageError
from mmbench.schema import Output, Sample
from mmbench.scorers.mmmu import Mmmu, agrees, pick, plain, read

CHOICES = ("a red car", "a blue bicycle", "a green garden", "some river")
MMMU = [
    ("(B)", 1),
    ("B", 1),
    ("B.", 1),
    ("'B'", 1),
    ("  B \n", 1),
    ("The answer is C.", 2),
    ("The answer is (C).", 2),
    ("A or maybe B)", 0),
    ("First (A), no: (D)", 3),
    ("(D) and not (A)", 0),
    ("A B D C", 2),
    ("(A) but B", 0),
    ("I AM SURE THAT IT SHOWS SOME RIVER", 3),
    ("either a red car or else a blue bicycle", 1),
    ("a green garden", None),
    ("none", None),
    ("b", None),
    ("(E)", None),
    ("", None),
    ("The answer is:C", None),
]
M3GIA = [
    ("(B)", 1),
    ("The answer is C.", 2),
    ("A or maybe B)", 1),
    ("The answer is:C: yes", 2),
    ("D) no, B. yes", 1),
    ("A: 1, then C. 2, then B) 3", 1),
    ("(A) rather than B)", 0),
    ("none", None),
    ("A B", 1),
]


@pytest.mark.parametrize(("text", "wanted"), MMMU)
def test_choices_by_the_rules_of_mmmu(text: str, wanted: int | None) -> None:
    assert pick(text, CHOICES) == wanted


@pytest.mark.parametrize(("text", "wanted"), M3GIA)
def test_choices_by_the_rules_of_m3gia(text: str, wanted: int | None) -> None:
    assert pick(text, CHOICES, "m3gia") == wanted


def test_the_last_letter_counts_whatever_stands_behind_it() -> None:
    """The reference looks up 9 places in a list of 3 letters, and takes D here."""
    assert pick("It is B: no, D. no, wait, A) then", CHOICES, "m3gia") == 0


def test_contents() -> None:
    assert pick("it is clearly the car and nothing", ("car", "car and nothing")) == 0, "of two at one place the first"
    assert pick("one two three four five six", ("", "six")) == 1, "an empty choice is in no text"
    assert pick("five words are too few", ("few", "five")) is None
    assert pick("now six words are really enough", ("few", "six")) == 1
    assert pick("F", tuple("abcdef")) == 5 and pick("anything", ()) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (" 3.14159 ", [3.14]),
        ("1,200", [1200.0]),
        ("-2e3", [-2000.0]),
        ("Paris", ["paris"]),
        ("X", [" x", "x "]),
        ("NaN", ["nan"]),
        ("inf", ["inf"]),
        ("٣", [3.0]),
    ],
)
def test_plain(text: str, wanted: list[str | float]) -> None:
    assert plain(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Paris.", {"paris"}),
        ("So the result is 5.", {5.0}),
        ("I counted.\nThus x = 1,200 cm", {"1,200 cm", 1200.0, 200.0}),
        ("a = 7 first\nThe answer is 8", {8.0}),
        ("x is 3.5kg and y is .5", {0.5}),
        ("2 or 3 and 5kg", {"2 or 3 and 5kg", 2.0, 3.0}),
        ("between 1e5 and 12,3", {"between 1e5 and 12,3", 100000.0, 5.0, 3.0}),
        ("it is :", {"it is :"}),
        ("", {""}),
    ],
)
def test_read(text: str, wanted: set[str | float]) -> None:
    assert set(read(text)) == wanted


@pytest.mark.parametrize(
    ("text", "references", "wanted"),
    [
        ("The answer is 5.001", ["5.00"], True),
        ("The answer is 5.01", ["5"], False),
        ("Thus it is the Eiffel Tower in Paris", ["eiffel tower"], True),
        ("1200", ["1,200"], True),
        ("Berlin", ["Paris", "berlin"], True),
        ("flax", ["x"], False),
        ("x is b ", ["b"], True),
        ("it is x here", ["x"], True),
        ("anything", [""], False),
        ("", ["5"], False),
        ("15", ["5"], False),
    ],
)
def test_open_answers(text: str, references: list[str], wanted: bool) -> None:
    assert agrees(text, references) is wanted


def ask(**fields: object) -> Sample:
    return Sample(id="1", language="eng_Latn", **fields)  # type: ignore[arg-type]


def test_one_scorer_for_both_kinds() -> None:
    scorer = load("scorer", "mmmu")
    closed, free = ask(choices=CHOICES, answer=1), ask(references=("5", "five"))
    rows = [
        scorer.stats(closed, Output(text="(B)")),
        scorer.stats(closed, Output(text="who knows")),
        scorer.stats(free, Output(text="The answer is 5")),
        scorer.stats(free, Output(text="six")),
        scorer.stats(free, Output(text=" ")),
        scorer.stats(closed, None),
    ]
    assert [tuple(row) for row in rows] == [(1, 1, 0), (0, 1, 1), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 1, 0)]
    totals = np.stack(rows)
    assert scorer.reduce(totals.sum(0)) == pytest.approx(2 / 6) and scorer.unparsed(totals) == 2
    for unscored in (ask(), ask(choices=CHOICES), ask(references=("",))):
        assert not scorer.stats(unscored, Output(text="A")).any()
    assert math.isnan(float(scorer.reduce(np.zeros(3))))


def test_baselines_count_open_questions() -> None:
    samples = [ask(choices=CHOICES, answer=1), ask(references=("5",)), ask()]
    assert Mmmu().chance(samples) == 0.125 and Mmmu().majority(samples) == 0.5
    assert Mmmu().chance(samples[1:]) == 0.0 and math.isnan(Mmmu().chance(samples[2:]))


def test_settings_and_signature() -> None:
    m3gia = load("scorer", "m3gia")
    assert m3gia.name == "m3gia" and m3gia.signature([]).startswith("m3gia|parser:m3gia/1|unparsed:wrong|")
    assert float(m3gia.stats(ask(choices=CHOICES, answer=1), Output(text="A or B)"))[0]) == 1.0
    with pytest.raises(UsageError, match="mmmu: unknown variant 'cmmmu': known are mmmu, m3gia"):
        Mmmu(variant="cmmmu")  # type: ignore[arg-type]
    scored = Output(text="", choice_scores=(-1.0, -2.0, -3.0, -4.0))
    with pytest.raises(UsageError, match="reads answers, not likelihoods"):
        Mmmu().stats(ask(choices=CHOICES, answer=1), scored)
