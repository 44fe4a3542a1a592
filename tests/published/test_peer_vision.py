"""Pictures, options and answers that other benchmark suites were seen to lose or misread, from loading to the score.

What is not here is in the tests of the module that it is about: decoding in media/test_image.py, answers in
test_pangea_parser.py, means and missing cells in test_peer_aggregation.py, captions in test_peer_texts.py and in
loaders/test_xm3600.py.
"""

from __future__ import annotations

import base64
import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as pil

from loaders.cmmmu import Cmmmu
from loaders.fixtures.mmbench_tsv import COLUMNS, row
from loaders.m3exam import M3exam
from loaders.m4u import M4u
from loaders.maxm import Maxm
from loaders.mmbench_tsv import MmbenchTsv
from loaders.mmmu import Mmmu
from loaders.mmmu_pro import MmmuPro
from mmbench.config import build, compose, resolve
from mmbench.errors import MediaError
from mmbench.media import load_image
from mmbench.schema import Image, Output, Sample, Text
from mmbench.scorers.choices import parse

if TYPE_CHECKING:
    from pathlib import Path

    from mmbench.task import Task


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))


def task(name: str, fixture: str) -> Task:
    chosen = [f"task={name}", f"task.loader.location=fixture://{fixture}", "model=gold"]
    return build(resolve(compose(chosen)["task"]))  # type: ignore[no-any-return]


def value(asked: Task, scorer: str, sample: Sample, answer: str) -> float:
    chosen = asked.scorers[scorer]
    return float(chosen.reduce(chosen.stats(sample, Output(text=answer))))


def jpeg(mode: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pil.new(mode, (40, 20), (0, 200, 200, 0) if mode == "CMYK" else (200, 0, 0)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def turned() -> bytes:
    exif = pil.Exif()
    exif[0x0112] = 6
    return jpeg("RGB", exif=exif)


@pytest.mark.parametrize(("picture", "shape"), [(jpeg("CMYK"), (40, 20)), (turned(), (20, 40))])
def test_a_picture_of_another_kind_is_neither_dropped_nor_lying(
    tmp_path: Path, picture: bytes, shape: tuple[int, int]
) -> None:
    """VLMEvalKit cannot write CMYK as PNG (PR #1682), which cost SEED-Bench items (ms-swift #10095), and skips EXIF."""
    (tmp_path / "mmmb").mkdir()
    with (tmp_path / "mmmb/mmmb_en.tsv").open("w", encoding="utf-8", newline="") as handle:
        cells = row(1, "What colour?", ("red", "blue"), "A", base64.b64encode(picture).decode())
        csv.writer(handle, delimiter="\t").writerows([COLUMNS, cells])
    (sample,) = MmbenchTsv(location=str(tmp_path))
    (part,) = (part for part in sample.parts if isinstance(part, Image))
    seen = load_image(part)
    assert (seen.width, seen.height) == shape and np.asarray(seen)[..., 0].mean() > 150 > np.asarray(seen)[..., 1].max()


def test_a_picture_that_ends_early_is_an_error_of_its_sample() -> None:
    """VLMEvalKit's `read_ok` opens a file and decodes nothing, so that half of one passes."""
    whole = jpeg("RGB")
    with pytest.raises(MediaError):
        load_image(Image(whole[: len(whole) // 2]))


def test_pictures_stand_in_the_text_and_not_all_before_it() -> None:
    """VLMEvalKit and PangeaBench show all pictures first; MMMU #70 asks in which order."""
    kinds = [[type(part) for part in sample.parts] for sample in M4u(location="fixture://m4u", languages=["en"])]
    assert [Text, Image, Text] in kinds and [Image, Text, Image, Text] in kinds


def test_ten_options_are_not_skipped_for_the_name_of_their_file() -> None:
    """MMMU-Pro's program looks for "(standard|vision)_", which "standard (10 options)" does not match."""
    counts = {name: len(list(task(name, "mmmu_pro").samples())) for name in ("mmmu_pro_letter", "mmmu_pro_4_letter")}
    assert counts == {"mmmu_pro_letter": 4, "mmmu_pro_4_letter": 1}
    (ten, *_) = MmmuPro(location="fixture://mmmu_pro")
    asked = task("mmmu_pro_reasoned", "mmmu_pro")
    assert value(asked, "accuracy_last", ten, "A trunk as of B. Or C.\nAnswer: J") == 1.0, "the ninth letter and later"
    assert value(asked, "accuracy_last", ten, "It is J.\nAnswer: B") == 0.0


def test_options_that_are_the_text_of_a_list_are_no_characters() -> None:
    """M4U's program goes through the characters of "['A cell', ...]", so that no content of an option is found."""
    asked = task("m4u_generated", "m4u")
    for code, answer in (("en", "It shows a star."), ("de", "Einen Stern"), ("zh", "恒星")):
        sample = next(iter(M4u(location="fixture://m4u", languages=[code])))
        assert len(sample.choices) == 3 and value(asked, "accuracy", sample, answer) == 1.0
        assert value(asked, "accuracy", sample, "[") == value(asked, "accuracy", sample, "") == 0.0


def test_the_first_character_is_not_the_answer() -> None:
    """M3Exam compares the first character, so that "The answer is B" is wrong and "Certainly: B" is C."""
    asked = task("m3exam_generated", "m3exam")
    sample = next(iter(M3exam(location="fixture://m3exam", languages=["zh"])))
    assert sample.answer == 1
    for answer in ("The answer is B", "Certainly: B", "(B)", "答案是B", "B"):
        assert value(asked, "accuracy", sample, answer) == 1.0, answer


def test_marks_leave_nothing_behind() -> None:
    """M3Exam writes "(image)[image-12.jpg]": the word before the name belongs to the mark."""
    for sample in M3exam(location="fixture://m3exam"):
        texts = "".join(part.text for part in sample.parts if isinstance(part, Text))
        assert texts.count("(image)") == texts.count("]: "), "it stays before the picture of an option alone"


def test_an_unparsed_answer_does_not_depend_on_what_was_asked_before() -> None:
    """MMMU (#72) and PangeaBench draw an option; the seed is set once, so that the order of questions decides."""
    asked = task("mmmu_generated", "mmmu")
    samples = [sample for sample in Mmmu(location="fixture://mmmu") if sample.choices]
    for order in (samples, samples[::-1], samples * 3):
        assert [value(asked, "mmmu", sample, "I cannot tell.") for sample in order] == [0.0] * len(order)


def test_an_empty_answer_of_maxm_is_wrong_and_marks_of_hindi_and_thai_count() -> None:
    """PangeaBench: `generated in gold` takes an empty answer for right, and vowel signs are deleted."""
    asked = task("maxm", "maxm")
    for sample in Maxm(location="fixture://maxm"):
        right = sample.references[0]
        for scorer in asked.scorers:
            assert value(asked, scorer, sample, right) == 1.0
            assert value(asked, scorer, sample, "") == value(asked, scorer, sample, " .") == 0.0
    hindi = Sample(id="1", language="hin_Deva", references=("दो",))
    thai = Sample(id="2", language="tha_Thai", references=("ไม้",))
    for scorer in asked.scorers:
        assert value(asked, scorer, hindi, "दा") == value(asked, scorer, thai, "ไม") == 0.0


@pytest.mark.parametrize("answer", ["Nothing shows that it is false, so true", "I do not know: true", "true (now)"])
def test_no_in_a_word_is_not_false(answer: str) -> None:
    """PangeaBench's MaRVL: `'no' in pred` is false for each of these."""
    assert parse(answer, ("True", "False")) != 1
    assert parse("False", ("True", "False")) == 1


def test_an_option_that_is_left_out_moves_no_letter() -> None:
    """A table with a hole before the right option would make D of what is C (VLMEvalKit drops what is missing)."""
    for sample in Cmmmu(location="fixture://cmmmu"):
        assert sample.answer is not None and sample.choices[sample.answer] in ("十六块", '<img="21.jpg">')


@pytest.mark.parametrize("name", ["cvqa", "cvqa_english_generated", "maxm", "mtvqa", "xgqa", "xvnli"])
def test_questions_of_one_picture_are_one_cluster(name: str) -> None:
    """No suite but lmms-eval has clusters: intervals take the questions of one picture for independent ones."""
    asked = task(name, name.split("_")[0])
    assert asked.cluster == "image" and all(sample.group["image"] for sample in asked.samples())
