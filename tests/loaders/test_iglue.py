from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from loaders.fixtures import fixture
from loaders.iglue import Annotations, pair, text_of
from mmbench.errors import UsageError
from mmbench.schema import ITEM, Image, Text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


def of_xvnli(location: str, languages: list[str] | None = None) -> Annotations:
    return Annotations(
        location=location, dataset="XVNLI", pattern="annotations/*/test.jsonl", languages=languages, images="images"
    )


@pytest.mark.parametrize("below", ["", "XVNLI", "datasets/XVNLI"])
def test_the_folder_of_the_dataset_or_the_whole_repository(tmp_path: Path, below: str) -> None:
    shutil.copytree(fixture("xvnli"), tmp_path / "repository" / below, dirs_exist_ok=True)
    found = of_xvnli(str(tmp_path / "repository"))
    assert [(tag, code) for tag, code, _ in found.files] == [
        ("arb_Arab", "ar"),
        ("eng_Latn", "en"),
        ("fra_Latn", "fr"),
        ("rus_Cyrl", "ru"),
        ("spa_Latn", "es"),
    ]
    image = found.path("759822302.jpg", where="row")
    assert image == tmp_path / "repository" / below / "images/759822302.jpg"
    card = found.card("xvnli", licence="-", citation="-")
    assert card.languages == ("arb_Arab", "eng_Latn", "fra_Latn", "rus_Cyrl", "spa_Latn")
    same = of_xvnli(str(fixture("xvnli"))).card("xvnli", licence="-", citation="-")
    assert same.revision == card.revision == "local folder"


def test_languages_are_in_any_spelling_and_missing_ones_are_named() -> None:
    assert [code for _, code, _ in of_xvnli("fixture://xvnli", ["Russian", "arb_Arab"]).files] == ["ar", "ru"]
    with pytest.raises(UsageError, match=r"annotations/\*/test.jsonl: no files of swh_Latn; there are arb_Arab"):
        _ = of_xvnli("fixture://xvnli", ["sw"]).files
    with pytest.raises(UsageError, match=r"no annotations/\*/test.jsonl in it"):
        _ = of_xvnli("fixture://marvl").files


def test_a_pair_is_a_caption_and_on_the_other_side_the_image() -> None:
    sample = pair("7#1", "deu_Latn", "Ein Hund.", Image(b"x"), "7", source="coco", none=None)
    assert (sample.id, sample.parts, sample.references) == ("7#1/deu_Latn", (Text("Ein Hund."),), ("Ein Hund.",))
    assert sample.variants == {ITEM: (Image(b"x"),)}
    assert sample.group == {"image": "7", "source": "coco"}


def test_a_text_may_be_empty_but_not_missing() -> None:
    assert text_of({"caption": ""}, "caption", "row") == ""
    for row in ({"caption": None, "x": 1}, {"caption": 7, "x": 1}):
        with pytest.raises(UsageError, match="row 3: has no text caption; it has caption, x"):
            text_of(row, "caption", "row 3")
