"""A progress bar with rate, remaining time and failures; lines in the log where there is no terminal."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between lines where there is no terminal."""


class Progress:
    """A context that shows how far a cell is, on standard error."""

    def __init__(self, title: str, total: int | None, *, enabled: bool = True) -> None:
        """Nothing is shown before `__enter__`."""
        self._title, self._total, self._enabled = title, total, enabled
        self._bar: Any = None
        self._begun = self._said = time.monotonic()
        self._first: int | None = None

    def __enter__(self) -> Progress:
        """Show the bar."""
        if self._enabled:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            console = Console(stderr=True)
            if console.is_terminal:
                columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
                failures = TextColumn("[red]{task.fields[failures]}")
                self._bar = Bar(TextColumn("{task.description}"), *columns, failures, console=console)
                self._bar.start()
                self._task = self._bar.add_task(self._title, total=self._total, rate="", failures="")
        return self

    def update(self, done: int, failed: int) -> None:
        """Say how many samples are done, of which so many failed."""
        if self._first is None:  # what was answered before does not count for the rate
            self._first = done
        now = time.monotonic()
        rate = (done - self._first) / max(now - self._begun, 1e-9)
        shown = f"{rate:.1f}/s" if done > self._first else ""
        failures = f"{failed} failed" if failed else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, rate=shown, failures=failures)
        elif self._enabled and shown and now - self._said > EVERY:
            self._said = now
            total = f" of {self._total}" if self._total else ""
            left = f", {(self._total - done) / rate:.0f} s left" if self._total and rate > 0 else ""
            log.info("%s: %d%s, %s%s%s", self._title, done, total, shown, left, f", {failures}" if failures else "")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.stop()
