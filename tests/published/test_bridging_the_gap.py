"""Bridging the Gap: answers per item in 12 languages give the published tables of Winogrande."""

from __future__ import annotations

from functools import cache

import pytest

from mmbench.languages import tag
from mmbench.records import from_row
from mmbench.scorers.accuracy import Accuracy
from mmbench.scoring_file import score_records
from tests.published.samples import rows

MODELS = {"gpt-4o": "GPT-4o", "gpt-4": "GPT-4", "gpt-3.5": "GPT-3.5"}
CODES = ["en", "af", "zu", "xh", "am", "bm", "ig", "nso", "sn", "st", "tn", "ts"]


@cache
def result(model: str) -> dict:
    """Scores of one model, from the 0 and 1 that the authors publish for each item."""
    records = []
    for item in rows("bridging-the-gap/wino_evaluation_results_0.csv"):
        answer = int(item["answer"]) - 1
        for code in CODES:
            said = answer if item[f"{model}_{code}"] == "1" else 1 - answer
            given = {"sample_id": f"{item['id']}/{code}", "language": code, "prediction": str(said + 1)}
            records.append(from_row({**given, "choices": ["1", "2"], "answer": answer}, where="test"))
    assert len(records) == 1767 * 12
    return score_records(records, Accuracy())


@pytest.mark.parametrize("model", MODELS)
def test_columns_of_table_2(model):
    table = {row["Model (Evaluation Benchmark)"]: row for row in rows("bridging-the-gap/table_2.csv")}
    published, found = table[f"{MODELS[model]} (winogrande)"], result(model)["languages"]
    for code in CODES:
        value = found[tag(code)]
        assert 100 * value["value"] == pytest.approx(float(published[code]), abs=0.05 + 1e-9), code
        assert (value["n"], value["unparsed"], value["failed"]) == (1767, 0, 0)


@pytest.mark.parametrize("model", MODELS)
def test_means_of_table_1(model):
    table = {row["Model"]: float(row["winogrande"]) for row in rows("bridging-the-gap/table_1.csv")}
    found = result(model)
    african = [one["value"] for name, one in found["languages"].items() if name != "eng_Latn"]
    mean = 100 * sum(african) / len(african)
    assert len(african) == 11
    assert mean == pytest.approx(table[f"{MODELS[model]} (afr; avg)"], abs=0.05 + 1e-9)
    english = found["languages"]["eng_Latn"]["value"]
    assert found["summary"]["gap"] == pytest.approx(mean / 100 - english)
    assert found["macro"]["value"] == pytest.approx((sum(african) + english) / 12)
    assert found["macro"]["n"] == found["summary"]["averaged"] == 12


def test_gap_to_english_of_table_1():
    table = {row["Model"]: float(row["winogrande"]) for row in rows("bridging-the-gap/table_1.csv")}
    assert -100 * result("gpt-4o")["summary"]["gap"] == pytest.approx(table["GPT-4o (eng - (afr; avg))"], abs=0.1)
    assert result("gpt-4o")["summary"]["worst"][0][0] == "bam_Latn"


def test_overall_equals_the_mean_where_all_languages_have_the_same_items():
    found = result("gpt-4")
    assert found["overall"]["value"] == pytest.approx(found["macro"]["value"])
    assert found["overall"]["n"] == 1767 * 12


def test_intervals_hold_the_values_and_are_of_the_size_of_the_data():
    """1,767 answers: half a 95 % interval is about 1.96 * sqrt(p (1 - p) / n), 2.3 points where p is one half."""
    for value in result("gpt-3.5")["languages"].values():
        assert value["low"] < value["value"] < value["high"]
        assert value["high"] - value["low"] == pytest.approx(0.0466, abs=0.002)
