"""Words and sentences are counted by the conventions of each writing system, and letters compared by its language."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.languages import all_languages
from mmbench.scorers.instruction_text import contains_word, folded, sentences, words
from mmbench.text import segmenters

THAI = pytest.mark.skipif(not find_spec("pythainlp") or not find_spec("pycrfsuite"), reason="the extra thai")


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("eng_Latn", "Don't panic: the state-of-the-art costs 3.5 dollars - really.", 12),
        ("eng_Latn", " ... ", 0),
        ("fra_Latn", "L'été n'est pas fini !", 4),
        # a vowel sign is no border: \w+ of the peers finds 9 words here
        ("hin_Deva", "हिन्दी में लिखिए।", 3),
        ("arb_Arab", "هل أنت بخير؟ نعم، شكرًا.", 5),
        ("zho_Hans", "我有2只猫，叫Tom和Jerry。", 9),
        ("jpn_Jpan", "コーヒーを飲む。", 7),
        ("kor_Hang", "저는 학생입니다.", 2),
        ("amh_Ethi", "ሰላም፣ ዓለም።", 2),
        # a word of a script without spaces inside a text of another language is one word
        ("eng_Latn", "The word สวัสดี means hello", 5),
        ("eng_Latn", "two 世界", 3),
    ],
)
def test_words(language, text, count):
    assert words(text, language) == count


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("eng_Latn", 'Dr. Smith paid $3.50 at 5 p.m. yesterday. Why? "Because!" he said. It\'s over...', 4),
        ("eng_Latn", "# A heading\n\nOne sentence. Two sentences", 2),
        ("eng_Latn", "1. First point.\n2. Second point.\n3. Third point.", 3),
        ("eng_Latn", "The answer is no. Then J. K. Rowling left.", 2),
        ("eng_Latn", "???", 0),
        ("deu_Latn", "Am 3. Oktober war er da. Sie kam z. B. nicht!", 2),
        ("rus_Cyrl", "А. С. Пушкин жил здесь, на ул. Мойка. Правда?", 2),
        ("spa_Latn", "¿Qué tal? ¡Bien! Vamos.", 3),
        # the peers end a Hindi sentence at a danda, but only if they guess that the answer is Hindi
        ("hin_Deva", "यह एक वाक्य है। यह दूसरा है। क्या? हाँ!", 4),
        ("urd_Arab", "یہ ایک جملہ ہے۔ کیا یہ دوسرا ہے؟ جی ہاں!", 3),
        ("arb_Arab", "هل أنت بخير؟ نعم. الحمد لله!", 3),
        ("zho_Hans", "你好。你好吗？我很好！“真的吗？”他问。", 5),
        ("zho_Hans", "1.苹果很好吃。2.香蕉也好吃?对", 3),
        ("jpn_Jpan", "これは本です。「そうですか。」はい！", 3),
        ("ell_Grek", "Τι κάνεις; Είμαι καλά. Εσύ;", 3),
        ("amh_Ethi", "ሰላም ነው። ደህና ነህ፧", 2),
        ("khm_Khmr", "ខ្ញុំទៅផ្សារ។ គាត់នៅផ្ទះ។", 2),
        ("mya_Mymr", "သူသွားသည်။ သူလာသည်။", 2),
        ("hye_Armn", "Բարև։ Ինչպե՞ս ես։", 2),
    ],
)
def test_sentences(language, text, count):
    assert sentences(text, language) == count


@THAI
def test_thai_is_cut_by_pythainlp():
    text = "วันนี้อากาศดีมาก ฉันไปตลาดกับแม่"
    assert words(text, "tha_Thai") == 8, "spaces are no words"
    assert sentences("สวัสดีครับ\n\nลาก่อนครับ", "tha_Thai") == 2
    assert words("", "tha_Thai") == sentences(" \n", "tha_Thai") == 0


@pytest.mark.parametrize(("count", "module"), [(words, "pythainlp.tokenize"), (sentences, "pycrfsuite")])
def test_thai_without_its_libraries_names_the_extra(monkeypatch, count, module):
    segmenters._cut.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=r"mmbench\[thai\]"):
        count("สวัสดี", "tha_Thai")


@pytest.mark.skipif(not find_spec("icu4py"), reason="the extra icu")
@pytest.mark.parametrize(
    ("language", "text", "count"), [("lao_Laoo", "ສະບາຍດີ ຊາວໂລກ", 2), ("mya_Mymr", "ကျောင်းသား။", 1)]
)
def test_other_scripts_without_spaces_have_a_segmenter(language, text, count):
    assert words(text, language) == count


def test_what_cannot_be_cut_is_not_guessed():
    with pytest.raises(UsageError, match="bod_Tibt"):
        words("x", "bod_Tibt")


def test_lao_marks_no_sentences():
    with pytest.raises(UsageError, match="lao_Laoo"):
        sentences("x", "lao_Laoo")


@pytest.mark.parametrize("language", [known.tag for known in all_languages() if known.spaced])
def test_every_spaced_language_counts_by_spaces(language):
    assert words("abc def, ghi!", language) == 3
    assert sentences("Abc def. Ghi? Jkl", language) == 3


@given(st.text(max_size=60), st.sampled_from(["eng_Latn", "zho_Hans", "ell_Grek", "deu_Latn", "tur_Latn"]))
def test_counts_are_bounded_and_do_not_depend_on_white_space_around(text, language):
    assert 0 <= sentences(text, language) <= len(text)
    assert 0 <= words(text, language) <= len(text) * 18  # one character may stand for many in NFKC
    assert words(f" \n{text}\n ", language) == words(text, language)


def test_case_is_that_of_the_language():
    assert folded("ISPARTA İzmir", "tur_Latn") == folded("ısparta izmir", "tur_Latn")
    assert folded("ISPARTA", "eng_Latn") == "isparta"
    assert folded("STRASSE", "deu_Latn") == folded("Straße", "deu_Latn")
    assert folded("e\u0301", "fra_Latn") == "\u00e9"


@pytest.mark.parametrize(
    ("text", "word", "found"),
    [
        ("the cat sat", "cat", True),
        ("category", "cat", False),
        ("a cat's tail", "cat", True),
        # \b never ends a word between two Chinese characters, so the peers find none of these
        ("我喜欢猫和狗", "猫", True),
        ("私は寿司が好き", "寿司", True),
        ("ฉันกินข้าวแล้ว", "ข้าว", True),
        ("कामना", "का", False),
        ("कामना", "काम", False),
        ("किताब", "क", False),
        ("anything", "", False),
    ],
)
def test_whole_words(text, word, found):
    assert contains_word(text, word) is found


def test_long_answers_take_linear_time():
    text = "A. Dog! Word. " * 50_000
    assert sentences(text, "eng_Latn") == 100_000
    assert contains_word("ab" * 200_000, "abc") is False
