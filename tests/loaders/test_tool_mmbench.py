"""ToolMMBench: rows that ask the same are one question, whose tools are all right."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.tool_mmbench import ToolMMBench
from mmbench.errors import UsageError
from mmbench.schema import Audio, Image, Output, Text, Video
from mmbench.scorers.tools import ToolSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mmbench.schema import Sample

pytest.importorskip("av")
PUBLISHED = Path(__file__).resolve().parents[2] / "../shared/samples/mllm-tool"


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("tool_mmbench")


def load(location: object = "fixture://tool_mmbench", **settings: Any) -> dict[str, Sample]:
    loader = ToolMMBench(location=str(location), **settings)
    found = {one.id: one for one in loader}
    assert loader.count == len(found)
    return found


@pytest.fixture
def edited(stand_in: Path, tmp_path: Path) -> Callable[[Callable[[list[dict[str, Any]]], Any]], Path]:
    def make(edit: Callable[[list[dict[str, Any]]], Any]) -> Path:
        shutil.copytree(stand_in, tmp_path / "copy")
        path = tmp_path / "copy/combined_data.json"
        rows = json.loads(path.read_text(encoding="utf-8"))
        edit(rows)
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path.parent

    return make


def test_samples() -> None:
    found = load()
    assert list(found) == [f"{name}/eng_Latn" for name in ("video/1", "image/1", "image/2", "audio/1", "text/1")]
    picture, text = found["image/1/eng_Latn"].parts
    assert isinstance(picture, Image) and Path(str(picture.source)).read_bytes() == drawing("tool", kind="JPEG")
    assert text == Text("What is in this picture?")
    assert isinstance(found["audio/1/eng_Latn"].parts[0], Audio) and isinstance(
        found["video/1/eng_Latn"].parts[0], Video
    )
    assert found["audio/1/eng_Latn"].parts[1] == Text("Write down what is said.")
    assert [type(part) for part in found["text/1/eng_Latn"].parts] == [Text]


def test_rows_that_ask_the_same_are_one_question() -> None:
    text = load()["text/1/eng_Latn"]
    assert text.references == ("org/translate", "org/french"), "the second row has another tool, in another spelling"
    assert text.group == {"input": "text", "ambiguity": "2", "onetomulti": "yes", "known": "yes"}
    audio = load(split="audio")
    assert {name: one.references for name, one in audio.items()} == {
        "audio/1/eng_Latn": ("org/a", "org/b"),
        "audio/3/eng_Latn": ("unknown",),
    }
    assert audio["audio/1/eng_Latn"].group["ambiguity"] == "5" and audio["audio/3/eng_Latn"].group["known"] == "no"
    assert load(split="video").keys() == {"video/1/eng_Latn", "video/3/eng_Latn"}


def test_scores() -> None:
    sample, scorer = load()["text/1/eng_Latn"], ToolSet()
    right = ["org/french\nbecause it speaks French", "\n`org/translate`"]
    assert [scorer.stats(sample, Output(text=text))[0] for text in right] == [1, 1]
    assert list(scorer.stats(sample, Output(text="org/made-up"))) == [0, 1, 0, 1], "there is no such tool"
    assert list(scorer.stats(sample, Output(text="org/words"))) == [0, 1, 0, 0]
    assert load(tools=False)["text/1/eng_Latn"].choices == ()
    assert len(load()["text/1/eng_Latn"].choices) == 8


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rows: rows[1].update(image_path="1/8.jpg"), r"row 1: no recording .*image/1/8.jpg in "),
        (lambda rows: rows[1].update(image_path=""), r"row 1: input_modality is image, but it has 0 files"),
        (lambda rows: rows[1]["conversations"].pop(), r"row 1: its conversation has no turn of gpt"),
        (lambda rows: rows[1]["conversations"][1].update(value=[" "]), r"row 1: names no tool"),
        (lambda rows: rows[2].update(id=1), r"image/1/eng_Latn is there twice with two questions"),
    ],
)
def test_bad_rows(edited: Any, edit: Callable[[list[dict[str, Any]]], Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(edited(edit))


def test_settings_and_card(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="split='train' is not known"):
        ToolMMBench(split="train")
    with pytest.raises(UsageError, match=r"no image_tx2t.json or T\+X-T_data/image_tx2t.json"):
        load(split="image")
    card = ToolMMBench(location="fixture://tool_mmbench").card
    assert card.languages == ("eng_Latn",) and card.licence.startswith("MIT")
    assert card.content != ToolMMBench(location="fixture://tool_mmbench", split="audio").card.content


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published files are not here")
def test_published_files(tmp_path: Path) -> None:
    shutil.copy(PUBLISHED / "combined_data.head120.json", tmp_path / "combined_data.json")
    shutil.copy(PUBLISHED / "video_tx2t.json", tmp_path)
    for name in ("combined_data", "video_tx2t"):
        for row in json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")):
            for kind, folder in (("image", "image/"), ("audio", "audio/"), ("video", "")):
                if row[f"{kind}_path"]:
                    path = tmp_path / "mm_dataset" / (folder + row[f"{kind}_path"])
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(b"media")
    video = load(tmp_path, split="video")
    assert len(video) == 82, "224 rows ask 82 questions"
    assert Counter(one.group["onetomulti"] for one in video.values()) == {"yes": 46, "no": 36}
    sport = video["video/1/eng_Latn"]
    assert len(sport.references) == 4 and sport.parts[1] == Text("What sport is being played in the video?")
    assert len({name for one in video.values() for name in one.references}) == 10 == len(sport.choices)
    assert len(load(tmp_path)) <= 120
