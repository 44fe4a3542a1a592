"""Files of one cell: append-only JSON Lines that survive a kill, a manifest of the run, and a lock.

A reader never sees half a row: a torn last line is cut off before the next append, and a line that is damaged
anyway is passed over (its sample counts as missing and is answered again).
"""

from __future__ import annotations

import fcntl
import json
import logging
import math
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mmbench.errors import CellError, UsageError

log = logging.getLogger(__name__)


def finite(value: Any) -> Any:
    """The value with NaN and infinities as None, because JSON has neither."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def dumps(value: Any) -> str:
    """One line of JSON, readable in every script, without NaN; half a character (a lone surrogate) as its escape."""
    return escaped(json.dumps(finite(value), ensure_ascii=False, allow_nan=False))


def escaped(text: str) -> str:
    """JSON that UTF-8 can hold: a file name or a model may say what no character is."""
    return text.encode("utf-8", "backslashreplace").decode()


def read_jsonl(path: Path, *, strict: bool) -> Iterator[tuple[int, Any]]:
    """Yield (line number, value) of each line that is not blank.

    Args:
        path: the file.
        strict: whether a damaged line is a UsageError (a file from elsewhere) or passed over with a warning (our own).
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if number == 1 and line.startswith(b"\x1f\x8b"):
                raise UsageError(f"{path}: is compressed; unpack it first (gunzip)")
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:  # also UnicodeDecodeError
                if strict:
                    raise UsageError(f"{path}:{number}: not a line of JSON ({error}); one object per line") from error
                log.warning("%s:%d: a damaged line is passed over; its sample is answered again", path, number)


def write_atomic(path: Path, text: str) -> None:
    """Replace a file as a whole: readers see the old text or the new, also when the process dies in between.

    Raises:
        CellError: it cannot be written (a full disk).
    """
    try:
        _replace(path, text)
    except OSError as error:
        raise CellError(f"{path}: cannot be written ({error.strerror}); make room or name another place") from error


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class Journal:
    """An append-only JSON Lines file, open for writing.

    The rows of one call of `append` go out in one write and reach the disk at least once a second, so that a
    kill costs the batch in hand and a power cut costs a second.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, creating it, after cutting off a line that a killed process left unfinished."""
        self._file = path.open("ab+")
        self._synced = time.monotonic()
        self._repair(path)

    def _repair(self, path: Path) -> None:
        size = self._file.seek(0, os.SEEK_END)
        tail, position = b"", size
        while position and b"\n" not in tail:
            end, position = position, max(0, position - 65536)
            self._file.seek(position)
            tail = self._file.read(end - position) + tail
        torn = tail.rpartition(b"\n")[2]
        if not torn:
            return
        try:
            json.loads(torn)
            self._file.write(b"\n")  # only the line end is missing
        except (ValueError, RecursionError):
            log.warning("%s: the last line was cut off while it was written; its sample is answered again", path)
            self._file.truncate(size - len(torn))
        self._file.flush()

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows, each as one line.

        Raises:
            CellError: they cannot be written (a full disk); earlier rows are kept.
        """
        try:
            self._file.write("".join(dumps(row) + "\n" for row in rows).encode())
            self._file.flush()
            if time.monotonic() - self._synced > 1.0:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise CellError(
                f"{self._file.name}: cannot be written ({error.strerror}); what was answered before is kept, run again"
            ) from error

    def close(self) -> None:
        """Bring everything to the disk and close the file."""
        with suppress(OSError):  # a full disk was reported by `append`
            os.fsync(self._file.fileno())
        with suppress(OSError):
            self._file.close()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a cell; the kernel releases it when the process ends, however it ends.

    Raises:
        CellError: another process holds it.
        UsageError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made ({error.strerror}); give another results=") from error
    with (folder / "lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read(100).strip() or "another process"
            raise CellError(
                f"{folder}: {holder} is at work on this cell; wait for it or give another results="
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {os.uname().nodename}")
        file.flush()
        yield


def flatten(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping of dotted keys."""
    if not isinstance(tree, Mapping):
        return {prefix: tree}
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _brief(value: Any) -> str:
    """The value as it is written, cut to what fits into a message."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def open_run(folder: Path, run: Mapping[str, Any]) -> None:
    """Write run.json, or check that the one there has the same fingerprint.

    Args:
        folder: the cell.
        run: the manifest; its keys "format" and "fingerprint" decide whether old and new answers may stand in one file.

    Raises:
        UsageError: the cell was begun with another fingerprint; the message names the keys that differ.
    """
    path = folder / "run.json"
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
        before = flatten({"format": old.get("format"), **old["fingerprint"]})
    except FileNotFoundError:
        write_atomic(path, escaped(json.dumps(finite(run), indent=2, ensure_ascii=False)) + "\n")
        return
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path}: not a run manifest ({error}); move the folder away or give another results="
        ) from error
    now = flatten(finite({"format": run.get("format"), **run["fingerprint"]}))
    differing = [key for key in sorted(before | now) if before.get(key) != now.get(key)]
    if differing:
        shown = "; ".join(f"{key}: {_brief(before.get(key))} then, {_brief(now.get(key))} now" for key in differing[:4])
        more = f" and {len(differing) - 4} more keys" if len(differing) > 4 else ""
        raise UsageError(f"{folder}: begun with other settings ({shown}{more}); give another name or results=")
