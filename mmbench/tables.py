"""Plain tables: for terminals, for pipes, and as Markdown."""

from __future__ import annotations

import math
import sys
from io import StringIO
from typing import TYPE_CHECKING, Literal, NamedTuple

from mmbench.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from mmbench.schema import Score, Scorer
    from mmbench.score import Estimate

Format = Literal["table", "markdown"]


class Scale(NamedTuple):
    """How values of a metric are shown: as per cent or as they are, and with how many decimals."""

    fraction: bool
    decimals: int = 1


PERCENT = Scale(fraction=True)


def scale(metric: Score | Scorer) -> Scale:
    """The scale of a metric; one decimal where it does not say more."""
    return Scale(metric.fraction, getattr(metric, "decimals", 1))


def number(value: float, *, scale: Scale, signed: bool = False) -> str:
    """A value on its scale; "-" where there is none."""
    if not math.isfinite(value):
        return "-"
    scaled = value * (100 if scale.fraction else 1)
    scaled = round(scaled, scale.decimals) or 0.0  # no minus in front of what is shown as zero
    return f"{scaled:{'+' if signed else ''}.{scale.decimals}f}"


def interval_text(found: Estimate | Score, *, scale: Scale) -> str:
    """A value and its interval, such as "62.5 [47.0, 75.8]"."""
    if not math.isfinite(found.value):
        return "-"
    low, high = number(found.low, scale=scale), number(found.high, scale=scale)
    return f"{number(found.value, scale=scale)} [{low}, {high}]"


def render(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], form: Format = "table") -> str:
    """One table as text; the first column is left-aligned, the others are right-aligned.

    A terminal that is too narrow gets the columns in several tables: a number that is cut off is worse than none.
    """
    if form == "markdown":
        lines = [f"**{printable(title)}**", ""] if title else []
        lines.append("| " + " | ".join(_escape(cell) for cell in header) + " |")
        lines.append("|" + "|".join([" --- "] + [" ---: "] * (len(header) - 1)) + "|")
        lines += ["| " + " | ".join(_escape(cell) for cell in row) + " |" for row in rows]
        return "\n".join(lines) + "\n\n"
    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    out = StringIO()
    terminal = sys.stdout.isatty()
    width = Console().width if terminal else _PIPE
    # Colours unless NO_COLOR forbids them, and none in a pipe.
    console = Console(file=out, width=max(width, _PIPE), force_terminal=terminal, no_color=None if terminal else True)
    if title:
        console.print(Text(printable(title), style="bold"), soft_wrap=True)
    table = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(row[column]) for row in table) + 3 for column in range(len(header))]
    for columns in _fitting(widths, width):
        console.print(_grid([[row[column] for column in columns] for row in table]))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


_PIPE = 1000
"""Width where nothing limits it, so that nothing is cut."""


def _fitting(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Columns in groups that fit into a width, each with the first column and at least one more."""
    group = [0]
    for column in range(1, len(widths)):
        if len(group) > 1 and sum(widths[other] for other in group) + widths[column] > width:
            yield group
            group = [0]
        group.append(column)
    yield group


def _grid(rows: Sequence[Sequence[str]]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(rows[0]):
        grid.add_column(Text(name), justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows[1:]:
        grid.add_row(*(Text(cell) for cell in row))  # as text: a name with brackets is no markup
    return grid


def _escape(cell: str) -> str:
    return printable(cell).replace("|", "\\|")
