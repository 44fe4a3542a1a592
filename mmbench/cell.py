"""One cell, (task, model): answer what is missing, write run.json first and scores.jsonl last, under a lock."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from mmbench import languages
from mmbench.errors import CellError, UsageError
from mmbench.identity import describe, environment
from mmbench.predict import Outcome, predict
from mmbench.progress import Progress
from mmbench.score import read_records, score
from mmbench.store import dumps, finite, locked, open_run, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mmbench.records import Record
    from mmbench.schema import Model, Score
    from mmbench.task import Task

log = logging.getLogger(__name__)

FORMAT = 1
"""Version of the files of a cell; another one cannot be continued."""


class TooManyFailed(CellError):
    """More samples failed than `max_failed` allows; the scores are there all the same, with the failed as wrong."""

    def __init__(self, message: str, scores: list[Score], outcome: Outcome) -> None:
        """Keep what was reached."""
        super().__init__(message)
        self.scores, self.outcome = scores, outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a cell is run. None of it changes an answer.

    Args:
        batch_size: samples a batch.
        limit: samples of each language; None is all.
        max_failed: share of failed samples above which the cell fails.
        retry_failed: whether samples that failed before are tried again.
        progress: whether to show a bar, or lines where the output is no terminal.
    """

    batch_size: int = 8
    limit: int | None = None
    max_failed: float = 0.01
    retry_failed: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        """Refuse what makes no sense; the values come from a command line."""
        for name, kind in (("batch_size", int), ("limit", int), ("max_failed", int | float), ("retry_failed", bool)):
            value = getattr(self, name)
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                if name != "limit" or value is not None:
                    wanted = {"limit": "a whole number or null", "batch_size": "a whole number"}.get(name, "a number")
                    raise UsageError(f"{name}={value!r}: must be {'true or false' if kind is bool else wanted}")
        if self.batch_size < 1:
            raise UsageError(f"batch_size={self.batch_size}: must be at least 1")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"limit={self.limit}: must be at least 1, or null for all samples")
        if not 0 <= self.max_failed <= 1:
            raise UsageError(f"max_failed={self.max_failed}: must be a share between 0 and 1")


def folder_of(results: Path, task: str, model: str) -> Path:
    """Folder of a cell: named by content, never by time, so that the same command finds it again."""
    for what, name in (("task.name", task), ("model.name", model)):
        if not re.fullmatch(r"[\w.+@=-]{1,200}", name) or name.startswith("."):
            raise UsageError(f"{what}={name!r}: must be a file name of letters, digits and _ . + @ = -")
    return results / task / model


def run_cell(
    task: Task,
    model: Model,
    results: Path,
    settings: Settings,
    *,
    config: Mapping[str, Any] | None = None,
) -> tuple[list[Score], Outcome]:
    """Run a cell, or what is missing of it.

    Args:
        task: what is asked.
        model: who answers.
        results: folder of all results.
        settings: how to run it.
        config: the resolved configuration, kept in run.json for people.

    Returns:
        The scores and what the loop did.

    Raises:
        CellError: the model cannot be loaded, the cell is in use, or more than `max_failed` of the samples failed.
        UsageError: the data are wrong, or the cell was begun with other settings.
    """
    task.check(model)
    if not is_dataclass(model):
        raise UsageError(f"model {model.name}: {type(model).__name__} must be a dataclass: run.json keeps its fields")
    validate = getattr(task.loader, "validate", None)
    if validate is not None:
        validate()
    folder = folder_of(results, task.name, model.name)
    with locked(folder):
        run = {"format": FORMAT, "fingerprint": fingerprint(task, model)}
        if (folder / "run.json").exists():
            open_run(folder, run)  # refuse before a model is loaded
        elif (folder / "predictions.jsonl").exists():
            raise UsageError(f"{folder}: has predictions.jsonl but no run.json to say whose they are; move it away")

        def begin() -> None:
            found = device(model)
            check_precision(folder, found)
            open_run(folder, {**run, "environment": {**environment(), **found}, "config": config})

        with Progress(f"{task.name} / {model.name}", counted(task, settings.limit), enabled=settings.progress) as show:
            outcome = predict(
                task,
                model,
                folder / "predictions.jsonl",
                batch_size=settings.batch_size,
                limit=settings.limit,
                retry_failed=settings.retry_failed,
                begin=begin,
                progress=show.update,
            )
        if outcome.selected == 0:  # before the scores there are replaced
            has = ", ".join(task.loader.card.languages[:20]) or "none"
            raise CellError(f"task {task.name}: no sample is selected; look at task.languages; the data have {has}")
        scores = score_cell(task, model.name, folder)
        if config is not None:
            keep_config(folder, config)
    log.info("%s / %s: %d answered now, %d before, %d failed", task.name, model.name, *counts(outcome))
    if outcome.failed > settings.max_failed * outcome.selected:
        raise TooManyFailed(
            f"{task.name} / {model.name}: {outcome.failed} of {outcome.selected} samples failed, more than max_failed="
            f"{settings.max_failed:g} allows; look at {folder / 'predictions.jsonl'}, then retry_failed=true",
            scores,
            outcome,
        )
    return scores, outcome


def counts(outcome: Outcome) -> tuple[int, int, int]:
    """Answered now, answered before, failed."""
    return outcome.answered, outcome.resumed, outcome.failed


def score_cell(task: Task, model: str, folder: Path) -> list[Score]:
    """Score all answers of a cell and replace scores.jsonl.

    All of them, also where a run selected fewer: the scores are those of the predictions beside them, whatever was
    run last.
    """
    path = folder / "predictions.jsonl"
    if not path.exists():
        return []
    found = list(read_records(path, strict=False).values())
    say_notes(found, f"{task.name} / {model}")
    scores = score(found, task.scorers, task=task.name, model=model, method=task.protocol, cluster=task.cluster)
    say_absent(task, scores)
    write_atomic(folder / "scores.jsonl", "".join(dumps(asdict(row)) + "\n" for row in scores))
    return scores


def say_absent(task: Task, scores: Sequence[Score]) -> None:
    """Say which languages were asked for and are not in the data: a mean without them is one over fewer languages."""
    wanted = {languages.tag(code) for code in task.languages or ()}
    if absent := sorted(wanted - {row.language for row in scores}):
        log.warning("%s: no sample of %s, which task.languages asks for", task.name, ", ".join(absent))


def say_notes(records: Sequence[Record], where: str) -> None:
    """Say how many answers are not simply those to the sample as it was, as where a recording had to be cut."""
    noted = [notes for record in records if (output := record.prediction.output) and (notes := output.notes)]
    if noted:
        log.warning(
            "%s: %d of %d answers have a note in predictions.jsonl, such as: %s",
            where,
            len(noted),
            len(records),
            noted[0][0],
        )


def fingerprint(task: Task, model: Model) -> dict[str, Any]:
    """What decides about answers: data, question and model. Scorers, limits and batch sizes do not.

    Of the loader its settings count too, but for the fields that do not compare: those say where the data are.
    """
    card = task.loader.card
    data = {"name": card.name, "revision": card.revision, "content": card.content, "loader": describe(task.loader)}
    heard = {} if task.condition is None else {"condition": describe(task.condition)}
    shots = task.shots
    shown = {} if shots is None else {"shots": {"settings": describe(shots), "content": shots.loader.card.content}}
    return {
        "task": {"name": task.name, "method": task.protocol, "prompt": describe(task.prompt), **heard, **shown},
        "data": data,
        "model": describe(model),
    }


def check_precision(folder: Path, found: Mapping[str, str]) -> None:
    """Refuse to go on in another number format: float32 on a CPU and bfloat16 on a GPU do not give equal answers."""
    if not (folder / "run.json").exists():
        return
    before = json.loads((folder / "run.json").read_text(encoding="utf-8")).get("environment", {}).get("dtype")
    if before != found.get("dtype"):
        raise UsageError(
            f"{folder}: begun in {before}, and dtype=auto is {found.get('dtype')} here; set model.dtype or results="
        )


def keep_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Put the configuration into run.json by which the scores were made: scorers may change from run to run."""
    path = folder / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    if run.get("config") != finite(config):
        write_atomic(path, json.dumps(finite({**run, "config": config}), indent=2, ensure_ascii=False) + "\n")


def device(model: Model) -> dict[str, str]:
    """Device and number format that a loaded PyTorch model (or the last of a cascade) runs in."""
    inner = getattr(model, "llm", model)
    module = getattr(inner, "_model", None) or getattr(inner, "_encoder", None)
    found = {name: getattr(module, name, None) for name in ("device", "dtype")}
    return {name: str(value) for name, value in found.items() if value is not None}


def counted(task: Task, limit: int | None) -> int | None:
    """Number of samples, where the loader knows how many rows it has and so can be gone through quickly."""
    total = getattr(task.loader, "count", None)
    if total is None or (limit is None and task.languages is None):
        return total
    return sum(1 for _ in task.samples(limit))
