"""Scores by number of demonstrations: the mean and the spread over the seeds that chose them."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from mmbench.condition_table import curve, metrics, shared, systems
from mmbench.metric_tables import heading
from mmbench.score import MACRO
from mmbench.shots import Shown, parted
from mmbench.tables import Format, Scale, number, render, scale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.condition_table import Point
    from mmbench.results import Cell


def by_shots(tasks: Mapping[str, Sequence[Cell]]) -> dict[str, dict[str, list[Cell]]]:
    """Cells by task and label, of the tasks that have been run with demonstrations; without any the label is empty."""
    found: dict[str, dict[str, list[Cell]]] = {}
    for task, cells in tasks.items():
        name, shown = parted(task)
        found.setdefault(name, {})[task.rpartition("@")[2] if shown.count else ""] = list(cells)
    return {task: each for task, each in found.items() if set(each) != {""}}


def shots_tables(tasks: Mapping[str, Sequence[Cell]], form: Format = "table") -> str:
    """A table of each metric of each task: demonstrations x systems, mean and standard deviation over seeds."""
    return "".join(
        _table(task, metric, labels, form) for task, labels in by_shots(tasks).items() for metric in metrics(labels)
    )


def _table(task: str, metric: str, labels: Mapping[str, Sequence[Cell]], form: Format) -> str:
    names, over = systems(labels), shared(labels, metric)
    if not over:
        return f"{task} by demonstrations: {metric}: the cells share no language.\n\n"
    curves = [curve(labels, metric, name) for name in names]
    first = next(row for cells in labels.values() for cell in cells if (row := cell.row(metric, MACRO)))
    kinds: dict[Shown, list[str]] = {}
    for label in labels:
        kinds.setdefault(Shown.of(label) or Shown(), []).append(label)
    rows = []
    for shown in sorted(kinds):
        points = [[each[label] for label in kinds[shown] if label in each] for each in curves]
        seeds = " to ".join(str(count) for count in sorted({len(own) for own in points if own}))
        sizes = " to ".join(str(n) for n in sorted({point.n for own in points for point in own}))
        rows.append([str(shown), *(_spread(own, scale(first)) for own in points), seeds, sizes])
    of = over[0] if len(over) == 1 else f"the mean over the {len(over)} languages that all have"
    title = f"{task} by demonstrations: {heading(first)}, {of}"
    return render(title, ["", *names, "seeds", "n"], rows, form) + "Mean ± standard deviation over seeds.\n\n"


def _spread(points: Sequence[Point], shown: Scale) -> str:
    """Mean and standard deviation (with n - 1) of some scores; the latter is left out where there is one."""
    values = [point.score.value for point in points]
    if not values:
        return "-"
    mean = number(math.fsum(values) / len(values), scale=shown)
    return mean if len(values) < 2 else f"{mean} ± {number(statistics.stdev(values), scale=shown)}"
