"""How often a model's answer to a recording is its answer to the transcript."""

from __future__ import annotations

import pytest

from mmbench.behaviour import agreement, agreement_table
from mmbench.bootstrap import wilson
from mmbench.records import Record
from mmbench.schema import Failure, Output, Prediction, Sample


def record(name: str, text: str | None, *, language: str = "eng_Latn", scores: tuple[float, ...] = ()) -> Record:
    sample = Sample(id=name, language=language, choices=tuple("ab")[: len(scores)])
    output = None if text is None else Output(text=text, choice_scores=scores)
    error = Failure("Error", "lost") if text is None else None
    return Record(sample, Prediction(sample_id=name, language=language, output=output, error=error))


def test_equal_texts_agree_but_for_space_around_them() -> None:
    found = agreement([record("1", "yes "), record("2", "Yes")], [record("2", "yes"), record("1", "yes")])
    each = found["eng_Latn"]
    assert (each.value, each.n) == (0.5, 2)
    assert (each.low, each.high) == wilson(1, 2)
    assert list(found) == ["eng_Latn"], "one language has no mean over languages"


def test_options_agree_whatever_their_likelihoods() -> None:
    a = [record("1", "x", scores=(-1.0, -2.0)), record("2", "x", scores=(-1.0, -2.0))]
    b = [record("1", "y", scores=(-5.0, -9.0)), record("2", "x", scores=(-3.0, -2.0))]
    assert agreement(a, b)["eng_Latn"].value == 0.5


def test_only_what_both_answered_counts() -> None:
    a = [record("1", "x"), record("2", None), record("3", "x"), record("4", "x")]
    b = [record("1", "x"), record("2", "x"), record("3", None)]
    assert agreement(a, b)["eng_Latn"].n == 1
    assert agreement(a, []) == {}


def test_the_mean_weighs_languages_alike() -> None:
    a = [record("1", "x"), record("2", "x"), record("3", "x"), record("1", "x", language="fra_Latn")]
    b = [record("1", "x"), record("2", "x"), record("3", "x"), record("1", "y", language="fra_Latn")]
    found = agreement(a, b)
    assert found["macro"].value == pytest.approx(0.5)
    assert found["macro"].n == 4
    assert found["macro"].low < 0.5 < found["macro"].high
    assert "macro mean" in agreement_table(found, title="t")
