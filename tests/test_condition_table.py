"""Scores under several conditions beside each other, as a table and as plots."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from mmbench.condition_table import Level, by_condition, condition_tables
from mmbench.errors import UsageError
from mmbench.plots import plot_conditions
from mmbench.results import Cell
from mmbench.schema import Score

Tasks = dict[str, list[Cell]]


def row(task: str, model: str, language: str, value: float) -> Score:
    ends = {"low": value - 0.1, "high": value + 0.1}
    rest = {"n": 5, "failed": 0, "unparsed": 0, "higher_is_better": False, "fraction": True, "signature": "wer|x"}
    return Score(task=task, model=model, language=language, metric="wer", value=value, **ends, **rest)  # type: ignore[arg-type]


def cells(
    values: dict[str, float], model: str = "m", languages: tuple[str, ...] = ("eng_Latn",)
) -> dict[str, list[Cell]]:
    made = {}
    for label, value in values.items():
        task = "asr" if label == "clean" else f"asr@{label}"
        scores = [row(task, model, language, value) for language in (*languages, "macro", "all")]
        made[task] = [Cell(Path(), task, model, tuple(scores), {})]
    return made


NOISE = {"noise_white_0dB": 0.9, "clean": 0.1, "noise_white_-10dB": 1.2, "noise_white_10dB": 0.3}


def test_labels_are_read() -> None:
    assert Level.of("noise_white_-10dB") == ("noise_white", -10.0, "dB")
    assert Level.of("speed_1.1x") == ("speed", 1.1, "x")
    assert Level.of("clean").kind == "clean"
    assert math.isnan(Level.of("clean").value)


def test_clean_comes_first_and_then_ever_more_noise() -> None:
    (found,) = by_condition(cells(NOISE)).values()
    assert list(found) == ["clean", "noise_white_10dB", "noise_white_0dB", "noise_white_-10dB"]
    (speeds,) = by_condition(cells({"speed_1.1x": 1.0, "speed_0.9x": 1.0})).values()
    assert list(speeds) == ["speed_0.9x", "speed_1.1x"]


def test_the_table_has_a_row_a_condition_and_a_mean_without_clean() -> None:
    """AVMuST-TED's "Avg." is the mean over the noisy levels: (30 + 90 + 120) / 3."""
    text = condition_tables(cells(NOISE))
    assert "asr by condition: wer %, lower is better, eng_Latn" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["clean", "10.0", "[0.0,", "20.0]", "5"] in lines
    assert ["mean", "without", "clean", "80.0"] in lines


def test_a_mean_over_other_levels_is_not_shown() -> None:
    whole, part = cells(NOISE), cells({"clean": 0.1, "noise_white_10dB": 0.2}, model="other")
    both = {task: own + part.get(task, []) for task, own in whole.items()}
    line = next(line for line in condition_tables(both).splitlines() if line.strip().startswith("mean without"))
    assert line.split()[-2:] == ["80.0", "-"], "the mean column of n is empty"


def test_tasks_under_one_condition_have_no_table() -> None:
    assert condition_tables(cells({"clean": 0.1})) == ""
    with pytest.raises(UsageError, match="more than one condition"):
        plot_conditions(cells({"clean": 0.1}), Path("nowhere"))


def test_plots_are_written_and_hold_the_systems_and_levels(tmp_path: Path) -> None:
    written = plot_conditions(cells(NOISE, languages=("eng_Latn", "fra_Latn")), tmp_path / "new")
    assert [path.name for path in written] == ["asr-wer.svg", "asr-wer.png"]
    svg = written[0].read_text(encoding="utf-8")
    assert "<svg" in svg
    for said in ("noise white", "-10 dB", "wer %", "clean"):
        assert f"<!-- {said}" in svg or said in svg
    assert written[1].read_bytes()[:4] == b"\x89PNG"


def test_only_languages_that_all_cells_have_count_and_other_samples_are_said() -> None:
    """English and Russian clean beside English alone under noise: noise seemed to help."""
    both = {language: value for language, value in (("eng_Latn", 0.2), ("rus_Cyrl", 4.0))}
    clean = [replace(row("asr", "m", language, value), n=2) for language, value in both.items()]
    noisy = [replace(row("asr@noise_white_10dB", "m", "eng_Latn", 0.3), n=4)]
    ends = [row("asr", "m", "macro", 2.1)], [row("asr@noise_white_10dB", "m", "macro", 0.3)]
    tasks = {
        each[0].task: [Cell(Path(), each[0].task, "m", (*each, *end), {})]
        for each, end in zip((clean, noisy), ends, strict=True)
    }
    text = condition_tables(tasks)
    assert "eng_Latn" in text.splitlines()[0]
    lines = [line.split() for line in text.splitlines()]
    assert ["clean", "20.0", "[10.0,", "30.0]", "2"] in lines
    assert ["noise_white_10dB", "30.0", "[20.0,", "40.0]", "4"] in lines
    assert "The rows are not of the same samples" in text
