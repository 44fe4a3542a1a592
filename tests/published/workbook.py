"""Cells of a spreadsheet (.xlsx) as they are written, without a library for it."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from pathlib import Path

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def cells(path: Path) -> list[dict[str, str]]:
    """Rows of the first sheet, each with its cells by the letters of the column; empty ones are left out."""
    with zipfile.ZipFile(path) as book:
        shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        texts = ["".join(text.text or "" for text in item.iter(f"{_SHEET}t")) for item in shared]
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in sheet.iter(f"{_SHEET}row"):
        found = {}
        for cell in row:
            value = cell.find(f"{_SHEET}v")
            if value is not None and value.text is not None:
                name = re.sub(r"\d", "", cell.attrib["r"])
                found[name] = texts[int(value.text)] if cell.get("t") == "s" else value.text
        rows.append(found)
    return rows


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a sheet below its header, by the names of the columns that have one; rows without any are left out."""
    header, *rest = cells(path)
    rows = [{name: row[column] for column, name in header.items() if column in row} for row in rest]
    return [row for row in rows if row]
