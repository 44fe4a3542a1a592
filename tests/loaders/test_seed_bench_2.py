from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.fixtures.seed_bench_2 import FRAMES, PICTURES, row, rows
from loaders.seed_bench_2 import FILE, SeedBench2, asked
from mmbench.errors import UsageError
from mmbench.identity import describe
from mmbench.schema import Image, Sample, Text, Video

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURE = "fixture://seed_bench_2"
Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "seed_bench_2"))


def ids(**settings: Any) -> list[str]:
    return [one.id.partition("/")[0] for one in SeedBench2(location=FIXTURE, **settings)]


def by_id(loader: SeedBench2) -> dict[str, Sample]:
    return {one.id.partition("/")[0]: one for one in loader}


def shown(one: Sample) -> list[str]:
    """The parts in order, pictures by the names of their drawings."""
    names = {
        drawing(name, kind=kind): name
        for each in rows()
        for name in ([each["data_id"]] if isinstance(each["data_id"], str) else each["data_id"])
        for kind in ("PNG", "JPEG")
    }
    return [part.text if isinstance(part, Text) else names[Path(str(part.source)).read_bytes()] for part in one.parts]


def test_questions() -> None:
    found = by_id(SeedBench2(location=FIXTURE))
    assert list(found) == ["5_0", "5_1", "12_0", "17_0", "19_0", "23_0", "24_0"]
    assert [one.answer for one in found.values()] == [0, 1, 2, 3, 1, 0, 2], "keys with spaces around them too"
    assert found["5_0"].choices == ("Red", "Green", "Blue", "Grey")
    assert found["5_1"].choices == ("Red", "Green", "Green", "Grey"), "options that are the same text are kept"
    assert found["17_0"].group == {
        "dimension": "17",
        "dimension_name": "Difference Spotting",
        "part": "multiple_images",
        "level": "L1",
        "source": "SEED-Bench v2",
    }
    assert [one.group["part"] for one in found.values()][4:] == ["video", "interleaved", "interleaved"]
    assert SeedBench2(location=FIXTURE).count == 7


def test_which_picture_stands_where() -> None:
    """The interface for Qwen-VL in the benchmark's repository shows the last picture first, and shifts the others."""
    found = by_id(SeedBench2(location=FIXTURE))
    assert shown(found["5_1"]) == ["1000002_2000002", "Which colour is the last tile?"]
    assert shown(found["17_0"])[:2] == ["task17/made_up/1.png", "task17/made_up/2.png"]
    assert shown(found["19_0"]) == [*FRAMES, "What happens at the end?"]
    captions = [": The tiles are red. ", ": The tiles are blue. ", ":"]
    assert shown(found["23_0"]) == [each for pair in zip(PICTURES, captions, strict=True) for each in pair]


def test_pictures_in_options_are_shown_behind_the_question_and_named_in_the_choices() -> None:
    one = by_id(SeedBench2(location=FIXTURE))["24_0"]
    assert shown(one) == [
        "Here is ",
        PICTURES[0],
        " and this. Which comes next?\n[image 2] ",
        PICTURES[1],
        "\n[image 3] ",
        PICTURES[2],
    ]
    assert one.choices == ("The first", "[image 2]", "Neither [image 3]", "Both")


def test_marks_and_pictures_that_do_not_match_are_refused() -> None:
    pictures = [Image(b"1"), Image(b"2")]
    with pytest.raises(UsageError, match="23_9: 3 <img> for 2 pictures"):
        asked("<img> <img>", ("<img>",), pictures, "23_9")
    with pytest.raises(UsageError, match="23_9: 1 <img> for 2 pictures"):
        asked("<img>", (), pictures, "23_9")
    assert asked("no mark", ("a",), pictures, "") == ((*pictures, Text("no mark")), ("a",))


def test_what_has_images_as_output_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    loader = SeedBench2(location=FIXTURE)
    assert list(loader) == list(loader) and loader.count == 7
    (said,) = caplog.messages
    assert "unsupported, not scored" in said
    assert said.endswith("25 Text-to-Image Generation 2, 26 Next Image Prediction 1, 27 Text-Image Creation 1")
    caplog.clear()
    assert ids(up_to="L2") == ids(parts=None) and ids(levels=["L3"]) == []
    assert len(caplog.messages) == 2, "those of L3 are not asked for with up_to=L2"


def test_selection() -> None:
    assert ids(levels=["L2"]) == ["23_0", "24_0"]
    assert ids(up_to="L1") == ["5_0", "5_1", "12_0", "17_0", "19_0"]
    assert ids(up_to="L2") == ids(), "L2 is L1 and L2, as eval.py has it"
    assert ids(parts=["video", "multiple_images"]) == ["17_0", "19_0"]
    assert ids(dimensions=[5, 24]) == ["5_0", "5_1", "24_0"]
    assert ids(dimensions=[2]) == [], "no dimension 12 or 23 for 2"
    assert ids(parts=["single_image"], dimensions=[12, 17]) == ["12_0"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parts": ["image"]}, "parts='image' is not known: give one of single_image, multiple_images"),
        ({"parts": "video"}, r"parts='video': write a list, as in parts=\[single_image\]"),
        ({"dimensions": [26]}, "dimensions: 26 is none of 1 to 24; 25 to 27 have images as output"),
        ({"levels": ["L4"]}, "levels='L4' is not known"),
        ({"up_to": "L2", "levels": ["L1"]}, "up_to=L2 and levels: give one of the two"),
        ({"languages": ["fr"]}, "languages: fra_Latn not in the dataset"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SeedBench2(location=FIXTURE, **settings)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[Callable[[Rows], None]], SeedBench2]:
    def make(change: Callable[[Rows], None]) -> SeedBench2:
        folder = shutil.copytree(fixture("seed_bench_2"), tmp_path / "copy")
        given = rows()
        change(given)
        (folder / FILE).write_text(json.dumps(given), encoding="utf-8")  # a plain list, which eval.py reads as well
        return SeedBench2(location=str(folder))

    return make


def missing(given: Rows) -> None:
    given[4]["data_id"][2] = "task19/made_up_frames/clip/9.png"


def twice(given: Rows) -> None:
    given[1]["question_id"] = "5_0"


def keyless(given: Rows) -> None:
    given[0]["answer"] = "E"


def sourceless(given: Rows) -> None:
    given[0]["data_source"] = "coco"


def of_the_first_benchmark(given: Rows) -> None:
    given[0] = {**row("10_0", "What happens?", "1.webm"), "level": None}


def outside(given: Rows) -> None:
    given[0]["data_id"] = "../seed_bench_2.json"


def numberless(given: Rows) -> None:
    given[0]["question_type_id"] = 31


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (missing, "19_0: no task19/made_up_frames/clip/9.png in .*SEED-Bench-2-image"),
        (twice, "question_id 5_0 is there twice"),
        (keyless, "5_0: answer 'E' is none of A to D"),
        (sourceless, "5_0: data_source='coco' is not known: give one of cc3m, SEED-Bench v2"),
        (of_the_first_benchmark, "10_0: has no level"),
        (outside, "5_0: no ../seed_bench_2.json"),
        (numberless, "5_0: question_type_id 31 is none of 1 to 27"),
    ],
)
def test_damaged_files(
    edited: Callable[[Callable[[Rows], None]], SeedBench2], change: Callable[[Rows], None], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        list(edited(change))


def test_a_video_file_is_a_video(edited: Callable[[Callable[[Rows], None]], SeedBench2]) -> None:
    def filmed(given: Rows) -> None:
        given[4] |= {"data_id": "task20/1.webm"}

    loader = edited(filmed)
    path = Path(loader.location) / "SEED-Bench-2-image" / "task20" / "1.webm"
    path.parent.mkdir()
    path.write_bytes(b"film")
    assert by_id(loader)["19_0"].parts[0] == Video(path)

    cut = {**row("19_0", "What happens?", ["task20/1.webm"]), "segment": [18, 166]}
    (Path(loader.location) / FILE).write_text(json.dumps([cut]), encoding="utf-8")
    with pytest.raises(UsageError, match="19_0: a segment of a video file"):
        list(SeedBench2(location=loader.location))


def test_pictures_beside_the_file_are_found_too(tmp_path: Path) -> None:
    folder = shutil.copytree(fixture("seed_bench_2"), tmp_path / "copy")
    for name in ("cc3m-image", "SEED-Bench-2-image"):
        for path in (folder / name).iterdir():
            shutil.move(path, folder / path.name)
    found = SeedBench2(location=str(folder))
    assert [shown(one) for one in found] == [shown(one) for one in SeedBench2(location=FIXTURE)]


def test_location_and_card(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="archives of several volumes; download and unpack them"):
        SeedBench2().validate()
    (tmp_path / FILE).write_text('{"questions": 3}', encoding="utf-8")
    with pytest.raises(UsageError, match="has no list of questions"):
        SeedBench2(location=str(tmp_path)).validate()
    card = SeedBench2(location=FIXTURE).card
    assert card.languages == ("eng_Latn",) and card.licence.startswith("Apache-2.0")
    settings = describe(SeedBench2(location=FIXTURE, up_to="L2"))
    assert not {"location", "cc3m", "images", "languages"} & set(settings)
