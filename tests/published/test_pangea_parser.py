"""Answers that the parsers of PangeaBench and VLMEvalKit were seen to misread, with what they made of them."""

from __future__ import annotations

import pytest

from mmbench.schema import Output, Sample
from mmbench.scorers.accuracy import Accuracy
from mmbench.scorers.choices import parse

LETTERS = ("A", "B", "C", "D")
TEXTS = ("a bus", "a car", "a dog", "a boat")
PANGEA = [
    # answer, what it names, what the tasks cvqa and m3exam of PangeaBench read
    ("The answer is B", "B", "A"),
    ("Answer: D", "D", "A"),
    ("La respuesta es D", "D", "A"),
    ("Die Antwort ist C", "C", "D"),
    ("Noodles", None, "D"),
    ("", None, "one at random"),
]


@pytest.mark.parametrize(("answer", "named", "misread"), PANGEA)
@pytest.mark.parametrize("choices", [LETTERS, TEXTS, ("红色", "蓝色", "绿色", "黑色")])
def test_pangea(answer: str, named: str | None, misread: str, choices: tuple[str, ...]) -> None:
    found = parse(answer, choices)
    assert found == (None if named is None else LETTERS.index(named))
    assert found is None or LETTERS[found] != misread


OBJECTS = ("A dog", "A red car", "A cat", "A bird")
VLMEVALKIT = [
    # answer, what it names, what the rule stage of VLMEvalKit (e8e78f05) read
    ("The answer is a red car.", "B", "A"),
    ("The answer is a bird", "D", "A"),
    ("the answer is blue", None, "B"),
    ("definitely C, not A", None, "D"),
    ("The answer is A because it is red", "A", "A, or none with VERBOSE=1"),
]


@pytest.mark.parametrize(("answer", "named", "misread"), VLMEVALKIT)
def test_vlmevalkit(answer: str, named: str | None, misread: str) -> None:
    found = parse(answer, OBJECTS)
    assert found == (None if named is None else LETTERS.index(named))
    assert found is None or LETTERS[found] != misread


@pytest.mark.parametrize(
    "answer", ["答案是B", "正确答案：B。", "选B", "答えはBです", "정답은 B입니다", "(ب)", "Ответ: Б"]
)
def test_answers_that_are_not_english(answer: str) -> None:
    """The rule stage of VLMEvalKit reads none of them; the last two have the second letter of their own script."""
    assert parse(answer, OBJECTS) == 1


def test_an_empty_answer_is_unparsed_and_wrong() -> None:
    sample = Sample(id="1", language="spa_Latn", choices=OBJECTS, answer=3)
    scorer = Accuracy()
    stats = [scorer.stats(sample, Output(text=text)) for text in ("", "Noodles", "La respuesta es D")]
    assert [float(scorer.reduce(each)) for each in stats] == [0.0, 0.0, 1.0]
    assert [scorer.unparsed(each) for each in stats] == [1, 1, 0]
