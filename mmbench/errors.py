"""The errors that mmbench raises on purpose, and what each of them ends.

Three rings: a `SampleError` costs one sample its answer, a `CellError` ends one (task, model) job of a
sweep, and a `UsageError` says that the command itself is wrong. `mmbench.cli` turns the last two into one
line on standard error and an exit status; no other module decides about exit statuses.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """The text without line ends and control characters, which could drive a terminal or fake a line of a log."""
    return "".join(char if char.isprintable() else " " for char in text)


def one_line(error: BaseException, *, length: int = 500) -> str:
    """An error's message on one line, without control characters, not longer than `length`."""
    text = " ".join(printable(str(error)).split())
    return text if len(text) <= length else text[: length - 3] + "..."


class MmbenchError(Exception):
    """Root of the errors raised on purpose; its message is one line that says what, where and how to mend it."""


class SampleError(MmbenchError):
    """One sample cannot be answered. The run writes an error row for it and goes on."""


class MediaError(SampleError):
    """An audio clip, image or video cannot be decoded."""


class CellError(MmbenchError):
    """One (task, model) job cannot go on; the other jobs of a sweep do. Exit status 1."""


class ModelLoadError(CellError):
    """A model's weights, tokenizer or library cannot be loaded, so no sample of the cell can be answered."""


class UsageError(MmbenchError):
    """The command, a configuration value or an input file is wrong. Exit status 2."""
