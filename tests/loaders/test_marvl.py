from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from loaders.fixtures._pictures import drawing
from loaders.marvl import Marvl
from mmbench.config import load
from mmbench.errors import UsageError
from mmbench.media import load_image
from mmbench.schema import Image, Output, Text
from tests.loaders.photo_files import by_id, copy_of, edit_lines, photo, pictures

if TYPE_CHECKING:
    from pathlib import Path

SWAHILI = "zero_shot/annotations/marvl-sw.jsonl"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


def loader(**settings: Any) -> Marvl:
    return Marvl(**{"location": "fixture://marvl", **settings})


def test_statements_about_two_images() -> None:
    samples = by_id(list(loader()))
    assert len(samples) == 20
    sample = samples["sw-2/swh_Latn"]
    assert sample.parts[2] == Text("Kuna madawati mawili kwenye picha ya kulia.")
    assert (sample.choices, sample.answer) == (("True", "False"), 0)
    assert samples["sw-3/swh_Latn"].answer == 1, "the label is JSON's false"
    assert sample.group["concept"] == "81-Dawati"
    assert sample.group["statement"] == samples["sw-3/swh_Latn"].group["statement"]
    assert sample.group["statement"] != samples["sw-1/swh_Latn"].group["statement"]


def test_the_left_image_stands_first() -> None:
    """By pixels: swapped images change what a statement about the right one says."""
    samples = by_id(list(loader()))
    for name, left, right in (("sw-2", 1, 2), ("sw-3", 3, 4)):
        sample = samples[f"{name}/swh_Latn"]
        assert pictures(sample) == [photo(f"81-{left}.jpg"), photo(f"81-{right}.jpg")]
        for part, number in zip(sample.parts[:2], (left, right), strict=True):
            assert isinstance(part, Image)
            drawn = load_image(Image(drawing(f"81-{number}", kind="JPEG")))
            np.testing.assert_array_equal(load_image(part), drawn)


def test_a_concept_in_another_unicode_form_than_its_folder() -> None:
    sample = by_id(list(loader(languages=["tr"])))["tr-0/tur_Latn"]
    assert sample.group["concept"] == "12-Çaydanlık"
    assert pictures(sample) == [photo("12-1.jpg"), photo("12-2.jpg")]


def test_few_shot_files_write_the_concept_into_the_name() -> None:
    shots = list(loader(split="train1"))
    assert [sample.id for sample in shots] == ["id-0/ind_Latn", "id-1/ind_Latn"]
    assert pictures(shots[0]) == [photo("39-1.jpg"), photo("39-2.jpg")]


def test_no_is_looked_for_as_a_word() -> None:
    """PangeaBench's `'no' in pred` takes all of these for false."""
    sample = by_id(list(loader(languages=["zh"])))["zh-1/zho_Hans"]
    assert sample.answer == 1
    scorer = load("scorer", "accuracy")
    for text in ("There is nothing to see.", "I cannot know.", "It is noon in both."):
        np.testing.assert_array_equal(scorer.stats(sample, Output(text=text)), [0, 1, 1])
    for text in ("True, nothing is missing.", "It is not known why, but the statement is true."):
        np.testing.assert_array_equal(scorer.stats(sample, Output(text=text)), [0, 1, 0])
    for text in ("False", "false.", "The statement is false."):
        np.testing.assert_array_equal(scorer.stats(sample, Output(text=text)), [1, 1, 0])


def test_what_is_damaged_is_named(tmp_path: Path) -> None:
    folder = copy_of("marvl", tmp_path)
    swahili = loader(location=str(folder), languages=["sw"])
    edit_lines(folder / SWAHILI, lambda rows: rows[1].update(right_img="81-40.jpg"))
    with pytest.raises(UsageError, match=r"marvl-sw.jsonl, sw-1: no image sw/images/81-Dawati/81-40.jpg"):
        list(swahili)
    edit_lines(folder / SWAHILI, lambda rows: rows[1].update(right_img="81-4.jpg", label="False"))
    with pytest.raises(UsageError, match="sw-1: label 'False' is neither true nor false"):
        list(swahili)
    edit_lines(folder / SWAHILI, lambda rows: rows[1].update(id="sw-0", label=False))
    with pytest.raises(UsageError, match="sw-0/swh_Latn is there twice"):
        list(swahili)


def test_images_come_when_their_sample_does(tmp_path: Path) -> None:
    folder = copy_of("marvl", tmp_path)
    edit_lines(folder / SWAHILI, lambda rows: rows[3].update(left_img="81-40.jpg"))
    assert next(iter(loader(location=str(folder), languages=["sw"]))).id == "sw-0/swh_Latn"


def test_card() -> None:
    card = loader().card
    assert card.languages == ("ind_Latn", "swh_Latn", "tam_Taml", "tur_Latn", "zho_Hans")
    assert "2109.13238" in card.citation
