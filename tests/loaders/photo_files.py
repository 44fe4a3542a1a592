"""What the tests of loaders of photographs share: a copy of a fixture to edit, and pictures by their bytes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loaders.fixtures import fixture
from loaders.fixtures._photos import photo, write_lines
from mmbench.schema import Image, Part, Sample

Edit = Callable[[list[dict[str, Any]]], object]


def copy_of(name: str, folder: Path) -> Path:
    """A copy of a fixture, to edit."""
    return Path(shutil.copytree(fixture(name), folder / name))


def edit_lines(path: Path, edit: Edit) -> None:
    """Change the rows of a .jsonl file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    edit(rows)
    write_lines(path, rows)


def shown(part: Part) -> bytes:
    """The encoded bytes of an image part."""
    assert isinstance(part, Image)
    return part.source if isinstance(part.source, bytes) else Path(str(part.source)).read_bytes()


def pictures(sample: Sample) -> list[bytes]:
    """The encoded bytes of a sample's images, in order."""
    return [shown(part) for part in sample.parts if isinstance(part, Image)]


def by_id(samples: list[Sample]) -> dict[str, Sample]:
    """Samples by their ids, which are unique."""
    found = {sample.id: sample for sample in samples}
    assert len(found) == len(samples)
    return found


__all__ = ["by_id", "copy_of", "edit_lines", "photo", "pictures", "shown"]
