"""What cascade stages said, kept by stage and content: three language models behind one ASR transcribe once."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mmbench.errors import CellError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

log = logging.getLogger(__name__)


def key(stage: str, content: str, *languages: str) -> str:
    """Key of one answer: digest of the stage's settings and weights, of what it was given, and the languages."""
    return hashlib.sha256("\0".join((stage, content, *languages)).encode()).hexdigest()


class StageCache:
    """A SQLite file that the processes of a sweep share; a damaged one is put aside and begun anew."""

    def __init__(self, path: Path) -> None:
        """Open or create the file."""
        self._path = path
        self._lock = threading.Lock()  # SQLite keeps processes apart, this the threads that share a connection
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            log.warning("%s is damaged (%s): put aside as %s.damaged, stages answer again", path, error, path.name)
            for end in ("", "-wal", "-shm"):  # a log left behind would be replayed into the new file
                with suppress(FileNotFoundError):
                    path.with_name(path.name + end).replace(path.with_name(f"{path.name}.damaged{end}"))
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID"
            )
            (problem,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if problem != "ok":
                raise sqlite3.DatabaseError(problem)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """The texts that are known, by key."""
        found = {}
        with self._lock, self._errors():
            for wanted in keys:
                row = self._connection.execute("SELECT text FROM answers WHERE key = ?", (wanted,)).fetchone()
                if row is not None:
                    found[wanted] = str(row[0])
        return found

    def put(self, texts: Mapping[str, str]) -> None:
        """Keep texts; the first answer stays where two processes give one at once."""
        with self._lock, self._errors(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", texts.items())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """A full disk or a damaged page is nobody's sample's fault."""
        try:
            yield
        except sqlite3.Error as error:
            raise CellError(f"{self._path}: {error}; make room or move it away, then run again") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the log on; of two that do it at once one is told "locked", and SQLite's own timeout does not help."""
    for _ in range(600):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.1)
    connection.execute("PRAGMA journal_mode=WAL")
