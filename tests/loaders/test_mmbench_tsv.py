from __future__ import annotations

import csv
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.fixtures.mmbench_tsv import COLUMNS, encoded, row
from loaders.mmbench_tsv import MmbenchTsv, _Images
from loaders.published import Published
from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.models.echo import Gold
from mmbench.predict import predict
from mmbench.schema import Image, Sample, Text
from mmbench.score import read_records, score

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mmbench.task import Task


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def loader(**settings: Any) -> MmbenchTsv:
    return MmbenchTsv(**{"location": "fixture://mmbench_tsv", **settings})


def written(folder: Path, *rows: list[str], columns: tuple[str, ...] = COLUMNS) -> MmbenchTsv:
    """A table of MMMB in English."""
    (folder / "mmmb").mkdir()
    with (folder / "mmmb" / "mmmb_en.tsv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, delimiter="\t").writerows([list(columns), *rows])
    return MmbenchTsv(location=str(folder))


def picture_of(sample: Sample) -> object:
    part = sample.parts[0]
    assert isinstance(part, Image)
    return part.source


def question_of(sample: Sample) -> str:
    part = sample.parts[1]
    assert isinstance(part, Text)
    return part.text


def task(name: str) -> Task:
    chosen = [f"task={name}", "task.loader.location=fixture://mmbench_tsv", "model=gold"]
    return build(resolve(compose(chosen)["task"]))  # type: ignore[no-any-return]


def test_mmmb() -> None:
    samples = list(loader())
    tags = ["arb_Arab", "eng_Latn", "por_Latn", "rus_Cyrl", "tur_Latn", "zho_Hans"]
    assert [sample.language for sample in samples[::3]] == tags and len(samples) == 18
    assert len({sample.id for sample in samples}) == 18
    assert [sample.id for sample in samples[3:6]] == ["1/eng_Latn", "2/eng_Latn", "3/eng_Latn"]
    assert samples[15].group == {
        **{"item": "1", "code": "cn", "category": "color", "l2_category": "perception", "split": "dev"}
    }
    assert samples[15].choices == ("红色", "蓝色", "绿色", "None") and samples[15].answer == 1


def test_options_that_readers_of_tables_take_for_missing_stay() -> None:
    assert [s.choices[3] for s in loader() if len(s.choices) == 4] == ["None"] * 6


def test_quotes_and_line_ends_are_of_the_text() -> None:
    second = next(s for s in loader(languages=["en"]) if s.id == "2/eng_Latn")
    assert question_of(second) == 'Line 1\nLine 2\nHow many "tiles"?' and second.choices == ("Four", "Sixteen")


def test_an_image_by_index_is_that_of_the_other_row() -> None:
    first, second, third = loader(languages=["en"])
    assert picture_of(third) == picture_of(first) == drawing("mmmb 1", width=32, height=32) != picture_of(second)


def test_a_reference_to_a_later_row(tmp_path: Path) -> None:
    rows = (row(7, "What?", ("a", "b"), "A", "9"), row(9, "What?", ("a", "b"), "A", encoded("later")))
    first, second = written(tmp_path, *rows)
    assert picture_of(first) == picture_of(second) == drawing("later", width=32, height=32)


def test_published_rotations_are_not_rotated_again() -> None:
    samples = list(loader(benchmark="mmbench", languages=["en"]))
    assert [sample.id for sample in samples] == ["4/eng_Latn", "5/eng_Latn"]
    assert samples[0].choices == ("Red", "Blue", "Green", "None") and samples[0].answer == 3
    asked = [s.id for s in task("mmbench_multilingual_circular").samples() if s.language == "eng_Latn"]
    assert asked == [f"4/eng_Latn#{by}" for by in range(4)] + [f"5/eng_Latn#{by}" for by in range(2)]


def test_a_rotation_without_its_original(tmp_path: Path) -> None:
    rows = (row(4, "What?", ("a", "b"), "A", encoded("4")), row(1_000_005, "What?", ("a", "b"), "A", encoded("5")))
    with pytest.raises(UsageError, match=r"mmmb_en\.tsv: index 5 is there with rotated options alone"):
        list(written(tmp_path, *rows))


def test_pictures_that_only_rotations_refer_to_are_not_kept(tmp_path: Path) -> None:
    """VLMEvalKit #1380: the pictures of a whole table in memory."""
    own = [row(number, "What?", ("a", "b"), "A", encoded(str(number))) for number in (1, 2)]
    rotated = [row(1_000_000 + number, "What?", ("b", "a"), "B", str(number)) for number in (1, 2)]
    shared = row(3, "Where?", ("a", "b"), "A", "2")
    table = written(tmp_path, *own, shared, *rotated)
    assert [picture_of(sample) for sample in table] == [drawing(name, width=32, height=32) for name in "122"]
    kept = _Images(Published(location=str(tmp_path)), "mmmb/mmmb_en.tsv")
    assert list(kept._referred) == ["2"]


def test_circular_accuracy_counts_questions(tmp_path: Path) -> None:
    circular = task("mmmb_circular")
    predict(circular, Gold(), tmp_path / "predictions.jsonl", batch_size=8)
    records = list(read_records(tmp_path / "predictions.jsonl", strict=True).values())
    rows = score(records, circular.scorers, task="t", model="m", method="generate", cluster="circular")
    found = {(row.metric, row.language): (row.value, row.n) for row in rows}
    assert found["circular", "eng_Latn"] == (1.0, 3) and found["accuracy", "eng_Latn"] == (1.0, 8)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (row(1, "What?", ("a", "b"), "C", encoded("1")), "index 1: the answer 'C' is none of its 2 options"),
        (row(1, "What?", ("a", "", "c"), "A", encoded("1")), "index 1: has an empty option before another"),
        (row(1, "What?", ("a",), "A", encoded("1")), "index 1: .* or less than two"),
        (row(1, "What?", ("a", "b"), "A", ""), "index 1: has no image"),
        (row(1, "What?", ("a", "b"), "A", "8"), "index 1: its image is that of index 8, which has none"),
        (row(1, "What?", ("a", "b"), "A", "1"), "index 1: its image is that of index 1, which has none"),
        (row(1, "What?", ("a", "b"), "A", "!" * 100), "index 1: its image is not base64"),
        (["x", *row(1, "What?", ("a", "b"), "A", "8")[1:]], "the index 'x' is no number"),
    ],
)
def test_damaged_rows(tmp_path: Path, cells: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(written(tmp_path, cells))


def test_damaged_tables(tmp_path: Path) -> None:
    same = row(1, "What?", ("a", "b"), "A", encoded("1"))
    with pytest.raises(UsageError, match="1/eng_Latn is there twice"):
        list(written(tmp_path, same, same))
    shutil.rmtree(tmp_path / "mmmb")
    with pytest.raises(UsageError, match="columns index and image are needed; it has number, question"):
        list(written(tmp_path, same, columns=("number", *COLUMNS[1:])))
    with pytest.raises(UsageError, match=r"no mmbench/mmbench_dev_\*\.tsv in it"):
        list(MmbenchTsv(location=str(tmp_path), benchmark="mmbench"))


def test_wrong_settings() -> None:
    with pytest.raises(UsageError, match="benchmark='seed' is not known: give one of mmmb, mmbench"):
        loader(benchmark="seed")
    with pytest.raises(UsageError, match="no files of deu_Latn; there are arb_Arab, eng_Latn"):
        list(loader(languages=["de"]))


def test_card() -> None:
    assert loader().card.name == "mmmb" and loader(benchmark="mmbench").card.name == "mmbench_multilingual"
    assert loader(languages="zh").card.languages == ("zho_Hans",)
    assert loader().card.content != loader(benchmark="mmbench").card.content


def test_a_first_sample_comes_before_all_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Published.table

    def counting(self: Published, name: str, **settings: Any) -> Iterator[dict[str, str]]:
        for cells in real(self, name, **settings):
            read.append(cells["index"])
            yield cells

    monkeypatch.setattr(Published, "table", counting)
    next(iter(loader()))
    assert read == ["1"]
    assert (fixture("mmbench_tsv") / "mmmb" / "mmmb_ar.tsv").is_file()
