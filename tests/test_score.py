"""Scores: the same in every order and from every sharding, failures counted as wrong, and no crash on nothing."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.measure import measure
from mmbench.records import Record, to_row
from mmbench.schema import Audio, Output, Prediction, Sample
from mmbench.score import ALL, MACRO, estimate, macro, read_records, score
from mmbench.scorers.accuracy import Accuracy
from mmbench.scorers.edit import ErrorRate
from mmbench.scorers.translation import Bleu, ChrF
from mmbench.store import dumps
from tests.fakes import WER, record

if TYPE_CHECKING:
    import random

SCORERS = {"wer": WER, "cer": ErrorRate(name="cer", unit="char"), "bleu": Bleu(), "chrf": ChrF()}


def scored(records, scorers=None):
    """Rows by (metric, language), as JSON has them, so that NaN equals NaN."""
    found = score(records, scorers or {"wer": WER}, task="t", model="m")
    return {(row.metric, row.language): json.loads(dumps(asdict(row))) for row in found}


def rows(path, records):
    path.write_text("".join(dumps(to_row(each.sample, each.prediction)) + "\n" for each in records), encoding="utf-8")
    return path


texts = st.sampled_from([None, "", "another text", "word1 and more", "word2 and so on", "คำ ไทย"])
datasets = st.lists(texts, min_size=1, max_size=14).map(
    lambda drawn: [record(index, text) for index, text in enumerate(drawn)]
)


@given(datasets, st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_order_plays_no_part(records, rng: random.Random):
    assert scored(rng.sample(records, len(records)), SCORERS) == scored(records, SCORERS)


@given(datasets, st.integers(1, 5))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_sharding_plays_no_part(tmp_path_factory, records, count):
    folder = tmp_path_factory.mktemp("shards")
    shards = [rows(folder / f"{index}.jsonl", records[index::count]) for index in range(count)]
    merged = [each for shard in shards for each in read_records(shard, strict=True).values()]
    assert scored(merged, SCORERS) == scored(records, SCORERS)


@given(datasets)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_counts_add_up(records):
    found = scored(records)
    languages = [row for (_, name), row in found.items() if name not in (ALL, MACRO)]
    for name in ("n", "failed", "unparsed"):
        assert sum(row[name] for row in languages) == found["wer", ALL][name]
    assert found["wer", MACRO]["failed"] == found["wer", ALL]["failed"]
    averaged = [row for row in languages if row["language"] != "tha_Thai"]  # words are not separated there
    assert found["wer", MACRO]["n"] == sum(row["value"] is not None for row in averaged)


def test_rows_of_languages_pool_and_macro():
    found = scored([record(1, "word1 and"), record(2, "word2 and more"), record(4, "word4 and more")])
    # languages: swh_Latn has samples 1 (1 of 3 words wrong) and 4, tha_Thai has 2
    assert [name for _, name in found] == ["swh_Latn", "tha_Thai", ALL, MACRO]
    assert found["wer", "swh_Latn"]["value"] == pytest.approx(1 / 6)
    assert found["wer", ALL]["value"] == pytest.approx(1 / 9)
    assert found["wer", MACRO]["value"] == pytest.approx(1 / 6), "WER says nothing of Thai, so the mean is of one"
    assert (found["wer", ALL]["n"], found["wer", MACRO]["n"]) == (3, 1)
    assert found["wer", ALL]["signature"].startswith("wer|unit:word|")


def test_failed_counts_as_wrong_and_is_not_an_empty_answer():
    failed, empty = (scored([record(1, text), record(4, "word4 and more")])["wer", ALL] for text in (None, ""))
    assert failed["value"] == empty["value"] == 0.5
    assert (failed["failed"], empty["failed"], failed["n"]) == (1, 0, 2)


def test_failed_and_unparsed_choices_are_wrong():
    asked = {"choices": ("yes", "no"), "answer": 0, "language": "eng_Latn"}
    records = [record(index, text, **asked) for index, text in enumerate(["A", None, "yes or no", "B"])]
    found = scored(records, {"accuracy": Accuracy()})["accuracy", ALL]
    assert (found["value"], found["n"], found["failed"], found["unparsed"]) == (0.25, 4, 1, 1)
    assert found["low"] == pytest.approx(0.0456, abs=1e-4)  # Wilson's interval


@pytest.mark.parametrize("references", [("...",), ("", " "), ()])
@pytest.mark.parametrize("text", [None, "", "hello", "!"])
def test_d8_references_that_normalise_to_nothing_do_not_crash(references, text):
    """D8: lmms-eval crashed after all inference when the first reference normalised to an empty text."""
    sample = Sample(id="a", language="eng_Latn", references=references)
    output = None if text is None else Output(text=text)
    one = Record(sample, Prediction(sample_id="a", language="eng_Latn", output=output))
    for row in scored([one], {"wer": WER, "accuracy": Accuracy()}).values():
        assert row["value"] is None
        assert row["low"] is row["high"] is None


def test_nothing_at_all_has_no_score():
    assert {row["value"] for row in scored([], SCORERS).values()} == {None}
    assert math.isnan(estimate(measure([], WER), WER).value)
    assert macro({}, WER).n == 0


def test_language_without_a_score_is_left_out_of_the_mean():
    silent = Record(
        Sample(id="z", language="hin_Deva"), Prediction(sample_id="z", language="hin_Deva", output=Output(text="x"))
    )
    found = scored([record(1, "word1 and"), silent])
    assert found["wer", "hin_Deva"]["value"] is None
    assert (found["wer", MACRO]["value"], found["wer", MACRO]["n"]) == (pytest.approx(1 / 3), 1)


def test_references_are_scored_in_the_language_of_the_answer():
    sample = Sample(id="a", language="eng_Latn", target_language="zho_Hans", references=("我爱你。",))
    one = Record(sample, Prediction(sample_id="a", language="eng_Latn", output=Output(text="我爱你。")))
    found = scored([one], {"bleu": Bleu()})["bleu", "eng_Latn"]
    assert found["value"] == pytest.approx(100)
    assert "tok:zh" in found["signature"]


def test_stage_is_scored_from_rows_alone(tmp_path):
    from mmbench.schema import Step

    sample = Sample(id="a", language="eng_Latn", parts=(Audio("gone.wav", transcript="one two"),))
    output = Output(text="answer", steps=(Step("asr", 0, "one too"),))
    one = Record(sample, Prediction(sample_id="a", language="eng_Latn", output=output))
    path = rows(tmp_path / "p.jsonl", [one])
    stage = ErrorRate(name="wer@asr", unit="word", stage="asr")
    assert scored(list(read_records(path, strict=True).values()), {"s": stage})["wer@asr", ALL]["value"] == 0.5


def test_statistics_are_in_order_of_id():
    measured = measure([record(4, "word4 and more"), record(1, "x")], WER)
    assert measured.ids == ("s001", "s004")
    assert np.array_equal(measured.stats[1], [0, 0, 0, 3])


# Reading


def test_later_row_replaces_one_that_failed(tmp_path):
    path = rows(tmp_path / "p.jsonl", [record(1, None), record(1, None), record(1, "x")])
    assert [each.prediction.output.text for each in read_records(path, strict=True).values()] == ["x"]


def test_second_answer_to_a_sample_is_refused_from_elsewhere(tmp_path):
    path = rows(tmp_path / "p.jsonl", [record(1, "x"), record(2, "x"), record(1, "y")])
    with pytest.raises(UsageError, match=r"p\.jsonl:3: sample 's001' was answered in line 1"):
        read_records(path, strict=True)
    assert read_records(path, strict=False)[None, "swh_Latn", "s001"].prediction.output.text == "y"


def test_two_systems_may_answer_one_sample(tmp_path):
    path = tmp_path / "p.jsonl"
    row = to_row(record(1, "x").sample, record(1, "x").prediction)
    path.write_text("".join(json.dumps({**row, "system": name}) + "\n" for name in ("a", "b")))
    assert list(read_records(path, strict=True)) == [("a", "swh_Latn", "s001"), ("b", "swh_Latn", "s001")]


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"no\.jsonl: cannot be read \(No such file"):
        read_records(tmp_path / "no.jsonl", strict=True)
    with pytest.raises(UsageError, match="Is a directory"):
        read_records(tmp_path, strict=True)
