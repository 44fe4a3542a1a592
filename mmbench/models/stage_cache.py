"""What cascade stages said, kept by stage and content: three language models behind one ASR transcribe once."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            damaged = path.with_suffix(f"{path.suffix}.damaged")
            log.warning("%s is damaged (%s): put aside as %s, stages answer again", path, error, damaged.name)
            path.replace(damaged)
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID"
        )
        return connection

    def get(self, keys: Iterable[str]) -> dict[str, str]:
        """The texts that are known, by key."""
        found = {}
        for wanted in keys:
            row = self._connection.execute("SELECT text FROM answers WHERE key = ?", (wanted,)).fetchone()
            if row is not None:
                found[wanted] = str(row[0])
        return found

    def put(self, texts: Mapping[str, str]) -> None:
        """Keep texts; the first answer stays where two processes give one at once."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", texts.items())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
