"""Rows: what is written is read again as it was, and what is wrong is named in one line."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.records import Record, from_row, to_row
from mmbench.schema import Audio, Failure, Image, Output, Prediction, Sample, Step, Text
from mmbench.store import dumps

BASE = {"sample_id": "a", "language": "swh_Latn", "prediction": "x"}
CHOICES = {**BASE, "choices": ["yes", "no"]}


def read(row):
    return from_row(json.loads(dumps(row)), where="f.jsonl:7")


texts = st.text(max_size=12)
names = st.text(min_size=1, max_size=8)
tags = st.sampled_from(["eng_Latn", "swh_Latn", "hin_Deva", "zho_Hans"])
numbers = st.floats(allow_nan=False, allow_infinity=False)
parts = st.lists(
    st.builds(Text, texts)
    | st.builds(lambda text: Audio(b"", transcript=text), st.none() | texts)
    | st.builds(lambda text: Image("i.png", transcript=text), texts),
    max_size=3,
)
steps = st.lists(st.builds(Step, names, st.integers(0, 9), texts), max_size=2)


@st.composite
def answered(draw):
    """A sample and a prediction for it, as they may come out of a run."""
    choices = tuple(draw(st.lists(texts, max_size=4)))
    sample = Sample(
        id=draw(names),
        language=draw(tags),
        parts=tuple(draw(parts)),
        references=tuple(draw(st.lists(texts, max_size=2))),
        choices=choices,
        answer=draw(st.none() | st.integers(0, len(choices) - 1)) if choices else None,
        source_language=draw(st.none() | tags),
        target_language=draw(st.none() | tags),
        group=draw(st.dictionaries(texts, texts, max_size=2)),
    )
    output, error = None, None
    if draw(st.booleans()):
        scored = len(choices) if draw(st.booleans()) else 0
        output = Output(
            text=draw(texts),
            steps=tuple(draw(steps)),
            choice_scores=tuple(draw(st.lists(numbers, min_size=scored, max_size=scored))),
            choice_lengths=tuple(draw(st.lists(st.integers(0, 99), min_size=scored, max_size=scored))),
            tokens=draw(st.none() | st.integers(0, 10**6)),
        )
    else:
        error = Failure(draw(names), draw(texts))
    seconds = round(draw(st.floats(0, 1e5)), 4)
    return sample, Prediction(
        sample_id=sample.id, language=sample.language, output=output, error=error, seconds=seconds
    )


@given(answered())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_round_trip(pair):
    sample, prediction = pair
    record = read(to_row(sample, prediction))
    assert record.prediction == prediction
    assert record.sample.transcript == sample.transcript
    assert replace(record.sample, parts=()) == replace(sample, parts=())
    assert record.system is None


def test_numbers_of_numpy_and_scores_that_are_no_numbers():
    sample = Sample(id="a", language="eng_Latn", choices=("x", "y"))
    output = Output(
        text="x", choice_scores=(np.float32(-1.5), float("nan")), choice_lengths=(np.int64(1), 2), tokens=np.int64(3)
    )
    record = read(to_row(sample, Prediction(sample_id="a", language="eng_Latn", output=output)))
    assert record.prediction.output.choice_scores[0] == -1.5
    assert math.isnan(record.prediction.output.choice_scores[1])
    assert (record.prediction.output.choice_lengths, record.prediction.output.tokens) == ((1, 2), 3)


def test_empty_fields_are_left_out_and_an_empty_answer_is_not():
    row = to_row(
        Sample(id="a", language="eng_Latn"), Prediction(sample_id="a", language="eng_Latn", output=Output(text=""))
    )
    assert row == {"sample_id": "a", "language": "eng_Latn", "prediction": "", "seconds": 0.0}
    assert read(row).prediction.output == Output(text="")


def test_smallest_row_of_another_system():
    record = read({**BASE, "language": "sw", "system": "theirs", "_anything": [1]})
    assert (record.sample.language, record.system) == ("swh_Latn", "theirs")
    assert record.prediction.output == Output(text="x")


def test_null_is_absent():
    row = {**BASE, **dict.fromkeys(("references", "choices", "answer", "group", "steps", "seconds", "system"))}
    assert read(row) == read(BASE)
    assert read({**BASE, "group": {"a": None, "b": 1}}).sample.group == {"b": "1"}


@pytest.mark.parametrize("row", [{**BASE, "prediction": None}, {"sample_id": "a", "language": "eng_Latn"}])
def test_row_without_prediction_is_a_failure(row):
    assert read(row).prediction.error == Failure("Missing", "the row has no prediction")
    assert read({**row, "error": {"kind": "K", "message": "m"}}).prediction.error == Failure("K", "m")


def test_a_number_is_an_id():
    assert read({**BASE, "sample_id": 12}).sample.id == "12"


def test_a_misspelt_field_is_no_failed_sample():
    with pytest.raises(UsageError, match="field 'predicton' is not known; the answer stands in 'prediction'"):
        read({"sample_id": "a", "language": "eng_Latn", "predicton": "x"})


def test_scores_of_choices_are_an_answer_without_text():
    found = read({**CHOICES, "prediction": None, "choice_scores": [-1.0, -2.0], "prior_scores": [-3.0, -1.0]})
    assert found.prediction.output == Output(text="", choice_scores=(-1.0, -2.0), prior_scores=(-3.0, -1.0))


def test_the_question_of_a_text_task_comes_back():
    asked = Sample(id="a", language="eng_Latn", parts=(Text("Answer: ", instruction=True), Text("How many?")))
    row = to_row(asked, Prediction(sample_id="a", language="eng_Latn", output=Output(text="x")))
    assert row["question"] == "How many?"
    assert from_row(row, where="x:1").sample.parts == (Text("How many?"),)


@pytest.mark.parametrize(("answer", "index"), [(0, 0), (1, 1), ("A", 0), ("B", 1)])
def test_answer_as_index_or_letter(answer, index):
    assert read({**CHOICES, "answer": answer}).sample.answer == index


@pytest.mark.parametrize("answer", [2, -1, "C", "b", "yes", "AB", "", True, 0.0, 1.5, [0]])
def test_answers_that_are_wrong(answer):
    with pytest.raises(UsageError, match=r"^f\.jsonl:7: field 'answer' is .*of one of 2 choices$"):
        read({**CHOICES, "answer": answer})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([], "must be a JSON object, not list"),
        ("x", "must be a JSON object, not str"),
        (None, "must be a JSON object, not NoneType"),
        ({}, "field 'sample_id' is missing"),
        ({**BASE, "sample_id": ""}, "field 'sample_id' is missing"),
        ({**BASE, "sample_id": True}, "field 'sample_id' must be text, not true or false"),
        ({**BASE, "language": None}, "field 'language' is missing"),
        ({**BASE, "language": "qqq"}, "field 'language': unknown language"),
        ({**BASE, "source_language": "new\nline"}, "field 'source_language': unknown language"),
        ({**BASE, "prediction": 3}, "field 'prediction' must be text"),
        ({**BASE, "references": "x"}, "field 'references' must be a list"),
        ({**BASE, "references": ["x", 1]}, "field 'references' must be a list of strings"),
        ({**BASE, "choices": [None]}, "field 'choices' must be a list of strings"),
        ({**BASE, "group": []}, "field 'group' must be an object"),
        ({**BASE, "error": "x"}, "field 'error' must be an object"),
        ({**BASE, "seconds": "1"}, "field 'seconds' must be a number"),
        ({**BASE, "tokens": 1.5}, "field 'tokens' must be a whole number"),
        ({**BASE, "system": 1}, "field 'system' must be text"),
        ({**BASE, "transcript": 1}, "field 'transcript' must be text"),
        ({**BASE, "steps": [{"stage": "asr"}]}, "field 'steps', 'choice_scores'"),
        ({**BASE, "steps": ["x"]}, "field 'steps', 'choice_scores'"),
        ({**CHOICES, "choice_scores": [{}, 1]}, "field 'steps', 'choice_scores'"),
        ({**CHOICES, "choice_scores": [1.0]}, "1 choice_scores for 2 choices"),
        ({**BASE, "answer": 0}, "one of 0 choices"),
    ],
)
def test_rows_that_are_wrong(row, words):
    with pytest.raises(UsageError) as caught:
        read(row)
    assert str(caught.value).startswith("f.jsonl:7: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
fields = st.sampled_from(
    "sample_id language source_language target_language prediction references choices answer transcript group error "
    "seconds choice_scores choice_lengths tokens steps system other".split()
)


@given(st.dictionaries(fields, anything), st.booleans())
@settings(max_examples=400, deadline=None, derandomize=True)
def test_any_row_is_read_or_refused_in_one_line(change, whole):
    try:
        record = from_row({**CHOICES, **change} if whole else change, where="f.jsonl:7")
    except UsageError as error:
        assert str(error).startswith("f.jsonl:7: ")
        assert "\n" not in str(error)
    else:
        assert isinstance(record, Record)


def test_an_impossible_choice_stays_below_the_others() -> None:
    sample = Sample(id="1", language="eng_Latn", choices=("a", "b"), answer=1)
    output = Output(text="b", choice_scores=(float("-inf"), -50.0))
    row = json.loads(dumps(to_row(sample, Prediction(sample_id="1", language="eng_Latn", output=output))))
    again = from_row(row, where="file:1").prediction.output
    assert again is not None
    assert again.choice_scores[0] < again.choice_scores[1] == -50.0
