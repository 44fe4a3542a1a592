from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mmbench.corpus_counts import TOTAL, CorpusCount, published, table, total
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [
    CorpusCount(language="fra_Latn", documents=2, images=5, present=4, missing=1, failed=0, reasons={"a": 1}),
    CorpusCount(language="swh_Latn", documents=1, images=3, present=1, missing=0, failed=2, reasons={"a": 2, "b": 1}),
]


def test_counts_add_up() -> None:
    found = total(ROWS)
    assert (found.language, found.documents, found.images) == (TOTAL, 3, 8)
    assert (found.present, found.missing, found.failed) == (5, 1, 2)
    assert found.reasons == {"a": 3, "b": 1}
    assert found.tokens is None
    assert total(ROWS[:1]).language == TOTAL
    assert (ROWS[0] + ROWS[0]).language == "fra_Latn"


def test_what_is_not_known_is_no_zero() -> None:
    assert total([*ROWS, CorpusCount(language="x", documents=1)]).images is None
    with pytest.raises(UsageError, match="without languages"):
        total([])


def test_tables() -> None:
    shown = table([*ROWS, CorpusCount(language="tam_Taml", documents=1_000_000)], "Counts", "markdown")
    assert shown.strip().splitlines() == [
        "**Counts**",
        "",
        "| language | documents | images | present | missing | failed |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| fra_Latn | 2 | 5 | 4 | 1 | 0 |",
        "| swh_Latn | 1 | 3 | 1 | 0 | 2 |",
        "| tam_Taml | 1,000,000 | - | - | - | - |",
        "| total | 1,000,003 | - | - | - | - |",
    ]
    assert "1,000,000" in table([CorpusCount(language="tam_Taml", documents=1_000_000)])


def test_published_tables(tmp_path: Path) -> None:
    path = tmp_path / "languages.csv"
    path.write_text('Lang. name,Code,#documents,# tokens\nFrench,fra_Latn,"1,234",5\nSwahili,swh_Latn,6,7\n', "utf-8")
    assert published(path) == [
        CorpusCount(language="fra_Latn", documents=1234, tokens=5),
        CorpusCount(language="swh_Latn", documents=6, tokens=7),
    ]
    for text, message in (
        ("Code,#documents\na,1\na,2\n", "a is there twice"),
        ("Code,#documents\na,many\n", r":2: #documents is 'many'"),
        ("Name,#documents\na,1\n", "has no column code"),
        ("Code,pages\na,1\n", "has no column code beside"),
        ("", "has no column code"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(UsageError, match=message):
            published(path)
    with pytest.raises(UsageError, match="cannot be read"):
        published(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,documents\n,5\n", ":2: has no code"),
        ("documents,code\n5\n", ":2: has no code"),
        ("code,documents\neng,x,9\n", ":2: documents is 'x'"),
    ],
)
def test_rows_of_other_lengths_than_the_header(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        published(path)
