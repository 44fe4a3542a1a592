"""Scores and labels of a judge: what counts, what is clamped, what is left out, and what may be averaged."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.config import load
from mmbench.errors import UsageError
from mmbench.records import Record
from mmbench.schema import Failure, Output, Prediction, Sample
from mmbench.score import MACRO, score
from mmbench.scorers.calibrated import LEAST
from mmbench.scorers.judge import Judge, JudgeLabel


def stats(scorer, *texts, **group):
    """Sum of the statistics of some texts of a judge; None is a judge that failed."""
    sample = Sample(id="s", language="eng_Latn", group=group)
    return sum(scorer.stats(sample, None if text is None else Output(text=text)) for text in texts)


def record(name, language, text, **group):
    output, error = (None, Failure("Timeout", "late")) if text is None else (Output(text=text), None)
    sample = Sample(id=name, language=language, group=group)
    return Record(sample, Prediction(sample_id=name, language=language, output=output, error=error))


def test_mean_leaves_out_what_the_judge_failed_to_say():
    """ADU-Bench and AudioBench count such an answer as 0.0: the mean would be 3.4 here."""
    judge, texts = Judge(), ("8", "9", "I cannot say", None, "")
    totals = stats(judge, *texts)
    assert judge.reduce(totals) == 8.5
    assert judge.unparsed(totals) == 3


def test_clamped_scores_are_counted():
    totals = stats(Judge(), "Score: 11", "Score: -1", "10", "0")
    assert Judge().reduce(totals) == 5
    assert Judge().counts(totals) == {"clamped": 2, "not answered": 0}


@pytest.mark.parametrize("text", ["Score: 10", "", None, "no score"])
def test_an_answer_that_the_judged_system_failed_to_give_is_worst(text):
    judge = Judge(low=1, high=5)
    totals = stats(judge, text, failed="yes") + stats(judge, "5")
    assert judge.reduce(totals) == 3
    assert (judge.unparsed(totals), judge.counts(totals)["not answered"]) == (0, 1)
    label = JudgeLabel(labels={"good": 2, "bad": -1})
    assert label.reduce(stats(label, text, failed="yes")) == -1


def test_nothing_scored_is_no_score():
    for scorer in (Judge(), JudgeLabel()):
        assert math.isnan(scorer.reduce(stats(scorer, "?", None)))
        assert math.isnan(scorer.reduce(np.zeros_like(stats(scorer, None))))


@given(st.lists(st.integers(0, 10), min_size=1))
def test_mean_is_that_of_the_scores(scores):
    totals = stats(Judge(), *(f"Score: {score}/10" for score in scores))
    assert Judge().reduce(totals) == pytest.approx(np.mean(scores))
    assert Judge().reduce(np.stack([totals, 2 * totals])).shape == (2,)


def test_pattern_in_place_of_the_rules():
    judge = Judge(pattern=r"<grade>(\S+)</grade>")
    assert judge.reduce(stats(judge, "Score: 3 <grade>7,5</grade>")) == 7.5
    assert judge.unparsed(stats(judge, "8", "<grade>high</grade>", "<grade>7</grade><grade>8</grade>")) == 3
    assert judge.signature([]) != Judge().signature([])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"low": 10, "high": 10}, "low=10 is not below high=10"),
        ({"pattern": "("}, "is no regular expression"),
        ({"pattern": "[0-9]"}, "has 0 groups; make it one"),
        ({"calibration": "nowhere.json"}, "nowhere.json: cannot be read"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(UsageError, match=message):
        Judge(**settings)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"yes": 1}, "has 1 labels"),
        ({True: 1, False: 0}, "label True is no text or like another"),
        ({"Yes": 1, "yes.": 0}, "is no text or like another"),
        ({"yes": "1", "no": 0}, "has the value '1'; give a number"),
        ({"!": 1, "no": 0}, "is no text or like another"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(UsageError, match=message):
        JudgeLabel(labels=labels)


def test_labels_have_values_and_are_counted():
    scorer = load("scorer", "judge_label")
    totals = stats(scorer, "Verdict: correct", "Verdict: partly correct", "incorrect", "incorrect", "hm", None)
    assert scorer.reduce(totals) == 1.5 / 4
    assert scorer.unparsed(totals) == 2
    assert scorer.counts(totals) == {"correct": 1, "partly correct": 1, "incorrect": 2, "not answered": 0}
    assert scorer.fraction
    assert scorer.label(stats(scorer, "partly correct")) == "partly correct"


def test_exact_answers_are_ten_or_nothing():
    """The second prompt of ADU-Bench: 10 for an answer that matches the reference wholly, else 0."""
    scorer = load("scorer", "judge_exact")
    assert scorer.reduce(stats(scorer, "match", "different", "It does not match.\ndifferent")) == pytest.approx(10 / 3)
    assert not scorer.fraction


@pytest.mark.parametrize(("value", "fits"), [(7, True), (7.5, True), (11, False), (True, False), ("7", False)])
def test_human_scores(value, fits):
    if fits:
        assert Judge().human(value) == value
    else:
        with pytest.raises(UsageError, match="is no number from 0 to 10"):
            Judge().human(value)


def test_human_labels():
    assert JudgeLabel().human("Yes") == "yes"
    with pytest.raises(UsageError, match="'maybe' is none of the labels yes, no"):
        JudgeLabel().human("maybe")
    with pytest.raises(UsageError, match="1 is none of the labels"):
        JudgeLabel().human(1)


RECORDS = [
    record(f"{language}{index}", language, text)
    for language, texts in {"eng_Latn": ("8", "10"), "swh_Latn": ("2", "4"), "tha_Thai": ("6", None)}.items()
    for index, text in enumerate(texts)
]


def calibration(tmp_path, judge, **languages):
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"format": 1, "rules": judge.rules, "languages": languages}))
    return str(path)


def macro(judge):
    return next(row for row in score(RECORDS, {"judge": judge}, task="t", model="m") if row.language == MACRO)


def test_languages_are_not_averaged_without_a_calibration_record(tmp_path):
    assert math.isnan(macro(Judge()).value)
    assert macro(Judge(average_uncalibrated=True)).value == pytest.approx((9 + 3 + 6) / 3)
    path = calibration(tmp_path, Judge(), eng_Latn={"n": LEAST}, swh_Latn={"n": 40}, tha_Thai={"n": LEAST - 1})
    found = macro(Judge(calibration=path))
    assert (found.value, found.n) == (6, 2)
    signatures = {macro(judge).signature for judge in (Judge(), Judge(calibration=path), Judge(average_uncalibrated=1))}
    assert len(signatures) == 3


def test_score_of_each_language_needs_no_calibration():
    found = {row.language: row for row in score(RECORDS, {"judge": Judge()}, task="t", model="m")}
    assert [found[tag].value for tag in ("eng_Latn", "swh_Latn", "tha_Thai")] == [9, 3, 6]
    assert (found["tha_Thai"].failed, found["tha_Thai"].unparsed, found["tha_Thai"].n) == (1, 1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no calibration record"),
        ("[]", "no calibration record"),
        ('{"format": 1, "languages": {}}', "no calibration record"),
        ('{"format": 9, "rules": "x", "languages": {}}', "another version"),
        ('{"format": 1, "rules": "x", "languages": {}}', "was made by x, not by reads:score"),
    ],
)
def test_a_wrong_calibration_record_is_refused(tmp_path, text, message):
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        Judge(calibration=str(path))
