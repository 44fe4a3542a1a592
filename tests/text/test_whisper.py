"""Whisper's normalisers are reproduced to the letter, with what is wrong with them, which is said aloud."""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.text import extras, normalize, normalizer_version, whisper
from tests.text.sentences import LANGUAGES, NATIVE

needs_extra = pytest.mark.skipif(find_spec("whisper_normalizer") is None, reason="needs the extra whisper")

SPOKEN = st.lists(
    st.sampled_from(
        "Twenty five two hundred and one oh o'clock $20 £5.20 million % 1,000 1960s third half Mr. Mrs. won't I'm "
        "colour organise [laughs] (aside) <b> uh mm-hmm gonna – … café naïve Straße 3.5 -2 a.m. you're dog's".split()
    )
).map(" ".join)
BRACKETS = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("<>[]() \u0301\u094dİΣς"))


@cache
def theirs(name: str) -> Any:
    from transformers.models.whisper import english_normalizer

    if name == "whisper_basic":
        return english_normalizer.BasicTextNormalizer()
    table = files("whisper_normalizer").joinpath("normalizers", "english.json").read_text(encoding="utf-8")
    return english_normalizer.EnglishTextNormalizer(json.loads(table))


def basic(text: str, language: str = "eng_Latn") -> str:
    return normalize(text, name="whisper_basic", language=language)


def english(text: str, language: str = "eng_Latn") -> str:
    return normalize(text, name="whisper_english", language=language)


@settings(deadline=None, derandomize=True)  # the first call imports transformers
@given(text=st.text() | BRACKETS | SPOKEN)
def test_whisper_basic_is_theirs(text):
    assert basic(text) == theirs("whisper_basic")(text).strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_whisper_basic_is_theirs_in_every_language(language):
    for text in (NATIVE[language], NATIVE[language].upper(), unicodedata.normalize("NFD", NATIVE[language])):
        assert basic(text, language) == theirs("whisper_basic")(text).strip()


@pytest.mark.parametrize("language", ["eng_Latn", "swh_Latn", "tha_Thai"])
def test_whisper_is_theirs_on_real_sentences(language):
    path = Path(__file__).resolve().parents[2] / f"../shared/samples/sib-200/test.{language}.tsv"
    if not path.exists():
        pytest.skip("needs the samples of SIB-200")
    names = ["whisper_basic"] + ["whisper_english"] * (find_spec("whisper_normalizer") is not None)
    for text in [line.split("\t")[2] for line in path.read_text(encoding="utf-8").splitlines()]:
        for name in names:
            assert normalize(text, name=name, language=language) == " ".join(theirs(name)(text).split())


@needs_extra
@settings(deadline=None, derandomize=True)
@given(text=st.text() | BRACKETS | SPOKEN)
def test_whisper_english_is_theirs(text):
    assert english(text) == " ".join(theirs("whisper_english")(text).split())


@needs_extra
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("twenty five people", "25 people"),
        ("He's paid $20 million.", "he is paid $20000000"),
        ("Mr. Park visited Mrs. Brown", "mister park visited missus brown"),
        ("I won't colour it", "i will not color it"),
        ("the cause, kinda, dunno", "the cause kinda dunno"),  # the package whisper-normalizer has rules of its own
        ("uh, three and a half percent", "3.5%"),
    ],
)
def test_whisper_english(text, expected):
    assert english(text) == expected


def test_d6_under_whisper_basic_a_wrong_vowel_sign_is_free():
    """D6, kept for comparability: two words of Hindi become five, and the wrong vowel sign is no error."""
    assert basic("नमस्ते दुनिया", "hin_Deva").split() == ["नमस", "त", "द", "न", "य"]
    assert basic("नमस्ते", "hin_Deva") == basic("नमस्ता", "hin_Deva")
    assert len(basic("สวัสดีครับ", "tha_Thai").split()) > 1
    assert basic("ẹ kú àárọ̀", "yor_Latn") == "ẹ kú àárọ"
    assert len(basic("سَلامٌ", "arb_Arab").split()) > 1


MARKED = [tag for tag in LANGUAGES if any(unicodedata.category(c)[0] == "M" for c in NATIVE[tag])]


@pytest.mark.parametrize("language", MARKED)
def test_under_whisper_basic_any_mark_may_be_another(language):
    text = unicodedata.normalize("NFKC", NATIVE[language])
    marks = sorted({c for c in text if unicodedata.category(c)[0] == "M"})
    wrong = text.translate(str.maketrans(dict.fromkeys(marks, "\u094c")))
    assert wrong != text
    assert basic(wrong, language) == basic(text, language)


@needs_extra
@pytest.mark.parametrize(
    ("language", "one", "other"),
    [("fra_Latn", "change", "changé"), ("rus_Cyrl", "компании", "компаний"), ("tur_Latn", "su", "şu")],
)
def test_whisper_english_makes_other_words_of_other_languages_the_same(language, one, other):
    assert english(one, language) == english(other, language)
    assert normalize(one, name="mmbench", language=language) != normalize(other, name="mmbench", language=language)


@pytest.fixture
def told(monkeypatch, caplog):
    monkeypatch.setattr(whisper, "_told", set())
    return caplog


def test_the_warning_of_whisper_basic_comes_once_per_script(told):
    for text, language in [
        ("क", "hin_Deva"),
        ("कि", "hin_Deva"),
        ("कि", "mar_Deva"),
        ("कि", "hin_Deva"),
        ("ti", "vie_Latn"),
    ]:
        basic(text, language)
    assert told.messages == [
        "whisper_basic splits the words of hin_Deva at vowel signs and other marks and hides wrong ones; "
        "use mmbench to compare languages"
    ]
    basic("ภาษา", "tha_Thai")
    basic("漢字", "jpn_Jpan")
    basic("ẹ\u0301ọ\u0300", "yor_Latn")
    assert [message.split(" of ")[1].split(" ")[0] for message in told.messages[1:]] == [
        "tha_Thai",
        "jpn_Jpan",
        "yor_Latn",
    ]
    assert "count characters there (cer)" in told.messages[2]


@pytest.mark.parametrize(
    "language", ["eng_Latn", "fra_Latn", "vie_Latn", "rus_Cyrl", "kor_Hang", "ell_Grek", "arb_Arab"]
)
def test_no_warning_where_whisper_basic_does_no_harm(told, language):
    basic(unicodedata.normalize("NFD", NATIVE[language]), language)
    assert told.messages == []


@needs_extra
def test_the_warning_of_whisper_english(told):
    for language in ("eng_Latn", "en", "fra_Latn", "deu_Latn", "rus_Cyrl"):
        english("a", language)
    assert [message.split()[4] for message in told.messages] == ["in"] * 2
    assert "in fra_Latn it drops diacritics" in told.messages[0] and "in rus_Cyrl" in told.messages[1]


@needs_extra
def test_versions_name_the_library():
    assert normalizer_version("whisper_basic") == "whisper_basic/1"
    assert normalizer_version("whisper_english").startswith("whisper_english/1(transformers-")
    assert ",whisper-normalizer-" in normalizer_version("whisper_english")


def test_without_the_extra(monkeypatch):
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name="whisper_normalizer")

    def unknown(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "import_module", absent)
    monkeypatch.setattr(extras.metadata, "version", unknown)
    whisper._english.cache_clear()
    with pytest.raises(UsageError, match=r"whisper_english needs whisper_normalizer: pip install 'mmbench\[whisper\]'"):
        english("a")
    with pytest.raises(UsageError, match=r"whisper_english needs transformers: pip install 'mmbench\[whisper\]'"):
        normalizer_version("whisper_english")


def test_an_unknown_language_is_refused():
    for text in ("a", "å"):
        with pytest.raises(UsageError, match="unknown language"):
            basic(text, "!!")
