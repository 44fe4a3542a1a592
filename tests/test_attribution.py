"""Where a cascade loses: on answers whose cause of failure is known."""

from __future__ import annotations

import math

import pytest

from mmbench.attribution import attribution
from mmbench.errors import UsageError
from mmbench.records import Record
from mmbench.schema import Audio, Output, Prediction, Sample, Step
from mmbench.scorers.accuracy import Accuracy
from mmbench.scorers.edit import ErrorRate

TAGS = ("eng_Latn", "fra_Latn", "swh_Latn", "hin_Deva", "tha_Thai")
WER = ErrorRate(name="wer@asr", unit="word", stage="asr")
COUNT = 20


def answered(tag: str, index: int, right: bool, heard: str | None = None) -> Record:
    clip = Audio(b"", transcript="one two three four")
    sample = Sample(id=f"{tag}{index}", language=tag, parts=(clip,), choices=("yes", "no"), answer=0)
    steps = () if heard is None else (Step("asr", 0, heard),)
    output = Output(text="yes" if right else "no", steps=steps)
    return Record(sample, Prediction(sample_id=sample.id, language=tag, output=output))


def system(shares, heard=None) -> list[Record]:
    """Right on the first so many of twenty questions of each language; what the recogniser heard, by language."""
    return [
        answered(tag, index, index < share, None if heard is None else heard[place])
        for place, (tag, share) in enumerate(zip(TAGS, shares, strict=True))
        for index in range(COUNT)
    ]


HEARD = ("one two three four", "one two three for", "one two x y", "a b c four", "a b c d")
TOPLINE, CASCADE, DIRECT = system((20, 18, 16, 16, 16)), system((20, 15, 10, 5, 4), HEARD), system((10, 10, 16, 16, 10))


def test_costs_add_up() -> None:
    found = attribution(TOPLINE, CASCADE, DIRECT, Accuracy(), WER)
    for tag, lost in found.recognition.items():
        gap, rival = found.end_to_end[tag], found.rival[tag]
        assert lost.difference - gap.difference == pytest.approx(rival.difference), (
            "topline - c - (topline - e) = e - c"
        )
    assert [found.recognition[tag].difference for tag in TAGS] == pytest.approx([0, 0.15, 0.3, 0.55, 0.6])
    assert found.recognition["macro"].difference == pytest.approx(0.32)
    assert found.rival["eng_Latn"].real() and found.rival["eng_Latn"].difference < 0
    assert found.rival["hin_Deva"].real() and found.rival["hin_Deva"].difference > 0


def test_error_rates_are_those_of_the_stage_and_correlate_without_thai() -> None:
    found = attribution(TOPLINE, CASCADE, DIRECT, Accuracy(), WER)
    assert found.errors == pytest.approx(dict(zip(TAGS, (0, 0.25, 0.5, 0.75, 1), strict=True)))
    assert found.correlation.n == 4, "word errors say nothing of Thai"
    assert found.correlation.r == pytest.approx(-1, abs=0.01)
    assert found.correlation.rho == pytest.approx(-1)


def test_without_an_error_rate_there_is_no_correlation() -> None:
    found = attribution(TOPLINE, CASCADE, DIRECT, Accuracy())
    assert found.errors == {} and math.isnan(found.correlation.r)


def test_all_three_have_to_answer_the_same_samples() -> None:
    with pytest.raises(UsageError, match="not the same samples: 0 are only in the topline and 1 only in the cascade"):
        attribution(TOPLINE[1:], CASCADE, DIRECT, Accuracy(), WER)
    found = attribution(TOPLINE[1:], CASCADE, DIRECT[:-1], Accuracy(), WER, intersect=True)
    assert {each["all"].n for each in (found.recognition, found.end_to_end, found.rival)} == {98}
