"""Normalisers do what their names promise in every script, and units are what error rates divide by."""

# ruff: noqa: RUF001 (letters of many scripts look like those of another)

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langcodes import Language as Code

from mmbench.errors import UsageError
from mmbench.languages import all_languages, fleurs_languages, spaced
from mmbench.text import NORMALIZERS, normalize, normalizer_version, units

LANGUAGES = [language.tag for language in fleurs_languages()]
NATIVE = {
    tag: ", ".join(Code.get(code).display_name(tag.replace("_", "-")) for code in ("fr", "sw", "ja", "hi", "ar")) + "."
    for tag in LANGUAGES
}
"""Names of languages in each language of FLEURS (CLDR; English where it has none): real words in the real script."""


def mmbench(text: str, language: str = "eng_Latn") -> str:
    return normalize(text, name="mmbench", language=language)


@pytest.mark.parametrize("name", NORMALIZERS)
def test_all_white_space_separates_words(name):
    """jiwer splits at U+0020 only: wer("a\\tb\\nc", "a b c") is 3.0 there."""
    text = "\ta\tb\nc\u00a0d\u2003e\u3000f\u2028g\r\nh \x0b i\x85"
    assert normalize(text, name=name, language="eng_Latn") == "a b c d e f g h i"


def test_none_touches_nothing_else():
    text = "Don’t — STOP!\u200b ½"
    assert normalize(text, name="none", language="eng_Latn") == text


@pytest.mark.parametrize("name", ["basic", "mmbench"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", "hello world"),
        ("don't DON’T 'quoted' dogs' rock 'n' roll", "don't don't quoted dogs rock n roll"),
        ("1'000 a'1 ''a'' a''b", "1 000 a 1 a a b"),
        ("well-known (e.g. that) a_b $5 + 3 = 8 → ok", "well known e g that a b 5 3 8 ok"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("¿Qué? «Oui» „Ja“ 「はい」。", "qué oui ja はい"),
        ("नमस्ते, दुनिया।", "नमस्ते दुनिया"),
        ("I ❤\ufe0f it \U0001f44d\U0001f3fd", "i it"),
        ("", ""),
        ("...", ""),
    ],
)
def test_basic_and_mmbench(name, text, expected):
    assert normalize(text, name=name, language="eng_Latn") == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("tur_Latn", "ISPARTA I\u0307stanbul İZMİR ılık", "ısparta istanbul izmir ılık"),
        ("azj_Latn", "BAKI İki", "bakı iki"),
        ("crh_Latn", "QIRIM", "qırım"),
        ("kaz_Cyrl", "IBM ІНІ", "ibm іні"),
        ("eng_Latn", "ISTANBUL İstanbul", "istanbul istanbul"),
        ("tr", "I", "ı"),
        ("ell_Grek", "ΟΔΟΣ οδός ὈΔΥΣΣΕΎΣ", "οδοσ οδόσ ὀδυσσεύσ"),
        ("deu_Latn", "Straße STRASSE STRAẞE", "straße strasse straße"),
        ("eng_Latn", "ＦＵＬＬ　ﬁx ㎏ ½ m² Windows™", "full fix kg 1 2 m2 windows"),
        ("jpn_Jpan", "ﾊﾟｿｺﾝ が", "パソコン が"),
        ("kor_Hang", "안녕하세요", "안녕하세요"),
        ("hin_Deva", "१२३ क़लम", "123 क\u093cलम"),
        ("arb_Arab", "٤٥٦ محمـــد السَّلامُ؟", "456 محمد السَّلامُ"),
        ("tha_Thai", "๗ \u200bคน", "7 คน"),
        ("eng_Latn", "co\u00adoper\u200bate \ufeffx \u202bא\u202c\u2060y", "cooperate x אy"),
        ("pes_Arab", "می\u200cخواهم", "میخواهم"),
        ("sin_Sinh", "ශ්\u200dරී", "ශ්රී"),
        ("uzn_Latn", "O‘zbek o\u02bbzbek o'zbek", "o'zbek o'zbek o'zbek"),
        ("ukr_Cyrl", "м’ята м\u02bcята м'ята", "м'ята м'ята м'ята"),
        ("hye_Armn", "ինչպե՞ս ես։", "ինչպես ես"),
        ("amh_Ethi", "ሰላም፡ልዑል።", "ሰላም ልዑል"),
        ("eng_Latn", "a ´ b ¨", "a b"),
        ("eng_Latn", "1\ufe0f\u20e3 one", "1 one"),
        ("yor_Latn", "ẹ kú àárọ̀", "ẹ kú àárọ\u0300"),
    ],
)
def test_mmbench(language, text, expected):
    assert mmbench(text, language) == expected


def test_d6_marks_stay():
    """D6: category M removed by Whisper's normaliser splits Brahmic and Thai words and hides wrong vowel signs."""
    for text in ("नमस्ते दुनिया", "ภาษาไทย", "வணக்கம் உலகம்", "မြန်မာ စာ", "ខ្មែរ"):
        assert mmbench(text) == unicodedata.normalize("NFKC", text)
    assert len(mmbench("नमस्ते दुनिया", "hin_Deva").split()) == 2
    assert mmbench("नमस्ते", "hin_Deva") != mmbench("नमस्ता", "hin_Deva")


@pytest.mark.parametrize("language", LANGUAGES)
def test_native_text_keeps_its_words_and_marks(language):
    text = NATIVE[language]
    kept = mmbench(text, language)
    assert len(kept.split()) == len(normalize(text, name="basic", language=language).split())
    marks = [c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c)[0] == "M"]
    assert [c for c in kept if unicodedata.category(c)[0] == "M"] == marks
    assert mmbench(text.upper(), language) or not text


@pytest.mark.parametrize("name", NORMALIZERS)
@given(text=st.text())
def test_twice_is_once(name, text):
    for language in ("eng_Latn", "tur_Latn"):
        once = normalize(text, name=name, language=language)
        assert normalize(once, name=name, language=language) == once


@pytest.mark.parametrize("language", ["eng_Latn", "tur_Latn"])
def test_every_character_by_itself_is_stable_and_clean(language):
    for code in range(sys.maxunicode + 1):
        category, changes = unicodedata.category(chr(code)), unicodedata.decomposition(chr(code))
        if category in ("Cn", "Co", "Cs") or (category == "Lo" and not changes):
            continue  # a million that nothing happens to
        once = mmbench(f"x{chr(code)}", language)
        assert mmbench(once, language) == once, hex(code)
        assert all(unicodedata.category(c)[0] not in "PSZ" or c in " '" for c in once), hex(code)
        assert all(unicodedata.category(c) != "Nd" or c.isascii() for c in once), hex(code)


def test_versions_and_unknown_names():
    assert {normalizer_version(name) for name in NORMALIZERS} == {"none/1", "basic/1", "mmbench/1"}
    for use in (normalizer_version, lambda name: normalize("a", name=name, language="eng_Latn")):
        with pytest.raises(UsageError, match="unknown normalizer 'whisper': known are none, basic, mmbench"):
            use("whisper")
    with pytest.raises(UsageError, match="unknown language"):
        mmbench("a", "!!")


def test_units():
    assert units(" a  b\tc ", unit="word") == ["a", "b", "c"]
    assert units("ab c", unit="char") == ["a", "b", "c"]
    assert units("नि", unit="char") == ["न", "ि"]
    assert units("我用 iphone 手机 2 台", unit="mixed") == ["我", "用", "iphone", "手", "机", "2", "台"]
    assert units("ใช้google", unit="mixed") == ["ใ", "ช", "้", "google"]
    assert units("नमस्ते दुनिया", unit="mixed") == ["नमस्ते", "दुनिया"]
    assert units("안녕 hello", unit="mixed") == ["안녕", "hello"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_mixed_units_of_one_kind_are_words_or_characters(language):
    text = mmbench(NATIVE[language], language)
    assert units(text, unit="mixed") == units(text, unit="word" if spaced(language) else "char")


def test_every_script_without_spaces_is_split():
    scripts, texts = "Jpan Hans Hant Khmr Laoo Mymr Thai Tibt".split(), "か漢 汉 漢 ខ ລ မ ท བ".split()
    assert set(scripts) == {language.script for language in all_languages() if not language.spaced}
    for text in texts:
        assert units(text * 2, unit="mixed") == list(text * 2)
