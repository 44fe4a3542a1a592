"""A cell: the files that it leaves, what refuses it, and what counts as failed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest

from mmbench.cell import Settings, fingerprint, folder_of, run_cell
from mmbench.errors import CellError, ModelLoadError, UsageError
from mmbench.media.conditions import Noise
from mmbench.scorers.edit import ErrorRate
from mmbench.store import locked
from tests.fakes import Broken, Listed, Ranks, Spy, choosing, sample, task

QUIET = Settings(progress=False)


def fail(batch, call):
    """Fails on one sample in ten."""
    if any(item.id.endswith("0") for item in batch):
        raise ValueError("bad")


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_files_of_a_cell(tmp_path):
    scores, outcome = run_cell(task(20), Spy(), tmp_path, QUIET, config={"task": "x"})
    folder = tmp_path / "repeat" / "spy"
    assert sorted(files(folder)) == ["predictions.jsonl", "run.json", "scores.jsonl"]
    run = json.loads((folder / "run.json").read_text())
    assert run["fingerprint"] == fingerprint(task(20), Spy())
    assert (run["format"], run["config"], run["environment"]["python"]) == (1, {"task": "x"}, sys.version.split()[0])
    assert [row["language"] for row in lines(folder / "scores.jsonl")] == [score.language for score in scores]
    assert outcome.answered == 20


def test_same_command_again_changes_no_file(tmp_path):
    first, _ = run_cell(task(20), Spy(), tmp_path, QUIET)
    before = files(tmp_path / "repeat" / "spy")
    second, outcome = run_cell(task(20), Spy(), tmp_path, QUIET)
    assert (second, outcome.resumed) == (first, 20)
    assert files(tmp_path / "repeat" / "spy") == before


def test_scores_do_not_depend_on_the_batch_size(tmp_path):
    found = set()
    for size in (1, 3, 7, 100):
        run_cell(task(20), Spy(), tmp_path / str(size), Settings(batch_size=size, progress=False))
        found.add((tmp_path / str(size) / "repeat" / "spy" / "scores.jsonl").read_bytes())
    assert len(found) == 1


def test_a_smaller_run_leaves_the_scores_of_all_answers(tmp_path):
    whole, _ = run_cell(task(20), Spy(), tmp_path, QUIET)
    scores, outcome = run_cell(task(20), Spy(), tmp_path, Settings(limit=2, progress=False))
    assert scores == whole
    assert {score.language: score.n for score in scores}["all"] == 20
    assert outcome.selected == 6


def test_d12_limit_of_one_task_is_not_that_of_the_next(tmp_path):
    settings = Settings(limit=3, progress=False)
    counts = [run_cell(task(size, name=f"t{size}"), Spy(), tmp_path, settings)[1].selected for size in (6, 64)]
    assert counts == [6, 9]


def test_other_settings_are_refused_before_the_model_is_loaded(tmp_path):
    run_cell(task(5), Spy(), tmp_path, QUIET)
    model = Spy(setting=1)
    with pytest.raises(UsageError, match=r"begun with other settings \(model.setting: 0 then, 1 now\)"):
        run_cell(task(6), model, tmp_path, QUIET)
    with pytest.raises(UsageError, match=r"task.prompt"):
        run_cell(task(6, prompt="Say {input}"), Spy(), tmp_path, QUIET)
    with pytest.raises(UsageError, match=r"data.content"):
        run_cell(task(loader=Listed(items=(sample(1),), content="1")), Spy(), tmp_path, QUIET)
    assert model.loads == 0


def test_scorers_and_batch_sizes_may_change(tmp_path):
    run_cell(task(5), Spy(), tmp_path, QUIET)
    scorers = {"cer": ErrorRate(name="cer", unit="char")}
    scores, outcome = run_cell(task(5, scorers=scorers), Spy(), tmp_path, Settings(batch_size=1, progress=False))
    assert ({score.metric for score in scores}, outcome.answered) == ({"cer"}, 0)


def test_answers_without_a_manifest_are_refused(tmp_path):
    run_cell(task(5), Spy(), tmp_path, QUIET)
    (tmp_path / "repeat" / "spy" / "run.json").unlink()
    with pytest.raises(UsageError, match=r"has predictions.jsonl but no run.json"):
        run_cell(task(5), Spy(setting=1), tmp_path, QUIET)


def test_too_many_failures_end_the_cell_after_scoring(tmp_path):
    with pytest.raises(CellError, match=r"2 of 20 samples failed, more than max_failed=0\.01 allows"):
        run_cell(task(20), Spy(act=fail), tmp_path, QUIET)
    overall = next(row for row in lines(tmp_path / "repeat" / "spy" / "scores.jsonl") if row["language"] == "all")
    assert (overall["n"], overall["failed"]) == (20, 2)
    with pytest.raises(CellError, match="2 of 20"):  # also where there is nothing to answer any more
        run_cell(task(20), Spy(), tmp_path, QUIET)
    assert run_cell(task(20), Spy(), tmp_path, Settings(max_failed=0.1, progress=False))[1].failed == 2
    assert run_cell(task(20), Spy(), tmp_path, Settings(retry_failed=True, progress=False))[1].failed == 0


def test_model_that_cannot_be_loaded_leaves_nothing_to_resume(tmp_path):
    with pytest.raises(ModelLoadError, match="no weights"):
        run_cell(task(5), Broken(), tmp_path, QUIET)
    assert files(tmp_path / "repeat" / "broken") == {}


def test_model_without_the_method_is_refused_before_a_folder_is_made(tmp_path):
    with pytest.raises(CellError, match="offers no loglikelihood"):
        run_cell(choosing(), Spy(), tmp_path, QUIET)
    assert list(tmp_path.iterdir()) == []


def test_likelihoods(tmp_path):
    scores, _ = run_cell(choosing(6), Ranks(scores=(-1.0, -2.0)), tmp_path, QUIET)
    assert {score.language: score.value for score in scores} == {
        "eng_Latn": 0.5,
        "swh_Latn": 0.5,
        "tha_Thai": 0.5,
        "all": 0.5,
        "macro": 0.5,
    }


def test_nothing_selected_is_an_error_and_keeps_the_scores(tmp_path):
    run_cell(task(5), Spy(), tmp_path, QUIET)
    before = files(tmp_path / "repeat" / "spy")
    with pytest.raises(CellError, match="no sample is selected"):
        run_cell(task(5, languages=["fr"]), Spy(), tmp_path, QUIET)
    assert files(tmp_path / "repeat" / "spy") == before


def test_interrupt_keeps_rows_and_gives_the_lock_back(tmp_path):
    def act(batch, call):
        if call == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cell(task(20), Spy(act=act), tmp_path, Settings(batch_size=4, progress=False))
    assert len(lines(tmp_path / "repeat" / "spy" / "predictions.jsonl")) == 8
    assert run_cell(task(20), Spy(), tmp_path, QUIET)[1].resumed == 8


def test_cell_in_use_is_refused(tmp_path):
    model = Spy()
    with locked(tmp_path / "repeat" / "spy"), pytest.raises(CellError, match=r"process \d+ on .* is at work"):
        run_cell(task(5), model, tmp_path, QUIET)
    assert model.loads == 0


def test_two_processes_at_once_answer_once(tmp_path):
    code = "import sys; from pathlib import Path; from mmbench.cell import *; from tests.fakes import *\n"
    code += "import time; run_cell(task(9), Spy(act=lambda *_: time.sleep(0.2)), Path(sys.argv[1]), Settings())"
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in both]
    assert len(lines(tmp_path / "repeat" / "spy" / "predictions.jsonl")) == 9
    for process, error in zip(both, errors, strict=True):
        assert process.returncode == 0 or "is at work on this cell" in error


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "a b", "x" * 201, "a\n"])
def test_names_that_are_no_folders(tmp_path, name):
    with pytest.raises(UsageError, match=r"must be a file name") as caught:
        folder_of(tmp_path, "task", name)
    assert "\n" not in str(caught.value)
    assert folder_of(tmp_path, "täsk-1.b", "a+b@c=d") == tmp_path / "täsk-1.b" / "a+b@c=d"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"batch_size": 0}, "batch_size=0: must be at least 1"),
        ({"limit": 0}, "limit=0: must be at least 1"),
        ({"max_failed": 1.5}, "max_failed=1.5: must be a share"),
        ({"max_failed": float("nan")}, "max_failed=nan"),
    ],
)
def test_settings_that_make_no_sense(wrong, words):
    with pytest.raises(UsageError, match=words):
        Settings(**wrong)


def test_another_number_format_is_refused(tmp_path):
    run_cell(task(3), Spy(), tmp_path, Settings(limit=1, progress=False))
    path = tmp_path / "repeat" / "spy" / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    run["environment"]["dtype"] = "torch.bfloat16"
    path.write_text(json.dumps(run), encoding="utf-8")
    with pytest.raises(UsageError, match=r"begun in torch\.bfloat16"):
        run_cell(task(6), Spy(), tmp_path, QUIET)


def test_run_json_keeps_the_configuration_of_the_scores(tmp_path):
    for scorers in ("wer", "cer"):
        run_cell(task(3), Spy(), tmp_path, QUIET, config={"task": {"scorers": scorers}})
    run = json.loads((tmp_path / "repeat" / "spy" / "run.json").read_text(encoding="utf-8"))
    assert run["config"]["task"]["scorers"] == "cer"


def test_a_model_must_be_a_dataclass(tmp_path):
    class Plain:
        name = "plain"

        def generate(self, batch):
            return []

    with pytest.raises(UsageError, match="must be a dataclass"):
        run_cell(task(3), Plain(), tmp_path, QUIET)


def test_samples_that_were_changed_for_the_model_are_counted(tmp_path, caplog):
    class Cutting(Spy):
        def generate(self, batch):
            made = super().generate(batch)
            return [
                replace(output, notes=("truncated 41.2 s to 30 s",)) if item.id.endswith("3") else output
                for item, output in zip(batch, made, strict=True)
            ]

    run_cell(task(20), dataclass(kw_only=True)(Cutting)(), tmp_path, QUIET)
    assert "2 of 20 answers have a note in predictions.jsonl, such as: truncated 41.2 s to 30 s" in caplog.text
    rows = lines(tmp_path / "repeat" / "spy" / "predictions.jsonl")
    assert [row["notes"] for row in rows if "notes" in row] == [["truncated 41.2 s to 30 s"]] * 2


def test_a_condition_is_part_of_what_was_asked():
    plain, heard = task(3), replace(task(3), condition=Noise(snr=5))
    assert "condition" not in fingerprint(plain, Spy())["task"]
    found = {json.dumps(fingerprint(each, Spy())) for each in (plain, heard, replace(heard, condition=Noise(snr=4)))}
    assert len(found) == 3
