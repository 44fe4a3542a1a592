"""How a task asks a model: plainly, by the letters of the choices, with an empty question, or with each variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mmbench.batching import chunks
from mmbench.errors import CellError, UsageError
from mmbench.schema import ITEM, QUERY, WHOLE, Model, Output, Part, Sample, Text
from mmbench.task import letters_of

if TYPE_CHECKING:
    from mmbench.task import Task

Answer = Callable[[Sequence[Sample]], list[Output]]
"""One output for each sample, in order."""


def answering(task: Task, model: Model) -> Answer:
    """The model's method as the task's protocol uses it."""
    answer: Answer = getattr(model, task.method)
    if task.method in _OF_VARIANTS:
        return _OF_VARIANTS[task.method](answer)
    if task.letters:
        answer = _by_letter(answer)
    return _calibrated(answer) if task.calibrated else answer


def _documents(answer: Answer) -> Answer:
    """Ask with each variant of a document; only the nodes that the model could read in all of them are kept.

    What a model reads of a node depends on what stands before it alone, so that leaving out the last nodes is exact.
    """

    def ask(batch: Sequence[Sample]) -> list[Output]:
        asked = [(index, name, parts) for index, s in enumerate(batch) for name, parts in _prompts(s).items()]
        outputs: list[Output] = []
        for few in chunks(asked, len(batch)):
            outputs += answer([replace(batch[index], parts=parts) for index, _, parts in few])
        found: list[dict[str, Output]] = [{} for _ in batch]
        for (index, name, _), output in zip(asked, outputs, strict=True):
            found[index][name] = output
        return [_read(own) for own in found]

    return ask


def _prompts(sample: Sample) -> dict[str, tuple[Part, ...]]:
    return {WHOLE: sample.parts, **sample.variants}


def _read(outputs: Mapping[str, Output]) -> Output:
    kept = min(len(output.readings) for output in outputs.values())
    readings = tuple(replace(r, variant=name) for name, o in outputs.items() for r in o.readings[:kept])
    if len({tuple((r.node, r.bytes) for r in o.readings[:kept]) for o in outputs.values()}) > 1:
        raise CellError("the model read other text in a variant of a document; its wrapper is wrong")
    whole = outputs[WHOLE]
    others = {n: [note for note in o.notes if note not in whole.notes] for n, o in outputs.items() if n != WHOLE}
    notes = (*whole.notes, *(f"{name}: {note}" for name, own in others.items() for note in own))
    return replace(whole, readings=readings, notes=notes)


def _pairs(answer: Answer) -> Answer:
    """Embed both sides of each pair; samples without another side have only their own.

    The other side is asked as a sample whose variant is the query, so that a model can tell the two.
    """

    def ask(batch: Sequence[Sample]) -> list[Output]:
        outputs = answer(batch)
        pairs = [index for index, sample in enumerate(batch) if ITEM in sample.variants]
        others = [replace(s := batch[i], parts=s.variants[ITEM], variants={QUERY: s.parts}) for i in pairs]
        items = answer(others) if pairs else []
        for index, item in zip(pairs, items, strict=True):
            own = outputs[index]
            outputs[index] = replace(
                own,
                vectors={**own.vectors, ITEM: item.vectors[QUERY]},
                notes=(*own.notes, *item.notes),
                steps=(*own.steps, *item.steps),
            )
        return outputs

    return ask


_OF_VARIANTS: Mapping[str, Callable[[Answer], Answer]] = {"document_loglikelihood": _documents, "embed": _pairs}
"""What is done with the variants of a sample, by method."""


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
