"""`none`, `basic` and `mmbench` do what their names promise in every script."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.text import NORMALIZERS, normalize, normalizer_version

OURS = ["none", "basic", "mmbench"]


def mmbench(text: str, language: str = "eng_Latn") -> str:
    return normalize(text, name="mmbench", language=language)


@pytest.mark.parametrize("name", ["none", "basic", "mmbench", "whisper_basic"])
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
        ("uzn_Latn", "a\u02bc`l \u02bc\u02bcl ʼl", "a l l l"),
        ("ukr_Cyrl", "м’ята м\u02bcята м'ята", "м'ята м'ята м'ята"),
        ("hye_Armn", "ինչպե՞ս ես։", "ինչպես ես"),
        ("amh_Ethi", "ሰላም፡ልዑል።", "ሰላም ልዑል"),
        ("eng_Latn", "a ´ b ¨", "a b"),
        ("eng_Latn", "1\ufe0f\u20e3 one", "1 one"),
        ("yor_Latn", "ẹ kú àárọ̀", "ẹ kú àárọ\u0300"),
        ("yor_Latn", unicodedata.normalize("NFD", "ẹ kú àárọ̀"), "ẹ kú àárọ\u0300"),
        ("vie_Latn", unicodedata.normalize("NFD", "Đường Việt Nam"), "đường việt nam"),
        ("vie_Latn", "\u00d0à Nẵng \u00f0i", "đà nẵng đi"),
        ("isl_Latn", "\u00d0 það", "ð það"),
        ("ron_Latn", "\u015fi \u0163ar\u0103 \u015eI", "\u0219i \u021bar\u0103 \u0219i"),
        ("tur_Latn", "\u015fi", "\u015fi"),
        ("cat_Latn", "col·legi Paral·lel co\u0140labora a·b l· ·l", "col·legi paral·lel col·labora a b l l"),
        ("heb_Hebr", 'צה"ל צה״ל ארה”ב', "צהל צהל ארהב"),
        ("heb_Hebr", 'אמר: "שלום".', "אמר שלום"),
        ("heb_Hebr", "ג׳ורג׳ ג'ורג'", "ג'ורג ג'ורג"),
        ("eng_Latn", "5\u0022x a\u0022b", "5 x a b"),
        ("uzn_Latn", "o`zbek o´zbek `a` ´", "o'zbek o'zbek a"),
        ("mal_Mlym", "അവന്\u200d അവൻ", "അവൻ അവൻ"),
        ("mal_Mlym", "അവന്", "അവന്"),
        ("ben_Beng", "হঠাত্\u200d হঠাৎ", "হঠাৎ হঠাৎ"),
        ("eng_Latn", "a\0b\x1b[c\x7f", "ab c"),
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


@pytest.mark.parametrize("name", ["basic", "mmbench"])
def test_an_invisible_mark_between_others_leaves_them_in_order(name):
    assert normalize("א\u064e\u17b5\u0d4d", name=name, language="eng_Latn") == "א\u0d4d\u064e"


@pytest.mark.parametrize("name", OURS)
@settings(derandomize=True)
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
        inside = mmbench(f"l{chr(code)}l א{chr(code)}א", language)
        assert mmbench(inside, language) == inside, hex(code)
        assert all(unicodedata.category(c)[0] not in "PSZ" or c in " '" for c in once), hex(code)
        assert all(unicodedata.category(c) != "Nd" or c.isascii() for c in once), hex(code)


def test_versions_and_unknown_names():
    assert [normalizer_version(name) for name in OURS] == ["none/1", "basic/2", "mmbench/2"]
    assert list(NORMALIZERS) == [*OURS, "whisper_basic", "whisper_english"]
    for use in (normalizer_version, lambda name: normalize("a", name=name, language="eng_Latn")):
        with pytest.raises(UsageError, match="unknown normalizer 'whisper': known are none, basic, mmbench, whisper_b"):
            use("whisper")
    with pytest.raises(UsageError, match="unknown language"):
        mmbench("a", "!!")
