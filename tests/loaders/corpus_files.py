"""What tests of speech corpora share: copies of fixtures to edit, and which clip a sample is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.fixtures import fixture
from loaders.fixtures._speech import encoded, prompts
from loaders.published import Published
from mmbench.media import load_audio
from mmbench.schema import Audio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from mmbench.schema import Sample


def copy(name: str, folder: Path) -> Path:
    """A copy of a fixture that a test may edit."""
    return shutil.copytree(fixture(name), folder / name)


def edit(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Rewrite a Parquet file with its rows changed."""
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def clip(sample: Sample) -> Audio:
    """The one recording of a sample."""
    (part,) = sample.parts
    assert isinstance(part, Audio)
    return part


def says(sample: Sample, prompt: int, *, rate: int = 16000, kind: str = "WAV") -> bool:
    """Whether a sample's recording is that of a prompt, encoded as the fixture has it."""
    found = prompts(sample.spoken, count=8)[sample.spoken][prompt]
    wanted = load_audio(Audio(encoded(found.file, rate=rate, kind=kind)), rate=8000)
    heard = load_audio(clip(sample), rate=8000)
    return len(heard) == len(wanted) and bool(np.allclose(heard, wanted, atol=1e-4))


def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The list that every row of Parquet goes into as it is read."""
    read: list[dict[str, Any]] = []
    plain = Published.parquet

    def counted(self: Published, names: Any) -> Any:
        for row in plain(self, names):
            read.append(row)
            yield row

    monkeypatch.setattr(Published, "parquet", counted)
    return read
