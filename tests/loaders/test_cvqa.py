from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from loaders.cvqa import PAIRS, Cvqa
from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.fixtures._speech import write_parquet
from loaders.fixtures.cvqa import features
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Image, Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def loader(**settings: Any) -> Cvqa:
    return Cvqa(**{"location": "fixture://cvqa", **settings})


def test_as_written() -> None:
    samples = list(loader())
    assert len(samples) == len({sample.id for sample in samples}) == 12
    tags = ["spa_Latn", "spa_Latn", "zho_Hans", "tel_Telu", "arz_Arab", "tgl_Latn"]
    assert [sample.language for sample in samples] == tags * 2
    telugu = samples[3]
    assert telugu.choices == ("ఎరుపు", "నీలం", "ఆకుపచ్చ", "ఏదీ కాదు") and telugu.answer == 3, "no blank before an option"
    image, question = telugu.parts
    assert isinstance(image, Image) and image.source == drawing("cvqa ('Telugu', 'India') 0", width=30, height=30)
    assert question == Text("మూల ఏ రంగు?") and (telugu.spoken, telugu.written) == ("tel_Telu", "tel_Telu")
    assert telugu.group == {
        **{"code": "Telugu", "country": "India", "category": "People and everyday life", "image_type": "Self"},
        "image": telugu.id.partition("_")[0],
    }


def test_countries_that_share_a_language_can_be_told() -> None:
    assert [sample.group["country"] for sample in loader(languages=["es"])] == ["Mexico", "Chile"] * 2
    pairs = [pair.split("/") for pair in PAIRS.split()]
    assert len(pairs) == 39 and len({tag(name) for name, _ in pairs}) == 31 and len({place for _, place in pairs}) == 30


def test_in_english_under_the_same_ids_and_languages() -> None:
    native, english = list(loader()), list(loader(text="english"))
    assert [sample.id for sample in native] == [sample.id for sample in english]
    for one, other in zip(native, english, strict=True):
        assert (one.language, one.answer, one.group, one.parts[0]) == (
            *(other.language, other.answer, other.group, other.parts[0]),
        )
        assert (other.spoken, other.written) == ("eng_Latn", "eng_Latn")
        assert other.choices[0] == "red" and other.parts[1] == Text("What colour is it?")


def damaged(folder: Path, **changes: Any) -> Cvqa:
    name = "data/test-00000-of-00002.parquet"
    rows = pq.read_table(fixture("cvqa") / name).to_pylist()
    rows[1].update(changes)
    write_parquet(folder / name, rows, features())
    return Cvqa(location=str(folder))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Label": -1}, r"ID .*: its label is withheld \(-1\); take a later revision"),
        ({"Label": 4}, "label 4 is none of its 4 options"),
        ({"Subset": "Spanish"}, "'Spanish' is not the text of a list"),
        ({"Subset": "('Spanish',)"}, "is no pair of language and country"),
        ({"Subset": "__import__('os')"}, "is not the text of a list"),
        ({"image": None}, "has no image"),
        ({"Question": None}, "has no Question"),
    ],
)
def test_damaged_rows(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(damaged(tmp_path, **changes))


def test_options_of_the_release_that_had_them_as_text(tmp_path: Path) -> None:
    from datasets import Features, Value

    name = "data/test-00000-of-00002.parquet"
    rows = pq.read_table(fixture("cvqa") / name).to_pylist()
    types = Features({**features(), "Options": Value("string")})
    write_parquet(tmp_path / name, [{**row, "Options": str(row["Options"])} for row in rows], types)
    assert [s.choices for s in Cvqa(location=str(tmp_path))] == [s.choices for s in loader()][:6]


def test_wrong_settings_and_card() -> None:
    with pytest.raises(UsageError, match="text='local' is not known: give one of native, english"):
        loader(text="local")
    with pytest.raises(UsageError, match="languages: deu_Latn not in the dataset, which has amh_Ethi"):
        loader(languages=["de"])
    assert loader(languages=["es", "zh"]).card.languages == ("spa_Latn", "zho_Hans")
    assert len(loader().card.languages) == 31
