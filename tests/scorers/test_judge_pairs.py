"""Two systems before one judge: both orders of a pair, what they make together, and the relative score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.records import Record
from mmbench.schema import Failure, Output, Prediction, Sample
from mmbench.score import score
from mmbench.scorers.judge_pairs import JudgePairwise, JudgeRelative

WIN = JudgePairwise()
CONSISTENCY = JudgePairwise(measure="consistency", name="judge_consistency", average_uncalibrated=True)
BIAS = JudgePairwise(measure="position_bias", name="judge_position_bias", average_uncalibrated=True)
RELATIVE = JudgeRelative()


def records(pairs, **group):
    """Records of pairs, each given as the judge's texts on the orders ab and ba; None is a judge that failed."""
    found = []
    for index, texts in enumerate(pairs):
        for order, text in zip(("ab", "ba"), texts, strict=False):
            output, error = (None, Failure("Timeout", "late")) if text is None else (Output(text=text), None)
            name = f"s{index}#{order}"
            sample = Sample(id=name, language="eng_Latn", group={"pair": f"s{index}", "order": order, **group})
            prediction = Prediction(sample_id=name, language="eng_Latn", output=output, error=error)
            found.append(Record(sample, prediction))
    return found


def row(scorer, *texts, **group):
    """Statistics of one pair."""
    rows = [scorer.stats(record.sample, record.prediction.output) for record in records([texts], **group)]
    return scorer.join(np.stack(rows))


@pytest.mark.parametrize(
    ("texts", "value", "consistent"),
    [
        (("[[A]]", "[[B]]"), 1.0, 1),  # a is first, then second: it wins twice
        (("[[B]]", "[[A]]"), 0.0, 1),
        (("[[A]]", "[[A]]"), 0.5, 0),  # the first position wins twice
        (("[[B]]", "[[B]]"), 0.5, 0),
        (("[[C]]", "[[C]]"), 0.5, 1),
        (("[[A]]", "[[C]]"), 0.5, 0),
        (("Both are fine, but [[A]].", "Verdict: B"), 1.0, 1),
    ],
)
def test_a_win_counts_in_both_orders_only(texts, value, consistent):
    found = row(WIN, *texts)
    assert WIN.reduce(found) == value
    assert CONSISTENCY.reduce(found) == consistent
    assert WIN.unparsed(found) == 0


@pytest.mark.parametrize("texts", [("[[A]]", None), (None, None), ("[[A]]", "I cannot say"), ("[[A]]",)])
@pytest.mark.parametrize("scorer", [WIN, CONSISTENCY, BIAS])
def test_a_pair_with_one_verdict_missing_counts_nowhere(texts, scorer):
    found = row(scorer, *texts)
    assert scorer.unparsed(found) == 1
    assert math.isnan(scorer.reduce(found))


@pytest.mark.parametrize(("failed", "value", "label"), [("a", 0.0, "b"), ("b", 1.0, "a"), ("both", 0.5, "tie")])
@pytest.mark.parametrize("texts", [("[[A]]", "[[A]]"), ("[[C]]", None), ("[[B]]", "[[A]]")])
def test_who_fails_to_answer_loses_whatever_the_judge_says(texts, failed, value, label):
    found = row(WIN, *texts, failed=failed)
    assert (WIN.reduce(found), WIN.label(found), WIN.unparsed(found)) == (value, label, 0)
    assert math.isnan(CONSISTENCY.reduce(found)), "the judge decided nothing"
    assert math.isnan(BIAS.reduce(found))


def test_whole_files():
    pairs = [("[[A]]", "[[B]]"), ("[[A]]", "[[A]]"), ("[[A]]", "[[A]]"), ("[[C]]", "[[A]]"), ("[[B]]", "?")]
    rows = score(records(pairs), {"win": WIN, "same": CONSISTENCY, "bias": BIAS}, task="t", model="m")
    found = {row.metric: row for row in rows if row.language == "eng_Latn"}
    assert found["judge_win"].value == (1 + 0.5 + 0.5 + 0.5) / 4
    assert found["judge_consistency"].value == 1 / 4
    assert found["judge_position_bias"].value == 5 / 7  # one of eight verdicts is a tie, one is for the second
    assert {(row.n, row.unparsed) for row in found.values()} == {(5, 1)}


def test_counts():
    pairs = [("[[A]]", "[[B]]"), ("[[B]]", "[[A]]"), ("[[C]]", "[[C]]"), ("[[A]]", "[[A]]")]
    totals = sum(row(WIN, *texts) for texts in pairs)
    wanted = {"wins": 1, "losses": 1, "ties": 1, "split": 1, "first": 4, "second": 2}
    assert WIN.counts(totals) == wanted


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("ABC")), min_size=1))
def test_changing_sides_changes_the_sign(verdicts):
    """What system a wins against b is what b loses against a."""
    texts = [tuple(f"[[{letter}]]" for letter in pair) for pair in verdicts]
    ours = WIN.reduce(sum(row(WIN, *pair) for pair in texts))
    theirs = WIN.reduce(sum(row(WIN, *reversed(pair)) for pair in texts))
    assert ours + theirs == pytest.approx(1)


def test_a_judge_that_always_takes_the_first_has_no_favourite():
    totals = sum(row(WIN, "[[A]]", "[[A]]") for _ in range(10))
    assert (WIN.reduce(totals), CONSISTENCY.reduce(totals), BIAS.reduce(totals)) == (0.5, 0.0, 1.0)
    assert WIN.higher_is_better and not BIAS.higher_is_better


def test_relative_score_is_a_ratio_of_sums():
    """X-LLM: 100 x sum of the model / sum of the reference; the mean of the ratios would be 116 here, not 93."""
    totals = row(RELATIVE, "8 10", "10 8") + row(RELATIVE, "4 2", "2 4") + row(RELATIVE, "1 2", "4 3")
    assert RELATIVE.reduce(totals) == pytest.approx(100 * (8 + 8 + 4 + 4 + 1 + 3) / (10 + 10 + 2 + 2 + 2 + 4))
    assert RELATIVE.reduce(np.stack([totals, totals])).shape == (2,)


def test_relative_score_of_failures():
    totals = row(RELATIVE, "8 10", "10 8")
    assert RELATIVE.reduce(totals + row(RELATIVE, "9 1", None, failed="a")) == pytest.approx(100 * (16 + 2) / (20 + 20))
    for missing in (row(RELATIVE, "9 1", None), row(RELATIVE, "9"), row(RELATIVE, "9 1", "1 9", failed="b")):
        assert RELATIVE.reduce(totals + missing) == RELATIVE.reduce(totals)
        assert RELATIVE.unparsed(missing) == 1
    assert math.isnan(RELATIVE.reduce(np.zeros(5)))


def test_relative_scores_are_clamped():
    found = row(RELATIVE, "11 0", "1 10")
    assert RELATIVE.reduce(found) == pytest.approx(100 * (10 + 10) / (1 + 1))
    assert RELATIVE.counts(found) == {"clamped": 2}


def test_human_verdicts():
    assert [WIN.value(WIN.human(verdict)) for verdict in ("a", "b", "tie")] == [1.0, 0.0, 0.5]
    with pytest.raises(UsageError, match="'A' is none of a, b and tie"):
        WIN.human("A")
    assert RELATIVE.human(120) == 120
    with pytest.raises(UsageError, match="is no number from 0 to 1000"):
        RELATIVE.human(-1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"measure": "wins"}, "unknown measure 'wins': known are win, consistency, position_bias"),
        ({"verdicts": {"A": "first"}}, "each must mean one of first, second, tie"),
        ({"verdicts": {"A": "first", "B": "second", "C": "draw"}}, "each must mean one of"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(UsageError, match=message):
        JudgePairwise(**settings)


@pytest.mark.parametrize("scorer", [WIN, RELATIVE])
def test_samples_that_are_no_pairs(scorer):
    with pytest.raises(UsageError, match="sample s: has no group field 'order'"):
        scorer.stats(Sample(id="s", language="eng_Latn"), Output(text="[[A]]"))


def test_signatures_tell_measures_apart_and_languages_are_not_averaged_unasked():
    assert len({scorer.signature([]) for scorer in (WIN, CONSISTENCY, BIAS, RELATIVE)}) == 4
    assert not WIN.averages("eng_Latn") and not RELATIVE.averages("eng_Latn") and BIAS.averages("eng_Latn")
