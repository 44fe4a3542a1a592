"""`mmbench report`: languages x systems with intervals, worst language, gap to English, cascade against end to end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mmbench import languages
from mmbench.compare import Difference, differences
from mmbench.results import CASCADE, END_TO_END, TOPLINE, Cell, by_task, find_cells
from mmbench.score import ALL, MACRO, Estimate
from mmbench.scorers.accuracy import chance, majority
from mmbench.store import finite
from mmbench.tables import Format, interval_text, number, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mmbench.predict import Outcome
    from mmbench.schema import Score

ENGLISH = "eng_Latn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two systems of one task and what a difference between them means."""

    a: Cell
    b: Cell
    meaning: str


def report(folders: Sequence[Path], form: Literal["table", "markdown", "json"] = "table") -> str:
    """All tables of the results under some folders.

    Raises:
        UsageError: there are none, or they are damaged.
    """
    tasks = by_task(find_cells(folders))
    if form == "json":
        return json.dumps(finite(_json(tasks)), indent=2, ensure_ascii=False) + "\n"
    return "".join(text for task, cells in tasks.items() for text in _task(task, cells, form))


def cell_table(scores: Sequence[Score], outcome: Outcome) -> str:
    """What is printed when a cell is done: its metrics by language."""
    if not scores:
        return ""
    metrics = list(dict.fromkeys(row.metric for row in scores))
    by_name = {(row.metric, row.language): row for row in scores}
    names = list(dict.fromkeys(row.language for row in scores))
    rows = [
        [_label(name), *(_shown(by_name.get((metric, name))) for metric in metrics), str(by_name[metrics[0], name].n)]
        for name in names
    ]
    fresh = f"{outcome.answered} answered now, {outcome.resumed} before, {outcome.failed} failed"
    title = f"{scores[0].task} / {scores[0].model} ({fresh})"
    table = render(title, ["", *(_heading(by_name[metric, MACRO]) for metric in metrics), "n"], rows)
    unparsed = max(row.unparsed for row in scores)
    said = [f"{unparsed} unparsed"] if unparsed else []
    return table + "\n".join([*said, *(by_name[metric, MACRO].signature for metric in metrics)]) + "\n\n"


def _task(task: str, cells: Sequence[Cell], form: Format) -> Iterator[str]:
    metrics = list(dict.fromkeys(metric for cell in cells for metric in cell.metrics))
    for metric in metrics:
        shown = [cell for cell in cells if _scored(cell, metric)]
        if shown:
            yield _metric(task, metric, shown, form)
    for pair in pairs(cells):
        common = common_metric(pair)
        if common is not None:
            yield _difference(pair, common, form)


def _scored(cell: Cell, metric: str) -> bool:
    """Whether a metric says anything of a system: an error rate inside a cascade says nothing of one without stages."""
    row = cell.row(metric, MACRO)
    return row is not None and bool(np.isfinite(row.value))


def common_metric(pair: Pair) -> str | None:
    """The first metric of `a` that says something of both."""
    return next((m for m in pair.a.metrics if _scored(pair.a, m) and _scored(pair.b, m)), None)


def tags(cells: Sequence[Cell], metric: str) -> list[str]:
    """Languages with a value for all systems, English first: means over different languages do not compare."""
    sets = [{r.language for r in cell.scores if r.metric == metric and np.isfinite(r.value)} for cell in cells]
    sets = [found - {ALL, MACRO} for found in sets]
    return sorted(set.intersection(*sets), key=lambda tag: (tag != ENGLISH, tag))


def _metric(task: str, metric: str, cells: Sequence[Cell], form: Format) -> str:
    shared = tags(cells, metric)
    if not shared:
        return f"{task}: {metric}: the systems share no language, so there is nothing to compare.\n\n"
    rows = [[_label(tag), *(_shown(cell.row(metric, tag)) for cell in cells)] for tag in shared]
    complete = all({row.language for row in cell.scores} - {ALL, MACRO} == set(shared) for cell in cells)
    means = [cell.row(metric, MACRO) for cell in cells]
    if complete:
        rows.append(["macro mean", *(_shown(mean) for mean in means)])
    else:
        values = [_values(cell, metric, shared) for cell in cells]
        rows.append([f"macro mean of {len(shared)} shared", *(_plain(float(np.mean(v)), means[0]) for v in values)])
    rows.append(["worst language", *(_worst(cell, metric, shared) for cell in cells)])
    if ENGLISH in shared:
        rows.append(["gap to English", *(_gap(cell, metric, shared) for cell in cells)])
    rows.append(["failed / unparsed / n", *(_counts(cell, metric) for cell in cells)])
    first = means[0]
    assert first is not None
    title = f"{task}: {_heading(first)}"
    signatures = "; ".join(sorted({row.signature for cell in cells if (row := cell.row(metric, MACRO))}))
    note = f"95 % intervals. {_baselines(cells[0], metric, shared)}{signatures}\n"
    return render(title, ["", *(cell.model for cell in cells)], rows, form) + note + "\n"


def _baselines(cell: Cell, metric: str, shared: Sequence[str]) -> str:
    """What guessing gets, without which an accuracy says nothing."""
    if not cell.scorer(metric).proportion:
        return ""
    samples = [record.sample for record in cell.records if record.sample.language in shared]
    guess, constant = (number(found(samples), fraction=True) for found in (chance, majority))
    return f"Chance {guess}, most frequent answer {constant}. "


def _values(cell: Cell, metric: str, shared: Sequence[str]) -> list[float]:
    return [row.value for tag in shared if (row := cell.row(metric, tag)) is not None]


def _worst(cell: Cell, metric: str, shared: Sequence[str]) -> str:
    rows = [row for tag in shared if (row := cell.row(metric, tag)) is not None and np.isfinite(row.value)]
    if not rows:
        return "-"
    worst = (min if rows[0].higher_is_better else max)(rows, key=lambda row: row.value)
    return f"{worst.language} {_plain(worst.value, worst)}"


def _gap(cell: Cell, metric: str, shared: Sequence[str]) -> str:
    """Mean of the other languages minus English."""
    english = cell.row(metric, ENGLISH)
    others = _values(cell, metric, [tag for tag in shared if tag != ENGLISH])
    if english is None or not others:
        return "-"
    return number(float(np.mean(others)) - english.value, fraction=english.fraction, signed=True)


def _counts(cell: Cell, metric: str) -> str:
    pooled = cell.row(metric, ALL)
    return "-" if pooled is None else f"{pooled.failed} / {pooled.unparsed} / {pooled.n}"


def pairs(cells: Sequence[Cell]) -> list[Pair]:
    """The comparisons that the design is about: what a stage costs, and cascade against end to end."""
    kinds = {kind: [cell for cell in cells if cell.kind == kind] for kind in (TOPLINE, CASCADE, END_TO_END)}
    found = [
        Pair(a=topline, b=cascade, meaning="what the stages' errors cost: topline minus cascade")
        for cascade in kinds[CASCADE]
        for topline in kinds[TOPLINE]
        if topline.reader == cascade.reader
    ]
    found += [
        Pair(a=direct, b=cascade, meaning="end to end minus cascade")
        for cascade in kinds[CASCADE]
        for direct in kinds[END_TO_END]
    ]
    return found


def _differences(pair: Pair, metric: str) -> dict[str, Difference]:
    return dict(differences(pair.a.records, pair.b.records, pair.a.scorer(metric)))


def _difference(pair: Pair, metric: str, form: Format) -> str:
    scorer = pair.a.scorer(metric)
    found = _differences(pair, metric)
    rows = []
    for tag in [*tags([pair.a, pair.b], metric), MACRO]:
        difference = found.get(tag, Difference())
        shown = number(difference.value, fraction=scorer.fraction, signed=True)
        low, high = (number(v, fraction=scorer.fraction, signed=True) for v in (difference.low, difference.high))
        p = "-" if np.isnan(difference.p) else "<0.001" if difference.p < 0.001 else f"{difference.p:.3f}"
        rows.append([_label(tag), shown, f"[{low}, {high}]", p, _verdict(difference, pair, scorer.higher_is_better)])
    title = f"{pair.a.task}: {pair.meaning} ({metric}, points)"
    count = found[MACRO].n if MACRO in found else 0
    note = (
        f"{pair.a.model} minus {pair.b.model}: {count} samples paired by id; interval by bootstrap, p by "
        "approximate randomisation, not corrected for the number of languages.\n"
    )
    return render(title, ["", "difference", "95 % interval", "p", "better"], rows, form) + note + "\n"


def _verdict(difference: Difference, pair: Pair, higher_is_better: bool) -> str:
    """Which system is better, where the interval leaves out zero and p is below 0.05."""
    if not (difference.low > 0 or difference.high < 0) or not difference.p < 0.05:
        return "not told apart"
    return pair.a.model if (difference.low > 0) == higher_is_better else pair.b.model


def _label(name: str) -> str:
    if name == MACRO:
        return "macro mean"
    return "all samples" if name == ALL else f"{name} {languages.language(name).name}"


def _heading(row: Score) -> str:
    arrow = "higher is better" if row.higher_is_better else "lower is better"
    return f"{row.metric}{' %' if row.fraction else ''}, {arrow}"


def _shown(row: Score | None) -> str:
    if row is None:
        return "-"
    return interval_text(Estimate(value=row.value, low=row.low, high=row.high), fraction=row.fraction)


def _plain(value: float, row: Score | None) -> str:
    return number(float(value), fraction=row is not None and row.fraction)


def _json(tasks: dict[str, list[Cell]]) -> dict[str, object]:
    return {
        task: {
            "scores": [asdict(row) for cell in cells for row in cell.scores],
            "differences": [
                {
                    "a": pair.a.model,
                    "b": pair.b.model,
                    "meaning": pair.meaning,
                    "metric": metric,
                    "languages": {tag: asdict(d) for tag, d in _differences(pair, metric).items()},
                }
                for pair in pairs(cells)
                if (metric := common_metric(pair)) is not None
            ],
        }
        for task, cells in tasks.items()
    }
