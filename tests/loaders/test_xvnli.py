from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from loaders.xvnli import Xvnli
from mmbench.errors import UsageError
from mmbench.schema import Image, Text
from tests.loaders.photo_files import by_id, copy_of, edit_lines, photo, pictures

if TYPE_CHECKING:
    from pathlib import Path

RUSSIAN = "annotations/ru/test.jsonl"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


def loader(**settings: Any) -> Xvnli:
    return Xvnli(**{"location": "fixture://xvnli", **settings})


def test_pairs_of_a_photograph_and_a_sentence() -> None:
    samples = by_id(list(loader()))
    assert set(Counter(sample.language for sample in samples.values()).values()) == {3}
    sample = samples["759822302.jpg#2r1n/spa_Latn"]
    assert sample.parts[1] == Text("El gato tiene dos años.") and len(sample.parts) == 2
    assert pictures(sample) == [photo("759822302.jpg")]
    assert sample.choices == ("entailment", "neutral", "contradiction")
    assert [samples[f"{name}/fra_Latn"].answer for name in ("759822302.jpg#2r1e", "101362133.jpg#2r1c")] == [0, 2]
    assert sample.answer == 1 and sample.group["label"] == "neutral"
    assert sample.group["item"] == "759822302.jpg#2r1n" and sample.group["image"] == "759822302"


def test_pairs_without_an_agreed_label_are_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        names = {sample.group["item"] for sample in loader()}
    assert "101362133.jpg#2r1-" not in names and len(names) == 3
    assert 'fixture://xvnli: 5 left out: the label is "-"' in caplog.text


def test_the_premise_is_the_image_a_sentence_or_both() -> None:
    settings: list[dict[str, Any]] = [{"input": "image"}, {"input": "text"}, {"input": "both"}]
    image, text, both = (list(loader(languages=["en"], **each)) for each in settings)
    assert [s.id for s in image] == [s.id for s in text] == [s.id for s in both], "the comparison is paired"
    assert text[0].parts == (Text("A black cat sleeps on a red chair.\n"), Text("The animal is asleep."))
    assert [type(part) for part in both[0].parts] == [Image, Text, Text]
    assert both[0].parts[1:] == text[0].parts
    assert [s.answer for s in image] == [s.answer for s in text]


def test_the_choices_in_other_words() -> None:
    labels, answers = (list(loader(languages=["en"], words=words)) for words in ("labels", "answers"))
    assert {sample.choices for sample in answers} == {("yes", "maybe", "no")}
    assert [sample.answer for sample in answers] == [sample.answer for sample in labels] == [0, 1, 2]


def test_text_needs_no_images(tmp_path: Path) -> None:
    folder = copy_of("xvnli", tmp_path)
    (folder / "images/759822302.jpg").unlink()
    with pytest.raises(UsageError, match=r"annotations/ar/test.jsonl, 759822302.jpg#2r1e: no image 759822302.jpg"):
        list(loader(location=str(folder)))
    assert len(list(loader(location=str(folder), input="text"))) == 15


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    folder = copy_of("xvnli", tmp_path)
    russian = loader(location=str(folder), languages=["ru"])
    edit_lines(folder / RUSSIAN, lambda rows: rows[0].update(gold_label="entails"))
    with pytest.raises(UsageError, match="gold_label 'entails' is none of entailment, neutral, contradiction"):
        list(russian)
    edit_lines(folder / RUSSIAN, lambda rows: rows[0].update(gold_label="neutral", pairID="759822302.jpg#2r1n"))
    with pytest.raises(UsageError, match=r"759822302.jpg#2r1n/rus_Cyrl is there twice"):
        list(russian)
    with pytest.raises(UsageError, match="input='picture' is not known: give one of image, text, both"):
        loader(input="picture")
    with pytest.raises(UsageError, match="words='letters' is not known"):
        loader(words="letters")


def test_card() -> None:
    assert loader(languages=["es"]).card.languages == ("spa_Latn",)
    assert "1901.06706" in loader().card.citation
