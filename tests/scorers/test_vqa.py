from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mmbench.config import load
from mmbench.errors import UsageError
from mmbench.schema import Output, Sample
from mmbench.scorers.vqa import VqaAccuracy, VqaRelaxed


def asked(*references: str, language: str = "eng_Latn") -> Sample:
    return Sample(id="1", language=language, references=references)


def relaxed(answer: str, *references: str, language: str = "eng_Latn") -> float:
    return float(VqaRelaxed().stats(asked(*references, language=language), Output(text=answer))[0])


def accuracy(answer: str, *references: str, language: str = "eng_Latn", **settings: Any) -> float:
    scorer = VqaAccuracy(**settings)
    return float(scorer.reduce(scorer.stats(asked(*references, language=language), Output(text=answer))))


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("red chair", "red chair", 1),
        ("Red chair, I think.", "red chair", 1),
        ("It is a red chair.", "red chair", 1),
        ("The red chair stands there.", "red chair", 0),
        ("red", "red chair", 0),
        ("nothing", "no", 0),
        ("cannot say: piano", "no", 0),
        ("No, nothing.", "no", 1),
        ("-5", "5", 0),
        ("3.5", "5", 0),
    ],
)
def test_an_answer_starts_or_ends_with_the_reference_in_whole_words(answer: str, reference: str, right: int) -> None:
    assert relaxed(answer, reference) == right


@pytest.mark.parametrize("answer", ["", " ", "\n\t", "?", "...", "\u200b"])
@pytest.mark.parametrize("name", ["vqa_relaxed", "vqa_accuracy", "exact_match", "contains", "relaxed"])
def test_an_empty_answer_is_never_right(answer: str, name: str) -> None:
    """PangeaBench's rule for MaXM (the answer stands in the reference) gives it the point."""
    scorer = load("scorer", name)
    sample = asked("two", "दो", "ไม้", language="hin_Deva")
    assert scorer.stats(sample, Output(text=answer))[0] == 0


@pytest.mark.parametrize(
    ("said", "right", "language"),
    [
        ("कि", "की", "hin_Deva"),
        ("दा", "दो", "hin_Deva"),
        ("द", "दो", "hin_Deva"),
        ("ไม", "ไม้", "tha_Thai"),
        ("ไม้", "ไม", "tha_Thai"),
        ("மர", "மரம்", "tam_Taml"),
    ],
)
@pytest.mark.parametrize("name", ["vqa_relaxed", "vqa_accuracy", "exact_match", "contains", "relaxed", "anls"])
def test_a_lost_vowel_sign_is_another_word(said: str, right: str, language: str, name: str) -> None:
    """PangeaBench deletes combining marks, so that these are the same."""
    scorer, sample = load("scorer", name), asked(right, language=language)
    assert scorer.stats(sample, Output(text=right))[0] > 0
    value = scorer.stats(sample, Output(text=said))[0]
    assert value < 1 if name == "anls" else value == 0, "the similarity of the letters that are left may stay"


def test_characters_count_whole_where_no_spaces_are_written() -> None:
    assert relaxed("โต๊ะทำจากไม้", "ไม้", language="tha_Thai") == 1
    assert relaxed("两只猫", "两只", language="zho_Hans") == 1
    assert relaxed("有两只猫", "两只", language="zho_Hans") == 0


def test_the_best_of_several_references_counts_and_a_failure_is_wrong() -> None:
    assert relaxed("two cats", "3", "two") == 1
    scorer = VqaRelaxed()
    np.testing.assert_array_equal(scorer.stats(asked("two"), None), [0, 1])
    np.testing.assert_array_equal(scorer.stats(asked(), Output(text="two")), [0, 0])
    assert np.isnan(scorer.reduce(np.zeros(2)))
    assert relaxed("", "") == relaxed("two", "") == 0, "an empty reference is nobody's answer"


@pytest.mark.parametrize(("count", "value"), [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)])
def test_vqa_accuracy_of_ten_annotators(count: int, value: float) -> None:
    """The published script gives these values: each annotator is left out in turn."""
    references = ("yes",) * count + ("no",) * (10 - count)
    assert accuracy("yes", *references) == pytest.approx(value)


@pytest.mark.parametrize(("count", "value"), [(0, 0.0), (1, 1 / 3), (2, 2 / 3), (3, 1.0), (9, 1.0)])
def test_vqa_accuracy_of_the_paper(count: int, value: float) -> None:
    references = ("yes",) * count + ("no",) * (10 - count)
    assert accuracy("yes", *references, leave_one_out=False) == pytest.approx(value)


def test_english_articles_numbers_and_apostrophes() -> None:
    ten = ("2",) * 10
    assert accuracy("Two.", *ten) == accuracy("the two", *ten) == 1
    assert accuracy("Two.", *ten, english=False) == 0
    assert accuracy("dont walk", *(("don't walk",) * 10)) == 1
    assert accuracy("The", *(("the",) * 10)) == 1, "of a text of articles alone nothing would be left"
    assert accuracy("", *(("the",) * 10)) == 0
    assert accuracy("an", *(("2",) * 10), language="vie_Latn") == 0
    assert accuracy("a b", *(("b",) * 10), language="spa_Latn") == 0, "articles are those of English"


def test_signatures_say_what_was_done() -> None:
    assert VqaAccuracy().signature([]) != VqaAccuracy(leave_one_out=False).signature([])
    assert VqaAccuracy().signature([]) != VqaAccuracy(english=False).signature([])
    assert "match:start or end" in VqaRelaxed().signature(["eng_Latn"])
    for scorer in (VqaAccuracy, VqaRelaxed):
        with pytest.raises(UsageError):
            scorer(normalizer="mmbnech")
