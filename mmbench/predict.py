"""The loop: answer what has no answer yet, isolate what fails, write every answer down at once.

Three rings hold a failure. A sample that cannot be answered gets an error row; a model that cannot be loaded, a full
disk or a lock ends the cell; a sweep goes on with its other cells.
"""

from __future__ import annotations

import gc
import logging
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmbench.batching import batches
from mmbench.errors import CellError, UsageError, one_line
from mmbench.models.loading import load
from mmbench.protocol import Answer, answering
from mmbench.records import Row, from_row, to_row
from mmbench.schema import Failure, Model, Output, Prediction, Sample
from mmbench.store import Journal, read_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mmbench.task import Task

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a single sample is tried that does not fit into memory; what else held memory may be gone by then."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the loop did: samples selected, answered before, answered now, and how many of all have failed."""

    selected: int
    resumed: int
    answered: int
    failed: int


def answered(path: Path) -> dict[str, bool]:
    """Sample ids that have a row in a predictions file, and whether the last row of each is an error."""
    if not path.exists():
        return {}
    done = {}
    for number, row in read_jsonl(path, strict=False):
        record = from_row(row, where=f"{path}:{number}")
        done[record.sample.id] = record.prediction.error is not None
    return done


def predict(
    task: Task,
    model: Model,
    path: Path,
    *,
    batch_size: int,
    limit: int | None = None,
    retry_failed: bool = False,
    begin: Callable[[], None] = lambda: None,
    progress: Callable[[int, int], None] = lambda done, failed: None,
) -> Outcome:
    """Answer every sample of a task that a predictions file lacks.

    Args:
        task: what is asked.
        model: who answers; loaded only if something is missing.
        path: predictions.jsonl of the cell; only appended to.
        batch_size: samples a batch; answers do not depend on it.
        limit: samples of each language; None is all.
        retry_failed: whether samples with an error row are tried again.
        begin: called once, after the model is loaded and before the first answer is written.
        progress: called after each batch with the numbers of samples done and failed.

    Raises:
        CellError: the model cannot be loaded or the file cannot be written.
        UsageError: two samples have one id.
    """
    task.check(model)
    answer = answering(task, model)
    done = answered(path)
    outcome = {"selected": 0, "resumed": 0, "answered": 0, "failed": 0}
    journal: Journal | None = None
    try:
        for batch in batches(_unique(task.samples(limit), task.name), batch_size):
            missing = [s for s in batch if s.id not in done or (retry_failed and done[s.id])]
            outcome["selected"] += len(batch)
            outcome["resumed"] += len(batch) - len(missing)
            outcome["failed"] += sum(done.get(s.id, False) for s in batch if s not in missing)
            if missing:
                if journal is None:
                    load(model)
                    begin()
                    warn_of_language(task, model, missing)
                    journal = Journal(path)
                rows = list(_answer(answer, missing))
                journal.append(rows)
                outcome["answered"] += len(rows)
                outcome["failed"] += sum("error" in row for row in rows)
            progress(outcome["resumed"] + outcome["answered"], outcome["failed"])
    finally:
        if journal is not None:
            journal.close()
    return Outcome(**outcome)


def warn_of_language(task: Task, model: Model, batch: Sequence[Sample]) -> None:
    """Say that a recogniser neither translates nor answers: its transcripts would be scored as if it did."""
    if getattr(model, "transcribes", False):
        asked = "translation" if any(sample.written != sample.spoken for sample in batch) else ""
        asked = asked or ("choice" if any(sample.choices for sample in batch) else "")
        if asked:
            log.warning("%s / %s: the model only transcribes, and the task asks for a %s", task.name, model.name, asked)


def _unique(samples: Iterator[Sample], task: str) -> Iterator[Sample]:
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise UsageError(
                f"task {task}: two samples have the id {sample.id!r}; ids join everything, make them unique"
            )
        seen.add(sample.id)
        yield sample


def _answer(answer: Answer, batch: Sequence[Sample]) -> Iterator[Row]:
    """Rows for a batch; a batch that fails is halved until what fails is alone."""
    begun = time.perf_counter()
    outputs = _call(answer, batch)
    seconds = (time.perf_counter() - begun) / len(batch)
    if not isinstance(outputs, Failure):
        for sample, output in zip(batch, outputs, strict=True):
            prediction = Prediction(sample_id=sample.id, language=sample.language, output=output, seconds=seconds)
            yield to_row(sample, prediction)
    elif len(batch) > 1:
        log.debug("a batch of %d failed (%s: %s); it is halved", len(batch), outputs.kind, outputs.message)
        middle = len(batch) // 2
        yield from _answer(answer, batch[:middle])
        yield from _answer(answer, batch[middle:])
    else:
        sample = batch[0]
        log.warning("sample %s failed: %s: %s", sample.id, outputs.kind, outputs.message)
        yield to_row(sample, Prediction(sample_id=sample.id, language=sample.language, error=outputs, seconds=seconds))


def _call(answer: Answer, batch: Sequence[Sample]) -> list[Output] | Failure:
    """One call of the model, or why it failed; a single sample that is out of memory is tried again.

    No exception leaves this function or is kept in it while memory is freed and the model is called again: its
    traceback would hold on to everything that the failed call had allocated.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            outputs = list(answer(batch))
        except (CellError, UsageError):
            raise
        except Exception as error:  # whatever a model raises is this sample's failure, not the run's
            failure = Failure(type(error).__name__, one_line(error))
            full = out_of_memory(error)
            again = len(batch) == 1 and left > 0 and full
            if len(batch) == 1 and not again:
                log.debug("traceback of sample %s:", batch[0].id, exc_info=True)
        else:
            _check(outputs, batch)
            return outputs
        if full and (again or len(batch) > 1):  # it takes a third of a second, which adds up where all samples fail
            free_memory()
        if not again:
            return failure
    raise AssertionError("the loop returns or raises")


def _check(outputs: Sequence[Output], batch: Sequence[Sample]) -> None:
    """Refuse what only a wrong wrapper gives: nothing that it says can be trusted."""
    if len(outputs) != len(batch):
        raise CellError(f"the model gave {len(outputs)} answers to {len(batch)} samples; its wrapper is wrong")
    for sample, output in zip(batch, outputs, strict=True):
        if not isinstance(output, Output) or not isinstance(output.text, str):
            raise CellError(f"the model answered sample {sample.id} with no text; its wrapper is wrong")
        if output.choice_scores and len(output.choice_scores) != len(sample.choices):
            raise CellError(
                f"the model gave {len(output.choice_scores)} scores to the {len(sample.choices)} choices of sample "
                f"{sample.id}; its wrapper is wrong"
            )


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device, without importing the library that raised it."""
    return (
        isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "out of memory" in str(error).lower()
    )


def free_memory() -> None:
    """Give back what a failed call left behind, on the accelerator too where one is in use."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        with suppress(RuntimeError):  # a device that an assertion has stopped fails here too
            torch.cuda.empty_cache()
