"""`mmbench report`: languages x systems with intervals, what they say together, cascade against end to end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mmbench.attribution import Attribution, attribution
from mmbench.behaviour import agreement, agreement_table
from mmbench.compare import Difference, differences
from mmbench.condition_table import condition_tables
from mmbench.difference_tables import attribution_table, difference_table, label
from mmbench.errors import UsageError
from mmbench.metric_tables import heading, metric_table, scored, shown
from mmbench.results import CASCADE, END_TO_END, TOPLINE, Cell, by_task, find_cells
from mmbench.score import MACRO
from mmbench.shots_table import shots_tables
from mmbench.store import finite
from mmbench.tables import Format, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mmbench.predict import Outcome
    from mmbench.schema import Score, Scorer


ALIGNMENT = "the same model on speech minus on the transcript"
"""Meaning of a pair that shows behaviour alignment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two systems of one task, what a difference between them means, and the topline of both if there is one."""

    a: Cell
    b: Cell
    meaning: str
    topline: Cell | None = None


def report(
    folders: Sequence[Path], form: Literal["table", "markdown", "json"] = "table", fields: Sequence[str] = ()
) -> str:
    """All tables of the results under some folders, also by some fields (of a language, or of a sample's group).

    Raises:
        UsageError: there are none, they are damaged, or no sample has one of the fields.
    """
    tasks = by_task(find_cells(folders))
    if form == "json":
        return json.dumps(finite(_json(tasks)), indent=2, ensure_ascii=False) + "\n"
    tables = "".join(text for task, cells in tasks.items() for text in _task(task, cells, form, fields))
    return tables + condition_tables(tasks, form) + shots_tables(tasks, form)


def draw(folders: Sequence[Path], where: Path) -> list[Path]:
    """Plots of the results under some folders, written into a folder; their paths."""
    from mmbench.plots import plot_conditions

    return plot_conditions(by_task(find_cells(folders)), where)


def cell_table(scores: Sequence[Score], outcome: Outcome) -> str:
    """What is printed when a cell is done: its metrics by language."""
    if not scores:
        return ""
    metrics = list(dict.fromkeys(row.metric for row in scores))
    by_name = {(row.metric, row.language): row for row in scores}
    names = list(dict.fromkeys(row.language for row in scores))
    rows = [
        [label(name), *(shown(by_name.get((metric, name))) for metric in metrics), str(by_name[metrics[0], name].n)]
        for name in names
    ]
    fresh = f"{outcome.answered} answered now, {outcome.resumed} before, {outcome.failed} failed"
    title = f"{scores[0].task} / {scores[0].model} ({fresh})"
    table = render(title, ["", *(heading(by_name[metric, MACRO]) for metric in metrics), "n"], rows)
    shares = {name: max(getattr(row, name) for row in scores) for name in ("unparsed", "refused")}
    said = [f"{count} {name}" for name, count in shares.items() if count]
    return table + "\n".join([*said, *(by_name[metric, MACRO].signature for metric in metrics)]) + "\n\n"


def _task(task: str, cells: Sequence[Cell], form: Format, fields: Sequence[str]) -> Iterator[str]:
    for metric in dict.fromkeys(metric for cell in cells for metric in cell.metrics):
        named = [cell for cell in cells if scored(cell, metric)]
        if named:
            yield metric_table(task, metric, named, form, fields)
    for pair in pairs(cells):
        common = common_metric(pair)
        if common is not None:
            try:
                yield _compared(pair, common, form)
            except UsageError as error:  # one pair does not hide the others
                yield f"{task}: {pair.a.model} and {pair.b.model} are not compared: {error}\n\n"


def common_metric(pair: Pair) -> str | None:
    """The first metric of `a` that says something of both."""
    return next((m for m in pair.a.metrics if scored(pair.a, m) and scored(pair.b, m)), None)


def pairs(cells: Sequence[Cell]) -> list[Pair]:
    """The comparisons that the design is about: cascade against end to end, and what a stage costs.

    A topline is that of a cascade with the same reader. It is a pair of its own where there is no end-to-end system.
    """
    cells = [cell for cell in cells if any(row.failed < row.n for row in cell.scores)]  # else it says nothing
    kinds = {kind: [cell for cell in cells if cell.kind == kind] for kind in (TOPLINE, CASCADE, END_TO_END)}
    found = []
    for cascade in kinds[CASCADE]:
        toplines = [topline for topline in kinds[TOPLINE] if topline.reader == cascade.reader]
        for direct in kinds[END_TO_END]:
            topline = toplines[0] if toplines else None
            found.append(Pair(a=direct, b=cascade, meaning="end to end minus cascade", topline=topline))
        if not kinds[END_TO_END]:
            meaning = "what the stages' errors cost: topline minus cascade"
            found += [Pair(a=topline, b=cascade, meaning=meaning) for topline in toplines]
    for direct in kinds[END_TO_END]:
        same = [topline for topline in kinds[TOPLINE] if topline.reader == direct.run["fingerprint"]["model"]]
        found += [Pair(a=direct, b=topline, meaning=ALIGNMENT) for topline in same]
    return found


def _compared(pair: Pair, metric: str, form: Format) -> str:
    """Tables of a pair: the difference, and with a topline where the cascade loses."""
    scorer = pair.a.scorer(metric)
    title = f"{pair.a.task}: {pair.meaning} ({metric}, points)"
    table = difference_table(_differences(pair, scorer), scorer, (pair.a.model, pair.b.model), title=title, form=form)
    if pair.meaning == ALIGNMENT:
        title = f"{pair.a.task}: {pair.a.model}, how often its answer to the recording is that to the transcript"
        found = agreement(pair.a.records, pair.b.records)
        return f"{table}\n{agreement_table(found, title=title, form=form)}\n"
    whole = _attribution(pair, metric)
    if whole is None or pair.topline is None:
        return table + "\n"
    where = f"{pair.a.task}: where {pair.b.model} loses; topline {pair.topline.model}, end to end {pair.a.model}"
    return f"{table}\n{attribution_table(whole, scorer, title=where, form=form)}\n"


def _differences(pair: Pair, scorer: Scorer) -> dict[str, Difference]:
    found = differences(
        pair.a.records,
        pair.b.records,
        scorer,
        cluster=pair.a.cluster,
        intersect=True,
        names=(pair.a.model, pair.b.model),
    )
    return _shared(found)


def _attribution(pair: Pair, metric: str) -> Attribution | None:
    if pair.topline is None or not scored(pair.topline, metric):
        return None
    sides = (pair.topline.records, pair.b.records, pair.a.records)
    stage = pair.b.stage_error()
    return attribution(*sides, pair.a.scorer(metric), stage, cluster=pair.a.cluster, intersect=True)


def _shared(found: Mapping[str, Difference]) -> dict[str, Difference]:
    """Without the languages in which one of the two has no score."""
    return {name: each for name, each in found.items() if np.isfinite(each.difference)}


def _json(tasks: Mapping[str, Sequence[Cell]]) -> dict[str, Any]:
    return {
        task: {
            "scores": [asdict(row) for cell in cells for row in cell.scores],
            "differences": [
                {
                    "a": pair.a.model,
                    "b": pair.b.model,
                    "meaning": pair.meaning,
                    "metric": metric,
                    **_compared_json(pair, metric),
                    **_agreement_json(pair),
                }
                for pair in pairs(cells)
                if (metric := common_metric(pair)) is not None
            ],
        }
        for task, cells in tasks.items()
    }


def _agreement_json(pair: Pair) -> dict[str, Any]:
    if pair.meaning != ALIGNMENT:
        return {}
    found = agreement(pair.a.records, pair.b.records)
    return {"agreement": {name: asdict(each) for name, each in found.items()}}


def _compared_json(pair: Pair, metric: str) -> dict[str, Any]:
    try:
        found, whole = _differences(pair, pair.a.scorer(metric)), _attribution(pair, metric)
    except UsageError as error:
        return {"languages": {}, "attribution": None, "error": str(error)}
    attributed = None if whole is None else {**asdict(whole), "correlation": whole.correlation._asdict()}
    return {"languages": {name: asdict(each) for name, each in found.items()}, "attribution": attributed}
