"""Right answers by kind of question, as tables for factor models want them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mmbench.config import load
from mmbench.errors import UsageError
from mmbench.records import Record
from mmbench.schema import Failure, Output, Prediction, Sample
from mmbench.wide_table import as_csv, wide_table

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCURACY = load("scorer", "accuracy")


def answered(
    kinds: Sequence[tuple[str, str | None]], language: str = "eng_Latn", system: str | None = None
) -> list[Record]:
    found = []
    for number, (kind, text) in enumerate(kinds):
        sample = Sample(id=str(number), language=language, choices=("up", "down"), answer=0, group={"type": kind})
        prediction = Prediction(sample_id=sample.id, language=language)
        if text is None:
            prediction = replace(prediction, error=Failure("RuntimeError", "broken"))
        else:
            prediction = replace(prediction, output=Output(text=text))
        found.append(Record(sample, prediction, system))
    return found


def test_counts_by_system_and_language() -> None:
    records = answered([("b", "up"), ("a", "up"), ("b", "down"), ("b", "A"), ("a", None), ("a", "who knows")])
    records += answered([("a", "up")], language="fra_Latn", system="one")
    records += answered([("a", "down"), ("b", "down")], system="one")
    assert wide_table(records, ACCURACY, "type") == [
        {"system": "", "a": 1, "b": 2, "total": 3, "n": 6, "language": "eng_Latn"},
        {"system": "one", "a": 0, "b": 0, "total": 0, "n": 2, "language": "eng_Latn"},
        {"system": "one", "a": 1, "b": None, "total": 1, "n": 1, "language": "fra_Latn"},
    ]


def test_headings_are_in_the_order_that_is_asked_for() -> None:
    records = answered([("b", "up"), ("a", "down")], system="x,y")
    rows = wide_table(records, ACCURACY, "type", columns={"b": "Beta", "c": "Gamma", "a": "Alpha"}, total="total_acc")
    assert as_csv(rows) == 'system,Beta,Gamma,Alpha,total_acc,n,language\n"x,y",1,,0,1,2,eng_Latn\n'
    assert as_csv([]) == ""


def test_rows_of_unequal_numbers_of_questions_are_said(caplog: pytest.LogCaptureFixture) -> None:
    records = answered([("a", "up")], system="one") + answered([("a", "up"), ("a", "up")], system="two")
    wide_table(records, ACCURACY, "type")
    assert "numbers of questions differ by row (['1', '2']): their counts do not compare" in caplog.text


def test_refusals() -> None:
    records = answered([("a", "up")])
    with pytest.raises(UsageError, match="scorer wer counts no right answers"):
        wide_table(records, load("scorer", "wer"), "type")
    with pytest.raises(UsageError, match="sample 0: has no group field 'kind' to make columns of; it has type"):
        wide_table(records, ACCURACY, "kind")
    with pytest.raises(UsageError, match="type: no column for a; there are b"):
        wide_table(records, ACCURACY, "type", columns={"b": "B"})
    with pytest.raises(UsageError, match="two columns would be named n"):
        wide_table(records, ACCURACY, "type", columns={"a": "n"})
