"""`mmbench score`: score a file of outputs, ours or anybody's, without the data and without the model."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mmbench import languages
from mmbench.errors import UsageError
from mmbench.score import ALL, MACRO, Estimate, by, estimate, macro, measure, pool, read_records
from mmbench.store import dumps
from mmbench.tables import interval_text, render

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from mmbench.records import Record
    from mmbench.schema import Scorer

log = logging.getLogger(__name__)

_ATTRIBUTES = ("script", "family", "region", "resource")


def score_file(arguments: argparse.Namespace) -> str:
    """The text that the command prints.

    Raises:
        UsageError: the scorer or an option is not known, or the file is not as documented.
    """
    scorer = named_scorer(arguments.scorer, normalizer=arguments.normalizer, tokenize=arguments.tokenize)
    records = list(read_records(arguments.file, strict=True).values())
    if not records:
        raise UsageError(f"{arguments.file}: has no rows; one JSON object per line is wanted")
    systems = {record.system for record in records}
    if len(systems) > 1 and "system" not in arguments.by:
        log.warning("%s: %d systems are scored as one; --by system tells them apart", arguments.file, len(systems))
    result = score_records(records, scorer, arguments.by)
    if arguments.format == "json":
        return dumps(result) + "\n"
    return _table(result, scorer)


def named_scorer(name: str, *, normalizer: str | None = None, tokenize: str | None = None) -> Scorer:
    """A scorer of conf/scorer by name, with the options that the command line gives."""
    from mmbench.config import load

    given = {"normalizer": normalizer, "tokenize": tokenize}
    scorer: Scorer = load("scorer", name, **{key: value for key, value in given.items() if value is not None})
    return scorer


def score_records(records: Sequence[Record], scorer: Scorer, fields: Sequence[str] = ()) -> dict[str, Any]:
    """The object that `--format json` prints: overall, macro, by language and by each field."""
    groups = {tag: measure(rows, scorer) for tag, rows in by(records, lambda r: r.sample.language).items()}
    written = sorted({record.sample.written for record in records})
    result: dict[str, Any] = {
        "scorer": scorer.name,
        "signature": scorer.signature(written),
        "overall": asdict(estimate(pool(groups.values()), scorer)),
        "macro": asdict(macro(list(groups.values()), scorer)),
        "languages": {tag: asdict(estimate(group, scorer)) for tag, group in groups.items()},
        "by": {},
    }
    for field in fields:
        values = by(records, field_of(field, records))
        result["by"][field] = {value: asdict(estimate(measure(rows, scorer), scorer)) for value, rows in values.items()}
    return result


def field_of(field: str, records: Sequence[Record]) -> Callable[[Record], str]:
    """How to read a field that results are grouped by: of the row, of its group, or of its language.

    Raises:
        UsageError: no row has it.
    """
    if any(field in record.sample.group for record in records):
        return lambda record: record.sample.group.get(field, "(none)")
    if field == "system":
        return lambda record: record.system or "(none)"
    if field == "language":
        return lambda record: record.sample.language
    if field in _ATTRIBUTES:
        return lambda record: str(getattr(languages.language(record.sample.language), field))
    known = sorted({key for record in records for key in record.sample.group})
    raise UsageError(
        f"--by {field}: no row has it; known are {', '.join([*known, 'system', 'language', *_ATTRIBUTES])}"
    )


def _table(result: dict[str, Any], scorer: Scorer) -> str:
    rows = []
    sections = [("", result["languages"]), ("", {ALL: result["overall"], MACRO: result["macro"]})]
    sections += [(f"{field} = ", values) for field, values in result["by"].items()]
    for prefix, section in sections:
        for name, found in section.items():
            shown = interval_text(Estimate(**found), fraction=scorer.fraction)
            rows.append([f"{prefix}{name}", shown, str(found["n"]), str(found["failed"]), str(found["unparsed"])])
    header = ["", scorer.name, "n", "failed", "unparsed"]
    return render("", header, rows) + f"{result['signature']}\n"
