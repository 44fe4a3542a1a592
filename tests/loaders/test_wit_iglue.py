from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loaders.wit_iglue import WitIglue
from mmbench.errors import UsageError
from mmbench.schema import ITEM, Output, Text
from mmbench.scorers.retrieval import Retrieval, item_of
from tests.loaders.photo_files import by_id, copy_of, edit_lines, photo, shown

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH = "annotations/test_en.jsonl"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


def loader(**settings: Any) -> WitIglue:
    return WitIglue(**{"location": "fixture://wit_iglue", **settings})


def test_pairs_of_a_caption_and_a_picture() -> None:
    samples = by_id(list(loader()))
    assert len(samples) == 12
    sample = samples["wit-test_17/Chair,_el/ell_Grek"]
    assert sample.parts == (Text("Τρία παιδιά παίζουν με μια μπάλα."),)
    assert shown(sample.variants[ITEM][0]) == photo("wit-test_17.jpg")
    assert shown(samples["wit-test_1751/Lake,_el/ell_Grek"].variants[ITEM][0]) == photo("wit-test_1751.jpg")


def test_one_picture_of_several_captions_is_in_the_pool_once() -> None:
    samples = list(loader(languages=["en"]))
    assert [item_of(sample) for sample in samples] == ["wit-test_17", "wit-test_17", "wit-test_1751"]
    assert Retrieval(k=1).chance(samples) == 0.5
    vectors = {"wit-test_17": (1.0, 0.0), "wit-test_1751": (0.0, 1.0)}
    pairs = [(s, Output(text="", vectors={"query": vectors[item_of(s)], ITEM: vectors[item_of(s)]})) for s in samples]
    assert Retrieval(k=1).all_stats(pairs).tolist() == [[1, 1], [1, 1], [1, 1]]
    asked = Retrieval(k=1, direction="item_to_query").all_stats(pairs)
    assert asked.sum(axis=0).tolist() == [2, 2], "as a query it counts once"


def test_image_idx_does_not_say_which_picture_it_is(tmp_path: Path) -> None:
    """Published rows of two pictures have one image_idx: the picture is that of wit_ix."""
    folder = copy_of("wit_iglue", tmp_path)
    rows: list[dict[str, Any]] = []
    edit_lines(folder / ENGLISH, rows.extend)
    assert len({row["image_idx"] for row in rows}) == 1 < len({row["wit_ix"] for row in rows})
    first, _, last = list(loader(location=str(folder), languages=["en"]))
    assert shown(first.variants[ITEM][0]) != shown(last.variants[ITEM][0])


def test_pictures_have_any_usual_ending(tmp_path: Path) -> None:
    folder = copy_of("wit_iglue", tmp_path)
    (folder / "images/wit-test_17.jpg").rename(folder / "images/wit-test_17.png")
    assert len(list(loader(location=str(folder)))) == 12


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    folder = copy_of("wit_iglue", tmp_path)
    english = loader(location=str(folder), languages=["en"])
    edit_lines(folder / ENGLISH, lambda rows: rows.append(rows[0]))
    with pytest.raises(UsageError, match="wit-test_17/Cat,_en/eng_Latn is there twice"):
        list(english)
    edit_lines(folder / ENGLISH, lambda rows: rows[2].update(wit_ix="wit-test_18"))
    with pytest.raises(UsageError, match=r"test_en.jsonl, wit-test_18: no image wit-test_18.jpg"):
        list(english)
    with pytest.raises(UsageError, match=r"no annotations/train_\*.jsonl"):
        list(loader(split="train"))


def test_card() -> None:
    card = loader().card
    assert card.languages == ("arb_Arab", "ell_Grek", "eng_Latn", "jpn_Jpan")
    assert "2103.01913" in card.citation
