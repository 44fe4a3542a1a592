"""Median, worst five and gap to English of scores by language."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.aggregate import attribute, summary

SAMPLES = Path(__file__).resolve().parents[2] / "shared/samples/fleurs-slu"
VALUES = {
    "eng_Latn": 0.9,
    "deu_Latn": 0.8,
    "swh_Latn": 0.4,
    "hin_Deva": 0.6,
    "tam_Taml": 0.5,
    "yor_Latn": 0.2,
    "x": 0.7,
}


def test_worst_median_and_gap():
    found = summary(VALUES, higher_is_better=True)
    assert [tag for tag, _ in found.worst] == ["yor_Latn", "swh_Latn", "tam_Taml", "hin_Deva", "x"]
    assert found.worst_mean == pytest.approx((0.2 + 0.4 + 0.5 + 0.6 + 0.7) / 5)
    assert found.median == 0.6
    assert found.gap == pytest.approx((0.8 + 0.4 + 0.6 + 0.5 + 0.2 + 0.7) / 6 - 0.9)
    errors = summary(VALUES, higher_is_better=False)
    assert errors.worst[0] == ("eng_Latn", 0.9)


def test_d18_the_median_is_of_sorted_values():
    """D18: lmms-eval took the middle of the unsorted list."""
    assert summary({"a": 9.0, "b": 1.0, "c": 5.0}, higher_is_better=True).median == 5.0
    assert summary({"a": 9.0, "b": 1.0, "c": 5.0, "d": 2.0}, higher_is_better=True).median == 3.5


def test_languages_without_a_score_count_in_the_coverage_only():
    found = summary({"eng_Latn": math.nan, "swh_Latn": 0.5}, higher_is_better=True, given=4)
    assert (found.averaged, found.given, found.median) == (1, 4, 0.5)
    assert math.isnan(found.gap), "there is no English score"
    empty = summary({}, higher_is_better=True)
    assert math.isnan(empty.median) and math.isnan(empty.worst_mean) and empty.worst == ()


@given(st.dictionaries(st.sampled_from(sorted(VALUES)), st.floats(0, 1), min_size=1))
def test_worst_is_worst_and_order_plays_no_part(values):
    found = summary(values, higher_is_better=True)
    assert found.worst[0][1] == min(values.values())
    assert found == summary(dict(reversed(list(values.items()))), higher_is_better=True)
    assert min(values.values()) <= found.median <= max(values.values())


def test_facts_about_languages():
    assert attribute("hin_Deva", "script") == "Deva"
    assert attribute("swh_Latn", "family") == "Atlantic-Congo"


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs the published tables of Fleurs-SLU")
def test_published_means_and_medians_of_fleurs_slu():
    with (SAMPLES / "asr_analysis.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    column = "test_whisper_asr_cer_mean"
    found = summary({row["lang"]: float(row[column]) for row in rows}, higher_is_better=False)
    assert found.averaged == 102
    assert found.median == pytest.approx(0.1603, abs=5e-5)
