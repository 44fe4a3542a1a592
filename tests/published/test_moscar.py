"""The published table of mOSCAR: its sums are the figures of its abstract, and every language has a tag."""

from __future__ import annotations

from mmbench.corpus_counts import published, table, total
from mmbench.languages import language, tag
from tests.published.samples import sample


def test_the_table_sums_to_the_abstract() -> None:
    rows = published(sample("moscar/languages.csv"))
    found = total(rows)
    assert len(rows) == 163
    assert found.documents == 314_827_611
    assert found.images == 1_195_085_524
    assert found.tokens == 214_118_644_415
    assert found.present is None, "how many of the images can still be had is not published"
    assert "| total | 314,827,611 | 214,118,644,415 | 1,195,085,524 |" in table(rows, form="markdown")


def test_every_code_is_a_language() -> None:
    codes = [row.language for row in published(sample("moscar/languages.csv"))]
    tags = [tag(code) for code in codes]
    assert len(set(tags)) == len(codes), "no two of its languages become one"
    assert all(language(name).name != "unknown" for name in tags)
    other = {code: name for code, name in zip(codes, tags, strict=True) if code != name}
    assert len(other) <= 5, other
