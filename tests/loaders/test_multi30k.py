from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from loaders.multi30k import Multi30k
from mmbench.errors import UsageError
from mmbench.schema import Image, Text
from tests.loaders.photo_files import by_id, copy_of, photo, pictures

if TYPE_CHECKING:
    from pathlib import Path

GERMAN = "data/task1/raw/test_2016_flickr.de.gz"
NAMES = "data/task1/image_splits/test_2016_flickr.txt"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


def loader(**settings: Any) -> Multi30k:
    return Multi30k(**{"location": "fixture://multi30k", **settings})


def lines(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()))


def test_captions_with_their_images_and_translations() -> None:
    samples = by_id(list(loader()))
    assert [sample.language for sample in samples.values()] == ["ces_Latn"] * 3 + ["deu_Latn"] * 3 + ["fra_Latn"] * 3
    sample = samples["test_2016_flickr/1009434119/deu_Latn"]
    assert sample.parts[1] == Text("Three children play with a ball.") and len(sample.parts) == 2
    assert pictures(sample) == [photo("1009434119.jpg")]
    assert sample.references == ("Drei Kinder spielen Ball.",)
    assert (sample.spoken, sample.written) == ("eng_Latn", "deu_Latn")


def test_what_the_image_adds_is_a_paired_comparison() -> None:
    both, text, image = (list(loader(input=kind)) for kind in ("both", "text", "image"))
    for of_both, of_text, of_image in zip(both, text, image, strict=True):
        assert of_both.id == of_text.id == of_image.id
        assert of_both.references == of_text.references == of_image.references
        assert [type(part) for part in of_both.parts] == [Image, Text]
        assert (*of_image.parts, *of_text.parts) == of_both.parts
        assert len(of_text.parts) == 1
        assert (of_text.spoken, of_image.spoken) == ("eng_Latn", of_image.language), "no English without the caption"


def test_a_test_set_without_czech_and_with_captions_in_its_list() -> None:
    samples = by_id(list(loader(split="test_2017_mscoco")))
    assert {sample.language for sample in samples.values()} == {"deu_Latn", "fra_Latn"}
    sample = samples["test_2017_mscoco/COCO_val2014_000000398076#657409/fra_Latn"]
    assert pictures(sample) == [photo("COCO_val2014_000000398076.jpg")]
    assert sample.group["image"] == "COCO_val2014_000000398076.jpg"
    with pytest.raises(UsageError, match=r"raw/test_2017_mscoco.\*: no files of ces_Latn; there are deu_Latn, fra"):
        list(loader(split="test_2017_mscoco", languages=["cs"]))


def test_the_folder_of_the_task_and_files_that_are_unpacked(tmp_path: Path) -> None:
    folder = copy_of("multi30k", tmp_path) / "data/task1"
    for path in (folder / "raw").iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    there = list(loader(location=str(folder)))
    assert [(s.id, s.references) for s in there] == [(s.id, s.references) for s in loader()]


def test_a_file_with_another_number_of_lines_is_refused(tmp_path: Path) -> None:
    """One line too few would shift all that follow."""
    folder = copy_of("multi30k", tmp_path)
    for text in ("Eins.\nZwei.\n", "Eins.\nZwei.\nDrei.\nVier.\n"):
        lines(folder / GERMAN, text)
        with pytest.raises(
            UsageError, match=rf"differ in number: .*flickr.txt 3, .*en.gz 3, .*de.gz {text.count('.')}"
        ):
            list(loader(location=str(folder), languages=["de"]))


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    folder = copy_of("multi30k", tmp_path)
    lines(folder / GERMAN, "Eins\u2028und mehr.\r\nZwei\x0bund mehr.\nDrei.")
    found = [sample.references[0] for sample in loader(location=str(folder), languages=["de"])]
    assert found == ["Eins\u2028und mehr.", "Zwei\x0bund mehr.", "Drei."]


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    folder = copy_of("multi30k", tmp_path)
    (folder / "data/task1/images/test_2016_flickr/101362133.jpg").unlink()
    with pytest.raises(UsageError, match=r"test_2016_flickr.txt, 101362133.jpg: no image 101362133.jpg"):
        list(loader(location=str(folder)))
    assert len(list(loader(location=str(folder), input="text"))) == 9
    (folder / NAMES).write_text("a.jpg\na.jpg\nb.jpg\n")
    with pytest.raises(UsageError, match="test_2016_flickr/a/ces_Latn is there twice"):
        list(loader(location=str(folder), input="text"))
    (folder / GERMAN).write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"de.gz: cannot be read"):
        list(loader(location=str(folder), languages=["de"]))
    (folder / "data/task1/raw/test_2016_flickr.en.gz").unlink()
    with pytest.raises(UsageError, match=r"raw/test_2016_flickr.\* has no English"):
        list(loader(location=str(folder)))
    with pytest.raises(UsageError, match=r"no raw/test_2019.\* or data/task1/raw/test_2019.\*"):
        list(loader(split="test_2019"))
    with pytest.raises(UsageError, match="input='audio' is not known: give one of both, text, image"):
        loader(input="audio")


def test_card() -> None:
    assert loader().card.languages == ("ces_Latn", "deu_Latn", "fra_Latn")
    assert loader(split="test_2017_mscoco").card.content != loader().card.content
