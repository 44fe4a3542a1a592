"""X-LLM's visual instructions: questions, GPT-4's answers and images joined by id, and judged as sum by sum."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.judgements import Judgements
from loaders.x_llm import XLlm
from mmbench.config import build, compose, resolve
from mmbench.config import load as configured
from mmbench.errors import UsageError
from mmbench.models.echo import Echo, Gold
from mmbench.predict import predict
from mmbench.records import Record
from mmbench.schema import Image, Output, Prediction, Text
from mmbench.score import score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmbench.schema import Sample


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("x_llm")


@pytest.fixture
def copied(stand_in: Path, tmp_path: Path) -> Path:
    shutil.copytree(stand_in, tmp_path / "copy")
    return tmp_path / "copy"


def load(location: object = "fixture://x_llm", **settings: Any) -> dict[str, Sample]:
    loader = XLlm(location=str(location), **settings)
    found = {one.id: one for one in loader}
    assert loader.count == len(found)
    return found


def test_samples() -> None:
    found = load()
    assert list(found) == [f"{number}/eng_Latn" for number in range(6)]
    picture, text = found["4/eng_Latn"].parts
    assert isinstance(picture, Image) and isinstance(text, Text)
    assert Path(str(picture.source)).read_bytes() == drawing("000000000002.jpg", kind="JPEG")
    assert text.text == "Describe this picture in detail."
    assert found["4/eng_Latn"].references == ("Sixteen tiles (000000000002.jpg).",), "answers are joined by id"
    assert found["4/eng_Latn"].group == {
        "category": "detail",
        "image": "000000000002.jpg",
        "context": 'Tiles of many colours.\n{"tile": [0, 0, 16, 16]}',
    }
    assert {one.group["category"] for one in load(category="complex").values()} == {"complex"}
    assert next(iter(load(language="zh"))) == "0/zho_Hans"


def test_only_the_questions_are_needed(copied: Path) -> None:
    for name in ("qa90_gpt4_answer.jsonl", "caps_boxes_coco2014_val_80.jsonl"):
        (copied / name).unlink()
    lines = (copied / "qa90_questions.jsonl").read_text(encoding="utf-8").splitlines()
    (copied / "qa90_questions.jsonl").unlink()
    (copied / "questions.json").write_text(f"[{','.join(lines)}]", encoding="utf-8")
    (copied / "val2014").rename(copied / "images")
    found = load(copied)
    assert len(found) == 6 and all(not one.references and "context" not in one.group for one in found.values())


@pytest.mark.parametrize(
    ("name", "row", "change", "message"),
    [
        ("qa90_questions.jsonl", 0, {"image": "9.jpg"}, r"question 0: no image 9.jpg, or it is empty"),
        ("qa90_questions.jsonl", 0, {"category": "other"}, r"question 0: category 'other' is none of conv, detail"),
        ("qa90_questions.jsonl", 0, {"text": None}, r"question 0: has no text"),
        ("qa90_questions.jsonl", 1, {"question_id": 0}, r"qa90_questions.jsonl: question_id 0 is there twice"),
        ("qa90_gpt4_answer.jsonl", 0, {"question_id": 77}, r"question 5: GPT-4's answers lack it"),
    ],
)
def test_bad_files(copied: Path, name: str, row: int, change: dict[str, Any], message: str) -> None:
    rows = [json.loads(line) for line in (copied / name).read_text(encoding="utf-8").splitlines()]
    rows[row].update(change)
    (copied / name).write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        list(XLlm(location=str(copied)))


def test_settings_and_card() -> None:
    with pytest.raises(UsageError, match="category='chat' is not known"):
        XLlm(category="chat")
    card = XLlm(location="fixture://x_llm").card
    assert card.languages == ("eng_Latn",) and "COCO" in card.licence


def test_judged_beside_gpt_4(tmp_path: Path) -> None:
    answered = resolve(compose(["+task=x_llm_instructions", "+data.x_llm=fixture://x_llm"], name="empty"))["task"]
    for model in (Echo(), Gold()):
        predict(build(answered), model, tmp_path / f"{model.name}.jsonl", batch_size=4)
    chosen = ["+task=judge_x_llm", "task.name=judge_mine"]
    chosen += [f"task.loader.path={tmp_path / 'echo.jsonl'}", f"task.loader.against={tmp_path / 'gold.jsonl'}"]
    task = build(resolve(compose(chosen, name="empty"))["task"])
    assert isinstance(task.loader, Judgements)
    asked = list(task.samples())
    assert len(asked) == 12, "both orders"
    [text] = next(one for one in asked if one.id == "0/eng_Latn#ab").parts
    assert isinstance(text, Text) and "Tiles of many colours." in text.text and "How many tiles are there?" in text.text
    assert "<image 64x64>" in text.text and "Sixteen tiles (000000000001.jpg)." in text.text


def test_the_score_is_sum_by_sum() -> None:
    """Seeds: 100 x sum of the model / sum of GPT-4, not the mean of the ratios."""
    marks = {"0": (2, 10), "1": (9, 9)}
    records = []
    for name, (ours, theirs) in marks.items():
        for order, said in (("ab", f"{ours} {theirs}"), ("ba", f"{theirs} {ours}")):
            sample = load()[f"{name}/eng_Latn"]
            group = {**sample.group, "pair": sample.id, "order": order}
            own = type(sample)(id=f"{sample.id}#{order}", language="eng_Latn", parts=sample.parts, group=group)
            records.append(Record(own, Prediction(sample_id=own.id, language="eng_Latn", output=Output(text=said))))
    rows = score(records, {"r": configured("scorer", "judge_relative")}, task="t", model="m", method="generate")
    value = next(row.value for row in rows if row.language == "eng_Latn")
    assert value == pytest.approx(100 * 11 / 19) and value != pytest.approx(100 * (0.2 + 1) / 2)
