"""What must hold in every language of FLEURS: a perfect answer is perfect, and no wrong letter or mark is free."""

from __future__ import annotations

import sys
import unicodedata
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.languages import spaced
from mmbench.schema import Output, Sample, Text
from mmbench.scorers.edit import ErrorRate
from mmbench.text import NORMALIZERS, OPTIONS, normalize, units
from tests.text.sentences import LANGUAGES, NATIVE

OURS = ["none", "basic", "mmbench"]
ALL = [*NORMALIZERS, "mmbench+arabic_letters+no_points+ta_marbuta"]
if find_spec("whisper_normalizer") is None:
    ALL.remove("whisper_english")
if find_spec("opencc") is not None:
    ALL.append("mmbench+" + "+".join(OPTIONS))


def rate(reference: str, hypothesis: str, language: str, *, unit: str = "word", normalizer: str = "mmbench") -> float:
    scorer = ErrorRate(name="rate", unit=unit, normalizer=normalizer)
    sample = Sample(id="a", language=language, parts=(Text(""),), references=(reference,))
    return float(scorer.reduce(scorer.stats(sample, Output(text=hypothesis))))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_perfect_answer_has_no_errors(language, name):
    """D5: the perfect French transcript had a WER of 50, the Hindi one of 25, under a normaliser for English."""
    for unit in ("word", "char", "mixed"):
        assert rate(NATIVE[language], NATIVE[language], language, unit=unit, normalizer=name) == 0


def _signs(text: str) -> list[str]:
    """Letters and marks of a text, one for each that the normaliser holds to be the same."""
    found = {normalize(c, name="mmbench", language="eng_Latn"): c for c in text if unicodedata.category(c)[0] in "LM"}
    return list(found.values())


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_or_mark_is_free(language, name):
    """D6: where marks are taken away, a wrong vowel sign is no error. Here each sign in turn is lost or another."""
    text = unicodedata.normalize("NFC", NATIVE[language])
    signs, right = _signs(text), normalize(text, name=name, language=language)
    for place, sign in enumerate(text):
        kind = unicodedata.category(sign)[0]
        if kind not in "LM":
            continue
        others = [c for c in signs if unicodedata.category(c)[0] == kind and c.lower() != sign.lower()]
        for other in ("", others[place % len(others)] if others else ""):
            wrong = normalize(text[:place] + other + text[place + 1 :], name=name, language=language)
            assert wrong != right, (sign, other)
            assert units(wrong, unit="char") != units(right, unit="char"), (sign, other)


SILENT = {0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x20E3, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
MARKS = [chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c))[0] == "M" and c not in SILENT]


@settings(derandomize=True)
@given(base=st.sampled_from("कকకกខမאبa"), marks=st.tuples(*[st.sampled_from(MARKS)] * 2))
def test_two_marks_are_never_one(base, marks):
    for language in ("eng_Latn", "hin_Deva", "arb_Arab"):
        one, other = (normalize(base + mark, name="mmbench", language=language) for mark in marks)
        same = unicodedata.normalize("NFKC", marks[0]) == unicodedata.normalize("NFKC", marks[1])
        assert (one == other) == same
        assert one != base and other != base


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_and_marks_stay(language):
    text = NATIVE[language]
    kept = normalize(text, name="mmbench", language=language)
    assert len(kept.split()) == len(normalize(text, name="basic", language=language).split())
    marks = [c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c)[0] == "M"]
    assert [c for c in kept if unicodedata.category(c)[0] == "M"] == marks


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_text_written_otherwise_is_the_same(language):
    """Decomposed, in capitals where that can be undone, between other spaces, with a byte order mark."""
    text = NATIVE[language]
    right = normalize(text, name="mmbench", language=language)
    capitals = text.upper() if text.upper().lower() == text.lower() and "\u0131" not in text else text
    for other in (unicodedata.normalize("NFD", text), capitals, text.replace(" ", "\u00a0\n"), f"\ufeff{text} !"):
        assert normalize(other, name="mmbench", language=language) == right


@pytest.mark.parametrize("language", LANGUAGES)
def test_mixed_units_of_one_kind_are_words_or_characters(language):
    text = normalize(NATIVE[language], name="mmbench", language=language)
    assert units(text, unit="mixed") == units(text, unit="word" if spaced(language) else "char")
