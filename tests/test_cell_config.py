"""What a run says beside task and model: conditions and what is read instead of a recording."""

from __future__ import annotations

from typing import Any

import pytest

from mmbench.cell_config import cell_name, check_heard, condition_label, model_reading, task_under, task_with
from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.models.cascade import Cascade
from mmbench.models.echo import Gold

READER = {"_target_": "mmbench.models.echo.Echo", "name": "reader"}
NOISE = {"_target_": "mmbench.media.conditions.Noise", "snr": 5}


def test_audio_leaves_a_model_as_it_is() -> None:
    assert model_reading(READER, "audio", "cache") == READER


def test_gold_puts_the_transcript_before_the_model() -> None:
    made: Any = build(model_reading(READER, "gold", "cache"))
    assert isinstance(made, Cascade)
    assert (made.name, type(made.asr), made.cache) == ("gold+reader", Gold, None)


@pytest.mark.parametrize("stage", ["asr", "s2tt"])
def test_another_model_puts_its_text_before_the_model(stage: str) -> None:
    made: Any = build(model_reading(READER, f"{stage}:whisper_tiny_en", "cache"))
    assert made.name == "whisper_tiny_en+reader"
    assert getattr(made, stage).name == "whisper_tiny_en"
    assert made.cache == "cache"


def test_the_same_cascade_is_the_same_model_by_either_way() -> None:
    """`input=asr:X model=Y` goes on with the cell that `model=cascade` with the two began."""
    from mmbench.identity import describe

    written = resolve(
        compose(["+model=cascade", "model@model.asr=echo", "model@model.llm=gold"], name="empty")["model"]
    )
    llm = resolve(compose(["+model=gold"], name="empty")["model"])
    assert describe(build(written)) == describe(build(model_reading(llm, "asr:echo", "cache")))


@pytest.mark.parametrize("reads", ["asr", "asr:", "text", "", "mt:echo"])
def test_what_is_no_input_is_refused(reads: str) -> None:
    with pytest.raises(UsageError, match="give audio, gold, or STAGE:MODEL with a stage of asr, s2tt"):
        model_reading(READER, reads, "cache")


def test_an_unknown_stage_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="is not known; did you mean whisper"):
        model_reading(READER, "asr:whisper_tin", "cache")


def test_a_cascade_has_its_own_stages() -> None:
    cascade = resolve(compose(["+model=cascade"], name="empty")["model"])
    with pytest.raises(UsageError, match="is a cascade"):
        model_reading(cascade, "gold", "cache")


def test_a_condition_is_in_the_task_and_in_its_name() -> None:
    task = {"_target_": "mmbench.task.Task", "name": "asr"}
    under = task_under(task, NOISE)
    assert under["name"] == f"asr@{condition_label(NOISE)}"
    assert under["condition"] == NOISE
    assert task_under(task, {}) == task
    assert task_under(task, {**NOISE, "snr": float("inf")}) == task, "no noise is the clean cell"


def test_folders_are_those_of_the_cells() -> None:
    assert cell_name("asr", {}, {}, "whisper", "audio", ()) == "asr/whisper"
    assert cell_name("asr", {}, {}, "llm", "gold", ()) == "asr/gold+llm"
    label = condition_label(NOISE)
    assert cell_name("asr", NOISE, {}, "llm", "s2tt:whisper", ()) == f"asr@{label}/whisper+llm"


@pytest.mark.parametrize("reads", ["gold", "asr:published_whisper", "s2tt:published_whisper_translation"])
def test_texts_that_were_there_before_bear_no_noise(reads: str) -> None:
    with pytest.raises(UsageError, match=f"condition noise_white_5dB: input={reads} reads texts"):
        check_heard(reads, NOISE, model_reading(READER, reads, "cache"))
    check_heard(reads, {}, model_reading(READER, reads, "cache"))
    check_heard("asr:whisper_tiny_en", NOISE, model_reading(READER, "asr:whisper_tiny_en", "cache"))


SHOTS = {"_target_": "mmbench.shots.Shots", "count": 4, "seed": 2, "language": "en", "data": {"split": "train"}}


def test_demonstrations_are_in_the_name_and_have_data_of_their_own() -> None:
    task = {
        "_target_": "mmbench.task.Task",
        "name": "topic",
        "loader": {"_target_": "x.Y", "split": "test", "root": "r"},
    }
    shown = task_with(task, SHOTS)
    assert shown["name"] == "topic@4shot_eng_Latn_seed2"
    assert shown["shots"]["loader"] == {"_target_": "x.Y", "split": "train", "root": "r"}
    assert shown["loader"]["split"] == "test", "questions stay where they are"
    assert "data" not in shown["shots"]
    assert task_with(task, {}) == task
    assert cell_name("topic", {}, SHOTS, "llm", "audio", ()) == f"{shown['name']}/llm"
    with pytest.raises(UsageError, match=r"shots\.data\.splt: the loader of topic has _target_, split, root"):
        task_with(task, {**SHOTS, "data": {"splt": "train"}})


@pytest.mark.parametrize("stage", ["ocr", "caption"])
def test_images_are_read_by_a_stage_like_recordings(stage: str) -> None:
    made = model_reading({"_target_": "mmbench.models.echo.Echo", "name": "llm"}, f"{stage}:echo", "stages.sqlite")
    assert made["name"] == "echo+llm"
    assert made[stage]["_target_"] == "mmbench.models.echo.Echo"
