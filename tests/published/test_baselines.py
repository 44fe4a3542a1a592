"""What guessing and the best constant answer get on published test sets: the table that stands beside accuracies."""

from __future__ import annotations

import json
import re

import pytest

from mmbench.schema import Output, Sample
from mmbench.scorers.accuracy import Accuracy, chance, majority
from tests.published.samples import rows, sample


def items(answers, choices, language="eng_Latn") -> list[Sample]:
    pairs = enumerate(zip(answers, choices, strict=True))
    return [Sample(id=str(i), language=language, choices=tuple(c), answer=a) for i, (a, c) in pairs]


def letters(keys, count: int, language: str = "eng_Latn") -> list[Sample]:
    return items([ord(key) - ord("A") for key in keys], [[f"choice {i}" for i in range(count)]] * len(keys), language)


@pytest.mark.parametrize(("language", "majority_class"), [("eng_Latn", 51), ("swh_Latn", 51), ("tha_Thai", 51)])
def test_sib_200(language, majority_class):
    labels = sample("sib-200/labels.txt").read_text(encoding="utf-8").split()
    found = [labels.index(row["category"]) for row in rows(f"sib-200/test.{language}.tsv", "\t")]
    assert (len(labels), len(found)) == (7, 204)
    samples = items(found, [labels] * len(found), language)
    assert chance(samples) == pytest.approx(1 / 7)
    assert majority(samples) == majority_class / 204 == 0.25


def test_tumlu_has_the_share_of_its_own_options():
    found = []
    for subject in ("biology", "chemistry", "geography", "maths", "physics"):
        lines = sample(f"tumlu/crimean-tatar.test.{subject}.jsonl").read_text(encoding="utf-8").splitlines()
        found += map(json.loads, lines)
    samples = items([ord(row["answer"]) - ord("A") for row in found], [row["choices"] for row in found], "crh_Latn")
    assert len(samples) == 176, "of 345: the other subjects, of two to four options, raise chance to 27.56 %"
    assert chance(samples) == 0.25


def test_chance_is_the_mean_of_one_over_the_number_of_options():
    """TUMLU's Crimean Tatar: two to four options a question, so chance is not 25 %."""
    samples = items([0, 1, 2], [["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]])
    assert chance(samples) == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)


def test_gaokao():
    """Three options in the prompt; the whole file has 685 B of 2,000 (34.25 %), its head 325 of 899."""
    found = rows("wavllm/gaokao.head900.tsv", "\t")
    choices = [re.split(r"\s*;?\s*\b[ABC]\.\s+", row["prompt"])[1:] for row in found]
    assert {len(given) for given in choices} == {3}
    samples = items([ord(row["tgt_text"]) - ord("A") for row in found], choices)
    assert chance(samples) == pytest.approx(1 / 3)
    assert majority(samples) == pytest.approx(325 / 899)


def test_winogrande():
    keys = [row["answer"] for row in rows("bridging-the-gap/wino_evaluation_results_0.csv")]
    samples = items([int(key) - 1 for key in keys], [["one", "two"]] * len(keys))
    assert chance(samples) == 0.5
    assert majority(samples) == pytest.approx(891 / 1767)


def test_belebele():
    lines = sample("bridging-the-gap/belebele_ig.head60.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    choices = [[row[f"mc_answer{number}"] for number in range(1, 5)] for row in found]
    assert chance(items([int(row["correct_answer_num"]) - 1 for row in found], choices, "ibo_Latn")) == 0.25


def test_m3gia_has_up_to_six_options():
    found = json.loads(sample("m3gia/answer_dict_english.jsonl").read_text(encoding="utf-8"))
    samples = letters([row["ground_truth"] for row in found], 6)
    assert len(samples) == 300
    assert majority(samples) == pytest.approx(76 / 300)


@pytest.mark.parametrize(("language", "tag", "inexact"), [("de", "deu_Latn", 0), ("fr", "fra_Latn", 2)])
def test_commute_gives_half_to_who_does_not_look(language, tag, inexact):
    """Right and wrong change sides in each pair of sentences, so choosing without the image is right once in two."""
    names = [f"commute/en-{language}.{kind}.{language}" for kind in ("correct", "incorrect")]
    right, wrong = (sample(name).read_text(encoding="utf-8").splitlines() for name in names)
    samples = items([0] * len(right), list(zip(right, wrong, strict=True)), tag)
    assert chance(samples) == 0.5
    swapped = sum(right[i] == wrong[i + 1] and wrong[i] == right[i + 1] for i in range(0, len(right), 2))
    assert swapped == len(right) // 2 - inexact
    scorer = Accuracy(ties="wrong")
    # a score of the sentence alone, whatever it is, such as its length and letters
    blind = [Output(text="", choice_scores=tuple(float(hash_of(c)) for c in s.choices)) for s in samples]
    value = sum(scorer.stats(s, o) for s, o in zip(samples, blind, strict=True))
    if not inexact:
        assert float(scorer.reduce(value)) == 0.5
    ties = [Output(text="", choice_scores=(1.0, 1.0)) for _ in samples]
    assert sum(scorer.stats(s, o)[0] for s, o in zip(samples, ties, strict=True)) == 0, "a tie is wrong"


def hash_of(text: str) -> int:
    return sum(ord(char) * (index + 1) for index, char in enumerate(text))
