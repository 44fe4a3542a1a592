"""Segmenters find words, lose nothing, and say what they are."""

from __future__ import annotations

import unicodedata
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.languages import all_languages
from mmbench.scorers.edit import ErrorRate
from mmbench.text import SEGMENTERS, extras, normalize, segment, segmenter_version, segmenters, units
from tests.text.sentences import NATIVE

MODULES = {"jieba": "jieba", "mecab": "MeCab", "pythainlp": "pythainlp", "khmercut": "khmercut", "icu": "icu4py"}
HERE = [name for name, module in MODULES.items() if find_spec(module) is not None]
LANGUAGE = {
    "jieba": "zho_Hans",
    "mecab": "jpn_Jpan",
    "pythainlp": "tha_Thai",
    "khmercut": "khm_Khmr",
    "icu": "mya_Mymr",
}


def installed(name: str) -> None:
    if name not in HERE:
        pytest.skip(f"segmenter {name} is not installed")


def test_every_segmenter_is_tested():
    assert set(MODULES) == set(LANGUAGE) == set(SEGMENTERS)


@pytest.mark.parametrize(
    ("name", "language", "words"),
    [
        ("jieba", "zho_Hans", "我们 今天 去 北京大学"),
        ("mecab", "jpn_Jpan", "すもも も もも も もも の うち"),
        ("pythainlp", "tha_Thai", "ฉัน รัก ภาษาไทย"),
        ("khmercut", "khm_Khmr", "ភាសា ខ្មែរ ជា ភាសា ផ្លូវការ"),
        ("icu", "lao_Laoo", "ພາສາ ລາວ ເປັນ ພາສາ ທາງການ"),
        ("icu", "mya_Mymr", "တစ် ခု ဖြစ်သည်"),
        ("icu", "zho_Hant", "我們 今天 去 北京 大學"),
        ("icu", "yue_Hant", "佢 哋 今日 去 咗 香港 大學"),
    ],
)
def test_words(name, language, words):
    installed(name)
    assert segment("".join(words.split()), language, name) == words.split()
    if language != "zho_Hant" or name == "icu":
        assert segment("".join(words.split()), language, "auto") == words.split()


def test_mecab_words_are_those_of_sacrebleu():
    installed("mecab")
    from sacrebleu.tokenizers.tokenizer_ja_mecab import TokenizerJaMecab

    text = "吾輩は猫である。名前はまだ無い。"
    assert segment(text, "jpn_Jpan", "mecab") == TokenizerJaMecab()(text).split()


def _letters(name: str) -> st.SearchStrategy[str]:
    ranges = {"Thai": (0xE01, 0xE5B), "Khmr": (0x1780, 0x17F9), "Mymr": (0x1000, 0x109F)}
    first, last = ranges.get(LANGUAGE[name][4:], (0x3041, 0x9FFF))
    script = st.characters(min_codepoint=first, max_codepoint=last, exclude_categories=["Cn"])
    return st.text(alphabet=script | st.sampled_from(" ab1./'-\t\u3000") | st.characters(codec="utf-8"), max_size=30)


@pytest.mark.parametrize("name", HERE)
@settings(deadline=None, derandomize=True)  # the first call loads a dictionary
@given(data=st.data())
def test_words_are_the_text_without_its_spaces(name, data):
    text = data.draw(_letters(name) | st.text())
    words = segment(text, LANGUAGE[name], name)
    assert "".join(words) == "".join(text.split())
    assert all(word and word.split() == [word] for word in words)


@pytest.mark.parametrize("name", HERE)
def test_what_c_libraries_refuse_is_a_word_of_its_own(name):
    assert segment("a\0\ud800b", LANGUAGE[name], name) == ["a", "\0", "\ud800", "b"]


@pytest.mark.parametrize("name", HERE)
def test_spaces_and_punctuation_beside_unspaced_characters_change_no_words(name):
    """A space says nothing where none are written, nor does a full stop that the normaliser made a space."""
    language = LANGUAGE[name]
    text = normalize(NATIVE[language], name="mmbench", language=language)
    words = segment(text, language, name)
    assert len(words) >= 5
    assert segment("  ".join(text), language, name) == words == segment("".join(text.split()), language, name)
    assert segment(f"{text} New York", language, name)[-2:] == ["New", "York"]


def test_one_wrong_character_is_not_a_wrong_sentence():
    """D7: without words, one wrong character in 13 of a Japanese sentence was a WER of 100."""
    installed("mecab")
    right, wrong = (
        units(t, unit="word", segmenter="mecab", language="ja") for t in ("今日は良い天気です", "今日は悪い天気です")
    )
    assert len(right) == len(wrong) == 5
    assert sum(a != b for a, b in zip(right, wrong, strict=True)) == 1


def test_auto_knows_the_language_or_says_so():
    none = {tag.tag for tag in all_languages() if not tag.spaced} - set(segmenters._AUTO)
    assert none == {"bod_Tibt", "dzo_Tibt", "shn_Mymr"}
    for tag in none:
        with pytest.raises(UsageError, match=f"segmenter 'auto' does not know the words of {tag}: count characters"):
            segment("a", tag, "auto")
    with pytest.raises(UsageError, match="segmenter 'jieba' does not know the words of tha_Thai"):
        segment("a", "tha_Thai", "jieba")


@pytest.mark.parametrize("name", HERE)
def test_versions(name):
    assert segmenter_version(name).startswith(name)
    assert any(character.isdigit() for character in segmenter_version(name))
    assert segmenter_version("auto", ["eng_Latn"]) == "auto"
    if name != "icu":
        tag = LANGUAGE[name]
        assert segmenter_version("auto", [tag, "eng_Latn", tag]) == f"auto({tag}={segmenter_version(name)})"
        assert f"{tag}={segmenter_version(name)}" in segmenter_version("auto")
    else:
        both = segmenter_version("auto", ["mya_Mymr", "yue_Hant"])
        assert both == f"auto(mya_Mymr,yue_Hant={segmenter_version('icu')})"


def test_unknown_segmenters():
    for use in (segmenter_version, lambda name: segment("a", "tha_Thai", name)):
        with pytest.raises(UsageError, match="unknown segmenter 'juman': known are auto, jieba, mecab, pythainlp"):
            use("juman")


@pytest.mark.parametrize("name", SEGMENTERS)
def test_without_the_extra(monkeypatch, name):
    def absent(module: str) -> None:
        raise ModuleNotFoundError(name=module)

    def unknown(distribution: str) -> str:
        raise PackageNotFoundError(distribution)

    monkeypatch.setattr(extras, "import_module", absent)
    monkeypatch.setattr(extras.metadata, "version", unknown)
    segmenters._cut.cache_clear()
    for use in (segmenter_version, lambda name: segment("ก漢か", LANGUAGE[name], name)):
        with pytest.raises(UsageError, match=rf"segmenter '{name}' needs \S+: pip install 'mmbench\[\w+\]'"):
            use(name)
    assert segmenter_version("auto") == "auto"


def test_nothing_is_written_outside(monkeypatch, tmp_path):
    """jieba keeps its dictionary in the folder for temporary files, PyThaiNLP makes a folder in the user's home."""
    import subprocess
    import sys

    code = (
        "from mmbench.text import segment\n"
        f"for name, language in {[(n, LANGUAGE[n]) for n in HERE]}: segment('ก漢か', language, name)"
    )
    environment = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("tha_Thai", "นา"),
        ("lao_Laoo", "ນາ"),
        ("khm_Khmr", "ជា"),
        ("mya_Mymr", "နား"),
        ("jpn_Jpan", "もも"),
        ("zho_Hans", "来"),
    ],
)
def test_a_word_repeated_without_end_is_split_at_once(language, word):
    """Speech models repeat themselves; a matcher that tries all ways to split that would never come back."""
    installed(segmenters._AUTO[language])
    assert len(segment(word * 1000, language, "auto")) > 100


def test_error_rates_over_words_of_a_segmenter():
    installed("pythainlp")
    scorer = ErrorRate(name="wer", unit="word", segmenter="pythainlp")
    assert "pythainlp-" in scorer.signature(["tha_Thai"])
    assert unicodedata.is_normalized("NFC", scorer.signature([]))
