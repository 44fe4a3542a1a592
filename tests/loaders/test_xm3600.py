from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures import xm3600 as stand_in
from loaders.published import Published
from loaders.xm3600 import Xm3600
from mmbench.config import load
from mmbench.errors import UsageError
from mmbench.schema import ITEM, Output, Sample, Text
from mmbench.scorers.retrieval import item_of
from tests.loaders.photo_files import by_id, edit_lines, photo, pictures, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CAT, CHILDREN, BOAT = (key for key, _ in stand_in.IMAGES)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    stand_in.write_originals(tmp_path / "originals")
    return tmp_path / "originals"


def loader(**settings: Any) -> Xm3600:
    return Xm3600(**{"location": "fixture://xm3600", **settings})


def test_captioning_has_all_captions_as_references() -> None:
    samples = by_id(list(loader()))
    assert len(samples) == 9 * 3
    sample = samples[f"{CAT}/deu_Latn"]
    assert sample.references == tuple(stand_in.captions("de", 0)) and len(sample.references) == 2
    assert pictures(sample) == [photo(CAT)] and len(sample.parts) == 1
    assert sample.group == {"image": CAT, "code": "de", "locale": "th", "home": "no"}


def test_codes_of_their_own() -> None:
    samples = list(loader())
    codes = {sample.group["code"]: sample.language for sample in samples}
    assert (codes["fil"], codes["quz"], codes["he"]) == ("tgl_Latn", "quy_Latn", "heb_Hebr")


def test_retrieval_has_a_pair_for_each_caption() -> None:
    samples = by_id(list(loader(task="retrieval")))
    assert len(samples) == 9 * 3 * 2
    first, second = samples[f"{BOAT}#1/tha_Thai"], samples[f"{BOAT}#2/tha_Thai"]
    assert first.parts == (Text("เรือลำเล็กลอยอยู่ในทะเลสาบ"),) != second.parts
    assert item_of(first) == item_of(second) == BOAT
    assert shown(first.variants[ITEM][0]) == photo(BOAT)


def test_only_images_from_where_the_language_is_spoken() -> None:
    home = list(loader(home=True))
    assert [sample.id for sample in home] == [f"{CHILDREN}/eng_Latn", f"{BOAT}/heb_Hebr", f"{CAT}/tha_Thai"]
    assert {sample.group["home"] for sample in home} == {"yes"}
    assert len(list(loader(home=True, task="retrieval"))) == 6


@pytest.mark.parametrize("settings", [{}, {"task": "retrieval"}, {"home": True}, {"languages": ["th", "iw"]}])
def test_both_layouts_give_the_same_samples(originals: Path, settings: dict[str, Any]) -> None:
    hub, lines = (by_id(list(loader(location=at, **settings))) for at in ("fixture://xm3600", str(originals)))
    assert sorted(hub) == sorted(lines)
    for name, sample in hub.items():
        other = lines[name]
        assert (sample.references, sample.group, sample.language) == (other.references, other.group, other.language)
        images = [[*pictures(each), *map(shown, each.variants.get(ITEM, ()))] for each in (sample, other)]
        assert images[0] == images[1] == [photo(sample.group["image"])]


def test_the_old_code_of_hebrew(originals: Path) -> None:
    def renamed(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["iw"] = row.pop("he")
            row["image/locale"] = row["image/locale"].replace("he", "iw")

    edit_lines(originals / "captions.jsonl", renamed)
    (sample,) = loader(location=str(originals), home=True, languages=["he"])
    assert (sample.language, sample.group["code"], sample.group["locale"]) == ("heb_Hebr", "iw", "iw")


def test_keys_are_kept_as_they_are() -> None:
    """PangeaBench's XM100 writes digits for letters (a = 1, b = 2), so that "1a..." and "11..." are one image."""

    def as_digits(key: str) -> str:
        return "".join(str(ord(letter) - ord("a") + 1) if letter.isalpha() else letter for letter in key)

    assert as_digits("1a") == as_digits("11")
    assert {item_of(sample) for sample in loader()} == {CAT, CHILDREN, BOAT}


@pytest.mark.parametrize("language", ["zh", "ja", "th", "ar", "en"])
def test_a_caption_that_is_nearly_the_reference_does_not_score_0(language: str) -> None:
    """The XM100 zeros: a tokeniser of English takes a whole Chinese, Japanese or Thai caption as one word."""
    samples = list(loader(languages=[language]))
    scorer = load("scorer", "cider").fitted(samples)
    for sample in samples:
        near = sample.references[0].rstrip("。.")[:-1]
        assert near not in sample.references
        nearly, right, wrong = (
            float(scorer.stats(sample, Output(text=text))[0]) for text in (near, sample.references[0], "XYZ")
        )
        assert nearly > 0.5 * right > 0 == wrong


def test_an_image_without_captions_in_a_language_has_no_sample_there(originals: Path) -> None:
    edit_lines(originals / "captions.jsonl", lambda rows: rows[0].pop("quz"))
    samples = by_id(list(loader(location=str(originals))))
    assert len(samples) == 26 and f"{CAT}/quy_Latn" not in samples and f"{BOAT}/quy_Latn" in samples
    edit_lines(originals / "captions.jsonl", lambda rows: rows[1]["quz"].update(caption=["", " "]))
    for task in ("caption", "retrieval"):
        names = [sample.id for sample in loader(location=str(originals), languages=["quz"], task=task)]
        assert names and all(name.startswith(BOAT) for name in names)


def test_pictures_are_read_with_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = Published.parquet

    def counted(self: Published, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for row in whole(self, names):
            read.append(row["image_id"])
            yield row

    monkeypatch.setattr(Published, "parquet", counted)
    first: Sample = next(iter(loader()))
    assert first.id == f"{CAT}/arb_Arab" and read == [CAT]


def test_what_is_wrong_is_named(originals: Path) -> None:
    (originals / f"images/{BOAT}.jpg").unlink()
    with pytest.raises(UsageError, match=rf"captions.jsonl, {BOAT}, ar: no image {BOAT}.jpg"):
        list(loader(location=str(originals)))
    edit_lines(originals / "captions.jsonl", lambda rows: rows.insert(1, rows[0]))
    with pytest.raises(UsageError, match=f"{CAT}/deu_Latn is there twice"):
        list(loader(location=str(originals), languages=["de"]))
    edit_lines(originals / "captions.jsonl", lambda rows: rows[0]["de"].update(caption="Ein Hund."))
    with pytest.raises(UsageError, match=f"{CAT}, de: its captions are no list of texts"):
        list(loader(location=str(originals), languages=["de"]))
    with pytest.raises(UsageError, match="no files of cym_Latn; there are arb_Arab"):
        list(loader(languages=["cy"]))
    with pytest.raises(UsageError, match="task='asr' is not known: give one of caption, retrieval"):
        loader(task="asr")


def test_card() -> None:
    card = loader(location=str(fixture("xm3600")), languages=["fil", "no-such", "en"][::2]).card
    assert card.languages == ("eng_Latn", "tgl_Latn")
    assert "2205.12522" in card.citation
