"""How a task asks a model: plainly, by the letters of the choices, or with an empty question beside each one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mmbench.errors import UsageError
from mmbench.schema import Model, Output, Part, Sample, Text
from mmbench.task import letters_of

if TYPE_CHECKING:
    from mmbench.task import Task

Answer = Callable[[Sequence[Sample]], list[Output]]
"""One output for each sample, in order."""


def answering(task: Task, model: Model) -> Answer:
    """The model's method as the task's protocol uses it."""
    answer: Answer = getattr(model, task.method)
    if task.letters:
        answer = _by_letter(answer)
    return _calibrated(answer) if task.calibrated else answer


def _by_letter(answer: Answer) -> Answer:
    """Ask for the likelihood of letters; the output's text is the choice that the best letter stands for."""

    def ask(batch: Sequence[Sample]) -> list[Output]:
        outputs = answer([replace(sample, choices=letters_of(sample.choices)) for sample in batch])
        return [replace(o, text=_named(s, o.text)) for s, o in zip(batch, outputs, strict=True)]

    return ask


def _named(sample: Sample, letter: str) -> str:
    letters = letters_of(sample.choices)
    return sample.choices[letters.index(letter)] if letter in letters else letter


def _calibrated(answer: Answer) -> Answer:
    """Ask for the choices' likelihood after an empty question too, once for each different one."""
    known: dict[tuple[tuple[Part, ...], tuple[str, ...]], tuple[float, ...]] = {}

    def ask(batch: Sequence[Sample]) -> list[Output]:
        outputs = answer(batch)
        empty = [replace(sample, parts=_instructions(sample)) for sample in batch]
        new = {(sample.parts, sample.choices): sample for sample in empty}
        asked = [sample for key, sample in new.items() if key not in known]
        for sample, output in zip(asked, answer(asked) if asked else (), strict=True):
            known[sample.parts, sample.choices] = tuple(output.choice_scores)
        return [replace(o, prior_scores=known[s.parts, s.choices]) for s, o in zip(empty, outputs, strict=True)]

    return ask


def _instructions(sample: Sample) -> tuple[Part, ...]:
    """The prompt without the sample: the task's own words."""
    kept = tuple(part for part in sample.parts if isinstance(part, Text) and part.instruction and part.text.strip())
    if not kept:
        raise UsageError("task.calibrated=true: the prompt has no words of its own to ask an empty question with")
    return kept
