from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import xflickrco as stand_in
from loaders.published import Published
from loaders.xflickrco import XFlickrCo
from mmbench.errors import UsageError
from mmbench.schema import ITEM, Output, Text
from mmbench.scorers.retrieval import Retrieval, item_of
from tests.loaders.photo_files import by_id, edit_lines, photo, pictures, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

GERMAN = "datasets/xFlickrCO/annotations/de/test.jsonl"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    stand_in.write_annotations(tmp_path / "iglue")
    return tmp_path / "iglue"


def loader(**settings: Any) -> XFlickrCo:
    return XFlickrCo(**{"location": "fixture://xflickrco", **settings})


def test_pairs_for_retrieval() -> None:
    samples = by_id(list(loader()))
    assert len(samples) == 6 * 3 - 1
    sample = samples["391895/spa_Latn"]
    assert sample.parts == (Text("Tres niños juegan con un balón."),)
    assert shown(sample.variants[ITEM][0]) == photo("COCO_val2014_000000391895.jpg")
    assert item_of(sample) == "391895"
    assert sample.group["source"] == "coco" and samples["1007129816/spa_Latn"].group["source"] == "flickr30k"


def test_captioning() -> None:
    sample = by_id(list(loader(task="caption")))["1007129816/jpn_Jpan"]
    assert pictures(sample) == [photo("1007129816.jpg")] and len(sample.parts) == 1
    assert sample.references == ("黒い猫が赤い椅子で寝ています。",) and not sample.variants


@pytest.mark.parametrize("task", ["retrieval", "caption"])
def test_both_layouts_give_the_same_samples(annotated: Path, task: str) -> None:
    hub, git = (by_id(list(loader(location=where, task=task))) for where in ("fixture://xflickrco", str(annotated)))
    assert list(hub) == list(git), "the ids of COCO are numbers in one of them"
    for name, sample in hub.items():
        other = git[name]
        assert (sample.references, sample.group) == (other.references, other.group)
        images = [[*pictures(each), *map(shown, each.variants.get(ITEM, ()))] for each in (sample, other)]
        assert images[0] == images[1] and len(images[0]) == 1


def test_an_empty_caption_is_left_out_and_counted(annotated: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert "60623/deu_Latn" not in by_id(list(loader(location=str(annotated))))
    assert "1 left out: no text to compare with" in caplog.text


def test_a_perfect_model_finds_everything_in_the_pool_of_its_language() -> None:
    """Each language is a pool of its own: the caption of another language is no rival."""
    samples = list(loader())
    names = sorted({item_of(sample) for sample in samples})
    vectors = {name: tuple(float(name == other) for other in names) for name in names}
    pairs = [(s, Output(text="", vectors={"query": vectors[item_of(s)], ITEM: vectors[item_of(s)]})) for s in samples]
    for direction in ("query_to_item", "item_to_query"):
        scorer = Retrieval(k=1, direction=direction)
        assert scorer.reduce(scorer.all_stats(pairs).sum(axis=0)) == 1


def test_pictures_are_read_with_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = Published.parquet

    def counted(self: Published, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for row in whole(self, names):
            read.append(row["id"])
            yield row

    monkeypatch.setattr(Published, "parquet", counted)
    assert next(iter(loader())).id == "1007129816/deu_Latn"
    assert read == ["1007129816"]


def test_what_is_wrong_is_named(annotated: Path) -> None:
    german = loader(location=str(annotated), languages=["de"])
    (annotated / "datasets/xFlickrCO/images/val2014/COCO_val2014_000000391895.jpg").unlink()
    with pytest.raises(UsageError, match=r"de/test.jsonl, 391895: no image COCO_val2014_000000391895.jpg"):
        list(german)
    edit_lines(annotated / GERMAN, lambda rows: rows[0].update(sentences=["Ein Hund.", "Eine Katze."]))
    with pytest.raises(UsageError, match=r"1007129816: sentences .* is not one caption"):
        list(german)
    with pytest.raises(UsageError, match="split='train_5': the Parquet files have test alone"):
        list(loader(split="train_5"))
    with pytest.raises(UsageError, match="task='vqa' is not known: give one of retrieval, caption"):
        loader(task="vqa")
    with pytest.raises(UsageError, match="no files of swh_Latn"):
        list(loader(languages=["sw"]))


def test_cards(annotated: Path) -> None:
    hub, git = loader().card, loader(location=str(annotated)).card
    assert (
        hub.languages
        == git.languages
        == (
            "deu_Latn",
            "eng_Latn",
            "jpn_Jpan",
            "rus_Cyrl",
            "spa_Latn",
            "zho_Hans",
        )
    )
    assert hub.licence == "CC-BY-4.0" and "IGLUE" in git.citation
