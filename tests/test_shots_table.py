"""Scores by number of demonstrations: mean and spread over seeds, worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mmbench.condition_table import by_condition
from mmbench.shots import Shown, parted
from mmbench.shots_table import by_shots, shots_tables
from tests.test_condition_table import cells

if TYPE_CHECKING:
    from mmbench.results import Cell

VALUES = {"clean": 0.1, "4shot_seed0": 0.2, "4shot_seed1": 0.4, "8shot_seed0": 0.5, "4shot_eng_Latn_seed0": 0.3}


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_rows_are_numbers_and_languages_of_demonstrations() -> None:
    text = shots_tables(cells(VALUES))
    assert "asr by demonstrations: wer %, lower is better, eng_Latn" in text
    found = lines(text)
    assert ["0", "10.0", "1", "5"] in found, "without any"
    assert ["4", "30.0", "±", "14.1", "2", "5"] in found, "(20 + 40) / 2, and its standard deviation with n - 1"
    assert ["4", "in", "eng_Latn", "30.0", "1", "5"] in found, "one seed has no spread"
    assert [row[0] for row in found if len(row) > 2 and row[0] in ("0", "4", "8")] == ["0", "4", "4", "8"]


def test_a_system_that_lacks_a_row_has_a_dash() -> None:
    other = cells({"4shot_similar": 0.6}, model="n")
    both: dict[str, list[Cell]] = {}
    for task in [*cells(VALUES), *other]:
        both[task] = [*cells(VALUES).get(task, []), *other.get(task, [])]
    found = lines(shots_tables(both))
    assert ["4,", "similar", "-", "60.0", "1", "5"] in found


def test_conditions_and_demonstrations_are_tables_of_their_own() -> None:
    mixed = cells({**VALUES, "noise_10dB": 0.7, "noise_10dB@4shot_seed0": 0.8})
    (conditions,) = by_condition(mixed).values()
    assert set(conditions) == {"clean", "noise_10dB"}
    assert set(by_shots(mixed)) == {"asr", "asr@noise_10dB"}
    assert shots_tables(cells({"clean": 0.1, "noise_10dB": 0.2})) == ""


@pytest.mark.parametrize(
    ("task", "name", "shown"),
    [
        ("asr", "asr", Shown()),
        ("asr@4shot_seed0", "asr", Shown(4)),
        ("asr@noise@16shot_swh_Latn_similar", "asr@noise", Shown(16, "swh_Latn", True)),
        ("asr@noise_10dB", "asr@noise_10dB", Shown()),
        ("4shot_seed0", "4shot_seed0", Shown()),
    ],
)
def test_labels_are_read(task: str, name: str, shown: Shown) -> None:
    assert parted(task) == (name, shown)
