"""Results on disk as objects: what a run leaves is found, read again as it was, and refused where it is damaged."""

from __future__ import annotations

import json
import math

import pytest

from mmbench.cell import Settings, run_cell
from mmbench.errors import UsageError
from mmbench.results import CASCADE, END_TO_END, FAKE, TOPLINE, Cell, by_task, find_cells, read_cell
from mmbench.scorers.accuracy import Accuracy
from tests.fakes import WER, Spy, task

CONFIG = {"task": {"scorers": {"wer": {"_target_": "mmbench.scorers.edit.ErrorRate", "name": "wer", "unit": "word"}}}}
ASR = {"class": "mmbench.models.speech_to_text.SpeechToText", "name": "asr"}
GOLD = {"class": "mmbench.models.echo.Gold", "name": "gold"}
LLM = {"class": "mmbench.models.causal_lm.CausalLM", "name": "llm"}


def run(folder, name="repeat", model="spy", **settings):
    scores, _ = run_cell(
        task(9, name=name, **settings), Spy(name=model), folder, Settings(progress=False), config=CONFIG
    )
    return scores


def with_model(**model):
    return Cell(None, "t", "m", (), {"fingerprint": {"model": model}})


def test_cell_comes_back_as_it_was(tmp_path):
    scores = run(tmp_path)
    (cell,) = find_cells([tmp_path])
    assert (cell.folder, cell.task, cell.model) == (tmp_path / "repeat" / "spy", "repeat", "spy")
    assert cell.scores == tuple(scores)
    assert cell.metrics == ["wer"]
    assert cell.row("wer", "macro") == next(row for row in scores if row.language == "macro")
    assert cell.row("wer", "fra_Latn") is None
    assert [record.sample.id for record in cell.records] == [f"s{index:03}" for index in range(9)]


def test_what_cannot_be_scored_comes_back_as_nan(tmp_path):
    run(tmp_path, scorers={"accuracy": Accuracy()})
    (cell,) = find_cells([tmp_path])
    assert '"value": null' in (cell.folder / "scores.jsonl").read_text()
    assert all(math.isnan(row.value) and math.isnan(row.low) for row in cell.scores)


def test_later_rows_replace_failed_ones(tmp_path):
    run(tmp_path)
    path = tmp_path / "repeat" / "spy" / "predictions.jsonl"
    first = json.loads(path.read_text().splitlines()[0])
    error = {**first, "prediction": None, "error": {"kind": "K", "message": "m"}}
    path.write_text(json.dumps(error) + "\n" + path.read_text())
    (cell,) = find_cells([tmp_path])
    assert all(record.prediction.error is None for record in cell.records)
    assert len(cell.records) == 9


def test_cells_are_found_once_in_order(tmp_path):
    for name in ("b", "a"):
        for model in ("y", "x"):
            run(tmp_path, name=name, model=model)
    cells = find_cells([tmp_path / "b", tmp_path, tmp_path])
    assert [(cell.task, cell.model) for cell in cells] == [("b", "x"), ("b", "y"), ("a", "x"), ("a", "y")]
    assert {name: [cell.model for cell in group] for name, group in by_task(cells).items()} == {
        "b": ["x", "y"],
        "a": ["x", "y"],
    }


def test_unfinished_cells_are_left_out(tmp_path):
    run(tmp_path)
    (tmp_path / "repeat" / "other").mkdir()
    (tmp_path / "repeat" / "other" / "run.json").write_text("{}")
    assert len(find_cells([tmp_path])) == 1


def test_scorer_is_built_again(tmp_path):
    run(tmp_path)
    (cell,) = find_cells([tmp_path])
    assert cell.scorer("wer") == WER
    with pytest.raises(UsageError, match=r"run\.json: does not say how cer was computed"):
        cell.scorer("cer")
    with pytest.raises(UsageError, match="does not say"):
        with_folder = Cell(tmp_path, "t", "m", (), {"config": None})
        with_folder.scorer("wer")


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (ASR, END_TO_END),
        (GOLD, FAKE),
        ({"class": "mmbench.models.cascade.Cascade", "asr": ASR, "mt": None, "llm": LLM}, CASCADE),
        ({"class": "mmbench.models.cascade.Cascade", "asr": GOLD, "llm": LLM}, TOPLINE),
        ({"class": "mmbench.models.cascade.Cascade", "asr": ASR, "llm": GOLD}, CASCADE),
    ],
)
def test_kind(model, kind):
    assert with_model(**model).kind == kind


def test_reader():
    assert with_model(**{"class": "mmbench.models.cascade.Cascade", "asr": ASR, "llm": LLM}).reader == LLM
    assert with_model(**ASR).reader is None


def test_classes_are_those_that_a_run_writes():
    """The names that tell a cascade from an end-to-end model are those of the classes."""
    from mmbench import results
    from mmbench.models.cascade import Cascade
    from mmbench.models.echo import Gold

    assert f"{Cascade.__module__}.{Cascade.__qualname__}" == results._CASCADE
    assert f"{Gold.__module__}.{Gold.__qualname__}" == results._GOLD


def test_no_results(tmp_path):
    with pytest.raises(UsageError, match=r"no scores\.jsonl in there"):
        find_cells([tmp_path])
    (tmp_path / "file").touch()
    for name in ("file", "no"):
        with pytest.raises(UsageError, match="is not a folder of results"):
            find_cells([tmp_path / name])


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"fingerprint": 1}', '{"fingerprint": {"task": {}}}'])
def test_damaged_manifest(tmp_path, text):
    run(tmp_path)
    (tmp_path / "repeat" / "spy" / "run.json").write_text(text)
    with pytest.raises(UsageError, match=r"run\.json: cannot be read") as caught:
        find_cells([tmp_path])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", "3", "null", "{}", '{"value": 1, "low": 1, "high": 1}'])
def test_damaged_scores(tmp_path, text):
    run(tmp_path)
    (tmp_path / "repeat" / "spy" / "scores.jsonl").write_text(text + "\n")
    with pytest.raises(UsageError, match=r"scores\.jsonl") as caught:
        read_cell(tmp_path / "repeat" / "spy")
    assert "\n" not in str(caught.value)
