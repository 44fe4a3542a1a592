"""Pieces of published data that lie beside the repository; a test that needs one is skipped where it is not there."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "../shared/samples"


def sample(path: str) -> Path:
    """The file of that path in the folder of samples."""
    found = FOLDER / path
    if not found.exists():
        pytest.skip(f"the published sample {path} is not here")
    return found


def rows(path: str, delimiter: str = ",") -> list[dict[str, str]]:
    """Rows of a table with a header; nothing is quoted in tables with tabs."""
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    with sample(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter, quoting=quoting))
