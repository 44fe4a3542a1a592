"""Plots of results as files; matplotlib is an extra, and nothing else needs it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mmbench.condition_table import Level, by_condition, curve, metrics, systems
from mmbench.errors import UsageError
from mmbench.prompt import CLEAN
from mmbench.score import MACRO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mmbench.results import Cell
    from mmbench.schema import Score
    from mmbench.score import Estimate


def plot_conditions(tasks: Mapping[str, Sequence[Cell]], folder: Path) -> list[Path]:
    """One SVG and one PNG for each task and metric that was measured under several conditions.

    Raises:
        UsageError: matplotlib is not installed, or no task was run under several conditions.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("--plot needs matplotlib: pip install 'mmbench[plots]'") from error
    found = by_condition(tasks)
    if not found:
        raise UsageError("--plot: no task was run under more than one condition; see docs/conditions.md")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for task, conditions in found.items():
        for metric in metrics(conditions):
            figure = Figure(figsize=(7, 4.2), layout="constrained")
            _draw(figure.add_subplot(), task, metric, conditions)
            for ending in ("svg", "png"):
                path = folder / f"{task}-{metric.replace('/', '_')}.{ending}"
                figure.savefig(path, dpi=150)
                written.append(path)
    return written


def _draw(axes: Any, task: str, metric: str, conditions: Mapping[str, Sequence[Cell]]) -> None:
    labels = list(conditions)
    places = {label: float(place) for place, label in enumerate(labels)}
    kind = next(row for cells in conditions.values() for cell in cells if (row := cell.row(metric, MACRO)))
    unit = 100 if kind.fraction else 1
    for name in systems(conditions):
        points = {label: point.score for label, point in curve(conditions, metric, name).items()}
        rows = {label: row for label, row in points.items() if math.isfinite(row.value)}
        if not rows:
            continue
        x, y = [places[label] for label in rows], [row.value * unit for row in rows.values()]
        bars = [
            [_length(row, end) * unit for row, end in zip(rows.values(), ends, strict=True)]
            for ends in ([row.low for row in rows.values()], [row.high for row in rows.values()])
        ]
        axes.errorbar(x, y, yerr=bars, marker="o", capsize=3, label=name)
    axes.set_xticks(list(places.values()), [_tick(label) for label in labels], rotation=0 if len(labels) < 7 else 45)
    axes.set_ylabel(f"{metric} %" if kind.fraction else metric)
    axes.set_xlabel("condition")
    axes.set_ylim(bottom=0)
    axes.set_title(f"{task}: {metric} by condition, 95 % intervals")
    axes.grid(axis="y", alpha=0.3)
    axes.legend()


def _length(row: Score | Estimate, end: float) -> float:
    """Of an error bar; none where the interval has no end."""
    return abs(end - row.value) if math.isfinite(end) else 0.0


def _tick(label: str) -> str:
    level = Level.of(label)
    if label == CLEAN or math.isnan(level.value):
        return label
    return f"{level.kind.replace('_', ' ')}\n{level.value:g} {level.unit}"
