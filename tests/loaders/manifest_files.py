"""Manifests written for a test, and the check that one is refused with one line that says where and why."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.manifest import Manifest
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mmbench.schema import Sample

Row = dict[str, Any]
BASE: Row = {"id": "a", "language": "swh_Latn", "text": "habari"}
LISTENING: Row = {"id": "a", "language": "sw", "audio": "a.wav"}


def jsonl(folder: Path, *rows: Row | str | bytes, name: str = "data.jsonl") -> Path:
    """Write rows, those that are not objects as they are."""
    lines = [json.dumps(row).encode() if isinstance(row, dict) else row for row in rows]
    content = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines) + b"\n"
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    return path


def parquet(folder: Path, *rows: Row, name: str = "data.parquet") -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), folder / name)
    return folder / name


def one(folder: Path, row: Row, **options: Any) -> Sample:
    (sample,) = Manifest(path=str(jsonl(folder, row)), **options)
    return sample


def refused(path: Path, *words: str, line: int | None = None, **options: Any) -> str:
    """Check that checking and reading both end in the same line, with these words and the number."""
    messages = []
    manifest = Manifest(path=str(path), **options)
    for check in (manifest.validate, lambda: list(manifest)):
        with pytest.raises(UsageError) as caught:
            check()
        messages.append(str(caught.value))
    message = messages[0]
    assert message == messages[1]
    assert "\n" not in message
    assert "; " in message or "is needed" in message  # the second is of mmbench.languages
    assert len(message) < 500
    assert message.startswith(f"{path}:{line}: " if line else f"{path}: ")
    for word in words:
        assert word in message
    return message
