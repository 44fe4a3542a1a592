"""Units are what error rates divide by."""

from __future__ import annotations

import pytest

from mmbench.errors import UsageError
from mmbench.languages import all_languages
from mmbench.text import units


def test_units():
    assert units(" a  b\tc ", unit="word") == ["a", "b", "c"]
    assert units("ab c", unit="char") == ["a", "b", "c"]
    assert units("नि", unit="char") == ["न", "ि"]
    assert units("我用 iphone 手机 2 台", unit="mixed") == ["我", "用", "iphone", "手", "机", "2", "台"]
    assert units("ใช้google", unit="mixed") == ["ใ", "ช", "้", "google"]
    assert units("नमस्ते दुनिया", unit="mixed") == ["नमस्ते", "दुनिया"]
    assert units("안녕 hello", unit="mixed") == ["안녕", "hello"]


def test_every_script_without_spaces_is_split():
    scripts, texts = "Jpan Hans Hant Khmr Laoo Mymr Thai Tibt".split(), "か漢 汉 漢 ខ ລ မ ท བ".split()
    assert set(scripts) == {language.script for language in all_languages() if not language.spaced}
    for text in texts:
        assert units(text * 2, unit="mixed") == list(text * 2)


def test_spaced_languages_need_no_segmenter():
    for segmenter in ("auto", "jieba", "mecab"):
        assert (
            units(" don't  stop\tit ", unit="word", segmenter=segmenter, language="eng_Latn") == "don't stop it".split()
        )
    assert units("안녕 세계", unit="word", segmenter="auto", language="kor_Hang") == ["안녕", "세계"]


def test_wrong_use_of_a_segmenter():
    with pytest.raises(ValueError, match="a segmenter finds words of a language: unit 'char'"):
        units("a", unit="char", segmenter="auto", language="tha_Thai")
    with pytest.raises(ValueError, match="language None"):
        units("a", unit="word", segmenter="auto")
    with pytest.raises(UsageError, match="unknown segmenter 'juman': known are auto, jieba, mecab"):
        units("a", unit="word", segmenter="juman", language="jpn_Jpan")
