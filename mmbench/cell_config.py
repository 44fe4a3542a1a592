"""What a run says beside task and model: the condition of recordings, demonstrations, and what a model reads instead.

Each makes another cell of the same items, so all stand in its folder's name: `TASK@CONDITION@SHOTS/STAGE+MODEL`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.prompt import CLEAN
from mmbench.shots import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Plain = dict[str, Any]

STAGES = ("asr", "s2tt", "ocr", "caption")
_CASCADE = "mmbench.models.cascade.Cascade"


def task_under(task: Mapping[str, Any], condition: Mapping[str, Any], allow: Sequence[str] = ()) -> Plain:
    """A task's config with the condition in it and in its name."""
    under = condition_label(condition, allow)
    return dict(task) if under == CLEAN else {**task, "name": _under(task["name"], under), "condition": condition}


def task_with(task: Mapping[str, Any], shots: Mapping[str, Any]) -> Plain:
    """A task's config with demonstrations in it and in its name; they come from its own loader, but for `shots.data`.

    Raises:
        UsageError: `shots.data` names a setting that the loader does not have.
    """
    if not shots:
        return dict(task)
    own = dict(shots)
    other = own.pop("data", None) or {}
    if unknown := sorted(set(other) - set(task["loader"])):
        raise UsageError(f"shots.data.{unknown[0]}: the loader of {task['name']} has {', '.join(task['loader'])}")
    own["loader"] = {**task["loader"], **other}
    return {**task, "name": _under(task["name"], label(**shots)), "shots": own}


def condition_label(condition: Mapping[str, Any], allow: Sequence[str] = ()) -> str:
    """Label of a condition's config; that of an empty one is "clean"."""
    return str(build(dict(condition), allow=allow).label) if condition else CLEAN


def model_reading(model: Mapping[str, Any], reads: str, cache: str) -> Plain:
    """A model's config, asked on what `reads` says: the recording itself or a text of it.

    Args:
        model: config of the model that answers.
        reads: "audio", the media themselves; "gold", the reference transcript; "asr:MODEL" or "s2tt:MODEL", what
            another model of the group says of a recording, in its language or in English; "ocr:MODEL" or
            "caption:MODEL", what it reads in an image or says of it.
        cache: file that keeps what stages said.

    Raises:
        UsageError: `reads` is none of these.
    """
    stage, name = _parsed(reads)
    if stage is None:
        return dict(model)
    if model.get("_target_") == _CASCADE:
        raise UsageError(f"input={reads}: {model['name']} is a cascade, which has its own stages; use input=audio")
    try:
        said = resolve(compose([f"+model={name}"], name="empty")["model"])
    except UsageError as error:
        raise UsageError(f"input={reads}: {error}") from error
    made = {"_target_": _CASCADE, "name": f"{said['name']}+{model['name']}", stage: said, "llm": dict(model)}
    return made if name == "gold" or said["_target_"].endswith(".Published") else {**made, "cache": cache}


def check_heard(reads: str, condition: Mapping[str, Any], model: Mapping[str, Any], allow: Sequence[str] = ()) -> None:
    """Refuse a condition where no recording is heard: texts that were there before would seem to bear any noise.

    Raises:
        UsageError: the model reads reference transcripts or published texts.
    """
    under = condition_label(condition, allow)
    stages = [str((model.get(stage) or {}).get("_target_")) for stage in STAGES]
    if under != CLEAN and any(stage.endswith((".Gold", ".Published")) for stage in stages):
        what = f"input={reads}" if reads != "audio" else f"model {model.get('name')}"
        raise UsageError(f"condition {under}: {what} reads texts and hears no recording; use condition=clean")


def cell_name(
    task: str,
    condition: Mapping[str, Any],
    shots: Mapping[str, Any],
    model: str,
    reads: str,
    allow: Sequence[str],
) -> str:
    """Folder of a cell below that of the results, as Hydra needs it for the log before anything is built."""
    _, name = _parsed(reads)
    shown = _under(_under(task, condition_label(condition, allow)), label(**shots) if shots else CLEAN)
    return f"{shown}/{model if name is None else f'{name}+{model}'}"


def _under(task: str, what: str) -> str:
    """Name of a task under a condition, or with demonstrations."""
    return task if what == CLEAN else f"{task}@{what}"


def _parsed(reads: str) -> tuple[str | None, str | None]:
    """Stage of the cascade and name of the model in it."""
    if reads == "audio":
        return None, None
    if reads == "gold":
        return "asr", "gold"
    stage, _, name = str(reads).partition(":")
    if stage not in STAGES or not name:
        raise UsageError(f"input={reads}: give audio, gold, or STAGE:MODEL with a stage of {', '.join(STAGES)}")
    return stage, name
