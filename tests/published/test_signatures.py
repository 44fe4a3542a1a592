"""A BLEU does not travel without its tokeniser: published figures use several of them for the same languages."""

from __future__ import annotations

import pytest

from mmbench.errors import UsageError
from mmbench.records import Record, from_row
from mmbench.score import score
from mmbench.scoring_file import named_scorer, score_records
from tests.published.samples import sample


def translations(language: str) -> list[Record]:
    """CoMMuTE's wrong sentences as the answers, its right ones as the references."""
    names = [f"commute/en-{language}.{kind}.{language}" for kind in ("correct", "incorrect")]
    right, wrong = (sample(name).read_text(encoding="utf-8").splitlines() for name in names)
    pairs = enumerate(zip(wrong, right, strict=True))
    return [
        from_row({"sample_id": str(i), "language": language, "prediction": w, "references": [r]}, where="test")
        for i, (w, r) in pairs
    ]


def signed(name: str, records: list[Record], **settings: str) -> tuple[list[str], float]:
    """Signatures of all rows of a score, and the pooled value."""
    try:
        scorer = named_scorer(name, settings)
    except UsageError as error:
        pytest.skip(f"not here: {error}")
    found = score(records, {name: scorer}, task="commute", model="published")
    assert {row.language for row in found} == {"deu_Latn", "all", "macro"}
    return [row.signature for row in found], next(row.value for row in found if row.language == "all")


@pytest.mark.parametrize(
    ("settings", "tokenizer"), [({}, "13a"), ({"tokenize": "char"}, "char"), ({"tokenize": "intl"}, "intl")]
)
def test_every_row_names_its_tokeniser(settings, tokenizer):
    signatures, _ = signed("bleu", translations("de"), **settings)
    assert len(signatures) == 3
    assert all(f"|tok:{tokenizer}|" in one and "|version:" in one for one in signatures)


def test_the_same_answers_have_another_bleu_under_another_tokeniser():
    records = translations("de")
    words, plain = signed("bleu", records)
    characters, spaced = signed("bleu", records, tokenize="char")
    assert abs(plain - spaced) > 5
    assert set(words).isdisjoint(characters)


def test_the_printed_object_has_it_too():
    result = score_records(translations("de"), named_scorer("bleu"))
    assert "|tok:13a|" in result["signature"]
