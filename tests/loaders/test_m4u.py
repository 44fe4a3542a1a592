from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from loaders.fixtures import fixture
from loaders.fixtures._speech import write_parquet
from loaders.fixtures.m4u import features, image
from loaders.m4u import M4u
from mmbench.errors import UsageError
from mmbench.schema import Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def loader(**settings: Any) -> M4u:
    return M4u(**{"location": "fixture://m4u", **settings})


def shown(sample: Sample) -> list[str]:
    """Texts as they are, pictures by their number."""
    field, _, row = sample.group["item"].rpartition("-")
    known = {image(field, int(row), number)["bytes"]: f"[{number}]" for number in (1, 2)}
    return [part.text if isinstance(part, Text) else known[part.source] for part in sample.parts]


def test_questions() -> None:
    samples = list(loader())
    assert len(samples) == len({sample.id for sample in samples}) == 27
    assert [sample.language for sample in samples[::9]] == ["deu_Latn", "eng_Latn", "zho_Hans"]
    first = samples[9]
    assert first.id == "engineering-00000/eng_Latn" and first.choices == ("A cell", "A wheel", "A star")
    assert first.answer == 2 and first.group == {
        **{"item": "engineering-00000", "field": "engineering", "subfield": "Physics", "discipline": "Optics"},
        **{"cross_lingual": "no", "image_type": "diagrams"},
    }
    assert samples[10].group["cross_lingual"] == "yes"


def test_pictures_by_number() -> None:
    first, second, third = list(loader(languages=["en"], fields=["science"]))
    assert shown(first) == ["What does ", "[1]", " show?"]
    assert shown(second) == ["Which of them is a cell?", "\n<image_2>: ", "[2]", "\n<image_1>: ", "[1]"]
    assert shown(third) == ["[2]", " comes after ", "[1]", ". What changed?"]


def test_items_are_the_same_in_each_language() -> None:
    languages = [list(loader(languages=[code])) for code in ("en", "zh", "de")]
    for same in zip(*languages, strict=True):
        assert len({sample.group["item"] for sample in same}) == 1 and len({sample.answer for sample in same}) == 1


def damaged(folder: Path, **changes: Any) -> M4u:
    name = "data/science_en-00000-of-00001.parquet"
    rows = pq.read_table(fixture("m4u") / name).to_pylist()
    rows[0].update(changes)
    write_parquet(folder / name, rows, features())
    return M4u(location=str(folder))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer_index": 1}, "row 0: answer C is not answer_index 1"),
        ({"answer": "F"}, "row 0: the answer 'F' is none of its 3 options"),
        ({"image_files": []}, "row 0: <image_1> has no image; it has none"),
        ({"question": "<image_3>"}, "row 0: <image_3> has no image; it has 1"),
        ({"image_files": [{"bytes": None, "path": "x.png"}]}, "row 0, image 1: has no image"),
        ({"options": "A cell, a wheel"}, "row 0: 'A cell, a wheel' is not the text of a list"),
    ],
)
def test_damaged_rows(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(damaged(tmp_path, **changes))


def test_rows_without_what_is_not_needed(tmp_path: Path) -> None:
    sample = next(iter(damaged(tmp_path, answer_index=None, field=None, cross_lingual=None, image_type=None)))
    assert sample.answer == 2 and sample.group["field"] == "science" and "cross_lingual" not in sample.group


def test_wrong_settings_and_card() -> None:
    with pytest.raises(UsageError, match="fields='law' is not known: give one of engineering, healthcare, science"):
        loader(fields="law")
    with pytest.raises(UsageError, match="no files of jpn_Jpan; there are deu_Latn, eng_Latn, zho_Hans"):
        list(loader(languages=["ja"]))
    card = loader(languages=["zh"]).card
    assert (card.name, card.licence, card.languages) == ("m4u", "MIT", ("zho_Hans",))
