"""Runs cells of the coverage table, and compares what two runs have written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.cell import Settings, run_cell
from mmbench.cell_config import model_reading
from mmbench.config import build, compose, resolve
from tests.protocols.coverage import PROTOCOLS
from tests.protocols.systems import system

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mmbench.schema import Card, Model, Sample
    from mmbench.task import Task
    from tests.protocols.systems import Weights

Rows = dict[str, dict[str, Any]]


@cache
def composed(group: str, name: str, *overrides: str) -> dict[str, Any]:
    """A config of a group as plain data."""
    return dict(resolve(compose([f"+{group}={name}", *overrides], name="empty"))[group])


@dataclass(frozen=True, kw_only=True)
class Untouched:
    """A dataset that must not be looked at."""

    @property
    def card(self) -> Card:
        raise AssertionError("the data are read")

    def validate(self) -> None:
        raise AssertionError("the data are read")

    def __iter__(self) -> Iterator[Sample]:
        raise AssertionError("the data are read")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a cell left: its folder, rows of predictions.jsonl by id, and the text of scores.jsonl."""

    folder: Path
    rows: Rows
    scores: str


class Cells:
    """Builds tasks and models once a session, and runs cells below one folder."""

    def __init__(self, weights: Weights, stamps: Path, root: Path) -> None:
        self._weights, self._stamps, self._root = weights, stamps, root
        self._folders = count()
        self.task, self.model = cache(self._task), cache(self._model)

    def config(self, protocol: str, **change: Any) -> dict[str, Any]:
        """Config of a protocol's task with settings replaced."""
        asked = PROTOCOLS[protocol]
        fixture = [f"+data.{asked.data}=fixture://{asked.data}"] if asked.data else []
        plain = composed("task", asked.task, *fixture)
        loader = {**plain["loader"], **asked.change.get("loader", {})}
        if asked.task.startswith("tuxpaint"):
            loader["root"] = str(self._stamps)
        return {**plain, "languages": list(asked.languages), **asked.change, "loader": loader, **change}

    def _task(self, protocol: str) -> Task:
        made: Task = build(self.config(protocol))
        return made

    def _model(self, name: str, *, reads: str = "audio", translates: bool = False) -> Model:
        plain = model_reading(system(name, self._weights, translates=translates), reads, "")
        made: Model = build(plain)
        return made

    def folder(self) -> Path:
        """A new folder of results."""
        return self._root / str(next(self._folders))

    def run(
        self,
        task: Task,
        model: Model,
        batch_size: int,
        *,
        limit: int = 2,
        results: Path | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Ran:
        """Run a cell to its end, in a new folder unless `results` is given."""
        results = results or self.folder()
        run_cell(task, model, results, Settings(batch_size=batch_size, limit=limit, progress=False), config=config)
        return read(results / task.name / model.name)

    def both(self, task: Task, model: Model, *, limit: int = 2) -> Ran:
        """Run a cell with batches of one and of four, which must not differ, and without errors."""
        alone, together = (self.run(task, model, size, limit=limit) for size in (1, 4))
        assert not [row for row in alone.rows.values() if "error" in row]
        check_same(alone, together)
        return together


def read(folder: Path) -> Ran:
    """What lies in the folder of a cell."""
    lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {row["sample_id"]: row for row in map(json.loads, lines)}
    assert len(rows) == len(lines), "an answer was given twice"
    scores = folder / "scores.jsonl"
    return Ran(folder, rows, scores.read_text(encoding="utf-8") if scores.exists() else "")


LIKELIHOODS = ("choice_scores", "prior_scores")


def check_same(a: Ran, b: Ran) -> None:
    """Two runs have the same answers, likelihoods up to rounding, and the same scores."""
    assert a.rows and a.rows.keys() == b.rows.keys()
    for name, row in a.rows.items():
        other = b.rows[name]
        loose = {"seconds", *LIKELIHOODS}
        assert {k: v for k, v in row.items() if k not in loose} == {k: v for k, v in other.items() if k not in loose}
        for key in LIKELIHOODS:
            assert row.get(key, []) == pytest.approx(other.get(key, []), abs=1e-4, rel=1e-5)
    assert a.scores == b.scores != ""
