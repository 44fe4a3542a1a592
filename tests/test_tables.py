from __future__ import annotations

import pytest

from mmbench.score import Estimate
from mmbench.tables import PERCENT, Scale, _fitting, interval_text, number, render

HEADER = ["", "one", "two"]
ROWS = [["eng_Latn", "1.0 [0.5, 1.5]", "2.0"], ["a|b [bold]", "\x1b[31mred\n", "-"]]


def test_table_holds_every_cell() -> None:
    text = render("title", HEADER, ROWS)
    assert text.startswith("title\n")
    assert "1.0 [0.5, 1.5]" in text
    assert "a|b [bold]" in text, "brackets are text and no markup"


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_a_cell_cannot_drive_the_terminal(form: str) -> None:
    text = render("ti\x1btle", HEADER, ROWS, "markdown" if form == "markdown" else "table")
    assert "\x1b" not in text


def test_markdown_escapes_bars() -> None:
    text = render("", HEADER, ROWS, "markdown")
    assert "a\\|b" in text
    assert text.splitlines()[1] == "| --- | ---: | ---: |"


def test_columns_that_do_not_fit_stand_below() -> None:
    assert list(_fitting([10, 20, 20, 20], 100)) == [[0, 1, 2, 3]]
    assert list(_fitting([10, 20, 20, 20], 50)) == [[0, 1, 2], [0, 3]]
    assert list(_fitting([10, 90, 20], 50)) == [[0, 1], [0, 2]], "a column that is too wide is shown all the same"
    assert list(_fitting([10], 50)) == [[0]]


def test_numbers() -> None:
    assert number(0.1234, scale=PERCENT) == "12.3"
    assert number(12.34, scale=Scale(fraction=False), signed=True) == "+12.3"
    assert number(0.01234, scale=Scale(fraction=False, decimals=3)) == "0.012"
    assert number(-0.0001, scale=Scale(fraction=False, decimals=3), signed=True) == "+0.000"
    assert number(float("nan"), scale=PERCENT) == "-"
    assert interval_text(Estimate(value=0.5, low=0.25, high=0.75), scale=PERCENT) == "50.0 [25.0, 75.0]"
    assert interval_text(Estimate(), scale=PERCENT) == "-"
