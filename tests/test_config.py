from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mmbench.config import build, compose, conf_dir, load, names, resolve
from mmbench.errors import UsageError
from mmbench.models.echo import Echo
from mmbench.task import Task

if TYPE_CHECKING:
    from pathlib import Path


def test_build_makes_objects_without_omegaconf_in_them() -> None:
    cfg = compose(["task=voice_prompts_asr", "model=echo", "task.languages=[eng,fra]"])
    task = build(resolve(cfg.task))
    assert isinstance(task, Task)
    assert type(task.languages) is list
    assert type(task.scorers) is dict


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.open",
        "subprocess.Popen",
        "mmbench.store.os.unlink",
        "mmbench.identity.subprocess.run",
        "mmbenchx.evil",
        "loaders.manifest.Path.unlink",
    ],
)
def test_targets_outside_the_project_are_refused(target: str) -> None:
    with pytest.raises(UsageError, match="_target_") as refused:
        build({"_target_": target})
    assert "\n" not in str(refused.value)


def test_nested_targets_are_checked_too() -> None:
    with pytest.raises(UsageError, match=r"llm\.stages\[0\]"):
        build({"llm": {"stages": [{"_target_": "os.getcwd"}]}})


def test_a_prefix_that_the_user_names_is_allowed() -> None:
    assert build({"_target_": "fractions.Fraction", "numerator": 3}, allow=["fractions"]) == 3


def test_a_prefix_ends_at_a_dot() -> None:
    with pytest.raises(UsageError, match="outside"):
        build({"_target_": "fractions.Fraction"}, allow=["frac"])


def test_a_target_that_does_not_exist_is_one_line() -> None:
    with pytest.raises(UsageError, match="cannot be imported") as refused:
        build({"_target_": "mmbench.models.echo.Ekho"})
    assert "\n" not in str(refused.value)


def test_a_wrong_argument_names_the_class_and_the_argument() -> None:
    with pytest.raises(UsageError, match=r"Echo refuses its settings.*'bogus'"):
        build({"_target_": "mmbench.models.echo.Echo", "bogus": 1})


def test_our_own_errors_come_through_as_they_are() -> None:
    with pytest.raises(UsageError, match=r"^wer: unknown unit 'phone'"):
        build({"_target_": "mmbench.scorers.edit.ErrorRate", "name": "wer", "unit": "phone"})


def test_load_replaces_settings_and_refuses_unknown_ones() -> None:
    assert load("model", "echo", {"rate": 8000}) == Echo(rate=8000)
    with pytest.raises(UsageError, match="no setting speed"):
        load("model", "echo", {"speed": 2})
    with pytest.raises(UsageError, match="did you mean echo"):
        load("model", "ecko")


def test_conf_is_found() -> None:
    assert (conf_dir() / "config.yaml").is_file()
    assert "echo" in names("model")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["task=fleurs_asd", "model=echo"], "task 'fleurs_asd' is not known; did you mean fleurs_asr or "),
        (["task=nope", "model=echo"], "task 'nope' is not known; 'mmbench list tasks' shows all "),
        (["task=voice_prompts_asr"], "You must specify 'model'"),
        (["task=voice_prompts_asr", "model=echo", "nope=1"], "Could not override 'nope'"),
        (["task=voice_prompts_asr", "model=echo", "model.nope=1"], "Could not override 'model.nope'"),
        (["task=voice_prompts_asr", "model=cascade", "model@model.asr=nope"], "model 'nope' is not known"),
    ],
)
def test_a_wrong_override_is_one_line(overrides: list[str], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        compose(overrides)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_a_missing_value_is_named() -> None:
    with pytest.raises(UsageError, match=r"^name has no value in its config; give one: name="):
        resolve(compose(["task=voice_prompts_asr", "model=ctc"]).model)


def test_a_stage_is_picked_from_the_model_group(tmp_path: Path) -> None:
    cfg = compose(["task=voice_prompts_asr", "model=cascade", "model@model.asr=gold", "model@model.llm=echo"])
    model = build(resolve(cfg)["model"])
    assert model.name == "gold+echo"
    assert model.offers("generate")


@pytest.mark.parametrize("target", ["mmbench.config.build", "mmbench.cli.main", "mmbench.store.write_atomic"])
def test_functions_are_no_targets(target: str) -> None:
    with pytest.raises(UsageError, match="is no class"):
        build({"_target_": target})


def test_references_are_not_resolved_after_the_check() -> None:
    """`${oc.create:...}` could make a target out of text that the check has passed."""
    text = "${oc.env:HOME}"
    assert build({"_target_": "mmbench.models.echo.Echo", "name": text}).name == text


def test_cascades_are_named_by_their_stages() -> None:
    cfg = compose(["task=voice_prompts_asr", "model=cascade_mt", "model@model.llm=echo", "model@model.mt=gold"])
    assert resolve(cfg)["model"]["name"] == "faster_whisper_tiny_en+gold+echo"
    cfg = compose(["task=voice_prompts_asr", "model=cascade_s2tt"])
    assert resolve(cfg)["model"]["name"] == "whisper_large_v3_translate+smollm2_135m"
