"""Tables of systems: which rows and columns they have, and that each number stands where its name says."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.compare import Difference
from mmbench.config import build
from mmbench.difference_tables import attribution_table, difference_table, verdict
from mmbench.predict import Outcome
from mmbench.records import Record, to_row
from mmbench.report import cell_table, common_metric, pairs, report
from mmbench.results import find_cells
from mmbench.schema import Audio, Output, Step
from mmbench.score import score
from mmbench.scorers.accuracy import Accuracy
from mmbench.store import dumps
from tests.fakes import WER, record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CASCADE = "mmbench.models.cascade.Cascade"
GOLD = {"class": "mmbench.models.echo.Gold"}
ACCURACY = {"_target_": "mmbench.scorers.accuracy.Accuracy"}
ERRORS = {"_target_": "mmbench.scorers.edit.ErrorRate", "name": "wer", "unit": "word"}
HEARD = {**ERRORS, "name": "wer@asr", "stage": "asr"}


def chosen(language: str, right: int, count: int = 10, heard: str | None = None, **fields: Any) -> list[Record]:
    first = 100 * (1 + ord(language[0]) - ord("a"))
    found = []
    for i in range(count):
        one = record(
            first + i, "yes" if i < right else "no", language=language, choices=("yes", "no"), answer=0, **fields
        )
        sample = replace(one.sample, parts=(Audio(b"", transcript="one two three four"),))
        steps = () if heard is None else (Step("asr", 0, heard),)
        output = replace(one.prediction.output or Output(text=""), steps=steps)
        found.append(replace(one, sample=sample, prediction=replace(one.prediction, output=output)))
    return found


def cell(
    results: Path, model: str, records: Sequence[Record], *scorers: dict[str, Any], data: str = "0", **described: Any
) -> None:
    """The files that a run leaves."""
    folder = results / "t" / model
    folder.mkdir(parents=True)
    nodes = {str(place): node for place, node in enumerate(scorers or (ACCURACY,))}
    prints = {"task": {"name": "t"}, "data": {"content": data}, "model": {"class": "x.Y", "name": model, **described}}
    run = {"format": 1, "fingerprint": prints, "config": {"task": {"scorers": nodes}}}
    scores = score(records, {name: build(node) for name, node in nodes.items()}, task="t", model=model)
    (folder / "run.json").write_text(json.dumps(run))
    for name, lines in (
        ("predictions.jsonl", [to_row(each.sample, each.prediction) for each in records]),
        ("scores.jsonl", [asdict(row) for row in scores]),
    ):
        (folder / name).write_text("".join(dumps(line) + "\n" for line in lines))


def cells_of(text: str) -> dict[str, list[str]]:
    """Rows of Markdown tables by their first column; the first one of a name."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("|"):
            name, *values = [part.strip() for part in line.strip("|").split("|")]
            found.setdefault(name, values)
    return found


def test_real_wants_the_interval_and_the_corrected_p() -> None:
    sure = Difference(low=0.1, high=0.3, p=0.001, p_holm=0.01)
    assert sure.real() and replace(sure, low=-0.3, high=-0.1).real()
    assert not replace(sure, low=-0.1).real(), "the interval holds zero"
    assert not replace(sure, p_holm=0.06).real(), "corrected for the languages it is nothing"
    assert replace(sure, p_holm=float("nan")).real(), "all samples and the mean are not corrected"
    assert not replace(sure, p=0.06, p_holm=float("nan")).real()
    assert not Difference().real()


def test_better_is_the_one_with_fewer_errors_or_more_right() -> None:
    more = Difference(low=0.1, high=0.3, p=0.001)
    less = replace(more, low=-0.3, high=-0.1)
    assert [verdict(each, ("a", "b"), True) for each in (more, less)] == ["a", "b"]
    assert [verdict(each, ("a", "b"), False) for each in (more, less)] == ["b", "a"]
    assert verdict(replace(more, low=-0.1), ("a", "b"), True) == "not told apart"
    assert verdict(replace(more, p_holm=0.2), ("a", "b"), True) == "not told apart"


def test_columns_of_a_difference() -> None:
    found = {
        "swh_Latn": Difference(a=0.4, b=0.1, difference=0.3, low=0.2, high=0.4, p=0.004, test="t", n=7, p_holm=0.008)
    }
    rows = cells_of(difference_table(found, WER, ("one", "two"), form="markdown"))
    assert rows["swh_Latn Swahili"] == ["40.0", "10.0", "+30.0", "[+20.0, +40.0]", "0.004", "0.008", "t", "7", "two"]
    found["swh_Latn"] = replace(found["swh_Latn"], p=0.0009)
    assert cells_of(difference_table(found, WER, ("one", "two"), form="markdown"))["swh_Latn Swahili"][4] == "<0.001"


def test_columns_of_an_attribution() -> None:
    from mmbench.attribution import attribution

    sides = (chosen("swh_Latn", right, 20, heard) for right, heard in ((20, None), (6, "one two x y"), (16, None)))
    whole = attribution(*sides, Accuracy(), build(HEARD))
    row = cells_of(attribution_table(whole, Accuracy(), title="t", form="markdown"))["swh_Latn Swahili"]
    assert row[:4] == ["50.0", "100.0", "30.0", "80.0"], "errors, topline, cascade, end to end"
    assert row[4].startswith("+70.0 [") and row[5].startswith("+20.0 [")
    assert row[6] == "end to end"


def test_rows_of_a_metric(tmp_path: Path) -> None:
    tags = ("eng_Latn", "afr_Latn", "deu_Latn", "fra_Latn", "ita_Latn", "spa_Latn")
    cell(
        tmp_path,
        "a",
        [each for tag, right in zip(tags, (9, 1, 2, 3, 4, 10), strict=True) for each in chosen(tag, right)],
    )
    cell(tmp_path, "b", [each for tag in tags for each in chosen(tag, 5)])
    rows = cells_of(report([tmp_path], "markdown"))
    assert list(rows)[2:5] == ["eng_Latn English", "afr_Latn Afrikaans", "deu_Latn German"]
    assert rows["macro mean"][0].startswith("48.3 [") and rows["macro mean"][1].startswith("50.0 [")
    assert rows["median"] == ["35.0", "50.0"]
    assert rows["mean of worst 5"] == ["38.0", "50.0"]
    assert rows["worst language"] == ["afr_Latn 10.0", "afr_Latn 50.0"]
    assert rows["gap to English"] == ["-50.0", "+0.0"]
    assert rows["failed / unparsed / refused / n"] == ["0 / 0 / 0 / 60"] * 2


def test_what_failed_is_told_from_what_is_unparsed(tmp_path: Path) -> None:
    texts = [None, "who knows", "who knows", "yes"]
    records = [record(i, text, language="eng_Latn", choices=("yes", "no"), answer=0) for i, text in enumerate(texts)]
    cell(tmp_path, "a", records)
    assert cells_of(report([tmp_path], "markdown"))["failed / unparsed / refused / n"] == ["1 / 2 / 0 / 4"]


def test_only_what_all_systems_have_counts(tmp_path: Path) -> None:
    """One system has no Italian, and nothing that could be scored in French."""
    mute = [replace(each, sample=replace(each.sample, answer=None)) for each in chosen("fra_Latn", 1)]
    both = [*chosen("eng_Latn", 6, group={"topic": "x"}), *chosen("swh_Latn", 2, 20, group={"topic": "x"})]
    cell(tmp_path, "a", [*both, *chosen("fra_Latn", 9), *chosen("ita_Latn", 9, group={"topic": "x"})])
    cell(tmp_path, "b", [*both, *mute])
    text = report([tmp_path], "markdown", ["topic"])
    rows = cells_of(text)
    assert not {"fra_Latn French", "ita_Latn Italian"} & set(rows)
    assert rows["macro mean of 2 shared"][0] == rows["macro mean of 2 shared"][1]
    assert rows["macro mean of 2 shared"][0].startswith("35.0 [")
    assert rows["topic = x"][0] == rows["topic = x"][1], "of the shared languages alone"
    assert rows["topic = x"][0].startswith("35.0 ["), "the mean of .6 and .1, not 8 of 30"
    assert "do not compare" not in text


def test_guessing_is_that_of_the_shared_languages(tmp_path: Path) -> None:
    four = [
        replace(each, sample=replace(each.sample, choices=("yes", "no", "c", "d"))) for each in chosen("fra_Latn", 9)
    ]
    cell(tmp_path, "a", [*chosen("eng_Latn", 6), *four])
    cell(tmp_path, "b", chosen("eng_Latn", 6))
    assert "Guessing: chance 50.0, majority 100.0." in report([tmp_path])


def test_languages_that_a_metric_does_not_average_are_said(tmp_path: Path) -> None:
    cell(tmp_path, "a", [record(i, "x and more") for i in range(9)], ERRORS)
    text = report([tmp_path], "markdown")
    assert "The mean is of 2 of 3 languages." in text
    assert cells_of(text)["median"] == ["91.7"], "3/2 in English and 1/3 in Swahili, without the 1/3 in Thai"


def test_other_data_are_said(tmp_path: Path) -> None:
    cell(tmp_path, "a", chosen("eng_Latn", 6))
    cell(tmp_path, "b", chosen("eng_Latn", 6), data="1")
    assert "These systems have different data: they do not compare." in report([tmp_path])


def test_a_topline_has_the_reader_of_its_cascade(tmp_path: Path) -> None:
    for name, reader in (("cascade", "one"), ("gold", "two")):
        asr = GOLD if name == "gold" else {"class": "x.Asr"}
        cell(tmp_path, name, chosen("eng_Latn", 6), **{"class": CASCADE, "asr": asr, "llm": {"name": reader}})
    assert pairs(find_cells([tmp_path])) == []
    cell(tmp_path, "direct", chosen("eng_Latn", 6))
    assert [pair.topline for pair in pairs(find_cells([tmp_path]))] == [None]


def system(folder: Path, name: str, records: Sequence[Record], asr: dict[str, Any] | None = None) -> None:
    described = {} if asr is None else {"class": CASCADE, "asr": asr, "llm": {"name": "reader"}}
    cell(folder, name, records, HEARD, ACCURACY, **described)


def test_a_pair_of_systems_with_its_topline(tmp_path: Path) -> None:
    system(
        tmp_path, "cascade", [*chosen("eng_Latn", 3, heard="one two x y"), *chosen("swh_Latn", 2)], {"class": "x.Asr"}
    )
    system(tmp_path, "direct", [*chosen("eng_Latn", 8)[:-1], *chosen("swh_Latn", 2)])
    system(tmp_path, "gold", [*chosen("eng_Latn", 9), *chosen("swh_Latn", 2)], GOLD)
    (pair,) = pairs(find_cells([tmp_path]))
    assert (pair.a.model, pair.b.model, pair.topline and pair.topline.model) == ("direct", "cascade", "gold")
    assert common_metric(pair) == "accuracy", "an error rate inside the cascade says nothing of the other"
    found = json.loads(report([tmp_path], "json"))["t"]
    assert {row["model"] for row in found["scores"]} == {"cascade", "direct", "gold"}
    (difference,) = found["differences"]
    assert difference["attribution"]["errors"] == {"eng_Latn": 0.5, "swh_Latn": None}
    text = report([tmp_path], "markdown")
    table = text.split("end to end minus cascade")[1]
    assert cells_of(table)["eng_Latn English"][:3] == ["88.9", "33.3", "+55.6"], "of the nine that all three have"
    assert text.count("| all samples |") == 2


def test_a_language_without_a_score_is_in_no_difference(tmp_path: Path) -> None:
    mute = [replace(each, sample=replace(each.sample, answer=None)) for each in chosen("fra_Latn", 1)]
    cell(tmp_path, "cascade", [*chosen("eng_Latn", 3), *mute], **{"class": CASCADE, "asr": {"class": "x.Asr"}})
    cell(tmp_path, "direct", [*chosen("eng_Latn", 8), *mute])
    text = report([tmp_path], "markdown")
    assert "eng_Latn English" in text.split("minus")[1] and "fra_Latn French" not in text
    assert "NaN" not in report([tmp_path], "json")


def test_the_table_of_a_run_says_what_says_nothing() -> None:
    texts = ["who knows", "I'm sorry, but I can't help with that.", "yes"]
    records = [record(i, text, language="eng_Latn", choices=("yes", "no"), answer=0) for i, text in enumerate(texts)]
    scores = score(records, {"accuracy": Accuracy()}, task="t", model="m")
    text = cell_table(scores, Outcome(selected=3, resumed=1, answered=2, failed=0))
    assert "t / m (2 answered now, 1 before, 0 failed)" in text
    assert text.splitlines()[-4:-2] == ["2 unparsed", "1 refused"]
    assert cell_table([], Outcome(0, 0, 0, 0)) == ""


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_order_of_folders_and_rows_plays_no_part(tmp_path: Path, form: Any) -> None:
    records = [*chosen("eng_Latn", 6), *chosen("swh_Latn", 3)]
    for name, given in (("one", records), ("two", records[::-1])):
        cell(tmp_path / name, "m", given)
    assert report([tmp_path / "one"], form) == report([tmp_path / "two"], form)
