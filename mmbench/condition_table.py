"""Scores under several conditions beside each other: what noise, a codec or a room costs each system."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from mmbench.metric_tables import heading, headings, mean_row, scored, tags
from mmbench.prompt import CLEAN
from mmbench.score import MACRO, Estimate
from mmbench.shots import parted
from mmbench.tables import Format, interval_text, number, render, scale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.results import Cell
    from mmbench.schema import Score


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


class Point(NamedTuple):
    """A system's score under one condition, the number of samples behind it, and its signature."""

    score: Score | Estimate
    n: int
    signature: str


def by_condition(tasks: Mapping[str, Sequence[Cell]]) -> dict[str, dict[str, list[Cell]]]:
    """Cells by task and condition, of the tasks that have been run under more than one."""
    found: dict[str, dict[str, list[Cell]]] = {}
    for task, cells in tasks.items():
        if parted(task)[1].count:  # `shots_table` has those
            continue
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


def shared(conditions: Mapping[str, Sequence[Cell]], metric: str) -> list[str]:
    """Languages that every cell with a value of a metric has: means over different languages do not compare."""
    return tags([cell for cells in conditions.values() for cell in cells if scored(cell, metric)], metric)


def curve(conditions: Mapping[str, Sequence[Cell]], metric: str, system: str) -> dict[str, Point]:
    """A system's score by condition: the mean over the shared languages, or that of the only one."""
    over, found = shared(conditions, metric), {}
    for label, cells in conditions.items():
        cell = next((each for each in cells if each.model == system and scored(each, metric)), None)
        if cell is not None and over:
            rows = [row for tag in over if (row := cell.row(metric, tag)) is not None]
            score = rows[0] if len(over) == 1 else mean_row(cell, metric, over)
            found[label] = Point(score, sum(each.n for each in rows), rows[0].signature)
    return found


def systems(conditions: Mapping[str, Sequence[Cell]]) -> list[str]:
    """Names of the systems that were run under any condition."""
    return list(dict.fromkeys(name for cells in conditions.values() for name in headings(cells)))


def _table(task: str, metric: str, conditions: Mapping[str, Sequence[Cell]], form: Format) -> str:
    names, over = systems(conditions), shared(conditions, metric)
    if not over:
        return f"{task} by condition: {metric}: the cells share no language, so there is nothing to compare.\n\n"
    curves = [curve(conditions, metric, name) for name in names]
    first = next(row for cells in conditions.values() for cell in cells if (row := cell.row(metric, MACRO)))
    counts = {label: sorted({each[label].n for each in curves if label in each}) for label in conditions}
    rows = [
        [
            label,
            *(interval_text(p.score, scale=scale(first)) if (p := each.get(label)) else "-" for each in curves),
            " to ".join(map(str, counts[label])),
        ]
        for label in conditions
    ]
    altered = [label for label in conditions if label != CLEAN]
    if len(altered) > 1:
        values = [[each[label].score.value for label in altered if label in each] for each in curves]
        means = [_mean(found, len(altered)) for found in values]
        rows.append(["mean without clean", *(number(mean, scale=scale(first)) for mean in means), ""])
    of = over[0] if len(over) == 1 else f"the mean over the {len(over)} languages that all have"
    title = f"{task} by condition: {heading(first)}, {of}"
    unlike = len({n for found in counts.values() for n in found}) > 1
    note = "The rows are not of the same samples (see n), so they do not compare: run them with one limit.\n"
    signature = next(iter(curves[0].values())).signature if curves[0] else first.signature
    return render(title, ["", *names, "n"], rows, form) + f"95 % intervals. {signature}\n{note if unlike else ''}\n"


def _mean(values: Sequence[float], wanted: int) -> float:
    """NaN where a condition is missing: a mean over other levels does not compare."""
    return sum(values) / wanted if len(values) == wanted else math.nan
