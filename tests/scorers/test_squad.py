from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from mmbench.errors import UsageError
from mmbench.schema import Output, Sample
from mmbench.scorers.squad import SquadAnswer, f1, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Denver Broncos!", ["denver", "broncos"]),
        ("an  apple, a day", ["apple", "day"]),
        ("theatre anthem", ["theatre", "anthem"]),
        ("Levi's Stadium", ["levis", "stadium"]),
        ("the", []),
    ],
)
def test_tokens(text: str, words: list[str]) -> None:
    assert tokens(text) == words


@pytest.mark.parametrize(
    ("answer", "reference", "value"),
    [
        ("the Denver Broncos", "denver broncos", 1.0),
        ("Denver", "denver broncos", 2 / 3),  # precision 1, recall 1/2
        ("it was the Denver Broncos", "denver broncos", 2 / 3),  # precision 2/4, recall 1
        ("tic tic tac", "tic tac", 4 / 5),  # each word as often as it stands there
        ("Carolina", "denver broncos", 0.0),
        ("", "denver broncos", 0.0),
    ],
)
def test_f1(answer: str, reference: str, value: float) -> None:
    assert f1(answer, reference) == pytest.approx(value) == pytest.approx(f1(reference, answer))


def test_best_reference() -> None:
    sample = Sample(id="1", language="eng_Latn", references=("santa clara california", "levis stadium"))
    said = Output(text="At Levi's Stadium.")
    assert SquadAnswer().stats(sample, said).tolist() == [pytest.approx(4 / 5), 1]
    exact = SquadAnswer(measure="exact", name="squad_exact")
    assert exact.stats(sample, said).tolist() == [0, 1]
    assert exact.stats(sample, Output(text="The Levi's stadium")).tolist() == [1, 1]
    assert exact.stats(sample, None).tolist() == [0, 1]
    assert exact.stats(Sample(id="2", language="eng_Latn"), said).tolist() == [0, 0]
    assert np.isnan(exact.reduce(np.zeros(2))) and exact.signature([]) != SquadAnswer().signature([])


def test_unknown_measure() -> None:
    with pytest.raises(UsageError, match="unknown measure 'f2'"):
        SquadAnswer(measure=cast("Any", "f2"))
