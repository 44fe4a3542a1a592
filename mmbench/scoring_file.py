"""`mmbench score`: score a file of outputs, ours or anybody's, without the data and without the model."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.aggregate import ATTRIBUTES, attribute, summary
from mmbench.errors import UsageError
from mmbench.measure import Measured, averaged, baselines, by_language, fit, measure, split
from mmbench.records import MISSING
from mmbench.score import ALL, MACRO, Estimate, estimate, macro, read_records, signed, whole
from mmbench.store import dumps
from mmbench.tables import interval_text, number, render, scale

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mmbench.records import Record
    from mmbench.schema import Sample, Scorer

log = logging.getLogger(__name__)


def score_file(arguments: argparse.Namespace) -> str:
    """The text that the command prints.

    Raises:
        UsageError: the scorer or an option is not known, or the file is not as documented.
    """
    scorer = chosen_scorer(arguments)
    records = file_records(arguments.file)
    systems = {record.system for record in records}
    if len(systems) > 1 and "system" not in arguments.by:
        log.warning("%s: %d systems are scored as one; --by system tells them apart", arguments.file, len(systems))
    if arguments.format == "csv":
        from mmbench.wide_table import as_csv, wide_table

        if len(arguments.by) != 1:
            raise UsageError("--format csv makes columns of the values of one field: give --by FIELD")
        if wrong := next((pair for pair in arguments.columns if "=" not in pair), None):
            raise UsageError(f"--columns {wrong}: write VALUE=HEADING, as in 'Math Facts=Math_Facts'")
        columns = dict(pair.split("=", 1) for pair in arguments.columns) or None
        return as_csv(wide_table(records, scorer, arguments.by[0], columns=columns))
    result = score_records(records, scorer, arguments.by, arguments.cluster)
    if arguments.format == "json":
        return dumps(result) + "\n"
    text = _table(result, scorer).lstrip("\n")
    if arguments.worst:
        from mmbench.alignment import worst_view

        text += "\n" + worst_view(records, scorer, arguments.worst)
    return text


def file_records(path: Path) -> list[Record]:
    """All answers of a file that was made elsewhere, or here.

    Raises:
        UsageError: the file is missing, empty or not as documented.
    """
    records = list(read_records(path, strict=True).values())
    if not records:
        raise UsageError(f"{path}: has no rows; one JSON object per line is wanted")
    if all(error is not None and error.kind == MISSING for error in (r.prediction.error for r in records)):
        raise UsageError(f"{path}: no row has an answer; it stands in the field 'prediction'")
    return records


def chosen_scorer(arguments: argparse.Namespace) -> Scorer:
    """The scorer that a command line names, with its settings.

    Raises:
        UsageError: there is no such scorer, or no such setting.
    """
    settings: dict[str, Any] = {}
    for pair in arguments.set:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"--set {pair}: write KEY=VALUE, as in --set normalization=byte")
        settings[key] = _plain(value)
    for key in ("normalizer", "tokenize"):
        if (value := getattr(arguments, key)) is not None:
            settings[key] = value
    return named_scorer(arguments.scorer, settings)


def _plain(value: str) -> Any:
    """A value of a command line as YAML reads it: 5 is a number, null nothing, everything else text."""
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"--set: {value!r} cannot be read; put quotes around it") from error


def named_scorer(name: str, settings: Mapping[str, Any] | None = None) -> Scorer:
    """A scorer of conf/scorer by name, with some of its settings."""
    from mmbench.config import load

    scorer: Scorer = load("scorer", name, settings)
    return scorer


def score_records(
    records: Sequence[Record], scorer: Scorer, fields: Sequence[str] = (), cluster: str | None = None
) -> dict[str, Any]:
    """The object that `--format json` prints: overall, macro, by language and by each field, and what sums them up.

    Raises:
        UsageError: no row has one of the fields, or a row lacks the field of the clusters.
    """
    scorer = fit(scorer, records)
    everything = measure(records, scorer, cluster)
    unscored = [everything.records[index].sample for index in np.flatnonzero(~everything.stats.any(axis=1))]
    if unscored:
        count = len(everything.ids)
        log.warning(
            "%d of %d samples give %s nothing to score%s", len(unscored), count, scorer.name, _lacks(unscored[0])
        )
    groups = by_language(everything)
    found = {tag: estimate(group, scorer) for tag, group in groups.items()}
    values = {tag: found[tag].value for tag in averaged(groups, scorer)}
    result: dict[str, Any] = {
        "scorer": scorer.name,
        "signature": signed(scorer, everything),
        "overall": _entry(whole(groups, scorer)),
        "macro": _entry(macro(groups, scorer)),
        "languages": {tag: _entry(one) for tag, one in found.items()},
        "by": {field: parts(everything, field, scorer) for field in fields},
        "summary": asdict(summary(values, higher_is_better=scorer.higher_is_better, given=len(groups))),
    }
    if guessing := baselines(scorer, [record.sample for record in records]):
        result["baselines"] = guessing
    return result


def _lacks(sample: Sample) -> str:
    """What the first sample that cannot be scored may need."""
    fields = {"references": sample.references, "choices": sample.choices, "transcript": sample.transcript}
    absent = [name for name, value in fields.items() if not value]
    absent += ["answer"] if sample.choices and sample.answer is None else []
    return f"; {sample.id} has no {', no '.join(absent)}" if absent else f", such as {sample.id}"


def _entry(found: Estimate) -> dict[str, Any]:
    entry = asdict(found)
    return entry if entry["counts"] else {key: value for key, value in entry.items() if key != "counts"}


def parts(everything: Measured, field: str, scorer: Scorer) -> dict[str, Any]:
    """Scores by a field: all questions of a value pooled, and the unweighted mean over its languages."""
    found = {}
    for value, part in split(everything, field_of(field, everything.records)).items():
        groups = by_language(part)
        found[value] = {**_entry(whole(groups, scorer)), "macro": _entry(macro(groups, scorer))}
    return found


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
    if field in ATTRIBUTES:
        return lambda record: attribute(record.sample.language, field)
    known = sorted({key for record in records for key in record.sample.group})
    raise UsageError(f"--by {field}: no row has it; known are {', '.join([*known, 'system', 'language', *ATTRIBUTES])}")


def _table(result: Mapping[str, Any], scorer: Scorer) -> str:
    entries = [result["overall"], *result["languages"].values()]
    named = list(dict.fromkeys(key for entry in entries for key in entry.get("counts", {})))
    shares = ["failed", "unparsed", *(["refused"] if result["overall"]["refused"] else [])]

    def row(name: str, entry: Mapping[str, Any], mean: str = "") -> list[str]:
        counts = [f"{entry['counts'][key]:.0f}" if key in entry.get("counts", {}) else "" for key in named]
        means = [mean] if result["by"] else []
        return [name, entry_text(entry, scorer), *means, str(entry["n"]), *(str(entry[key]) for key in shares), *counts]

    rows = [row(tag, entry) for tag, entry in result["languages"].items()]
    rows += [row(ALL, result["overall"]), row(MACRO, result["macro"])]
    for field, values in result["by"].items():
        rows += [row(f"{field} = {value}", one, entry_text(one["macro"], scorer)) for value, one in values.items()]
    header = ["", scorer.name, *(["mean of languages"] if result["by"] else []), "n", *shares, *named]
    return render("", header, rows) + _notes(result, scorer)


def entry_text(entry: Mapping[str, Any], scorer: Scorer) -> str:
    """Value and interval of an entry of the object that `--format json` prints."""
    found = Estimate(value=entry["value"], low=entry["low"], high=entry["high"])
    return interval_text(found, scale=scale(scorer))


def _notes(result: Mapping[str, Any], scorer: Scorer) -> str:
    """Lines under the table: what the languages say together, what guessing gets, and the signature."""

    def shown(value: float, *, signed: bool = False) -> str:
        return number(value, scale=scale(scorer), signed=signed)

    found, lines = result["summary"], []
    if found["averaged"] > 1:
        worst = ", ".join(f"{tag} {shown(value)}" for tag, value in found["worst"])
        lines.append(f"median {shown(found['median'])}; worst {len(found['worst'])}: {worst}")
    if found["gap"] == found["gap"]:
        lines[-1] += f"; other languages minus English {shown(found['gap'], signed=True)}"
    if found["averaged"] < found["given"]:
        lines.append(f"the mean is of {found['averaged']} of {found['given']} languages")
    if "baselines" in result:
        lines.append("guessing: " + ", ".join(f"{name} {shown(value)}" for name, value in result["baselines"].items()))
    return "".join(f"{line}\n" for line in (*lines, result["signature"]))
