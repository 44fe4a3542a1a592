from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from datasets import Features, Value
from datasets import Image as ImageColumn

from loaders.cmmmu import Cmmmu
from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.fixtures._speech import write_parquet
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


def loader(**settings: Any) -> Cmmmu:
    return Cmmmu(**{"location": "fixture://cmmmu", **settings})


def shown(sample: Sample, *files: str) -> list[str]:
    """Texts as they are, pictures by the names of their files, which are in this order in the columns."""
    known: dict[object, str] = {
        drawing(f"cmmmu {name}", width=30 + place, height=30): f"[{name}]" for place, name in enumerate(files)
    }
    return [part.text if isinstance(part, Text) else known[part.source] for part in sample.parts]


def test_multiple_choice(caplog: pytest.LogCaptureFixture) -> None:
    first, second = loader()
    assert first.id == "1/zho_Hans" and first.choices == ("四块", "八块", "十六块", "没有") and first.answer == 2
    assert first.group == {**{"question_type": "choice", "discipline": "科学", "subject": "物理", "difficulty": "easy"}}
    assert shown(first, "1.jpg") == ["[1.jpg]", "中有几块？"]
    assert second.choices == ('<img="22.jpg">', '<img="21.jpg">', "都不是"), "an empty option is none"
    assert shown(second, "21.jpg", "22.jpg")[1:] == ['\n<img="22.jpg">: ', "[22.jpg]", '\n<img="21.jpg">: ', "[21.jpg]"]
    assert "1 left out: several options are right" in caplog.text


def test_other_types_of_questions() -> None:
    (judged,) = loader(questions="judgement")
    assert judged.choices == ("对", "错") and judged.answer == 1
    (blank,) = loader(questions="blank")
    assert blank.references == ("16",) and not blank.choices and blank.answer is None
    assert [sample.id for sample in loader(questions="all")] == [f"{n}/zho_Hans" for n in (4, 5, 1, 2)]


def damaged(folder: Path, **changes: Any) -> Cmmmu:
    name = "science/val-00000-of-00001.parquet"
    rows = pq.read_table(fixture("cmmmu") / name).to_pylist()
    rows[0].update(changes)
    pictures = {f"image_{n}": ImageColumn() for n in range(1, 6)}
    texts = {column: Value("string") for column in rows[0] if column not in pictures and column != "id"}
    write_parquet(folder / name, rows, Features({"id": Value("int64"), **texts, **pictures}))
    return Cmmmu(location=str(folder), questions="all")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": '<img="9.jpg">'}, 'id 1: <img="9.jpg"> has no image; it has 1.jpg'),
        ({"image_1": None}, 'id 1: <img="1.jpg"> has no image; it has none'),
        ({"answer": "E"}, "id 1: the answer 'E' is none of its 4 options"),
        ({"option2": ""}, "id 1: has an empty option before another"),
        ({"answer": "?"}, "id 1: its answer is not published; use split=val"),
        ({"type": "判断"}, "id 1: the answer 'C' is none of 对, 错"),
        ({"type": "问答"}, "id 1: type '问答' is none of 选择, 判断, 填空"),
        ({"id": 2}, "2/zho_Hans is there twice"),
    ],
)
def test_damaged_rows(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(damaged(tmp_path, **changes))


def test_wrong_settings_and_card() -> None:
    with pytest.raises(UsageError, match="questions='open' is not known: give one of all, choice, judgement, blank"):
        loader(questions="open")
    with pytest.raises(UsageError, match="languages: eng_Latn not in the dataset, which has zho_Hans"):
        loader(languages=["en"])
    with pytest.raises(UsageError, match=r"no \*/test-\*\.parquet in it"):
        list(loader(split="test"))
    assert loader().card.languages == ("zho_Hans",)
