"""Options forgive what they name, where it applies, and nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.text import OPTIONS, normalize, normalizer_version, units
from tests.text.sentences import LANGUAGES, NATIVE

VOCALISED, BARE = "السَّلَامُ عَلَيْكُمْ", "السلام عليكم"


def with_options(text: str, options: str, language: str, base: str = "mmbench") -> str:
    return normalize(text, name=f"{base}+{options}", language=language)


def test_versions():
    assert normalizer_version("mmbench+no_points") == "mmbench/2+no_points"
    assert normalizer_version("none+no_points") == "none/1+no_points"
    one, other = "mmbench+no_points+arabic_letters+no_points", "mmbench+arabic_letters+no_points"
    assert normalizer_version(one) == normalizer_version(other) == "mmbench/2+arabic_letters+no_points"
    assert normalize("أَب", name=one, language="ar") == normalize("أَب", name=other, language="ar") == "اب"


@pytest.mark.parametrize("name", ["mmbench+points", "mmbench+", "basic+no_points+x"])
def test_unknown_options_are_named(name):
    wrong = name.rpartition("+")[2]
    known = "known are arabic_letters, no_points, simplified, ta_marbuta"
    for use in (normalizer_version, lambda name: normalize("a", name=name, language="eng_Latn")):
        with pytest.raises(UsageError) as error:
            use(name)
        assert str(error.value) == f"unknown option '{wrong}' of normalizer '{name}': {known}"


def test_an_unknown_normalizer_with_options():
    with pytest.raises(UsageError, match="unknown normalizer 'mbench'"):
        normalizer_version("mbench+no_points")


@pytest.mark.parametrize("base", ["none", "basic", "mmbench", "whisper_basic"])
def test_d9_vocalised_arabic(base):
    """D9: the same words with their vowels had a WER of 500; marks became spaces between letters."""
    assert with_options(VOCALISED, "no_points", "arb_Arab", base) == with_options(BARE, "no_points", "arb_Arab", base)
    if base != "whisper_basic":
        assert normalize(VOCALISED, name=base, language="arb_Arab") != normalize(BARE, name=base, language="arb_Arab")
        assert len(normalize(VOCALISED, name=base, language="arb_Arab").split()) == 2


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("heb_Hebr", "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים", "בראשית ברא אלהים"),
        ("heb_Hebr", "\ufb2a\ufb31", "שב"),  # presentation forms of shin with its dot and bet with dagesh
        ("arb_Arab", "هٰذَا كِتَابٌ", "هذا كتاب"),
        ("arb_Arab", "\ufe8e\u0654\u064e \ufc60", "أ"),  # hamza above is part of the letter; shadda with fatha alone
        ("arb_Arab", "آ أ إ ؤ ئ", "آ أ إ ؤ ئ"),
        ("urd_Arab", "اُردو", "اردو"),
        ("hin_Deva", "हिंदी", "हिंदी"),
        ("yor_Latn", "ọ\u0300", "ọ\u0300"),
    ],
)
def test_no_points(language, text, expected):
    assert with_options(text, "no_points", language) == expected


def test_no_points_takes_all_that_hebrew_and_arabic_write_above_and_below():
    kept = {*range(0x0653, 0x0656), 0x05BE, 0x05C0, 0x05C3, 0x05C6}  # madda and hamza; punctuation
    blocks = (*range(0x0591, 0x05C8), *range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, *range(0x08E3, 0x0900))
    for code in blocks:
        assert with_options(f"ا{chr(code)}ب", "no_points", "arb_Arab", "none") == (
            f"ا{chr(code)}ب" if code in kept else "اب"
        ), hex(code)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("arb_Arab", "أحمد إلى آخر ٱلله على", "احمد الي اخر الله علي"),
        ("ary_Arab", "أنا", "انا"),
        ("arb_Arab", "ا\u0654حمد", "احمد"),
        ("arb_Arab", "كتابة مؤمن", "كتابة مؤمن"),
        ("pes_Arab", "می\u200cخواهم يک", "ميخواهم يك"),
        ("pes_Arab", "آن", "آن"),
        ("urd_Arab", "کی ے", "كي ے"),
        ("uig_Arab", "ئى ئي ئی", "ئى ئي ئي"),
        ("pbt_Arab", "کی كي", "كی كي"),
        ("snd_Arab", "کتاب ڪتاب", "کتاب ڪتاب"),
        ("eng_Latn", "أ ک", "أ ک"),
    ],
)
def test_arabic_letters(language, text, expected):
    assert with_options(text, "arabic_letters", language) == expected


def test_yeh_and_kaf_of_two_keyboards_are_letters_of_their_own_without_the_option():
    """Farsi yeh and keheh survive NFKC: two errors in one word."""
    one, other = "يك", "یک"
    assert normalize(one, name="mmbench", language="pes_Arab") != normalize(other, name="mmbench", language="pes_Arab")
    assert with_options(one, "arabic_letters", "pes_Arab") == with_options(other, "arabic_letters", "pes_Arab")


def test_ta_marbuta():
    assert with_options("مدرسة", "ta_marbuta", "arz_Arab") == "مدرسه"
    assert with_options("مدرسة", "arabic_letters", "arz_Arab") == "مدرسة"
    assert with_options("رحمة", "ta_marbuta", "urd_Arab") == "رحمة"


def test_simplified():
    pytest.importorskip("opencc")
    for language in ("zho_Hant", "zho_Hans", "yue_Hant"):
        assert with_options("漢語，乾隆 \0\ud800", "simplified", language, "basic") == "汉语 乾隆 \0\ud800"
    assert with_options("漢字", "simplified", "jpn_Jpan") == "漢字"
    assert normalizer_version("mmbench+simplified").startswith("mmbench/2+simplified(opencc-")
    assert units(with_options("台灣", "simplified", "zho_Hant"), unit="char") == ["台", "湾"]


def test_a_missing_library_is_named(monkeypatch):
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    from importlib.metadata import PackageNotFoundError

    from mmbench.text import extras, options

    def unknown(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "import_module", absent)
    monkeypatch.setattr(extras.metadata, "version", unknown)
    options._to_simplified.cache_clear()
    message = r"normalizer option simplified needs opencc: pip install 'mmbench\[chinese\]'"
    with pytest.raises(UsageError, match=message):
        with_options("漢", "simplified", "zho_Hant")
    with pytest.raises(UsageError, match=message):
        normalizer_version("mmbench+simplified")


@pytest.mark.parametrize("option", ["no_points", "arabic_letters", "ta_marbuta"])
@settings(derandomize=True)
@given(
    text=st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("أإآٱىیكکة\u064e\u0651\u0654\ufc60\u05b0א "))
)
def test_twice_is_once(option, text):
    for language in ("arb_Arab", "heb_Hebr", "pes_Arab"):
        once = with_options(text, option, language)
        assert with_options(once, option, language) == once


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_option_changes_nothing_where_it_does_not_apply(language):
    script = language[4:]
    plain = normalize(NATIVE[language], name="mmbench", language=language)
    assert script in ("Arab", "Hebr") or with_options(NATIVE[language], "no_points", language) == plain
    assert script == "Arab" or with_options(NATIVE[language], "arabic_letters+ta_marbuta", language) == plain
    assert unicodedata.is_normalized("NFC", with_options(NATIVE[language], "arabic_letters", language))
    assert set(OPTIONS) == {"arabic_letters", "no_points", "simplified", "ta_marbuta"}
