"""How large a corpus is, language by language: counts that add up, their totals, and tables of them.

What is not known is None, which no total hides: a sum of it is not known either.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from mmbench.errors import UsageError
from mmbench.tables import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mmbench.tables import Format

TOTAL = "total"
"""Language of the row that is the sum of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusCount:
    """Counts of one language.

    Args:
        language: its tag.
        documents: documents that are used.
        left_out: documents that are not.
        texts: text nodes.
        characters: Unicode code points of the text.
        bytes: of the text in UTF-8.
        tokens: of whatever tokenizer the publisher counted with.
        images: images that the documents name.
        present: of these, those that are here and can be decoded.
        missing: those that nobody has.
        failed: those that are here and are no good.
        reasons: how many documents and images were left out, by reason.
    """

    language: str
    documents: int | None = None
    left_out: int | None = None
    texts: int | None = None
    characters: int | None = None
    bytes: int | None = None
    tokens: int | None = None
    images: int | None = None
    present: int | None = None
    missing: int | None = None
    failed: int | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: CorpusCount) -> CorpusCount:
        """The sum of two; of different languages it is a total."""
        language = self.language if self.language == other.language else TOTAL
        sums = {name: _sum(getattr(self, name), getattr(other, name)) for name in NUMBERS}
        reasons = dict(sorted((Counter(self.reasons) + Counter(other.reasons)).items()))
        return CorpusCount(language=language, reasons=reasons, **sums)


NUMBERS = tuple(each.name for each in fields(CorpusCount) if each.name not in ("language", "reasons"))
"""Names of the fields that are numbers, in the order of tables."""


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def total(counts: Iterable[CorpusCount]) -> CorpusCount:
    """The sum of all.

    Raises:
        UsageError: there are none.
    """
    rows = list(counts)
    if not rows:
        raise UsageError("a corpus without languages has no total; give counts of one at least")
    found = rows[0]
    for row in rows[1:]:
        found += row
    return CorpusCount(language=TOTAL, reasons=found.reasons, **{name: getattr(found, name) for name in NUMBERS})


def table(counts: Sequence[CorpusCount], title: str = "", form: Format = "table") -> str:
    """Counts by language and their total; columns of which nothing is known are left out."""
    rows = [*counts, total(counts)]
    columns = [name for name in NUMBERS if any(getattr(row, name) is not None for row in rows)]
    header = ["language", *(name.replace("_", " ") for name in columns)]
    cells = [[row.language, *(_shown(getattr(row, name)) for name in columns)] for row in rows]
    return render(title, header, cells, form)


def _shown(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def published(path: Path) -> list[CorpusCount]:
    """Counts of a .csv table by language, as publishers of corpora print them.

    The columns `code` and any of `documents`, `texts`, `images` and `tokens` are read, whatever signs stand in their
    names ("# tokens"); numbers may have commas between thousands.

    Raises:
        UsageError: there is no such column, a code is there twice or missing, or a number is none.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read ({error}); give a .csv file with a header") from error
    names = {re.sub(r"[^a-z]", "", name.lower()): name for name in (rows[0] if rows else {}) if name}
    columns: dict[str, str] = {
        kind: names[kind] for kind in ("documents", "texts", "images", "tokens") if kind in names
    }
    if "code" not in names or not columns:
        raise UsageError(f"{path}: has no column code beside documents, texts, images or tokens; it has {list(names)}")
    found = [_row(row, row[names["code"]] or "", columns, f"{path}:{line}") for line, row in enumerate(rows, 2)]
    if twice := [code for code, n in Counter(row.language for row in found).items() if n > 1]:
        raise UsageError(f"{path}: {twice[0]} is there twice; a language has one row")
    return found


def _row(row: Mapping[str, str], code: str, columns: Mapping[str, str], where: str) -> CorpusCount:
    if not code.strip():
        raise UsageError(f"{where}: has no code of a language")
    numbers: dict[str, Any] = {}
    for kind, column in columns.items():
        written = (row[column] or "").replace(",", "").strip()
        if not written.isdecimal():
            raise UsageError(f"{where}: {column} is {row[column]!r}; give a whole number")
        numbers[kind] = int(written)
    return CorpusCount(language=code.strip(), **numbers)
