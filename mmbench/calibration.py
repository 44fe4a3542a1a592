"""`mmbench calibrate`: a judge against people, language by language.

The judge's side is the predictions file of its run, read by a scorer of judges; people's is a JSON Lines file with
`sample_id` (of pairs the id of the pair), `language` and `human` (a score, or a label), and `rater` where several
people judged a sample. Their mean, or the label that most of them gave, is what the judge is compared with.

Answers that the judged system failed to give have no verdict of the judge, and are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench import languages
from mmbench.agreement import compared, people
from mmbench.errors import UsageError
from mmbench.measure import fit, measure
from mmbench.score import read_records
from mmbench.scorers.calibrated import FORMAT, LEAST
from mmbench.store import dumps, read_jsonl, write_atomic
from mmbench.tables import render

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Opinion = float | str
"""A score, or a label."""


@dataclass(frozen=True, slots=True)
class Item:
    """What the judge and people said of one answer, or of one pair; `judge` is None where it said nothing clear."""

    language: str
    judge: Opinion | None
    people: tuple[Opinion, ...]


def calibrate_files(arguments: argparse.Namespace) -> str:
    """The text that the command prints; `out` gets the record.

    Args:
        arguments: with `judged` and `human`, paths; `scorer`, a name among the scorers of the judge's run, where its
            run.json is beside the judged file, or of conf/scorer; `format`, "table" or "json"; and `out`, a path or
            None.

    Raises:
        UsageError: a file or the scorer is not as documented, or the files have no sample in common.
        CellError: the record cannot be written.
    """
    scorer = _scorer(arguments.judged, arguments.scorer)
    record = calibrate(arguments.judged, arguments.human, scorer)
    if arguments.out is not None:
        write_atomic(arguments.out, dumps(record) + "\n")
    return dumps(record) + "\n" if arguments.format == "json" else _text(record)


def calibrate(judged: Path, human: Path, scorer: Any) -> dict[str, Any]:
    """The record of a judge's agreement with people, as JSON data.

    Args:
        judged: predictions file of the judge's run.
        human: file of what people said.
        scorer: reads the judge; one of `mmbench.scorers.judge` or `judge_pairs`.

    Raises:
        UsageError: see `calibrate_files`.
    """
    if not hasattr(scorer, "human"):
        raise UsageError(f"--scorer {scorer.name}: reads no judge; give judge, judge_label, judge_pairwise or the like")
    said, not_answered = _judged(judged, scorer)
    opinions = _opinions(human, scorer, {name: item.language for name, item in said.items()})
    both = [
        Item(said[name].language, said[name].judge, tuple(found)) for name, found in opinions.items() if name in said
    ]
    if not both:
        raise UsageError(f"{human}: none of its {len(opinions)} samples is in {judged}; they are joined by sample_id")
    groups: dict[str, list[Item]] = {}
    for item in both:
        groups.setdefault(item.language, []).append(item)
    value = getattr(scorer, "value", None)
    found = {language: _figures(groups[language], value) for language in sorted(groups)}
    return {
        "format": FORMAT,
        "scorer": scorer.name,
        "rules": scorer.rules,
        "judge": _judge(judged),
        "matched": len(both),
        "only_judged": len(said) - len(both),
        "only_human": len(opinions) - len(both),
        "not_answered": not_answered,
        "overall": _figures(both, value),
        "languages": found,
        "biased": [language for language, figures in found.items() if _biased(figures)],
    }


def _judged(path: Path, scorer: Any) -> tuple[dict[str, Item], int]:
    """What the judge said by question, and how many questions had no answer to judge."""
    records = read_records(path, strict=True)
    if len({system for system, *_ in records}) > 1:
        raise UsageError(f"{path}: holds several systems; give the predictions of one judge's run")
    found = measure(records.values(), fit(scorer, records.values()))
    items, not_answered = {}, 0
    for name, record, row in zip(found.ids, found.records, found.stats, strict=True):
        if "failed" in record.sample.group:
            not_answered += 1
            continue
        value = float(scorer.reduce(row))
        clear = not np.isnan(value) and not scorer.unparsed(row)
        label = getattr(scorer, "label", None)
        items[name] = Item(record.sample.language, None if not clear else value if label is None else label(row), ())
    return items, not_answered


def _opinions(path: Path, scorer: Any, judged: Mapping[str, str]) -> dict[str, list[Opinion]]:
    """What people said by sample id."""
    found: dict[str, dict[str, Opinion]] = {}
    try:
        for number, row in read_jsonl(path, strict=True):
            where = f"{path}:{number}"
            name = row.get("sample_id") if isinstance(row, dict) else None
            if not isinstance(name, str) or "human" not in row or not isinstance(row.get("language"), str):
                raise UsageError(f"{where}: is no human score; give sample_id, language and human in every row")
            _check_language(row["language"], judged.get(name), where)
            given = found.setdefault(name, {})
            rater = str(row.get("rater", f"row {len(given) + 1}"))
            if rater in given:
                raise UsageError(f"{where}: rater {rater!r} judged sample {name!r} before; keep one row of each")
            try:
                given[rater] = scorer.human(row["human"])
            except UsageError as error:
                raise UsageError(f"{where}: field 'human': {error}") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a file of JSON lines") from error
    return {name: list(given.values()) for name, given in found.items()}


def _check_language(code: str, judged: str | None, where: str) -> None:
    try:
        tag = languages.tag(code)
    except UsageError as error:
        raise UsageError(f"{where}: field 'language': {error}") from error
    if judged not in (None, tag):
        raise UsageError(f"{where}: the language is {tag}, but the judged answer's is {judged}; one of them is wrong")


def _figures(items: Sequence[Item], value: Any) -> dict[str, Any]:
    """All figures of some items; `value` gives the number that a label stands for, None where there are no labels."""
    known = [item for item in items if item.judge is not None]
    figures = {"n": len(known), "unparsed": len(items) - len(known)}
    number: Callable[[Any], float] = float if value is None else value
    judge = np.array([number(item.judge) for item in known], dtype=np.float64)
    human = np.array([np.mean([number(one) for one in item.people]) for item in known], dtype=np.float64)
    names = None
    if value is not None:
        chosen = [(item.judge, _majority(item.people)) for item in known]
        names = [(str(mine), str(theirs)) for mine, theirs in chosen if theirs is not None]
    return {**figures, **compared(judge, human, names), "people": people([item.people for item in items], number)}


def _majority(opinions: Sequence[Opinion]) -> Opinion | None:
    """The most frequent opinion; None where two are."""
    ranked = Counter(opinions).most_common(2)
    return ranked[0][0] if len(ranked) == 1 or ranked[0][1] > ranked[1][1] else None


def _biased(figures: Mapping[str, Any]) -> bool:
    return bool(figures["n"] >= LEAST and (figures["bias_low"] > 0 or figures["bias_high"] < 0))


def _scorer(judged: Path, name: str) -> Any:
    """The scorer as the judge's run has it, with a scale or labels of its own, or else the shipped one."""
    from mmbench.config import build
    from mmbench.scoring_file import named_scorer

    try:
        settings = dict(_run(judged)["config"]["task"]["scorers"][name])
    except (OSError, ValueError, KeyError, TypeError):
        return named_scorer(name)
    # its own record would only decide what it averages, and may be the one that is to be made
    return build({key: value for key, value in settings.items() if key != "calibration"})


def _run(path: Path) -> Any:
    """The run.json beside a predictions file."""
    return json.loads((path.parent / "run.json").read_text(encoding="utf-8"))


def _judge(path: Path) -> dict[str, Any] | None:
    """Model and prompt of the run that the predictions are from, where its run.json is beside them."""
    try:
        made = _run(path)["fingerprint"]
        return {"model": made["model"], "template": made["data"]["loader"].get("template")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _text(record: Mapping[str, Any]) -> str:
    names = ("agreement", "kappa", "pearson", "spearman", "kendall")
    rows = []
    for language, one in {**record["languages"], "all": record["overall"]}.items():
        bias = f"{one['bias']:+.2f}" if one["n"] else "-"
        if not np.isnan(one["bias_low"]):
            bias += f" [{one['bias_low']:+.2f}, {one['bias_high']:+.2f}]"
        figures = [_shown(one[name]) for name in names]
        ceiling = [_shown(one["people"][name]) for name in names[:2]]
        rows.append([language, str(one["n"]), str(one["unparsed"]), *figures, bias, _shown(one["mae"]), *ceiling])
    header = ["", "n", "unparsed", *names, "bias", "mean error", "people: agreement", "people: kappa"]
    text = render(f"{record['scorer']} against people", header, rows)
    confusion = record["overall"]["confusion"]
    if confusion:
        columns = sorted({name for row in confusion.values() for name in row} | set(confusion))
        table = [[name, *(str(row.get(column, 0)) for column in columns)] for name, row in confusion.items()]
        text += render("", ["people \\ judge", *columns], table)
    return text + "".join(f"{line}\n" for line in _notes(record))


def _shown(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def _notes(record: Mapping[str, Any]) -> list[str]:
    lines = []
    for language, one in record["languages"].items():
        if language in record["biased"]:
            side = "above" if one["bias"] > 0 else "below"
            low, high = sorted((abs(one["bias_low"]), abs(one["bias_high"])))
            lines.append(
                f"{language}: biased, the judge is {abs(one['bias']):.2f} [{low:.2f}, {high:.2f}] {side} people"
            )
        elif one["n"] < LEAST:
            lines.append(f"{language}: {one['n']} samples are too few to see a bias; it does not count as calibrated")
    left = [
        (record["only_judged"], "judged samples have no human score"),
        (record["only_human"], "samples with a human score are not judged"),
        (record["not_answered"], "answers that the judged system failed to give are left out"),
    ]
    return [*lines, *(f"{count} {what}" for count, what in left if count), record["rules"]]
