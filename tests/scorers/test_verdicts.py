"""What a judge's text says: the rules, the texts that peers' readers get wrong, and real texts of a judge."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.scorers.verdicts import clean, parse_label, parse_pair, parse_score

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/audiobench-logs"


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("8", 8),
        ("Score: 7.5/10", 7.5),
        ("10/10", 10),
        ("I rate 2 of 10", 2),
        ("**Score:** **8** out of 10", 8),
        ("Score: 8.", 8),
        ("Rating:\n\n5", 5),
        ("[[7]]", 7),
        ("The boxed score is $\\boxed{6}$", 6),
        ('{"score": 7}', 7),
        ('```json\n{"rating": "7.5", "reason": "2 errors"}\n```', 7.5),
        ('{"final_score": 7, "style": 3}', 7),
        ("On a scale from 0 to 10, I would rate this a 7.", 7),
        ("I give it a 3 because it has 2 errors", 3),
        ("8\n\nThe answer is good, but it has 2 flaws", 8),
        ("1. clear\n2. short\n3. right\nScore: 9", 9),
        ("Helpfulness: 8\nRelevance: 9\nOverall: 7", 7),
        ("Final score: 6 (style 7, facts 5)", 6),
        ("It covers 3 of 5 points; 8", 8),
        ("Score: -3", -3),
        ("Score\u20147", 7),
        ("Score: 11", 11),
    ],
)
def test_score(text, score):
    assert parse_score(text, 0, 10) == score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("The 2024 answer: 9", 9),  # ADU-Bench reads 2024
        ("I rate the 2024 answer 9", 9),
        ("Score: 2024", None),
        ("Score (0-10): 7", 7),  # ADU-Bench reads 0
        ("Score (out of 10): 7", 7),
        ("", None),  # ADU-Bench and AudioBench: 0.0
        ("I'm sorry, but I cannot rate this answer.", None),
        ("I can't score the 3 answers of this model", None),
        ("good", None),  # VoiceBench: NotImplementedError ends the run
        ("Rating: 4/5", None),  # another scale; AudioBench cannot read its last word, "4/5"
        ("Score: 16/20", None),
        ("Score: 80/100", None),
        ("80 %", None),
        ("Score: 7-8", None),
        ("Score: 7\nScore: 8", None),
        ("2 errors were found in 6 lines", None),
        ("GPT-4 and B12", None),
        ("__import__('os')", None),  # Kimi-Audio-Evalkit calls eval on it
    ],
)
def test_what_peers_read_wrongly(text, score):
    assert parse_score(text, 0, 10) == score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Bewertung: 7,5", 7.5),
        ("Nota: 8 de 10", 8),
        ("评分：8分", 8),
        ("评分（满分10分）：７", 7),
        ("التقييم: ٧٫٥", 7.5),
        ("स्कोर: ८", 8),
        ("Оценка: 9", 9),
        ("7\u00bd", 7.5),
    ],
)
def test_scores_in_other_scripts(text, score):
    assert parse_score(text, 0, 10) == score


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>Score: 3</think>\n8", "8"),
        ("it may be 3 </think> 8", "8"),
        ("<think>Score: 3, or maybe", ""),
        ("<THINK>a<think>b</think>c</THINK>8", "8"),
        ("before <reasoning>x</reasoning>after", "before after"),
    ],
)
def test_reasoning_is_no_verdict(text, left):
    assert clean(text) == left


def test_a_score_of_one_call_is_not_that_of_the_call_before():
    """UltraEval-Audio's VoiceBench port rates with the variable of the call before."""
    assert [parse_score(text, 0, 10) for text in ("9", "nothing", "9", "")] == [9, None, 9, None]


def test_real_texts_of_a_judge():
    files = sorted(SAMPLES.glob("*judge.json"))
    if not files:
        pytest.skip("the shared samples are not here")
    rows = [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))["details"]]
    assert len(rows) == 40
    assert [parse_score(row["judge_response"], 0, 1) for row in rows] == [row["rate_score"] for row in rows]


@given(st.integers(0, 100), st.sampled_from(["{}", "Score: {}", "Rating: {}/10", "[[{}]]", '{{"score": {}}}']))
def test_every_score_is_read_back(tenths, form):
    assert parse_score(form.format(tenths / 10), 0, 10) == tenths / 10


@given(st.text())
def test_any_text_has_a_score_near_the_scale_or_none(text):
    score = parse_score(text, 0, 10)
    assert score is None or -10 <= score <= 20
    pair = parse_pair(text, 0, 10)
    assert pair is None or all(-10 <= one <= 20 for one in pair)


@given(st.text(alphabet="abcABC xyz.,:\n"))
def test_a_text_without_digits_has_no_score(text):
    assert parse_score(text, 0, 10) is None


@pytest.mark.parametrize(
    "unit", ["score ", "[[", "8 ", "8 - ", "<think>", "answer is ", "a not ", "8 of ", " ", "9", "-"]
)
def test_a_judge_that_goes_on_forever_costs_no_minutes(unit):
    text, begun = unit * 20_000, time.perf_counter()
    parse_score(text, 0, 10), parse_pair(text, 0, 10), parse_label(text, ["a", "b c"], anywhere=True)
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("8 9", (8, 9)),
        ("8, 9\nBoth are good; the second has 2 flaws", (8, 9)),
        ("7,8", (7, 8)),
        ("7.5 8.5", (7.5, 8.5)),
        ("8/10 and 9/10", (8, 9)),
        ("[[8]] [[9]]", (8, 9)),
        ("Assistant 1: 8\nAssistant 2: 8", (8, 8)),
        ("B: 9/10, A: 8/10", (8, 9)),
        ('{"A": 8, "B": 9}', (8, 9)),
        ("8", None),
        ("8 9 7", None),
        ("A: 8", None),
        ("neither", None),
        ("[[8]]", None),
    ],
)
def test_pair(text, pair):
    assert parse_pair(text, 1, 10) == pair


LABELS = ("correct", "incorrect", "partly correct")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Correct.", "correct"),
        ("**INCORRECT**", "incorrect"),
        ("[[partly correct]]", "partly correct"),
        ("Verdict: partly correct, for it is incorrect on the date", "partly correct"),
        ('{"label": "incorrect"}', "incorrect"),
        ("It says what the reference says.\ncorrect", "correct"),
        ("The response is partly correct", "partly correct"),
        ("correct or incorrect", None),
        ("It is not correct", None),
        ("It isn't really correct", None),
        ("correctness", None),
        ("<think>correct</think>", None),
        ("", None),
    ],
)
def test_label(text, label):
    assert parse_label(text, LABELS, anywhere=True) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Yes, because there is no other", "yes"),
        ("No. Yes would be wrong.", "no"),
        ("No, not yes", "no"),
        ("yesterday", None),  # Kimi-Audio-Evalkit looks for the letters "yes" in the last line
        ("Not yesterday", None),
    ],
)
def test_yes_and_no_are_words(text, label):
    assert parse_label(text, ("yes", "no"), anywhere=True) == label


def test_labels_of_four_kinds():
    """XLingEval's judge: the reference takes the first option found in the last three pieces between full stops."""
    labels = ("neither", "contradictory", "more comprehensive", "less comprehensive")
    text = "The second answer is more comprehensive. It adds doses. It adds risks. It names a doctor."
    assert parse_label(text, labels, anywhere=True) == "more comprehensive"  # more than three pieces from the end
    assert parse_label("No response", labels, anywhere=True) is None


@pytest.mark.parametrize(
    ("text", "label"),
    [("[[A]]", "A"), ("B.", "B"), ("My verdict: C", "C"), ("A good answer by B", None), ("[[A]] or [[B]]", None)],
)
def test_a_letter_inside_a_sentence_is_no_verdict(text, label):
    assert parse_label(text, ("A", "B", "C"), anywhere=False) == label


def test_labels_in_a_script_without_spaces():
    assert parse_label("我认为答案是正确的。", ("正确", "错误"), anywhere=True) == "正确"
