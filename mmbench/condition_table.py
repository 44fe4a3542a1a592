"""Scores under several conditions beside each other: what noise, a codec or a room costs each system."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from mmbench.metric_tables import heading, headings, scored, shown
from mmbench.score import ALL, MACRO
from mmbench.tables import Format, number, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.results import Cell
    from mmbench.schema import Score

CLEAN = "clean"


class Level(NamedTuple):
    """One condition: its kind, such as `noise_white`, and how much of it, such as 10 dB; NaN where nothing says so."""

    kind: str
    value: float
    unit: str

    @staticmethod
    def of(label: str) -> Level:
        """Read a condition's label, such as `noise_white_10dB`."""
        found = re.fullmatch(r"(.*?)_?(-?\d+(?:\.\d+)?)([A-Za-z%]*)", label)
        return Level(found[1], float(found[2]), found[3]) if found else Level(label, math.nan, "")

    @property
    def order(self) -> tuple[bool, str, float]:
        """Clean first, then kind by kind; decibels of a ratio fall, everything else rises."""
        value = 0.0 if math.isnan(self.value) else self.value
        return self.kind != CLEAN, self.kind, -value if self.unit == "dB" else value


def by_condition(tasks: Mapping[str, Sequence[Cell]]) -> dict[str, dict[str, list[Cell]]]:
    """Cells by task and condition, of the tasks that have been run under more than one."""
    found: dict[str, dict[str, list[Cell]]] = {}
    for task, cells in tasks.items():
        name, _, label = task.partition("@")
        found.setdefault(name, {})[label or CLEAN] = list(cells)
    ordered = {
        task: {label: each[label] for label in sorted(each, key=lambda label: Level.of(label).order)}
        for task, each in found.items()
    }
    return {task: each for task, each in ordered.items() if len(each) > 1}


def condition_tables(tasks: Mapping[str, Sequence[Cell]], form: Format = "table") -> str:
    """A table of each metric of each task: conditions x systems, the mean over languages (or the one there is)."""
    return "".join(
        _table(task, metric, conditions, form)
        for task, conditions in by_condition(tasks).items()
        for metric in metrics(conditions)
    )


def metrics(conditions: Mapping[str, Sequence[Cell]]) -> list[str]:
    """Metrics that say something of any cell."""
    cells = [cell for each in conditions.values() for cell in each]
    return [m for m in dict.fromkeys(m for cell in cells for m in cell.metrics) if any(scored(c, m) for c in cells)]


def curve(conditions: Mapping[str, Sequence[Cell]], metric: str, system: str) -> dict[str, Score]:
    """A system's score by condition: the mean over languages, or that of the only one."""
    found = {}
    for label, cells in conditions.items():
        row = next((_together(cell, metric) for cell in cells if cell.model == system), None)
        if row is not None:
            found[label] = row
    return found


def systems(conditions: Mapping[str, Sequence[Cell]]) -> list[str]:
    """Names of the systems that were run under any condition."""
    return list(dict.fromkeys(name for cells in conditions.values() for name in headings(cells)))


def _together(cell: Cell, metric: str) -> Score | None:
    tags = {row.language for row in cell.scores if row.metric == metric} - {ALL, MACRO}
    return cell.row(metric, next(iter(tags)) if len(tags) == 1 else MACRO)


def _table(task: str, metric: str, conditions: Mapping[str, Sequence[Cell]], form: Format) -> str:
    names = systems(conditions)
    curves = [curve(conditions, metric, name) for name in names]
    first = next(row for each in curves for row in each.values())
    rows = [[label, *(shown(each.get(label)) for each in curves)] for label in conditions]
    altered = [label for label in conditions if label != CLEAN]
    if len(altered) > 1:
        means = [_mean([each[label].value for label in altered if label in each], len(altered)) for each in curves]
        rows.append(["mean without clean", *(number(mean, fraction=first.fraction) for mean in means)])
    languages = {row.language for cell in next(iter(conditions.values())) for row in cell.scores} - {ALL, MACRO}
    of = "the mean over languages" if len(languages) > 1 else next(iter(languages), "")
    title = f"{task} by condition: {heading(first)}, {of}"
    return render(title, ["", *names], rows, form) + f"95 % intervals. {first.signature}\n\n"


def _mean(values: Sequence[float], wanted: int) -> float:
    """NaN where a condition is missing: a mean over other levels does not compare."""
    return sum(values) / wanted if len(values) == wanted else math.nan
