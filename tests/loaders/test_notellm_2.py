"""NoteLLM-2: pairs of notes, of which no query is an answer, and no picture is replaced by a black one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.notellm_2 import NoteLlm2, shortened
from mmbench.config import load as configured
from mmbench.errors import UsageError
from mmbench.schema import ITEM, QUERY, Image, Output, Part, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmbench.schema import Sample


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("notellm_2")


def load(location: object = "fixture://notellm_2", **settings: Any) -> list[Sample]:
    loader = NoteLlm2(location=str(location), **settings)
    found = list(loader)
    assert loader.count == len(found) == len({one.id for one in found})
    return found


def seen(parts: Sequence[Part]) -> list[bytes]:
    return [Path(str(part.source)).read_bytes() for part in parts if isinstance(part, Image)]


def test_samples() -> None:
    found = load()
    assert [(one.id, one.group["item"]) for one in found] == [
        ("n1/zho_Hans", "n2"),
        ("n3/zho_Hans", "n4"),
        ("n5/zho_Hans", "n6"),
    ]
    first = found[0]
    assert [type(part) for part in first.parts] == [Image, Text]
    assert seen(first.parts) == [drawing("n1", width=48, height=48)]
    assert seen(first.variants[ITEM]) == [drawing("n2", width=48, height=48)]
    assert first.parts[1] == Text("晚饭吃什么\n美食\n土豆和鸡蛋。。很快就好")
    assert first.variants[ITEM][1] == Text("土豆的做法\n美食，家常菜\n土豆丝")
    assert first.group["category"] == "美食"


def test_no_query_is_an_answer() -> None:
    queries, items = ({one.id.split("/")[0] for one in load()}, {one.group["item"] for one in load()})
    assert not queries & items and len(items) == 3, "n3 and n5 have other notes in the table, which come too late"


def test_inputs() -> None:
    assert all([type(part) for part in one.parts] == [Text] for one in load(input="text"))
    assert all([type(part) for part in one.variants[ITEM]] == [Image] for one in load(input="image"))
    with pytest.raises(UsageError, match="pairs='all' is not known"):
        NoteLlm2(pairs="all")
    with pytest.raises(UsageError, match="input='sound' is not known"):
        NoteLlm2(input="sound")
    with pytest.raises(UsageError, match=r"no note_pairs_test_longquery.csv in it"):
        load(pairs="test_longquery")


def test_shortened() -> None:
    assert shortened("标题" * 20, "#" + "长" * 20 + "#文", 3) == "标题" * 10 + "\n" + "#长长", "a long topic is text"
    assert shortened("", "#a##b#", 80) == "a，b"
    assert shortened(" t ", " #a[话题]#\nb ", None) == "t\n#a[话题]#\nb"
    assert shortened("t", "x" * 100, 80) == "t\n" + "x" * 80


def test_what_is_missing(stand_in: Path, tmp_path: Path) -> None:
    shutil.copytree(stand_in, tmp_path / "copy")
    (tmp_path / "copy/images_test/p2").write_bytes(b"")
    with pytest.raises(UsageError, match=r"note n2: no image images_test/p2, or it is empty"):
        load(tmp_path / "copy")
    assert len(load(tmp_path / "copy", input="text")) == 3
    pairs = tmp_path / "copy/note_pairs_test.csv"
    pairs.write_text("n1,n9\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"note_pairs_test.csv: note n9 is not in notes_test.csv"):
        load(tmp_path / "copy", input="text")
    notes = tmp_path / "copy/notes_test.csv"
    notes.write_text("n1,a,b,p1,c\nn1,a,b,p1,c\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"note n1 is there twice"):
        load(tmp_path / "copy", input="text")


def test_scores() -> None:
    found = load()
    vectors = {
        "n1": (1.0, 0.0),
        "n2": (9.0, 0.1),
        "n3": (0.0, 1.0),
        "n4": (0.0, 2.0),
        "n5": (0.5, 1.0),
        "n6": (0.1, 1.0),
    }
    outputs = [
        Output(text="", vectors={QUERY: vectors[one.id.split("/")[0]], ITEM: vectors[one.group["item"]]})
        for one in found
    ]
    scorer = configured("scorer", "retrieval@1")
    rows = scorer.all_stats(list(zip(found, outputs, strict=True)))
    assert rows.tolist() == [[1, 1], [1, 1], [0, 1]], "by the dot product the longest vector is nearest"


def test_card() -> None:
    card = NoteLlm2(location="fixture://notellm_2").card
    assert card.languages == ("zho_Hans",) and "Apache-2.0" in card.licence
