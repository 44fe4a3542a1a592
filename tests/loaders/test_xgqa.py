from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from loaders.xgqa import Xgqa
from mmbench.config import compose, load, resolve
from mmbench.errors import UsageError
from mmbench.schema import Output, Text
from mmbench.task import Task
from tests.loaders.photo_files import by_id, copy_of, photo, pictures

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH = "annotations/zero_shot/testdev_balanced_questions_en.json"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


def loader(**settings: Any) -> Xgqa:
    return Xgqa(**{"location": "fixture://xgqa", **settings})


def test_questions_and_their_images() -> None:
    samples = by_id(list(loader()))
    assert Counter(sample.language for sample in samples.values()) == dict.fromkeys(
        ("ben_Beng", "deu_Latn", "eng_Latn", "zho_Hans"), 4
    )
    sample = samples["201307202/deu_Latn"]
    assert sample.parts[1] == Text("Sind die Kinder alt?")
    assert pictures(sample) == [photo("n406334.jpg")]
    assert sample.references == ("no",)
    assert sample.group["item"] == "201307202" and sample.group["image"] == "n406334"
    assert (sample.group["structural"], sample.group["semantic"]) == ("verify", "obj")
    assert pictures(samples["201307201/zho_Hans"]) == [photo("n161313.jpg")]


def test_answers_are_english_in_every_language() -> None:
    for sample in loader():
        assert sample.written == "eng_Latn"
        assert sample.spoken == sample.language
    task = Task(
        name="t",
        loader=loader(languages=["de"]),
        scorers={},
        prompt=resolve(compose(["+prompt=vqa"], name="empty"))["prompt"],
    )
    last = next(task.samples()).parts[-1]
    assert isinstance(last, Text) and "Answer in English" in last.text


def test_exact_match_of_english_answers() -> None:
    sample = next(iter(loader(languages=["bn"])))
    scorer = load("scorer", "exact_match")
    assert [scorer.stats(sample, Output(text=text))[0] for text in ("Yes.", "no", "", "হ্যাঁ")] == [1, 0, 0, 0]


def test_few_shot_files_are_splits() -> None:
    assert {sample.group["item"] for sample in loader(split="train_1")} == {"201307200", "201307201"}
    assert {sample.group["item"] for sample in loader(split="test")} == {"201307202", "201307203"}
    with pytest.raises(UsageError, match=r"no annotations/few_shot/\*/train_7.json"):
        next(iter(loader(split="train_7")))


def test_the_order_of_the_file_does_not_matter_for_what_belongs_together(tmp_path: Path) -> None:
    folder = copy_of("xgqa", tmp_path)
    rows = json.loads((folder / ENGLISH).read_text())
    (folder / ENGLISH).write_text(json.dumps(dict(reversed(rows.items()))))
    before, after = (by_id(list(loader(location=where, languages=["en"]))) for where in ("fixture://xgqa", str(folder)))
    assert list(after) == list(reversed(before))
    for name, sample in before.items():
        assert after[name].parts[1:] == sample.parts[1:] and pictures(after[name]) == pictures(sample)


def test_what_is_damaged_is_named(tmp_path: Path) -> None:
    folder = copy_of("xgqa", tmp_path)
    english = loader(location=str(folder), languages=["en"])
    (folder / "images/n406334.jpg").rename(folder / "images/n406335.jpg")
    with pytest.raises(UsageError, match=r"questions_en.json, question 201307202: no image n406334.jpg"):
        list(english)
    rows = json.loads((folder / ENGLISH).read_text())
    del rows["201307200"]["answer"]
    (folder / ENGLISH).write_text(json.dumps(rows))
    with pytest.raises(UsageError, match="question 201307200: has no text answer; it has semantic"):
        list(english)
    (folder / ENGLISH).write_text('{"7": {"question": "?"}, "7": {}}')
    with pytest.raises(UsageError, match=r"questions_en.json: not JSON, or a question twice \(7 is there twice\)"):
        list(english)
    (folder / ENGLISH).write_text('["7"]')
    with pytest.raises(UsageError, match="not a JSON object of questions by their ids"):
        list(english)


def test_card() -> None:
    card = loader(languages=["zh", "de"]).card
    assert card.name == "xgqa" and card.languages == ("deu_Latn", "zho_Hans")
    assert "2109.06082" in card.citation and "2201.11732" in card.citation
    assert loader().card.content != card.content
