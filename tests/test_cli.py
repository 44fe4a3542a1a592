"""The command line as a person meets it: in a process of its own, with its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def mmbench(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mmbench", *arguments]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "NO_COLOR": "1", **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


ASR = ("run", "task=voice_prompts_asr", "model=echo", "limit=2")
NOWHERE = ("model=ctc", "model.name=x", "model.model=/x")


def test_help_and_version() -> None:
    assert "run a task" in mmbench("--help").stdout
    assert mmbench("--version").stdout.startswith("mmbench 0.")
    assert "--config-name cascade_vs_end_to_end" in mmbench("run", "--help").stdout
    assert mmbench().returncode == 2


def test_a_cell_writes_its_files_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    first = mmbench(*ASR, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    cell = tmp_path / "results" / "voice_prompts_asr" / "echo"
    names = {path.name for path in cell.iterdir()}
    assert {"run.json", "predictions.jsonl", "scores.jsonl", "run.log"} <= names
    before = (cell / "predictions.jsonl").read_bytes(), (cell / "scores.jsonl").read_bytes()
    second = mmbench(*ASR, cwd=tmp_path)
    assert "0 answered now, 10 before" in second.stdout
    assert before == ((cell / "predictions.jsonl").read_bytes(), (cell / "scores.jsonl").read_bytes())


def test_run_json_says_what_was_run(tmp_path: Path) -> None:
    mmbench(*ASR, cwd=tmp_path)
    run = json.loads((tmp_path / "results/voice_prompts_asr/echo/run.json").read_text(encoding="utf-8"))
    assert run["fingerprint"]["data"]["content"]
    assert run["environment"]["packages"]["mmbench"]
    assert run["config"]["limit"] == 2


def test_a_larger_limit_goes_on_and_other_settings_are_refused(tmp_path: Path) -> None:
    mmbench(*ASR, cwd=tmp_path)
    assert "5 answered now, 10 before" in mmbench(*ASR[:3], "limit=3", cwd=tmp_path).stdout
    other = mmbench(*ASR, "+model.rate=8000", cwd=tmp_path)
    assert other.returncode == 2
    assert "model.rate: 16000 then, 8000 now" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("run", "task=nope", "model=echo"), 2, "task 'nope' is not known"),
        ((*ASR, "batch_size=abc"), 2, "batch_size='abc': must be a whole number"),
        ((*ASR, "batch_size=0"), 2, "batch_size=0: must be at least 1"),
        ((*ASR, "max_failed=2"), 2, "max_failed=2: must be a share"),
        ((*ASR, "+batchsize=4"), 2, "batchsize is no setting of a run"),
        ((*ASR, "task.prompt=hello"), 2, "task.prompt: must hold {input} once"),
        ((*ASR, "task.languages=[qqq]"), 2, "unknown language 'qqq'"),
        ((*ASR, "model.name=a/b"), 2, "model.name='a/b': must be a file name"),
        ((*ASR, "model._target_=os.system"), 2, "outside mmbench, loaders"),
        (
            ("run", "task=voice_prompts_topic", "model=ctc", "model.name=x", "model.model=/x"),
            1,
            "offers no loglikelihood",
        ),
        (
            ("run", "task=voice_prompts_asr", "model=ctc", "model.name=x", "model.model=/x"),
            1,
            "/x: there is no such folder",
        ),
        (("score", "nope.jsonl", "--scorer", "wer"), 2, "nope.jsonl: cannot be read"),
        (("report", "nope"), 2, "nope: is not a folder of results"),
        (("nope",), 2, "invalid choice: 'nope'"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else None,
)
def test_a_wrong_command_is_one_line(tmp_path: Path, arguments: tuple[str, ...], status: int, message: str) -> None:
    done = mmbench(*arguments, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    lines = [line for line in done.stderr.splitlines() if line and not line.startswith("usage:")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mmbench: error: ")
    assert message in lines[0]


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" in mmbench(*ASR, "batch_size=0", "--debug", cwd=tmp_path).stderr


def test_one_failing_cell_does_not_stop_a_sweep(tmp_path: Path) -> None:
    sweep = ("run", "-m", "task=voice_prompts_topic", "model=whisper_tiny_en,gold", "limit=1")
    done = mmbench(*sweep, cwd=tmp_path)
    assert done.returncode == 1
    assert "offers no loglikelihood" in done.stderr
    assert (tmp_path / "results/voice_prompts_topic/gold/scores.jsonl").exists()


def test_parallel_launcher(tmp_path: Path) -> None:
    sweep = ("run", "-m", "task=voice_prompts_asr", "model=echo,gold", "limit=1", "hydra/launcher=parallel")
    done = mmbench(*sweep, "hydra.launcher.n_jobs=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("scores.jsonl"))) == 2


def test_own_configs_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "conf" / "model").mkdir(parents=True)
    own = "# Mine.\n_target_: mine.Mine\nname: mine\n"
    (tmp_path / "conf" / "model" / "mine.yaml").write_text(own, encoding="utf-8")
    code = "from mmbench.models.echo import Echo\nclass Mine(Echo):\n    pass\n"
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    command = ("run", "--config-dir", "conf", "task=voice_prompts_asr", "model=mine", "limit=1")
    refused = mmbench(*command, cwd=tmp_path)
    assert refused.returncode == 2
    assert "allow=[mine]" in refused.stderr
    done = mmbench(*command, "allow=[mine]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_own_data_from_a_manifest(tmp_path: Path) -> None:
    rows = [{"id": n, "language": "sw", "text": f"swali {n}", "reference": f"swali {n}"} for n in range(3)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = ("run", "task=manifest_asr", "task.loader.path=mine.jsonl", "model=echo")
    unnamed = mmbench(*command, cwd=tmp_path)
    assert unnamed.returncode == 2
    assert "task.name has no value" in unnamed.stderr
    done = mmbench(*command, "task.name=mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "swh_Latn Swahili" in done.stdout
    (tmp_path / "mine.jsonl").write_text('{"id": 1, "langage": "sw"}\n', encoding="utf-8")
    wrong = mmbench(*command, "task.name=other", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(
        "mmbench: error: mine.jsonl:1: field 'langage': is not known; did you mean 'language'?"
    )


def test_results_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = mmbench(*ASR, f"results={tmp_path / 'file'}", cwd=tmp_path)
    assert done.returncode == 2
    assert "Not a directory; give another results=" in done.stderr
    assert "Traceback" not in done.stderr


def test_other_media_folder_is_another_data_set_and_another_citation_is_not(tmp_path: Path) -> None:
    row = {"id": 1, "language": "en", "text": "a", "reference": "a"}
    (tmp_path / "m.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    command = ("run", "task=manifest_asr", "task.name=m", "task.loader.path=m.jsonl", "model=echo")
    assert mmbench(*command, cwd=tmp_path).returncode == 0
    assert mmbench(*command, "+task.loader.citation=me", cwd=tmp_path).returncode == 0
    other = mmbench(*command, "+task.loader.root=elsewhere", cwd=tmp_path)
    assert other.returncode == 2
    assert "data.loader.root: None then, 'elsewhere' now" in other.stderr


def test_score_contract_on_stdout(tmp_path: Path) -> None:
    row = {"sample_id": "1", "language": "en", "prediction": "a b x", "references": ["a b c"]}
    file = tmp_path / "out.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    done = mmbench("score", str(file), "--scorer", "wer", "--format", "json")
    result = json.loads(done.stdout)
    assert result["overall"]["value"] == pytest.approx(1 / 3)
    assert list(result["languages"]) == ["eng_Latn"]
    assert "norm:none" in mmbench("score", str(file), "--scorer", "wer", "--normalizer", "none").stdout


def test_list() -> None:
    assert "voice_prompts_asr" in mmbench("list").stdout
    assert "swh_Latn" in mmbench("list", "languages").stdout
    assert mmbench("list", "tasks").stdout.startswith("tasks:")


def test_doctor_names_what_is_missing() -> None:
    done = mmbench("doctor")
    assert "torch" in done.stdout
    assert "libsndfile" in done.stdout
    assert done.returncode == (1 if "FAIL" in done.stdout else 0)


def test_the_signature_question_without_weights(tmp_path: Path) -> None:
    """The shipped sweep, with weightless models in its places."""
    places = ("model@model.asr=echo", "model@model.llm=echo")
    for model in (("model=cascade", *places), ("model=gold_cascade", *places[1:]), ("model=echo",)):
        done = mmbench("run", "task=voice_prompts_topic", *model, "limit=3", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    report = mmbench("report", "results", cwd=tmp_path)
    assert "topline minus cascade" in report.stdout
    assert "end to end minus cascade" not in report.stdout, "echo is no system"
    table = json.loads(mmbench("report", "results", "--format", "json", cwd=tmp_path).stdout)
    assert {pair["meaning"] for pair in table["voice_prompts_topic"]["differences"]}
    assert "| eng_Latn English |" in mmbench("report", "results", "--format", "markdown", cwd=tmp_path).stdout


def test_a_run_reads_a_stand_in_under_a_condition_through_another_model(tmp_path: Path) -> None:
    asked = ("run", "task=fleurs_asr", "model=gold", "limit=1", "+data.fleurs=fixture://fleurs")
    assert mmbench(*asked, "input=asr:echo", "condition=speed", cwd=tmp_path).returncode == 0
    cell = tmp_path / "results" / "fleurs_asr@speed_1.1x" / "echo+gold"
    assert {"run.json", "run.log", "scores.jsonl"} <= {path.name for path in cell.iterdir()}
    rows = [json.loads(line) for line in (cell / "predictions.jsonl").read_text().splitlines()]
    assert all(step["text"].startswith("<audio ") for row in rows for step in row["steps"])
    assert all(row["steps"] for row in rows)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("input=nothing", "input=nothing: give audio, gold, or STAGE:MODEL with a stage of asr, s2tt"),
        ("+data.flers=/x", "data.flers: loader 'flers' is not known; did you mean fleurs"),
        ("condition=nois", "condition 'nois' is not known"),
    ],
)
def test_a_wrong_input_condition_or_place_is_one_line(argument: str, message: str, tmp_path: Path) -> None:
    done = mmbench(*ASR, argument, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
