"""Numbers of right answers as a wide table, a row for each system and language and a column for each kind of question.

It is what programs for factor models read, such as lavaan in R for the score of M3GIA.
"""

from __future__ import annotations

import csv
import io
import logging
from typing import TYPE_CHECKING

from mmbench.errors import UsageError
from mmbench.measure import fit, measure, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.measure import Measured
    from mmbench.records import Record
    from mmbench.schema import Scorer

log = logging.getLogger(__name__)

SYSTEM, N, LANGUAGE = "system", "n", "language"

Cell = str | int | float | None


def wide_table(
    records: Sequence[Record],
    scorer: Scorer,
    field: str,
    *,
    columns: Mapping[str, str] | None = None,
    total: str = "total",
) -> list[dict[str, Cell]]:
    """Rows by system and language: the system, right answers by value of a field, their sum, questions and language.

    Kinds of question stand from the second column on, as in the tables of M3GIA. A kind that a system was not asked is
    None. Failed and unparsed answers are wrong.

    Args:
        records: the answers.
        scorer: a metric that counts right answers.
        field: group field with the kind of question.
        columns: headings by value of the field, in the order of the table; None for the values, sorted.
        total: heading of the sum.

    Raises:
        UsageError: the metric counts nothing, a record lacks the field, a value has no heading, or two have the same.
    """
    if not scorer.proportion:
        raise UsageError(f"scorer {scorer.name} counts no right answers; take accuracy or one like it")
    measured = measure(records, fit(scorer, records))
    parts = split(measured, lambda record: _kind(record, field))
    headings = {value: value for value in parts} if columns is None else dict(columns)
    if unknown := sorted(parts.keys() - headings.keys()):
        raise UsageError(f"{field}: no column for {', '.join(unknown)}; there are {', '.join(headings)}")
    names = [SYSTEM, *headings.values(), total, N, LANGUAGE]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"two columns would be named {min(twice)}; give one of them another heading")
    rows = [
        _row(system, language, part, headings, field, total)
        for language, systems in split(measured, lambda record: record.sample.language).items()
        for system, part in split(systems, lambda record: record.system or "").items()
    ]
    if len(asked := {row[N] for row in rows}) > 1:
        log.warning("numbers of questions differ by row (%s): their counts do not compare", sorted(map(str, asked)))
    return rows


def _kind(record: Record, field: str) -> str:
    value = record.sample.group.get(field)
    if value is None:
        known = ", ".join(sorted(record.sample.group)) or "none"
        raise UsageError(f"sample {record.sample.id}: has no group field {field!r} to make columns of; it has {known}")
    return value


def _row(
    system: str, language: str, part: Measured, headings: Mapping[str, str], field: str, total: str
) -> dict[str, Cell]:
    kinds = split(part, lambda record: _kind(record, field))
    cells: dict[str, Cell] = {
        name: _right(kinds[value]) if value in kinds else None for value, name in headings.items()
    }
    return {SYSTEM: system, **cells, total: _right(part), N: len(part.ids), LANGUAGE: language}


def _right(part: Measured) -> int | float:
    """The number of right answers, whole where it is."""
    found = float(part.stats[:, 0].sum())
    return int(found) if found.is_integer() else found


def as_csv(rows: Sequence[Mapping[str, Cell]]) -> str:
    """The rows as CSV with a header; None is an empty field, which R reads as NA."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()
