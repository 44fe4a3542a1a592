"""Protocols of two runs: the same model on recording and transcript, and a judge over a predictions file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.config import build
from mmbench.report import report
from tests.protocols.running import composed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.protocols.running import Cells


@pytest.mark.parametrize("protocol", ["topic", "topicG", "mcq"])
@pytest.mark.parametrize("name", ["qwen2_audio", "audioflamingo3", "qwen2_5_omni_thinker"])
def test_behaviour_alignment(cells: Cells, name: str, protocol: str) -> None:
    task, results = cells.task(protocol), cells.folder()
    kept: dict[str, Any] = {
        "results": results,
        "config": {"task": cells.config(protocol)},
    }  # by which a report scores again
    heard = cells.run(task, cells.model(name), 4, **kept)
    told = cells.run(task, cells.model(name, reads="gold"), 4, **kept)
    assert told.folder.name == f"gold+{name}"
    same = [said(row) == said(told.rows[key]) for key, row in heard.rows.items() if row["language"] == "fra_Latn"]
    (pair,) = json.loads(report([results], "json"))[task.name]["differences"]
    assert (pair["a"], pair["b"]) == (name, f"gold+{name}")
    assert pair["agreement"]["fra_Latn"]["value"] == pytest.approx(sum(same) / len(same))
    assert pair["agreement"]["macro"]["n"] == len(heard.rows)
    title = f"{task.name}: {name}, how often its answer to the recording is that to the transcript"
    table = report([results]).partition(title)[2]
    assert "same answer %" in table
    assert f"{100 * sum(same) / len(same):.1f}" in next(row for row in table.splitlines() if "fra_Latn" in row)


def said(row: dict[str, Any]) -> Any:
    scores = row.get("choice_scores")
    return scores.index(max(scores)) if scores else row["prediction"].strip()


def judging(task: str, path: Path, *more: str) -> Any:
    """A judge's task over a predictions file."""
    return build(composed("task", task, f"task.name={task}", f"task.loader.path='{path}'", *more))


@pytest.mark.parametrize("judge", ["llama", "llava", "qwen2_audio"])
@pytest.mark.parametrize("task", ["judge_absolute", "judge_adu_bench", "judge_label"])
def test_a_judge_reads_open_answers(cells: Cells, task: str, judge: str) -> None:
    answers = cells.run(cells.task("chat"), cells.model("qwen2_audio"), 4)
    judged = cells.both(judging(task, answers.folder / "predictions.jsonl"), cells.model(judge))
    assert judged.rows.keys() == answers.rows.keys()
    assert all(row["group"].items() >= answers.rows[key]["group"].items() for key, row in judged.rows.items())
    (row,) = (row for row in map(json.loads, judged.scores.splitlines()) if row["language"] == "fra_Latn")
    assert (row["n"], row["failed"]) == (2, 0)
    assert (row["value"] is None) == (row["unparsed"] == 2), "what a random model writes is hardly ever a verdict"


def test_a_judge_chooses_between_two_systems(cells: Cells) -> None:
    names = ("qwen2_audio", "qwen2_5_omni_thinker")
    a, b = (cells.run(cells.task("chat"), cells.model(name), 4) for name in names)
    against = f"task.loader.against='{b.folder / 'predictions.jsonl'}'"
    task = judging("judge_pairwise", a.folder / "predictions.jsonl", against)
    judged = cells.both(task, cells.model("llama"), limit=4)
    assert judged.rows.keys() == {f"{name}#{order}" for name in a.rows for order in ("ab", "ba")}
