"""Error rates agree with jiwer, pool counts, and are not fooled by what fooled other suites."""

from __future__ import annotations

import random
from dataclasses import replace

import jiwer
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langcodes import Language as Code

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.languages import fleurs_languages
from mmbench.schema import Audio, Output, Sample, Scorer, Step
from mmbench.scorers import edit
from mmbench.scorers.edit import ErrorRate
from mmbench.text import normalizer_version

NORM = f"norm:{normalizer_version('mmbench')}"
WER = ErrorRate(name="wer", unit="word")
CER = ErrorRate(name="cer", unit="char")
MER = ErrorRate(name="mer", unit="mixed")
RAW = ErrorRate(name="wer", unit="word", normalizer="none")

WORDS = st.lists(st.sampled_from("a b c d e".split()), max_size=8).map(" ".join)
PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8)


def stats(scorer, references, answer, language="eng_Latn"):
    references = (references,) if isinstance(references, str) else references
    sample = Sample(id="1", language=language, references=references)
    return scorer.stats(sample, None if answer is None else Output(text=answer))


def rate(scorer, pairs, language="eng_Latn"):
    return float(scorer.reduce(np.sum([stats(scorer, r, h, language) for r, h in pairs], axis=0)))


@given(PAIRS)
def test_totals_are_those_of_jiwer(pairs):
    assume(any(reference for reference, _ in pairs))
    references, hypotheses = map(list, zip(*pairs, strict=True))
    assert rate(RAW, pairs) == pytest.approx(jiwer.wer(references, hypotheses), abs=1e-9)
    words = jiwer.process_words(references, hypotheses)
    totals = np.sum([stats(RAW, *pair) for pair in pairs], axis=0)
    assert totals[:3].sum() == words.substitutions + words.deletions + words.insertions
    assert totals[3] - totals[1] + totals[2] == sum(len(hypothesis.split()) for hypothesis in hypotheses)


@given(PAIRS)
def test_characters_are_those_of_jiwer_without_spaces(pairs):
    """Spaces are not counted: jiwer, evaluate and torchmetrics give cer("a b", "ab") = 1/3."""
    references, hypotheses = ([text.replace(" ", "") for text in side] for side in zip(*pairs, strict=True))
    assume(any(references))
    assert rate(CER, pairs) == pytest.approx(jiwer.cer(references, hypotheses), abs=1e-9)
    assert rate(CER, [("a b", "ab")]) == 0


def test_golden():
    assert stats(WER, "the cat sat on the old mat here", "the dog sat on old mat here today").tolist() == [1, 1, 1, 8]
    assert rate(WER, [("twenty five people", "25 people")]) == pytest.approx(2 / 3)
    assert rate(MER, [("我 用 iPhone 手机", "我用 iphone 手鸡")]) == pytest.approx(1 / 5)


@given(PAIRS, st.randoms(use_true_random=False))
def test_order_of_samples_plays_no_part(pairs, shuffle):
    shuffled = list(pairs)
    shuffle.shuffle(shuffled)
    assert rate(WER, pairs) == pytest.approx(rate(WER, shuffled), nan_ok=True)


@given(PAIRS, WORDS)
def test_a_perfect_sample_never_raises_the_rate(pairs, perfect):
    assume(any(reference for reference, _ in pairs))
    assert rate(WER, [*pairs, (perfect, perfect)]) <= rate(WER, pairs)


@pytest.mark.parametrize("language", [language.tag for language in fleurs_languages()])
def test_d5_perfect_is_zero_in_every_language(language):
    """D5: Whisper's English normaliser charged French 50 and Hindi 25 % for a perfect transcript."""
    text = ", ".join(Code.get(c).display_name(language.replace("_", "-")) for c in ("fr", "sw", "ja", "hi", "ar"))
    for scorer in (WER, CER, MER):
        assert stats(scorer, text, text, language)[:3].tolist() == [0, 0, 0]
        assert rate(scorer, [(f"{text}.", text)], language) == 0


def test_d6_a_wrong_vowel_sign_is_an_error():
    """D6: marks removed, "नमस्ते दुनिया" had 5 words, and a wrong vowel sign cost nothing."""
    assert stats(WER, "नमस्ते दुनिया", "नमस्ता दुनिया", "hin_Deva").tolist() == [1, 0, 0, 2]
    assert 0 < rate(CER, [("नमस्ते दुनिया", "नमस्ता दुनिया")], "hin_Deva") < 0.1


def test_d7_unspaced_scripts_have_character_units():
    """D7: one wrong character of 13 in Japanese was a WER of 100."""
    pairs = [("今日はとても良い天気ですね", "今日はとても良い天気ですよ")]
    assert rate(CER, pairs, "jpn_Jpan") == rate(MER, pairs, "jpn_Jpan") == pytest.approx(1 / 13)


def test_d8_empty_references():
    """D8: a first reference that normalises to nothing was an IndexError after all inference."""
    assert stats(WER, "...", "a b").tolist() == [0, 0, 2, 0]
    assert stats(WER, "", "").tolist() == [0, 0, 0, 0]
    assert rate(WER, [("...", "a b"), ("x y", "x y")]) == 1.0
    assert np.isnan(rate(WER, [("...", "a b")]))
    assert np.isnan(rate(WER, [("", "")]))
    assert np.isnan(rate(WER, [((), "a")]))


def test_d9_vocalised_arabic_is_not_split():
    """D9: marks became spaces, so the same three words vocalised were a WER of 500."""
    counts = stats(WER, "سلام عليكم جميعا", "سَلامٌ عَلَيْكُمْ جَمِيعًا", "arb_Arab")
    assert counts.tolist() == [3, 0, 0, 3]


def test_d19_counts_are_pooled_and_white_space_separates():
    """D19: a mean of rates per utterance; and line ends or no-break spaces that joined words."""
    assert rate(WER, [("a", "b"), ("a b c d e f g h i", "a b c d e f g h i")]) == pytest.approx(0.1)
    for text in ("a\tb\nc", "a\u00a0b\u2003c", "a\r\nb\u2028c"):
        assert rate(RAW, [(text, "a b c")]) == rate(RAW, [("a b c", text)]) == 0


def test_best_of_several_references():
    assert stats(WER, ("a b c d", "a b"), "a b x").tolist() == [1, 1, 0, 4]  # 2 of 4 and 1 of 2: the first
    assert stats(WER, ("a b c d", "a b e"), "a b x").tolist() == [1, 0, 0, 3]
    assert stats(WER, ("a b", "a c"), "a d").tolist() == [1, 0, 0, 2]
    assert stats(WER, ("", "a b"), "a b").tolist() == [0, 0, 0, 2]
    assert stats(WER, ("", "a b"), "").tolist() == [0, 0, 0, 0]


def test_a_failed_sample_is_all_deletions():
    assert stats(WER, "a b c", None).tolist() == [0, 3, 0, 3]
    assert stats(WER, ("", "a b"), None).tolist() == [0, 2, 0, 2]
    assert stats(WER, ("",), None).tolist() == [0, 0, 0, 0]


def test_a_stage_of_a_cascade():
    scorer = ErrorRate(name="wer_asr", unit="word", stage="asr")
    parts = (Audio(b"", transcript="a b"), Audio(b"", transcript="c"))
    sample = Sample(id="1", language="fra_Latn", parts=parts, references=("no",))
    steps = (Step("asr", 1, "c"), Step("mt", 0, "z"), Step("asr", 0, "a x"))
    assert scorer.stats(sample, Output(text="no", steps=steps)).tolist() == [1, 0, 0, 3]
    assert scorer.stats(sample, None).tolist() == [0, 0, 0, 0], "another stage may be to blame"
    assert scorer.stats(sample, Output(text="no", steps=(Step("mt", 0, "z"),))).tolist() == [0, 0, 0, 0]
    unknown = Sample(id="1", language="fra_Latn", parts=(Audio(b""),), references=("no",))
    for output in (Output(text="no", steps=steps), None):
        assert scorer.stats(unknown, output).tolist() == [0, 0, 0, 0]
    assert "|stage:asr|" in scorer.signature([])


def test_a_stage_is_in_the_language_that_is_spoken_and_the_answer_in_that_written():
    parts = (Audio(b"", transcript="ISI"),)
    sample = Sample(id="1", language="tur_Latn", parts=parts, references=("ISI",), target_language="eng_Latn")
    said = Output(text="isi", steps=(Step("asr", 0, "\u0131s\u0131"),))
    assert ErrorRate(name="wer", unit="word", stage="asr").stats(sample, said)[0] == 0
    assert WER.stats(sample, said)[0] == 0


def test_reduce_is_vectorised():
    totals = np.array([[[1.0, 1, 1, 6], [0, 0, 2, 0]], [[0, 0, 0, 4], [9, 0, 0, 3]]])
    np.testing.assert_equal(WER.reduce(totals), [[0.5, np.nan], [0, 3]])
    assert WER.reduce(totals[0, 0]).shape == ()


def test_scorer_protocol_and_signature():
    scorer: Scorer = WER
    assert not scorer.higher_is_better
    assert not scorer.proportion
    assert scorer.unparsed(np.zeros(4)) == 0
    assert scorer.signature(["eng_Latn"]) == (
        f"wer|unit:word|{NORM}|refs:best|empty_ref:insertions|macro:spaced|mmbench:{__version__}"
    )
    assert CER.signature(["eng_Latn"]) == (f"cer|unit:char|{NORM}|refs:best|empty_ref:insertions|mmbench:{__version__}")


def test_counts_are_the_totals_by_name():
    totals = stats(WER, "the cat sat on the old mat here", "the dog sat on old mat here today")
    assert WER.counts(totals) == {"substitutions": 1, "deletions": 1, "insertions": 1, "units": 8}


def test_words_that_no_space_separates_are_kept_out_of_the_mean_over_languages():
    """WER and CER are never averaged together, and a WER of whole Thai sentences is neither."""
    tags = ("eng_Latn", "kor_Hang", "tha_Thai", "zho_Hans", "jpn_Jpan", "lao_Laoo", "khm_Khmr", "mya_Mymr", "bod_Tibt")
    assert [tag for tag in tags if WER.averages(tag)] == ["eng_Latn", "kor_Hang"]
    assert all(scorer.averages(tag) for scorer in (CER, MER) for tag in tags)


def test_a_segmenter_makes_words(monkeypatch):
    asked = []

    def fake(text, *, unit, segmenter=None, language=None):
        asked.append((unit, segmenter, language))
        return [text[:2], text[2:]] if segmenter else text.split()

    monkeypatch.setattr(edit, "segmenter_version", lambda name, languages=(): f"{name}/9:{'+'.join(languages)}")
    monkeypatch.setattr(edit, "units", fake)
    scorer = ErrorRate(name="wer", unit="word", segmenter="halves")
    assert stats(scorer, "abcd", "abxy", "tha_Thai").tolist() == [1, 0, 0, 2]
    assert set(asked) == {("word", "halves", "tha_Thai")}
    assert f"{NORM}|seg:halves/9:tha_Thai|refs:best|" in scorer.signature(["tha_Thai"])
    assert "|macro:" not in scorer.signature([])
    assert scorer.averages("tha_Thai")
    assert stats(WER, "abcd", "abxy", "tha_Thai").tolist() == [1, 0, 0, 1]
    assert "|seg:halves/9:|" in replace(scorer, stage="asr").signature(["eng_Latn"]), (
        "the stage speaks another language"
    )


def test_words_of_a_real_segmenter():
    pytest.importorskip("jieba")
    scorer = ErrorRate(name="wer", unit="word", segmenter="jieba")
    assert stats(scorer, "我们去北京大学。", "我们去清华大学", "zho_Hans").tolist() == [1, 0, 0, 3]
    assert stats(scorer, "two words", "two", "eng_Latn").tolist() == [0, 1, 0, 2]
    assert "|seg:jieba-" in scorer.signature(["zho_Hans"])
    with pytest.raises(UsageError, match="does not know the words of tha_Thai"):
        stats(scorer, "ก", "ก", "tha_Thai")


def test_misspelt_settings_fail_at_once():
    with pytest.raises(UsageError, match="known are word, char, mixed"):
        ErrorRate(name="wer", unit="words")
    with pytest.raises(UsageError, match="unknown normalizer"):
        ErrorRate(name="wer", unit="word", normalizer="english")
    with pytest.raises(UsageError, match="unknown segmenter"):
        ErrorRate(name="wer", unit="word", segmenter="scissors")
    with pytest.raises(UsageError, match="a segmenter finds words, and its unit is 'char'"):
        ErrorRate(name="cer", unit="char", segmenter="icu")


def test_long_recordings():
    words = random.Random(0).choices("abcdefgh", k=8000)
    assert stats(RAW, " ".join(words), " ".join(words[1:])).tolist() == [0, 1, 0, 8000]
