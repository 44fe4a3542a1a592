"""Where answers are not independent, every interval, test and signature says so: of runs, files, parts and pairs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench import __version__
from mmbench.arguments import parser
from mmbench.attribution import attribution
from mmbench.cell import Settings, run_cell
from mmbench.compare import differences
from mmbench.comparison_file import compare_files
from mmbench.records import to_row
from mmbench.score import score
from mmbench.scorers.accuracy import Accuracy
from mmbench.scoring_file import score_file
from mmbench.store import dumps
from tests.fakes import WER, Listed, Spy, record, task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mmbench.records import Record

TAGS = ("eng_Latn", "swh_Latn")
SCORERS = {"accuracy": Accuracy(), "wer": WER}


def spoken(metric: str, wrong: set[int]) -> list[Record]:
    """Six clips of each of twelve speakers in two languages; all clips of a speaker are right, or all are wrong."""
    found = []
    for index in range(1, 2 * 3 * 72, 3):  # every third sample is its own reference
        place, clip = divmod(index // 3, 6)
        group = {"speaker": str(place % 12), "half": "early" if clip % 2 else "late"}
        bad = place % 12 in wrong
        fields: dict[str, Any] = {"language": TAGS[place // 12], "group": group}
        if metric == "accuracy":
            found.append(record(index, "no" if bad else "yes", choices=("yes", "no"), answer=0, **fields))
        else:
            found.append(record(index, f"{'x' if bad else f'word{index}'} and more", **fields))
    return found


def width(entry: Mapping[str, Any]) -> float:
    return float(entry["high"] - entry["low"])


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What `score` or `compare` says of files of records."""

    def run(name: str, files: list[list[Record]], *arguments: str) -> dict[str, Any]:
        paths = [tmp_path / f"{number}.jsonl" for number in range(len(files))]
        for path, records in zip(paths, files, strict=True):
            path.write_text("".join(dumps(to_row(each.sample, each.prediction)) + "\n" for each in records))
        given = parser().parse_args([name, *map(str, paths), *arguments, "--format", "json"])
        found: dict[str, Any] = json.loads((score_file if name == "score" else compare_files)(given))
        return found

    return run


@pytest.mark.parametrize("metric", SCORERS)
def test_every_interval_of_a_run_is_over_clusters(metric: str) -> None:
    records = spoken(metric, {0, 1, 2, 7})
    alone, grouped = (
        {row.language: row for row in score(records, {"": SCORERS[metric]}, task="t", model="m", cluster=cluster)}
        for cluster in (None, "speaker")
    )
    assert set(grouped) == {*TAGS, "all", "macro"}
    for name, row in grouped.items():
        assert row.value == alone[name].value
        assert row.high - row.low > 1.7 * (alone[name].high - alone[name].low), "six alike are one: by root of six"
        assert row.signature.endswith("|ci:speaker|method:generate")
        assert "|ci:" not in alone[name].signature


@pytest.mark.parametrize("metric", SCORERS)
def test_every_interval_of_a_file_is_over_clusters(metric: str, command) -> None:
    records = spoken(metric, {0, 1, 2, 7})
    found, alone = (
        command("score", [records], "--scorer", metric, "--by", "half", *more) for more in ((), ("--cluster", "none"))
    )
    assert found["signature"] == alone["signature"] + "|ci:speaker", "found by itself, and left out when told so"
    for name in ("overall", "macro"):
        assert width(found[name]) > 1.7 * width(alone[name])
    for tag in TAGS:
        assert width(found["languages"][tag]) > 1.7 * width(alone["languages"][tag])
    for half in ("early", "late"):  # three clips of each speaker
        one, other = (each["by"]["half"][half] for each in (found, alone))
        assert width(one) > 1.3 * width(other) and width(one["macro"]) > 1.3 * width(other["macro"])
    assert command("score", [records], "--scorer", metric, "--cluster", "speaker")["overall"] == found["overall"]


@pytest.mark.parametrize(("cluster", "ends"), [("auto", "|ci:speaker"), (None, ""), ("half", "|ci:half")])
def test_a_run_draws_what_its_task_says_and_a_file_finds_the_same(tmp_path, cluster, ends: str) -> None:
    asked = [each.sample for each in spoken("wer", set())]
    items = tuple(replace(one, references=("x",)) if one.group["speaker"] in ("1", "5") else one for one in asked)
    made = task(loader=Listed(items=items), cluster=cluster)
    scores, _ = run_cell(made, Spy(), tmp_path, Settings(progress=False))
    assert all(row.signature.endswith(f"|mmbench:{__version__}{ends}|method:generate") for row in scores)
    path = tmp_path / "repeat" / "spy" / "predictions.jsonl"
    given = ["score", str(path), "--scorer", "wer", "--format", "json", "--cluster", cluster or "none"]
    found = json.loads(score_file(parser().parse_args(given)))
    assert found["signature"].endswith(ends)
    overall = next(row for row in scores if row.language == "all")
    assert (found["overall"]["low"], found["overall"]["high"]) == (overall.low, overall.high)


@pytest.mark.parametrize("metric", SCORERS)
def test_every_difference_is_tested_and_drawn_by_cluster(metric: str, command) -> None:
    a, b = spoken(metric, {0, 1, 2}), spoken(metric, {1})
    grouped = differences(a, b, SCORERS[metric], cluster="speaker")
    alone = differences(a, b, SCORERS[metric])
    assert set(grouped) == {*TAGS, "all", "macro"}
    for name, each in grouped.items():
        assert each.test == "randomisation by speaker"
        assert each.difference == pytest.approx(alone[name].difference)
        assert each.high - each.low > 1.7 * (alone[name].high - alone[name].low)
        assert each.p > 0.02 > alone[name].p
    found = command("compare", [a, b], "--scorer", metric)
    assert found["signature"].endswith("|ci:speaker")
    entries = [found["overall"], found["macro"], *found["languages"].values()]
    assert {each["test"] for each in entries} == {"randomisation by speaker"}
    told = command("compare", [a, b], "--scorer", metric, "--cluster", "none")
    assert "|ci:" not in told["signature"] and "by speaker" not in told["overall"]["test"]


def test_an_attribution_is_by_cluster_too(command, tmp_path: Path) -> None:
    a, b, topline = (spoken("accuracy", wrong) for wrong in ({0, 1, 2}, {1}, set[int]()))
    whole = attribution(topline, a, b, Accuracy(), cluster="speaker")
    for found in (whole.recognition, whole.end_to_end, whole.rival):
        assert {each.test for each in found.values()} == {"randomisation by speaker"}
    path = tmp_path / "topline.jsonl"
    path.write_text("".join(dumps(to_row(each.sample, each.prediction)) + "\n" for each in topline))
    said = command("compare", [a, b], "--scorer", "accuracy", "--topline", str(path))["attribution"]
    assert {each["test"] for each in said["recognition"].values()} == {"randomisation by speaker"}
