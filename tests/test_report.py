from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.cell import Settings, run_cell
from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.metric_tables import tags
from mmbench.models.echo import Gold
from mmbench.report import pairs, report
from mmbench.results import CASCADE, END_TO_END, TOPLINE, find_cells

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Oracle(Gold):
    """An end-to-end system that is always right."""

    name: str = "gold"


QUIET = Settings(progress=False, limit=4)


def run(results: Path, *overrides: str) -> None:
    plain: Any = resolve(compose(["task=voice_prompts_topic", f"results={results}", *overrides]))
    run_cell(build(plain["task"]), build(plain["model"]), results, QUIET, config=plain)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    run(folder, "model=cascade", "model@model.asr=echo", "model@model.llm=echo")
    run(folder, "model=gold_cascade", "model@model.llm=echo")
    plain: Any = resolve(compose(["task=voice_prompts_topic", "model=gold", "task.languages=[eng,fra]"]))
    run_cell(build(plain["task"]), Oracle(), folder, QUIET, config=plain)
    return folder


def test_kinds_of_systems(results: Path) -> None:
    kinds = {cell.model: cell.kind for cell in find_cells([results])}
    assert kinds == {"echo+echo": CASCADE, "gold+echo": TOPLINE, "gold": END_TO_END}


def test_a_topline_is_compared_with_the_cascade_of_the_same_language_model(results: Path) -> None:
    found = [(pair.a.model, pair.b.model) for pair in pairs(find_cells([results]))]
    assert found == [("gold", "echo+echo")]
    assert pairs(find_cells([results]))[0].topline.model == "gold+echo"
    alone = [cell for cell in find_cells([results]) if cell.kind != END_TO_END]
    assert [(pair.a.model, pair.b.model) for pair in pairs(alone)] == [("gold+echo", "echo+echo")]


def test_means_are_over_the_languages_that_all_systems_have(results: Path) -> None:
    assert tags(find_cells([results]), "accuracy") == ["eng_Latn", "fra_Latn"]
    text = report([results])
    assert "macro mean of 2 shared" in text
    assert "ita_Latn" not in text.split("wer@asr")[0]


def test_a_perfect_system_is_perfect_everywhere(results: Path) -> None:
    rows = json.loads(report([results], "json"))["voice_prompts_topic"]["scores"]
    gold = [row for row in rows if row["model"] == "gold" and row["metric"] == "accuracy"]
    assert {row["value"] for row in gold} == {1.0}
    assert {row["language"] for row in gold} == {"eng_Latn", "fra_Latn", "all", "macro"}


def test_difference_has_the_sign_of_the_better_system(results: Path) -> None:
    found = json.loads(report([results], "json"))["voice_prompts_topic"]["differences"]
    pair = next(one for one in found if one["a"] == "gold")
    macro = pair["languages"]["macro"]
    assert macro["difference"] > 0
    assert macro["low"] <= macro["difference"] <= macro["high"]
    assert (macro["n"], pair["languages"]["all"]["n"]) == (2, 8)


def test_every_table_names_its_signature(results: Path) -> None:
    text = report([results])
    assert "accuracy|scores:sum" in text
    assert "wer@asr|unit:word" in text
    assert "failed / unparsed / refused / n" in text


def test_an_accuracy_has_its_baselines_and_its_method(results: Path) -> None:
    text = report([results])
    assert "Guessing: chance 25.0, majority 25.0. accuracy|" in text
    assert "|method:loglikelihood" in text
    assert text.count("Guessing") == 1, "an error rate has no chance level"


def test_markdown_has_no_stray_bars(results: Path) -> None:
    for line in report([results], "markdown").splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


def test_damaged_results_are_one_line(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no scores\.jsonl"):
        report([tmp_path])
    (tmp_path / "scores.jsonl").write_text("{}\n", encoding="utf-8")
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"run\.json: cannot be read"):
        report([tmp_path])


def test_results_from_elsewhere_run_no_code_of_their_own(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("run.json"):
        run_file = json.loads(path.read_text(encoding="utf-8"))
        run_file["config"]["allow"] = ["fractions"]
        run_file["config"]["task"]["scorers"] = {"x": {"_target_": "fractions.Fraction"}}
        path.write_text(json.dumps(run_file), encoding="utf-8")
    with pytest.raises(UsageError, match="outside mmbench, loaders"):
        report([tmp_path])
