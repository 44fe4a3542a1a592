"""The table of one metric: languages x systems, and under it what the languages say together."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.aggregate import ENGLISH, Summary, summary
from mmbench.difference_tables import label
from mmbench.errors import UsageError
from mmbench.measure import Measured, averages, baselines, by_language, fit, measure
from mmbench.score import ALL, MACRO, macro
from mmbench.scoring_file import entry_text, parts
from mmbench.tables import Format, interval_text, number, render, scale

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mmbench.results import Cell
    from mmbench.schema import Score, Scorer
    from mmbench.score import Estimate

log = logging.getLogger(__name__)


def metric_table(task: str, metric: str, cells: Sequence[Cell], form: Format, fields: Sequence[str] = ()) -> str:
    """Languages that all systems share x systems, with intervals, baselines and signatures; then by some fields."""
    shared = tags(cells, metric)
    if not shared:
        return f"{task}: {metric}: the systems share no language, so there is nothing to compare.\n\n"
    rows = [[label(tag), *(shown(cell.row(metric, tag)) for cell in cells)] for tag in shared]
    found = [_summary(cell, metric, shared) for cell in cells]
    first = cells[0].row(metric, MACRO)
    assert first is not None
    rows += _together(cells, metric, shared, found, first)
    if fields:
        rows += _by(cells, metric, shared, fields)
    title = f"{task}: {heading(first)}"
    signatures = "; ".join(sorted({row.signature for cell in cells if (row := cell.row(metric, MACRO))}))
    note = f"95 % intervals. {_coverage(found[0])}{_baselines(cells[0], metric, shared)}{signatures}\n"
    note += _left_out(cells, metric, shared) + _unlike(cells, metric)
    return render(title, ["", *headings(cells)], rows, form) + note + "\n"


def headings(cells: Sequence[Cell]) -> list[str]:
    """Names of the systems, with their folder where two have one name."""
    names = [cell.model for cell in cells]
    return [
        name if names.count(name) == 1 else f"{name} ({cell.folder})" for name, cell in zip(names, cells, strict=True)
    ]


def _left_out(cells: Sequence[Cell], metric: str, shared: Sequence[str]) -> str:
    """A line about languages that not all systems have a score in."""
    have = _valued(cells, metric)
    extra = set.union(*have).difference(shared)
    if not extra:
        return ""
    fewest = cells[min(range(len(cells)), key=lambda index: len(have[index]))].model
    return f"{len(extra)} languages that not all systems have a score in are left out; {fewest} has the fewest.\n"


def scored(cell: Cell, metric: str) -> bool:
    """Whether a metric says anything of a system: an error rate inside a cascade says nothing of one without stages."""
    return any(np.isfinite(row.value) for row in cell.scores if row.metric == metric)


def tags(cells: Sequence[Cell], metric: str) -> list[str]:
    """Languages with a value for all systems, English first: means over different languages do not compare."""
    return sorted(set.intersection(*_valued(cells, metric)), key=lambda tag: (tag != ENGLISH, tag))


def _valued(cells: Sequence[Cell], metric: str) -> list[set[str]]:
    """Of each system, the languages in which it has a value."""
    sets = ({r.language for r in cell.scores if r.metric == metric and np.isfinite(r.value)} for cell in cells)
    return [found - {ALL, MACRO} for found in sets]


def heading(row: Score) -> str:
    """A metric's name, unit and direction."""
    arrow = "higher is better" if row.higher_is_better else "lower is better"
    return f"{row.metric}{' %' if row.fraction else ''}, {arrow}"


def shown(row: Score | None) -> str:
    """A score and its interval."""
    return "-" if row is None else interval_text(row, scale=scale(row))


def _summary(cell: Cell, metric: str, shared: Sequence[str]) -> Summary:
    """What the shared languages say together, without those that the metric does not average."""
    scorer = cell.scorer(metric)
    rows = {tag: row for tag in shared if (row := cell.row(metric, tag)) is not None}
    values = {tag: row.value for tag, row in rows.items() if averages(scorer, cell.samples[tag])}
    return summary(values, higher_is_better=scorer.higher_is_better, given=len(shared))


def _together(
    cells: Sequence[Cell], metric: str, shared: Sequence[str], found: Sequence[Summary], first: Score
) -> list[list[str]]:
    """Rows under the languages: means, the middle, the worst, the gap to English, and what failed."""

    def plain(value: float, *, signed: bool = False) -> str:
        return number(value, scale=scale(first), signed=signed)

    complete = all({row.language for row in cell.scores} - {ALL, MACRO} == set(shared) for cell in cells)
    name = "macro mean" if complete else f"macro mean of {found[0].averaged} shared"
    rows = [[name, *(_mean(cell, metric, shared, complete) for cell in cells)]]
    rows.append(["median", *(plain(each.median) for each in found)])
    if found[0].averaged > len(found[0].worst):
        rows.append([f"mean of worst {len(found[0].worst)}", *(plain(each.worst_mean) for each in found)])
    worst = [f"{each.worst[0][0]} {plain(each.worst[0][1])}" if each.worst else "-" for each in found]
    rows.append(["worst language", *worst])
    if ENGLISH in shared:
        rows.append(["gap to English", *(plain(each.gap, signed=True) for each in found)])
    rows.append(["failed / unparsed / refused / n", *(_counts(cell, metric, shared) for cell in cells)])
    return rows


def _mean(cell: Cell, metric: str, shared: Sequence[str], complete: bool) -> str:
    if complete:
        return shown(cell.row(metric, MACRO))
    return interval_text(mean_row(cell, metric, shared), scale=scale(cell.scorer(metric)))


def mean_row(cell: Cell, metric: str, shared: Sequence[str]) -> Score | Estimate:
    """The mean over some languages: the cell's own where these are all that it has, else computed again."""
    row = cell.row(metric, MACRO)
    if row is not None and {each.language for each in cell.scores} - {ALL, MACRO} == set(shared):
        return row
    scorer, measured = _measured(cell, metric, shared)
    return macro(by_language(measured), scorer)


def _measured(cell: Cell, metric: str, shared: Sequence[str]) -> tuple[Scorer, Measured]:
    """The fitted scorer, and the answers in the shared languages measured by it."""
    scorer = fit(cell.scorer(metric), cell.records)
    records = [record for record in cell.records if record.sample.language in shared]
    return scorer, measure(records, scorer, cell.cluster)


def _counts(cell: Cell, metric: str, shared: Sequence[str]) -> str:
    rows = [row for tag in shared if (row := cell.row(metric, tag)) is not None]
    return " / ".join(str(sum(getattr(row, key) for row in rows)) for key in ("failed", "unparsed", "refused", "n"))


def _by(cells: Sequence[Cell], metric: str, shared: Sequence[str], fields: Sequence[str]) -> Iterator[list[str]]:
    """Rows by fields: the mean over the languages of each value of one; none where no sample has the field."""
    measured = [_measured(cell, metric, shared) for cell in cells]
    for field in fields:
        columns: list[Mapping[str, Any]] = []
        for cell, (scorer, answers) in zip(cells, measured, strict=True):
            try:
                columns.append(parts(answers, field, scorer))
            except UsageError as error:
                log.warning("%s / %s: %s", cell.task, cell.model, error)
                columns.append({})
        for value in sorted({value for column in columns for value in column}):
            entries = (column.get(value) for column in columns)
            yield [
                f"{field} = {value}",
                *("-" if e is None else entry_text(e["macro"], measured[0][0]) for e in entries),
            ]


def _coverage(found: Summary) -> str:
    return "" if found.averaged == found.given else f"The mean is of {found.averaged} of {found.given} languages. "


def _baselines(cell: Cell, metric: str, shared: Sequence[str]) -> str:
    """What guessing gets, without which an accuracy says nothing."""
    scorer = cell.scorer(metric)
    if not hasattr(scorer, "chance"):
        return ""
    scorer = fit(scorer, cell.records)
    samples = [record.sample for record in cell.records if record.sample.language in shared]
    found = [f"{name} {number(v, scale=scale(scorer))}" for name, v in baselines(scorer, samples).items()]
    return f"Guessing: {', '.join(found)}. " if found else ""


def _unlike(cells: Sequence[Cell], metric: str) -> str:
    """A line if the columns are no answers to the same questions, or not scored by the same rules."""
    prints = [cell.run["fingerprint"] for cell in cells]
    differ = [key for key in ("task", "data") if any(one.get(key) != prints[0].get(key) for one in prints)]
    what = {"task": "prompts or protocols", "data": "data"}
    kinds = [what[key] for key in differ]
    if len({row.signature for cell in cells if (row := cell.row(metric, MACRO))}) > 1:
        kinds.append("rules of scoring (see the signatures)")
    if not kinds:
        return ""
    return f"These systems have different {' and '.join(kinds)}: they do not compare.\n"
