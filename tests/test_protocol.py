"""Variants of a protocol: letters instead of texts, an empty question beside each one, and every rotation."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from mmbench.cell import Settings, run_cell
from mmbench.errors import UsageError
from mmbench.schema import Audio, Output, Sample, Text
from mmbench.scorers.accuracy import Accuracy, CircularAccuracy
from mmbench.task import Task, rotations
from tests.fakes import Listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

QUIET = Settings(progress=False, batch_size=3)
CHOICES = ("red", "green", "blue")
ITEMS = tuple(
    Sample(
        id=f"q{i}",
        language="eng_Latn",
        parts=(Text(f"Which colour is {c}?"),),
        choices=CHOICES,
        answer=CHOICES.index(c),
    )
    for i, c in enumerate(CHOICES)
)


@dataclass(kw_only=True)
class Biased:
    """Knows the answer where the question names it, and likes some choices for what they look like."""

    likes: dict[str, float] = field(default_factory=dict)
    name: str = "biased"
    asked: list[Sample] = field(default_factory=list, init=False)

    def load(self) -> None:
        """Nothing to load."""

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        self.asked += batch
        found = []
        for sample in batch:
            text = "".join(part.text for part in sample.parts if isinstance(part, Text))
            question = text.partition("?")[0] if "?" in text else ""
            shown = dict(line.split(". ") for line in text.splitlines() if ". " in line)
            scores = tuple(
                self.likes.get(choice, 0.0) + (2.0 if shown.get(choice, choice) in question else 0.0)
                for choice in sample.choices
            )
            best = sample.choices[max(range(len(scores)), key=scores.__getitem__)]
            found.append(Output(text=best, choice_scores=scores, choice_lengths=(1,) * len(scores)))
        return found


def task(**settings) -> Task:
    given = {"prompt": "{input}\n{choices}\nAnswer:", "scorers": {"accuracy": Accuracy()}, "method": "loglikelihood"}
    return Task(name="colours", loader=Listed(items=settings.pop("items", ITEMS)), **{**given, **settings})


def run(folder: Path, asked: Task, model: Biased):
    scores, _ = run_cell(asked, model, folder, QUIET)
    lines = (folder / "colours" / model.name / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = sorted(map(json.loads, lines), key=lambda row: row["sample_id"])
    return {row.metric: row for row in scores if row.language == "all"}, rows


def test_letters_are_ranked_and_texts_are_kept(tmp_path: Path) -> None:
    model = Biased()
    scores, rows = run(tmp_path, task(letters=True), model)
    assert model.asked[0].choices == ("A", "B", "C")
    assert [row["prediction"] for row in rows] == list(CHOICES)
    assert rows[0]["choices"] == list(CHOICES)
    assert scores["accuracy"].value == 1
    assert scores["accuracy"].signature.endswith("|method:loglikelihood+letters")


def test_an_empty_question_takes_away_what_a_choice_looks_like(tmp_path: Path) -> None:
    model = Biased(likes={"green": 5.0})
    scorers = {"accuracy": Accuracy(), "calibrated": Accuracy(normalization="calibrated", name="calibrated")}
    scores, rows = run(tmp_path, task(calibrated=True, scorers=scorers), model)
    assert (scores["accuracy"].value, scores["calibrated"].value) == (pytest.approx(1 / 3), 1)
    assert rows[0]["prior_scores"] == [0.0, 5.0, 0.0]
    empty = [
        sample for sample in model.asked if not any("Which" in p.text for p in sample.parts if isinstance(p, Text))
    ]
    assert len(empty) == 1, "the same empty question is asked once"


def test_an_empty_question_has_no_media(tmp_path: Path) -> None:
    clip = Sample(id="c", language="eng_Latn", parts=(Audio("gone.wav"), Text("and?")), choices=CHOICES, answer=0)
    model = Biased()
    run(tmp_path, task(calibrated=True, items=(clip,)), model)
    assert [len([p for p in s.parts if not isinstance(p, Text)]) for s in model.asked] == [1, 0]


def test_a_prompt_without_words_cannot_be_calibrated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no words of its own"):
        run(tmp_path, task(calibrated=True, prompt="{input}"), Biased())


def test_rotations_keep_the_right_choice() -> None:
    found = list(rotations(ITEMS[1]))
    assert [each.id for each in found] == ["q1#0", "q1#1", "q1#2"]
    assert [each.choices[each.answer] for each in found] == ["green"] * 3
    assert sorted(each.answer for each in found) == [0, 1, 2]
    assert {each.group["circular"] for each in found} == {"q1"}
    with pytest.raises(UsageError, match="has no choices to rotate"):
        list(rotations(Sample(id="x", language="eng_Latn")))


def test_circular_counts_questions_and_finds_out_a_position_bias(tmp_path: Path) -> None:
    scorers = {"plain": Accuracy(name="plain"), "circular": CircularAccuracy(name="circular")}
    first = Biased(likes={"A": 1.0}, name="first")
    scores, rows = run(tmp_path, task(circular=True, letters=True, scorers=scorers, prompt="{input}\n{choices}"), first)
    assert len(rows) == 9
    assert (scores["plain"].n, scores["circular"].n) == (9, 3)
    assert (scores["plain"].value, scores["circular"].value) == (1, 1)
    stubborn = Biased(likes={"A": 9.0}, name="stubborn")
    scores, _ = run(tmp_path, task(circular=True, letters=True, scorers=scorers, prompt="{input}\n{choices}"), stubborn)
    assert (scores["plain"].value, scores["circular"].value) == (pytest.approx(1 / 3), 0)
    assert scores["circular"].signature.endswith("+letters+circular")


def test_a_limit_counts_questions(tmp_path: Path) -> None:
    assert len(list(task(circular=True).samples(limit=2))) == 6


def test_another_protocol_is_another_cell(tmp_path: Path) -> None:
    run(tmp_path, task(), Biased())
    with pytest.raises(UsageError, match="method"):
        run(tmp_path, task(letters=True), Biased())


def test_letters_are_not_divided_by_the_length_of_texts() -> None:
    with pytest.raises(UsageError, match="a letter has no length"):
        task(letters=True, scorers={"accuracy": Accuracy(normalization="byte")})


@pytest.mark.parametrize("variant", ["letters", "calibrated"])
def test_likelihood_variants_need_likelihoods(variant: str) -> None:
    with pytest.raises(UsageError, match=f"task.{variant}=true is about likelihoods"):
        task(method="generate", **{variant: True})
