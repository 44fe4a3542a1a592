"""Calibrated and contrastive ranking, CircularEval, and baselines of published data."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.schema import Output, Sample
from mmbench.scorers.accuracy import Accuracy, CircularAccuracy, chance, majority

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"
CONTRASTIVE = Accuracy(normalization="token", ties="wrong", name="contrastive")
CALIBRATED = Accuracy(normalization="calibrated")
scores_of_four = st.lists(st.floats(-50, 0), min_size=4, max_size=4)


def lines(*names):
    path = SAMPLES.joinpath(*names)
    if not path.exists():
        pytest.skip("the published samples are not here")
    return path.read_text(encoding="utf-8").splitlines()


def sample(answer=0, choices=("a", "b", "c", "d"), **more):
    return Sample(id="1", language="eng_Latn", choices=choices, answer=answer, **more)


def scored(*scores, priors=(), lengths=()):
    return Output(text="", choice_scores=scores, prior_scores=priors, choice_lengths=lengths)


def value(scorer, pairs):
    return float(scorer.reduce(np.sum([scorer.stats(*pair) for pair in pairs], axis=0)))


def test_calibrated_asks_what_the_question_adds():
    """PMI_DC (Holtzman et al. 2021): a choice that is likely after anything does not win by that."""
    likely_anyway = scored(-1.0, -3.0, priors=(-1.5, -6.0))
    pair = sample(1, ("yes", "xylophone"))
    assert Accuracy().stats(pair, likely_anyway).tolist() == [0, 1, 0]
    assert CALIBRATED.stats(pair, likely_anyway).tolist() == [1, 1, 0]
    same_prior = scored(-1.0, -3.0, priors=(-2.0, -2.0))
    assert CALIBRATED.picked(pair, same_prior) == Accuracy().picked(pair, same_prior) == 0


def test_calibrated_without_priors_is_a_clear_error():
    message = r"sample 1: normalization calibrated needs prior_scores \(task.calibrated=true\) for its 4 choices"
    with pytest.raises(UsageError, match=message):
        CALIBRATED.stats(sample(), scored(-1.0, -2.0, -3.0, -4.0))
    impossible = scored(-math.inf, -1.0, -1.0, -1.0, priors=(-math.inf, -1.0, -1.0, -1.0))
    assert CALIBRATED.stats(sample(1), impossible).tolist() == [0, 1, 1]


@given(scores_of_four, st.floats(-9, 9), st.integers(0, 3))
def test_a_shift_of_all_priors_changes_nothing(scores, shift, answer):
    rounded = [round(score, 3) for score in scores]
    plain, shifted = (scored(*rounded, priors=(by,) * 4) for by in (0.0, round(shift)))
    assert CALIBRATED.picked(sample(answer), plain) == CALIBRATED.picked(sample(answer), shifted)


def test_ties_are_wrong_in_contrastive_pairs():
    """CoMMuTE counts ppl(correct) < ppl(incorrect): per token, and strictly."""
    pair = sample(0, ("right", "wrong"))
    assert CONTRASTIVE.stats(pair, scored(-6.0, -5.0, lengths=(3, 2))).tolist() == [1, 1, 0]
    assert CONTRASTIVE.stats(pair, scored(-6.0, -4.0, lengths=(3, 2))).tolist() == [0, 1, 0]
    assert CONTRASTIVE.stats(sample(3), scored(-1.0, -1.0, -2.0, -0.5, lengths=(1,) * 4)).tolist() == [1, 1, 0]
    assert CONTRASTIVE.stats(sample(3), scored(-0.5, -1.0, -2.0, -0.5, lengths=(1,) * 4)).tolist() == [0, 1, 0]
    assert CONTRASTIVE.picked(sample(1), scored(-1.0, -1.0, -2.0, -2.0, lengths=(1,) * 4)) == -1


@pytest.mark.parametrize(("language", "count", "inexact"), [("de", 300, 0), ("fr", 308, 2)])
def test_commute_without_the_image_is_a_coin(language, count, inexact):
    """Rows 2k and 2k + 1 share a source and swap their translations, so a score of text alone is right for one."""
    right, wrong = (lines("commute", f"en-{language}.{side}.{language}") for side in ("correct", "incorrect"))
    pairs = [sample(0, texts) for texts in zip(right, wrong, strict=True)]
    exact = [i for i in range(0, count, 2) if (right[i], wrong[i]) == (wrong[i + 1], right[i + 1])]
    assert len(pairs) == count
    assert len(exact) == count // 2 - inexact
    kept = [pairs[i + side] for i in exact for side in (0, 1)]

    def blind(text):  # any fixed score of a text, different for different ones
        return -float(int.from_bytes(text.encode(), "big") % 999_983)

    answers = [scored(*map(blind, pair.choices), lengths=(7, 7)) for pair in kept]
    assert value(CONTRASTIVE, zip(kept, answers, strict=True)) == 0.5
    constant = [scored(-1.0, -1.0, lengths=(7, 7))] * len(pairs)
    assert value(CONTRASTIVE, zip(pairs, constant, strict=True)) == 0
    assert chance(pairs) == 0.5


def rotated(question, rights, choices=("w", "x", "y", "z")):
    """A question's rotations, and answers that are right where `rights` says so; None is a failure."""
    pairs = []
    for shift, right in enumerate(rights):
        options = choices[shift:] + choices[:shift]
        asked = Sample(
            id=f"{question}#{shift}",
            language="eng_Latn",
            choices=options,
            answer=options.index("w"),
            group={"circular": question},
        )
        pairs.append((asked, None if right is None else Output(text={True: "w", False: "x", "": "?"}[right])))
    return pairs


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        ([True] * 4, [1, 1, 0, 1]),
        ([True, True, False, True], [0, 1, 0, 1]),
        ([True, True, "", True], [0, 1, 1, 1]),
        ([True, None, True, True], [0, 1, 0, 1]),
        ([True] * 3, [0, 1, 0, 1]),  # one rotation was never asked (VLMEvalKit takes a one-pass file as circular)
        ([True], [0, 1, 0, 1]),
    ],
)
def test_circular_wants_every_rotation(rights, expected):
    scorer = CircularAccuracy()
    rows = np.stack([scorer.stats(*pair) for pair in rotated("q", rights)])
    assert scorer.join(rows).tolist() == expected
    assert scorer.join(rows[::-1]).tolist() == expected


def test_circular_protocol():
    scorer = CircularAccuracy(name="circular")
    assert scorer.joined_by == "circular"
    assert scorer.proportion
    asked = [pair[0] for name, count in (("p", 4), ("q", 4)) for pair in rotated(name, [True] * count)]
    assert scorer.stats(Sample(id="1", language="eng_Latn"), Output(text="w")).tolist() == [0, 0, 0, 0]
    assert scorer.join(np.zeros((2, 4))).tolist() == [0, 0, 0, 0]
    assert scorer.chance(asked) == pytest.approx(1 / 4**4)  # not the 1 / 4 of one question asked once
    assert scorer.majority(asked) == 1.0
    assert math.isnan(scorer.chance([]))
    assert math.isnan(scorer.majority([]))
    assert scorer.signature([]).startswith("circular|circular:all|scores:sum|")
    assert scorer.signature([]) != Accuracy(name="circular").signature([])


@given(st.permutations(range(4)), scores_of_four.filter(lambda x: len(set(x)) == 4), st.integers(0, 3))
def test_permuting_the_choices_with_the_answer_changes_nothing(order, scores, answer):
    texts = ("a", "b", "c", "d")
    moved = sample(order.index(answer), tuple(texts[i] for i in order))
    for scorer in (Accuracy(), Accuracy(ties="wrong"), Accuracy(normalization="byte")):
        expected = scorer.stats(sample(answer), scored(*scores))
        assert scorer.stats(moved, scored(*(scores[i] for i in order))).tolist() == expected.tolist()


@given(st.lists(st.tuples(st.integers(0, 3), scores_of_four), min_size=1, max_size=9), st.randoms())
def test_order_plays_no_part_and_a_right_answer_never_hurts(drawn, random):
    pairs = [(sample(answer), scored(*scores)) for answer, scores in drawn]
    before = value(Accuracy(), pairs)
    random.shuffle(pairs)
    assert value(Accuracy(), pairs) == before
    assert value(Accuracy(), [*pairs, (sample(2), scored(-2.0, -2.0, -1.0, -2.0))]) >= before


def test_baselines_of_gaokao():
    """The whole file has 33.3 and, with 685 of 2,000 answers B, 34.25; the first 899 rows have 325 B."""
    header, *rows = (line.split("\t") for line in lines("wavllm", "gaokao.head900.tsv"))
    letters = [row[header.index("tgt_text")] for row in rows]
    asked = [sample("ABC".index(letter), (f"{n} a", f"{n} b", f"{n} c")) for n, letter in enumerate(letters)]
    assert Counter(letters) == {"A": 277, "B": 325, "C": 297}
    assert chance(asked) == pytest.approx(1 / 3)
    assert majority(asked) == 325 / 899
    spread = [sample(i, ("a", "b", "c")) for i, count in enumerate((642, 685, 673)) for _ in range(count)]
    assert majority(spread) == 0.3425


def test_baselines_of_sib():
    labels = tuple(lines("sib-200", "labels.txt"))
    rows = list(csv.DictReader(lines("sib-200", "test.eng_Latn.tsv"), delimiter="\t", quoting=csv.QUOTE_NONE))
    asked = [sample(labels.index(row["category"]), labels) for row in rows]
    assert len(asked) == 204
    assert chance(asked) == pytest.approx(1 / 7)
    assert majority(asked) == 0.25


def test_baselines_of_tumlu():
    """The chance of all of Crimean Tatar is 27.56, as some questions have 2 or 3 options; none of those here has."""
    files = ("biology", "chemistry", "geography", "maths", "physics")
    rows = [json.loads(line) for name in files for line in lines("tumlu", f"crimean-tatar.test.{name}.jsonl")]
    asked = [sample("ABCD".index(row["answer"]), tuple(row["choices"])) for row in rows]
    assert len(asked) == 176
    assert chance(asked) == 0.25
    assert majority(asked) == 47 / 176  # the keys are skewed towards one letter
    assert chance([*asked[:2], sample(0, ("a", "b"))]) == pytest.approx((0.25 + 0.25 + 0.5) / 3)


def test_the_parser_is_told_which_answer_counts(monkeypatch):
    asked = []

    def parse(text, options, *, mode="first"):
        asked.append(mode)
        return 1 if mode == "last" else 0

    monkeypatch.setattr("mmbench.scorers.choices.parse", parse)
    output = Output(text="B? No, A")
    assert [Accuracy(parser=mode).picked(sample(), output) for mode in ("first", "last")] == [0, 1]
    assert CircularAccuracy(parser="last").picked(sample(), output) == 1
    assert asked == ["first", "last", "last"]
