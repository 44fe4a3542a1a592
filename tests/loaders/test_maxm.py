from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from loaders.maxm import Maxm
from mmbench.config import load
from mmbench.errors import UsageError
from mmbench.schema import Output, Text
from tests.loaders.photo_files import by_id, copy_of, photo, pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


def loader(**settings: Any) -> Maxm:
    return Maxm(**{"location": "fixture://maxm", **settings})


def edit(path: Path, change: Callable[[Any], object]) -> None:
    whole = json.loads(path.read_text())
    change(whole["annotations"])
    path.write_text(json.dumps(whole))


def test_questions_with_their_answers() -> None:
    samples = by_id(list(loader()))
    assert len(samples) == 10
    sample = samples["hi_1/hin_Deva"]
    assert sample.parts[1] == Text("मेज़ पर क्या है?")
    assert pictures(sample) == [photo("1ad7c5d2a1b0c1e4.jpg")]
    assert samples["hi_0/hin_Deva"].references == ("दो", "2")
    assert sample.written == "hin_Deva"
    assert sample.group == {"image": "1ad7c5d2a1b0c1e4", "code": "hi", "collection": "yes"}
    assert samples["th_1/tha_Thai"].group["collection"] == "no"


def test_the_code_of_hebrew_and_the_answers_of_annotators() -> None:
    samples = list(loader(languages=["he"], answers="raw"))
    assert [(sample.language, sample.group["code"]) for sample in samples] == [("heb_Hebr", "iw")] * 2
    assert samples[0].references == ("שני",)


@pytest.mark.parametrize(
    ("name", "answer", "exact", "relaxed"),
    [
        ("hi_0/hin_Deva", "दो", 1, 1),
        ("hi_0/hin_Deva", "दा", 0, 0),
        ("hi_0/hin_Deva", "दो बिल्लियाँ", 0, 1),
        ("hi_0/hin_Deva", "", 0, 0),
        ("th_1/tha_Thai", "ไม้", 1, 1),
        ("th_1/tha_Thai", "ไม", 0, 0),
        ("th_1/tha_Thai", "โต๊ะทำจากไม้", 0, 1),
        ("th_1/tha_Thai", " ", 0, 0),
        ("en_0/eng_Latn", "Two!", 1, 1),
        ("en_0/eng_Latn", "two cats", 0, 1),
        ("en_0/eng_Latn", "twofold", 0, 0),
    ],
)
def test_scores_of_answers(name: str, answer: str, exact: int, relaxed: int) -> None:
    """PangeaBench gives an empty answer the point, and takes another vowel sign for the right one."""
    sample = by_id(list(loader()))[name]
    assert load("scorer", "exact_match").stats(sample, Output(text=answer))[0] == exact
    assert load("scorer", "vqa_relaxed").stats(sample, Output(text=answer))[0] == relaxed


def test_images_of_another_folder(tmp_path: Path) -> None:
    folder = copy_of("maxm", tmp_path)
    (folder / "images").rename(tmp_path / "xm3600")
    with pytest.raises(UsageError, match="there is no such folder; put the images there, or say where with images="):
        next(iter(loader(location=str(folder))))
    assert len(list(loader(location=str(folder), images=str(tmp_path / "xm3600")))) == 10


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    folder = copy_of("maxm", tmp_path)
    thai, path = loader(location=str(folder), languages=["th"]), folder / "maxm_v1_th.json"
    edit(path, lambda rows: rows[1].update(image_id="ffff"))
    with pytest.raises(UsageError, match=r"maxm_v1_th.json, question th_1: no image ffff.jpg"):
        list(thai)
    edit(path, lambda rows: rows[1]["qa_pairs"][0].update(processed_answers=[" "]))
    with pytest.raises(UsageError, match="question th_1: processed_answers has no answer"):
        list(thai)
    edit(path, lambda rows: rows[0]["qa_pairs"].append(rows[0]["qa_pairs"][0]))
    with pytest.raises(UsageError, match="th_0/tha_Thai is there twice"):
        list(thai)
    path.write_text("{}")
    with pytest.raises(UsageError, match=r"maxm_v1_th.json: not JSON with annotations \(KeyError: 'annotations'\)"):
        list(thai)
    path.write_text('{"annotations": [1]}')
    with pytest.raises(UsageError, match="annotations are no list of objects"):
        list(thai)
    with pytest.raises(UsageError, match="no files of deu_Latn; there are eng_Latn, heb_Hebr, hin_Deva"):
        list(loader(languages=["de"]))
    with pytest.raises(UsageError, match="answers='all' is not known: give one of processed, raw"):
        loader(answers="all")


def test_card() -> None:
    card = loader().card
    assert card.languages == ("eng_Latn", "heb_Hebr", "hin_Deva", "tha_Thai", "zho_Hans")
    assert "2209.05401" in card.citation
