"""Plain tables: for terminals, for pipes, and as Markdown."""

from __future__ import annotations

import math
import sys
from io import StringIO
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbench.score import Estimate

Format = Literal["table", "markdown"]


def number(value: float, *, fraction: bool, signed: bool = False) -> str:
    """A value with one decimal, fractions as per cent; "-" where there is none."""
    if not math.isfinite(value):
        return "-"
    scaled = value * (100 if fraction else 1)
    return f"{scaled:+.1f}" if signed else f"{scaled:.1f}"


def interval_text(found: Estimate, *, fraction: bool) -> str:
    """A value and its interval, such as "62.5 [47.0, 75.8]"."""
    if not math.isfinite(found.value):
        return "-"
    low, high = number(found.low, fraction=fraction), number(found.high, fraction=fraction)
    return f"{number(found.value, fraction=fraction)} [{low}, {high}]"


def render(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], form: Format = "table") -> str:
    """One table as text; the first column is left-aligned, the others are right-aligned."""
    if form == "markdown":
        lines = [f"**{title}**", ""] if title else []
        lines += ["| " + " | ".join(_escape(cell) for cell in row) + " |" for row in [header]]
        lines += ["|" + "|".join([" --- "] + [" ---: "] * (len(header) - 1)) + "|"]
        lines += ["| " + " | ".join(_escape(cell) for cell in row) + " |" for row in rows]
        return "\n".join(lines) + "\n\n"
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(header):
        table.add_column(name, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # as text: a name with brackets is no markup
    terminal = Console()
    out = StringIO()
    # A pipe gets the whole width; a terminal gets its own, and colours unless NO_COLOR forbids them.
    console = Console(
        file=out, width=terminal.width if terminal.is_terminal else 250, force_terminal=terminal.is_terminal
    )
    if not sys.stdout.isatty():
        console = Console(file=out, width=250, no_color=True)
    if title:
        console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
