"""TER is sacreBLEU's, and a sentence without spaces is not one word."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import TER

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.languages import all_languages
from mmbench.schema import Output, Sample, Scorer
from mmbench.scorers.sacre import bleu, tokenizer
from mmbench.scorers.ter import Ter
from mmbench.text import segmenter_version

HYPOTHESES = ["The dog bit the man.", "surprising it wasn't", "", "the MAN had bitten him"]
REFERENCES = ["The dog had bit the man.", "it wasn't surprising", "An answer.", "The man had bitten the dog."]
OTHERS = ["The man was bitten.", "It was not surprising.", "Something was here.", "He had bitten him"]
TEXTS = st.lists(st.sampled_from("the dog , Bit a man .".split()), max_size=7).map(" ".join)


def total(hypotheses, references, language="eng_Latn"):
    samples = [
        Sample(id=str(i), language=language, references=tuple(r for r in refs if r is not None))
        for i, refs in enumerate(zip(*references, strict=True))
    ]
    outputs = [None if text is None else Output(text=text) for text in hypotheses]
    return np.sum([Ter().stats(*pair) for pair in zip(samples, outputs, strict=True)], axis=0)


def score(hypotheses, references, language="eng_Latn"):
    return float(Ter().reduce(total(hypotheses, references, language)))


@pytest.mark.parametrize("references", [[REFERENCES], [REFERENCES, OTHERS]])
def test_equals_sacrebleu(references):
    assert score(HYPOTHESES, references) == sacrebleu.corpus_ter(HYPOTHESES, references).score


def test_a_shift_is_one_edit():
    """Snover et al. 2006: a phrase that is moved costs one edit, whatever its length."""
    assert score(["c d e a b"], [["a b c d e"]]) == pytest.approx(100 / 5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS.filter(bool), TEXTS.filter(bool) | st.none()), min_size=1, max_size=5))
def test_equals_sacrebleu_with_any_number_of_references(rows):
    hypotheses, *references = map(list, zip(*rows, strict=True))
    assert score(hypotheses, references) == pytest.approx(TER().corpus_score(hypotheses, references).score, abs=1e-9)


def test_chinese_is_cut_by_tercom():
    hypothesis, reference = "我们在今天去公园。", "我们今天去公园。"
    expected = TER(normalized=True, asian_support=True).corpus_score([hypothesis], [[reference]]).score
    assert score([hypothesis], [[reference]], "zho_Hans") == expected == pytest.approx(100 / 8)
    assert (
        TER(asian_support=True).corpus_score([hypothesis], [[reference]]).score == 100
    )  # without `normalized` it is off


@pytest.mark.parametrize(
    ("language", "hypothesis", "reference"),
    [
        ("tha_Thai", "อากาศดีมากครับ", "อากาศดีมากค่ะ"),
        ("khm_Khmr", "ខ្ញុំទៅសាលា", "ខ្ញុំទៅផ្សារ"),
        ("mya_Mymr", "ကျောင်းသွားတယ်", "ဈေးသွားတယ်"),
    ],
)
def test_other_unspaced_languages_are_cut_into_characters(language, hypothesis, reference):
    """Tercom sees one word here, all of it wrong, also with `asian_support`."""
    assert TER(normalized=True, asian_support=True).corpus_score([hypothesis], [[reference]]).score == 100
    cut = TER().corpus_score([" ".join(hypothesis)], [[" ".join(reference)]]).score
    assert score([hypothesis], [[reference]], language) == cut < 60


def test_japanese_is_cut_like_for_bleu():
    hypothesis, reference = "今日はとても良い天気ですよ", "今日はとても良い天気ですね"
    cut = bleu(tokenizer("jpn_Jpan")).tokenizer
    expected = TER().corpus_score([cut(hypothesis)], [[cut(reference)]]).score
    assert score([hypothesis], [[reference]], "jpn_Jpan") == expected < 50


def test_words_of_a_segmenter():
    pytest.importorskip("MeCab")
    sample = Sample(id="1", language="jpn_Jpan", references=("猫が寝た",))  # 猫|が|寝|た
    scorer = Ter(segmenter="mecab")
    assert scorer.stats(sample, Output(text="犬が寝た")).tolist() == [1, 4]
    assert f"|tok:{segmenter_version('mecab')}(jpn_Jpan)+tercom|" in scorer.signature(["eng_Latn", "jpn_Jpan"])
    spaced = Sample(id="1", language="eng_Latn", references=("a b",))
    assert scorer.stats(spaced, Output(text="a c")).tolist() == [1, 2]
    with pytest.raises(UsageError, match="unknown segmenter 'thulac'"):
        Ter(segmenter="thulac")


def test_no_unspaced_language_is_one_word():
    for language in all_languages():
        if not language.spaced:
            assert "tok:tercom|norm:no" not in Ter().signature([language.tag]), language.tag


def test_a_failed_sample_costs_all_words():
    assert total([None], [["a b c"]]).tolist() == [3, 3]
    assert score([None, "a b"], [["a b c", "a b"]]) == pytest.approx(60)


def test_empty_references():
    """SacreBLEU gives 100 for an answer to nothing and 0 for no answer to nothing; neither is a measurement."""
    assert np.isnan(score(["a b"], [[""]]))
    assert np.isnan(float(Ter().reduce(Ter().stats(Sample(id="1", language="eng_Latn"), Output(text="a")))))
    sample = Sample(id="1", language="eng_Latn", references=("a b c d", " "))
    assert Ter().stats(sample, None).tolist() == [4, 4]


def test_reduce_is_vectorised():
    rows = np.stack([total([h], [[r]]) for h, r in zip(HYPOTHESES, REFERENCES, strict=True)])
    grid = Ter().reduce(np.stack([rows, rows[::-1]]))
    assert grid.shape == (2, 4)
    assert grid[1].tolist() == [float(Ter().reduce(row)) for row in rows[::-1]]


def test_signatures():
    ours = f"version:{sacrebleu.__version__}|mmbench:{__version__}"
    assert Ter().signature(["eng_Latn"]) == f"ter|nrefs:var|case:lc|tok:tercom|norm:no|punct:yes|asian:no|{ours}"
    assert Ter().signature(["tha_Thai", "zho_Hans", "eng_Latn"]) == (
        f"ter|nrefs:var|case:lc|tok:char(tha_Thai)+tercom|norm:no+yes(zho_Hans)|punct:yes|asian:no+yes(zho_Hans)|{ours}"
    )


def test_protocol():
    scorer: Scorer = Ter()
    assert scorer.name == "ter"
    assert not scorer.higher_is_better
    assert not scorer.fraction
    assert scorer.unparsed(np.zeros(2)) == 0
    assert Ter().counts(np.array([3.0, 5.0])) == {"edits": 3, "reference words": 5}
