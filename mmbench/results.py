"""Results on disk as objects: the cells under some folders, their scores, what kind of system each model is."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mmbench.errors import UsageError
from mmbench.schema import Sample, Score, Scorer
from mmbench.score import read_records
from mmbench.store import read_jsonl

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mmbench.records import Record

_CASCADE = "mmbench.models.cascade.Cascade"
_GOLD = "mmbench.models.echo.Gold"
_FAKES = (_GOLD, "mmbench.models.echo.Echo")
_STAGES = ("asr", "s2tt", "ocr", "caption", "mt")

CASCADE, TOPLINE, END_TO_END, FAKE = "cascade", "topline", "end to end", "fake"


@dataclass(frozen=True)
class Cell:
    """One (task, model) folder."""

    folder: Path
    task: str
    model: str
    scores: tuple[Score, ...]
    run: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Whether the model is a cascade, one with a reference in a stage's place (topline), end to end, or a fake."""
        model = self.run["fingerprint"]["model"]
        if model.get("class") != _CASCADE:
            return FAKE if model.get("class") in _FAKES else END_TO_END
        golden = any((model.get(stage) or {}).get("class") == _GOLD for stage in _STAGES)
        return TOPLINE if golden else CASCADE

    @property
    def reader(self) -> Any:
        """Description of the model that answers in a cascade."""
        return self.run["fingerprint"]["model"].get("llm")

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, in the task's order."""
        return list(dict.fromkeys(row.metric for row in self.scores))

    def row(self, metric: str, language: str) -> Score | None:
        """One score."""
        return next((row for row in self.scores if (row.metric, row.language) == (metric, language)), None)

    @cached_property
    def records(self) -> list[Record]:
        """Its answers."""
        return list(_records(self.folder).values())

    @cached_property
    def samples(self) -> dict[str, Sample]:
        """A sample of each language."""
        return {record.sample.language: record.sample for record in self.records}

    @property
    def cluster(self) -> str | None:
        """Group field whose samples are not independent, as the task says."""
        task = (self.run.get("config") or {}).get("task") or {}
        return None if (found := task.get("cluster", "auto")) is None else str(found)

    def scorer(self, metric: str) -> Scorer:
        """The scorer that made a metric, built again from run.json."""
        from mmbench.config import build

        config = self.run.get("config") or {}
        for node in ((config.get("task") or {}).get("scorers") or {}).values():
            # What the file allows does not count: results from elsewhere must not run code of their own.
            scorer: Scorer = build(node)
            if scorer.name == metric:
                return scorer
        mend = "run the cell by 'mmbench run', or give run_cell its config"
        raise UsageError(f"{self.folder / 'run.json'}: does not say how {metric} was computed; {mend}")

    def stage_error(self) -> Scorer | None:
        """The error rate of the first stage inside a cascade, if the task has one."""
        found = (self.scorer(metric) for metric in self.metrics)
        return next((scorer for scorer in found if getattr(scorer, "stage", None)), None)


def _records(folder: Path) -> dict[str, Record]:
    return {key: record for (*_, key), record in read_records(folder / "predictions.jsonl", strict=False).items()}


def find_cells(folders: Sequence[Path]) -> list[Cell]:
    """All cells under some folders, in order of their paths.

    Raises:
        UsageError: a folder is not there, or none has a score.
    """
    paths: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder}: is not a folder of results; 'mmbench run' makes one")
        paths += sorted(folder.rglob("scores.jsonl"))
    cells, damaged = [], []
    for path in dict.fromkeys(paths):
        try:
            cells.append(read_cell(path.parent))
        except UsageError as error:  # one damaged cell does not hide the others
            damaged.append(error)
            log.warning("left out: %s", error)
    if damaged and not cells:
        raise damaged[0]
    if not cells:
        raise UsageError(f"{', '.join(map(str, folders))}: no scores.jsonl in there; 'mmbench run' makes them")
    return cells


def read_cell(folder: Path) -> Cell:
    """Read one cell.

    Raises:
        UsageError: run.json or scores.jsonl is damaged.
    """
    path = folder / "run.json"
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        task, model = (run["fingerprint"][key]["name"] for key in ("task", "model"))
        path = folder / "scores.jsonl"
        scores = tuple(_score(row) for _, row in read_jsonl(path, strict=True))
        return Cell(folder, task, model, scores, run)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}: {error}); run the cell again") from error


def _score(row: Mapping[str, Any]) -> Score:
    numbers = {key: float("nan") if row[key] is None else row[key] for key in ("value", "low", "high")}
    return Score(**{**row, **numbers})


def by_task(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Cells by task."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.task, []).append(cell)
    return groups
