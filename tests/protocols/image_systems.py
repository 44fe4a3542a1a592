"""The systems of the coverage table of images as configs of models, two fakes, and the runner of its cells."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.cell_config import task_with
from mmbench.config import build
from mmbench.records import from_row
from mmbench.schema import Output
from tests.models import tiny_dual_encoder, tiny_image_to_text
from tests.protocols import systems
from tests.protocols.image_coverage import PROTOCOLS
from tests.protocols.running import Cells, composed
from tests.protocols.systems import Weights

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mmbench.schema import Model, Sample
    from mmbench.task import Task
    from tests.protocols.running import Ran

SEES = ("llava", "qwen2_vl", "qwen2_5_vl", "smolvlm", "gemma3", "qwen2_5_omni_thinker")
"""Language models that see."""
STAGES: dict[str, tuple[str, systems.Config]] = {
    "echo": ("ocr", {"_target_": "mmbench.models.echo.Echo"}),
    "gold": ("caption", {"_target_": "mmbench.models.echo.Gold"}),
}
"""Stages before the text model: one that says the size of an image, and one that knows what is on it."""


@dataclass(kw_only=True)
class Constant:
    """A stage that says the same of every image, so that what answers after it has seen nothing."""

    name: str = "constant"
    said: str = "a picture\n"

    def load(self) -> None:
        """Nothing to load."""

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        return [Output(text=self.said) for _ in batch]


@dataclass(kw_only=True)
class Unseeing:
    """Likes a choice by its text alone; `even` likes all of them alike."""

    name: str = "unseeing"
    even: bool = False

    def load(self) -> None:
        """Nothing to load."""

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        scores = [tuple(0.0 if self.even else -_hash(choice) for choice in sample.choices) for sample in batch]
        return [
            Output(text=sample.choices[0], choice_scores=own, choice_lengths=(1,) * len(own))
            for sample, own in zip(batch, scores, strict=True)
        ]


def _hash(text: str) -> float:
    return hashlib.sha256(text.encode()).digest()[0] + 1.0


class ImageWeights(Weights):
    """Folders of tiny weights, those of models that are not told anything but an image among them."""

    def _build(self, name: str) -> Path:
        for family in (tiny_dual_encoder, tiny_image_to_text):
            if name in family.FAMILIES:
                folder = self._root / name
                folder.mkdir()
                built: Path = family.build(name, folder)
                return built
        return super()._build(name)


class ImageCells(Cells):
    """Builds tasks and models of the table of images once a session, and runs cells."""

    def config(self, protocol: str, **change: Any) -> dict[str, Any]:
        """Config of a protocol's task with settings replaced; those of its loader are added."""
        asked = PROTOCOLS[protocol]
        own, plain = {**asked.change, **change}, composed("task", asked.task)
        where = {"location": f"fixture://{asked.data}"} if asked.data else {"root": str(self._stamps)}
        loader = {**plain["loader"], **own.pop("loader", {})}
        if "of" in loader:  # a loader around another one
            loader["of"] = {**loader["of"], **where}
        else:
            loader |= where
        shots = own.pop("shots", {})
        return task_with({**plain, "languages": list(asked.languages), **own, "loader": loader}, shots)

    def _model(self, name: str, **_: Any) -> Model:
        made: Model = build(self._system(name))
        return made

    def _system(self, name: str) -> systems.Config:
        first, _, last = name.partition("+")
        if last:
            stage, said = STAGES.get(first) or ("caption", self._system(first))
            return systems.wrapped("cascade", name, llm=self._system(last), **{stage: said})
        if name == "encoder":
            encodes = {"name": name, "model": self._weights("llama"), "pooling": "weighted"}
            return {"_target_": "mmbench.models.text_encoder.TextEncoder", **encodes, **systems.CPU}
        weights = {"name": name, "model": self._weights(name)}
        if name in tiny_dual_encoder.FAMILIES:
            return {"_target_": "mmbench.models.dual_encoder.DualEncoder", **weights, **systems.CPU}
        if name in tiny_image_to_text.FAMILIES:
            return {"_target_": "mmbench.models.image_to_text.ImageToText", **weights, **systems.SHORT}
        return systems.system(name, self._weights)

    def both(self, task: Task, model: Model, *, limit: int = 2) -> Ran:
        """Run a cell with batches of one and of four, which must not differ, and without errors."""
        alone, together = (self.run(task, model, size, limit=limit) for size in (1, 4))
        assert not [row["error"] for row in alone.rows.values() if "error" in row]
        check_same(alone, together)
        return together


NUMBERS = ("choice_scores", "prior_scores", "readings", "vectors")


def check_same(a: Ran, b: Ran) -> None:
    """Two runs have the same answers, likelihoods and vectors up to rounding, and the same scores."""
    assert a.rows and a.rows.keys() == b.rows.keys()
    for name, row in a.rows.items():
        other = b.rows[name]
        loose = {"seconds", *NUMBERS}
        assert {k: v for k, v in row.items() if k not in loose} == {k: v for k, v in other.items() if k not in loose}
        one, two = (from_row(each, where=name).prediction.output for each in (row, other))
        if one is None or two is None:
            continue  # their errors are the same
        assert one.vectors.keys() == two.vectors.keys()
        assert [(r.variant, r.node, r.tokens) for r in one.readings] == [
            (r.variant, r.node, r.tokens) for r in two.readings
        ]
        assert numbers_of(one) == pytest.approx(numbers_of(two), rel=1e-5, abs=1e-5)
    assert a.scores == b.scores != ""


def numbers_of(output: Output) -> list[float]:
    """Likelihoods and vectors of an answer, in a row."""
    vectors = [value for side in sorted(output.vectors) for value in output.vectors[side]]
    readings = [reading.loglikelihood for reading in output.readings]
    return [*output.choice_scores, *output.prior_scores, *readings, *vectors]
