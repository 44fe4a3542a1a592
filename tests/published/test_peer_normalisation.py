"""Defects of peers in the normalisation of speech transcripts, with the number that is right."""

from __future__ import annotations

import random
import unicodedata
from importlib.util import find_spec

import pytest

from mmbench.schema import Output, Sample
from mmbench.scorers.edit import ErrorRate
from mmbench.text import normalize
from tests.text.sentences import NATIVE

WER, CER = ErrorRate(name="wer", unit="word"), ErrorRate(name="cer", unit="char")


def counts(scorer, reference, answer, language="eng_Latn"):
    """Substitutions, deletions, insertions and units."""
    return scorer.stats(Sample(id="1", language=language, references=(reference,)), Output(text=answer)).tolist()


def rate(scorer, reference, answer, language="eng_Latn"):
    *errors, units = counts(scorer, reference, answer, language)
    return sum(errors) / units


def corrupted(text: str, share: float, draw: random.Random) -> str:
    """The text with some letters and vowel signs replaced by others of it."""
    known = sorted({char for char in text if unicodedata.category(char)[0] in "LM"})
    return "".join(draw.choice(known) if char in known and draw.random() < share else char for char in text)


@pytest.mark.parametrize("language", "hin_Deva mar_Deva ben_Beng tam_Taml tel_Telu mal_Mlym kan_Knda".split())
def test_five_per_cent_of_wrong_characters_are_as_many_wrong_words_as_they_are_in(language):
    """FLORES with 5 % of its characters wrong: Whisper's basic normaliser turns Malayalam's WER of .321 into .109.

    It puts spaces where vowel signs are, so that a word becomes many and a wrong vowel sign no error.
    """
    draw, words = random.Random(0), NATIVE[language].replace(",", "").replace(".", "").split()
    text = " ".join(draw.choices(words, k=400))
    wrong = corrupted(text, 0.05, draw)
    touched = sum(a != b for a, b in zip(text.split(), wrong.split(), strict=True)) / 400
    assert 0.1 < touched < 0.5
    assert rate(WER, text, wrong, language) == pytest.approx(touched, abs=0.01)
    assert rate(WER, text, wrong, language) > 1.3 * rate(
        ErrorRate(name="wer", unit="word", normalizer="whisper_basic"), text, wrong, language
    )


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("vie_Latn", "bán", "bạn"),
        ("vie_Latn", "ma", "mà"),
        ("yor_Latn", "oko", "ọkọ"),
        ("yor_Latn", "ọkọ", "ọkọ̀"),
        ("hin_Deva", "की", "कि"),
        ("arb_Arab", "أن", "إن"),
        ("fra_Latn", "change", "changé"),
        ("spa_Latn", "que", "qué"),
        ("deu_Latn", "nahe", "nähe"),
        ("tur_Latn", "olmuştur", "ölmüştür"),
        ("rus_Cyrl", "компании", "компаний"),
        ("jpn_Jpan", "が", "か"),
    ],
)
def test_an_english_normaliser_makes_other_words_the_same(language, one, other):
    """UltraEval-Audio and AudioBench run Whisper's English one on every language: 54.6 % of Vietnamese words merge."""
    assert counts(WER, one, other, language) == [1, 0, 0, 1]
    if find_spec("whisper_normalizer") is not None:
        assert counts(ErrorRate(name="wer", unit="word", normalizer="whisper_english"), one, other, language)[0] == 0


def test_a_korean_syllable_is_one_character():
    """Taken apart into its letters (NFKD) a text of 10 syllables has 25, and one wrong vowel is .04 instead of .10."""
    assert rate(CER, "안녕하세요 반갑습니다", "안녕하세유 반갑습니다", "kor_Hang") == 0.1
    assert rate(CER, unicodedata.normalize("NFD", "안녕하세요"), "안녕하세요", "kor_Hang") == 0


@pytest.mark.parametrize(
    ("language", "reference", "answer", "expected"),
    [
        ("deu_Latn", "er geht um die Ecke", "geht die Ecke", [0, 2, 0, 5]),  # AudioBench drops uh, um, er and ah
        ("eng_Latn", "(the) cat", "cat", [0, 1, 0, 2]),  # Whisper's English one deletes what stands in brackets
        ("eng_Latn", "yes", "(applause) yes", [0, 0, 1, 1]),
        ("hin_Deva", "जन-जन तक", "जन जन तक", [0, 0, 0, 3]),  # vistaar deletes the hyphen and so glues the words
        ("eng_Latn", "wait…what", "wait what", [0, 0, 0, 2]),
        ("eng_Latn", "room 0012", "room 12", [1, 0, 0, 2]),  # Whisper's English one takes it for a number
        ("eng_Latn", "data base", "database", [1, 1, 0, 2]),  # kaldialign's merge_compounds: 7.958 became 7.578 %
        ("eng_Latn", "twenty five people", "25 people", [1, 1, 0, 3]),  # digits are not words, whatever they say
        ("zho_Hans", "百分之四", "4%", [1, 3, 0, 4]),
    ],
)
def test_what_normalisers_of_peers_drop_or_glue(language, reference, answer, expected):
    unit = CER if language == "zho_Hans" else WER
    assert counts(unit, reference, answer, language)[3] == expected[3]
    assert sum(counts(unit, reference, answer, language)[:3]) == sum(expected[:3])


def test_case_and_punctuation_are_no_errors_unless_the_text_is_taken_as_it_is():
    """Fleurs-SLU scores against cased and punctuated FLORES: that is the normaliser `none`, under its own name."""
    said, right = "hello world it works", "Hello, World: it works."
    assert counts(WER, right, said) == [0, 0, 0, 4]
    raw = ErrorRate(name="wer", unit="word", normalizer="none")
    assert counts(raw, right, said) == [3, 0, 0, 4]
    assert "|norm:none/" in raw.signature(["eng_Latn"])


def test_thai_is_normalised_before_words_are_looked_for():
    """AudioBench cuts the raw text after it has normalised it, and so throws the normalisation away."""
    pytest.importorskip("pythainlp")
    words = ErrorRate(name="wer", unit="word", segmenter="pythainlp")
    assert counts(words, "คน ๗ คน!", "คน 7 คน", "tha_Thai") == [0, 0, 0, 3]


def test_the_words_of_a_segmenter_may_all_be_wrong_for_one_character():
    """One consonant of เป็นโรคเบาหวาน is missing: 1 error in 14 characters, 3 in 2 words. So the segmenter is named."""
    pytest.importorskip("pythainlp")
    reference, answer = "เป็นโรคเบาหวาน", "เป็นโรคเบาวาน"
    assert counts(CER, reference, answer, "tha_Thai") == [0, 1, 0, 14]
    words = ErrorRate(name="wer", unit="word", segmenter="pythainlp")
    assert sum(counts(words, reference, answer, "tha_Thai")[:3]) == 3
    assert "|seg:pythainlp-" in words.signature(["tha_Thai"])
    assert normalize(reference, name="mmbench", language="tha_Thai") == reference


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("chung tôi đi học", "chung tôi đi hoc"),
        ("the cat sat down", "the cat sit down"),
    ],
)
def test_words_are_not_letters(reference, answer):
    """MultiMed joins the characters of a text with spaces, so that its WER is a CER in every language."""
    assert rate(WER, reference, answer, "vie_Latn") == 1 / 4
    letters = len(reference.replace(" ", ""))
    assert rate(CER, reference, answer, "vie_Latn") == 1 / letters
