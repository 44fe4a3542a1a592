"""SIB-200: two layouts of one dataset, quoted fields, and the same questions in every language."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures.sib_200 import TEXTS
from loaders.sib_200 import LABELS, Sib200
from mmbench.errors import UsageError
from mmbench.schema import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLISHED = Path(__file__).resolve().parents[2] / "../shared/samples/sib-200"


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("sib_200")


@pytest.fixture
def copied(stand_in: Path, tmp_path: Path) -> Path:
    shutil.copytree(stand_in, tmp_path / "copy")
    return tmp_path / "copy"


def load(location: object = "fixture://sib_200", **settings: Any) -> Sib200:
    return Sib200(location=str(location), **settings)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_samples() -> None:
    found = {one.id: one for one in load()}
    assert len(found) == 7 * len(TEXTS)
    film = next(one for one in found.values() if one.language == "eng_Latn" and "film" in str(one.parts))
    assert film.parts == (Text('The film "Sea" begins tonight.'),), "quotes of the file are none of the sentence"
    assert film.choices == LABELS and film.choices[film.answer or 0] == "entertainment"
    assert film.group == {"sentence": film.id.split("/")[0], "category": "entertainment"}
    greek = found[f"{film.group['sentence']}/ell_Grek"]
    assert greek.parts == (Text('Η ταινία "Θάλασσα" αρχίζει απόψε.'),), "an id is one sentence in every language"
    assert [one.language for one in load()][::7] == sorted(TEXTS)


def test_splits_and_languages() -> None:
    ids = {split: {one.id for one in load(split=split)} for split in ("train", "dev", "test")}
    assert not ids["train"] & ids["test"] and not ids["dev"] & ids["test"]
    assert {one.language for one in load(languages=["th", "English"])} == {"tha_Thai", "eng_Latn"}
    with pytest.raises(UsageError, match=r"no files of swh_Latn; there are arb_Arab, "):
        list(load(languages=["sw"]))
    with pytest.raises(UsageError, match="split='validation' is not known: give one of train, dev, test"):
        load(split="validation")


def test_the_layout_of_the_repository(copied: Path) -> None:
    same = [one.id for one in load(copied)]
    (copied / "data").rename(copied / "annotated")
    (copied / "data").mkdir()
    (copied / "annotated").rename(copied / "data" / "annotated")
    assert [one.id for one in load(copied)] == same
    assert [one.id for one in load(copied / "data" / "annotated")] == same


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\tsports\t", "\tsport\t", r"data/eng_Latn/test.tsv, index_id 202: category 'sport' is none of science"),
        ("\n203\t", "\n200\t", r"index_id 200 is there twice"),
        ("index_id\t", "id\t", r"has no index_id; it has id, category, text"),
        ("\tThe bus leaves", "\tThe\tbus leaves", r"test.tsv:3: 4 fields where 3 are expected"),
    ],
)
def test_bad_rows(copied: Path, old: str, new: str, message: str) -> None:
    edit(copied / "data/eng_Latn/test.tsv", old, new)
    with pytest.raises(UsageError, match=message):
        list(load(copied))


def test_card(copied: Path) -> None:
    card = load(copied).card
    assert card.languages == tuple(sorted(TEXTS)) and "CC-BY-SA-4.0" in card.licence
    edit(copied / "data/rus_Cyrl/test.tsv", "Луна", "Лупа")
    assert load(copied).card.content != card.content
    assert load(copied, split="dev").card.content != load(copied).card.content


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published files are not here")
def test_published_files(tmp_path: Path) -> None:
    for path in PUBLISHED.glob("test.*.tsv"):
        folder = tmp_path / "data" / "annotated" / path.name.split(".")[1]
        folder.mkdir(parents=True)
        shutil.copy(path, folder / "test.tsv")
    found = list(load(tmp_path))
    assert len(found) == 3 * 204 and {one.language for one in found} == {"eng_Latn", "swh_Latn", "tha_Thai"}
    topics = {one.id: one.answer for one in found}
    assert all(topics[f"{one.group['sentence']}/eng_Latn"] == one.answer for one in found), "labels are parallel"
    science = sum(one.answer == 0 for one in found) / len(found)
    assert science == pytest.approx(0.25), "the majority baseline"
    texts = [part.text for one in found for part in one.parts if isinstance(part, Text)]
    assert not [text for text in texts if '""' in text], "no quoted field is left as it is in the file"


def test_a_few_samples_are_not_all_of_one_topic(copied: Path) -> None:
    """The published files are sorted by topic, so that a limit of ten would ask about one of seven."""
    file = next(copied.rglob("eng_Latn/test.tsv"))
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([header, *sorted(rows, key=lambda row: row.split("\t")[1])]) + "\n", encoding="utf-8")
    numbers = [int(one.group["sentence"]) for one in load(copied, languages=["eng_Latn"])]
    assert numbers == sorted(numbers)
