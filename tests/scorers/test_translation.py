"""BLEU and chrF are sacreBLEU's, to the last digit, in every language and for any number of references."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF

from mmbench.errors import UsageError
from mmbench.languages import all_languages
from mmbench.schema import Output, Sample, Scorer
from mmbench.scorers.translation import Bleu, ChrF, tokenizer

HYPOTHESES = [
    "The dog bit the man.",
    "It wasn't surprising.",
    "The man had just bitten him, at 10:30!",
    "",
    "Colourful colors & <skipped>",
]
REFERENCES = [
    "The dog had bit the man.",
    "No one was surprised.",
    "The man had bitten the dog at 10.30.",
    "An answer was expected here.",
    "colorful colours and skipped",
]
OTHERS = ["The man was bitten.", "It was not surprising.", "He had just bitten him!", "Something.", "Colours & more"]
CHINESE = (["我们在今天去公园。", "他说:“好的”。"], ["我们今天去公园。", "他说\uff1a“好”。"])
TEXTS = st.lists(st.sampled_from("the dog , bit a man . 今 天 don't".split()), max_size=9).map(" ".join)


def total(scorer, hypotheses, references, language="eng_Latn"):
    """Summed statistics; each sample has the references of its place in the streams."""
    samples = [
        Sample(id=str(i), language=language, references=tuple(r for r in refs if r is not None))
        for i, refs in enumerate(zip(*references, strict=True))
    ]
    outputs = [None if text is None else Output(text=text) for text in hypotheses]
    return np.sum([scorer.stats(*pair) for pair in zip(samples, outputs, strict=True)], axis=0)


def score(scorer, hypotheses, references, language="eng_Latn"):
    return float(scorer.reduce(total(scorer, hypotheses, references, language)))


@pytest.mark.parametrize("references", [[REFERENCES], [REFERENCES, OTHERS]])
def test_equals_sacrebleu(references):
    assert score(Bleu(), HYPOTHESES, references) == sacrebleu.corpus_bleu(HYPOTHESES, references).score
    assert score(ChrF(), HYPOTHESES, references) == sacrebleu.corpus_chrf(HYPOTHESES, references).score
    plus = CHRF(word_order=2).corpus_score(HYPOTHESES, references).score
    assert score(ChrF(word_order=2), HYPOTHESES, references) == plus


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS.filter(bool), TEXTS.filter(bool) | st.none()), min_size=1, max_size=6))
def test_equals_sacrebleu_with_any_number_of_references(rows):
    hypotheses, *references = map(list, zip(*rows, strict=True))
    assert score(Bleu(), hypotheses, references) == BLEU(force=True).corpus_score(hypotheses, references).score
    for order in (0, 2):
        expected = CHRF(word_order=order).corpus_score(hypotheses, references).score
        assert score(ChrF(word_order=order), hypotheses, references) == expected


@pytest.mark.parametrize(("language", "tokenize"), [("zho_Hans", "zh"), ("yue_Hant", "zh"), ("tha_Thai", "char")])
def test_equals_sacrebleu_with_the_tokenizer_of_the_language(language, tokenize):
    expected = BLEU(tokenize=tokenize).corpus_score(CHINESE[0], [CHINESE[1]]).score
    assert score(Bleu(), CHINESE[0], [CHINESE[1]], language) == expected
    assert score(Bleu(tokenize=tokenize), CHINESE[0], [CHINESE[1]]) == expected


def test_languages_pool():
    statistics = total(Bleu(), HYPOTHESES, [REFERENCES]) + total(Bleu(), CHINESE[0], [CHINESE[1]], "zho_Hans")
    first = BLEU()._extract_corpus_statistics(HYPOTHESES, [REFERENCES])
    second = BLEU(tokenize="zh")._extract_corpus_statistics(CHINESE[0], [CHINESE[1]])
    assert Bleu().reduce(statistics) == BLEU()._aggregate_and_compute(first + second).score


def test_d10_text_is_scored_as_it_is():
    """D10: both sides were lower-cased, stripped and normalised as English before BLEU: 88.45 instead of 13.39."""
    assert score(Bleu(), ["the dog had bit the man"], [["The dog had bit the man."]]) < 75
    assert score(Bleu(), ["The dog had bit the man."], [["The dog had bit the man."]]) == pytest.approx(100)


def test_d7_unspaced_scripts_are_not_one_word():
    """D7 for BLEU: with 13a one changed character of a Thai or Japanese sentence is a BLEU of 0."""
    assert score(Bleu(), ["วันนี้อากาศดีมากครับ"], [["วันนี้อากาศดีมากค่ะ"]], "tha_Thai") > 50
    assert score(Bleu(), ["今日はとても良い天気ですよ"], [["今日はとても良い天気ですね"]], "jpn_Jpan") > 50


def test_tokenizers(monkeypatch):
    tokenizer.cache_clear()
    monkeypatch.setattr("mmbench.scorers.translation.find_spec", lambda name: None)
    names = {language.tag: tokenizer(language.tag) for language in all_languages()}
    tokenizer.cache_clear()
    assert {tag for tag, name in names.items() if name == "zh"} == {"zho_Hans", "zho_Hant", "yue_Hant"}
    chars = {"bod_Tibt", "dzo_Tibt", "jpn_Jpan", "khm_Khmr", "kor_Hang", "lao_Laoo", "mya_Mymr", "shn_Mymr", "tha_Thai"}
    assert {tag for tag, name in names.items() if name == "char"} == chars
    assert set(names.values()) == {"13a", "char", "zh"}
    monkeypatch.setattr("mmbench.scorers.translation.find_spec", lambda name: object())
    assert (tokenizer("jpn_Jpan"), tokenizer("kor_Hang")) == ("ja-mecab", "ko-mecab")
    tokenizer.cache_clear()


def test_a_failed_sample_is_an_empty_answer():
    failed = [*HYPOTHESES[:-1], None]
    assert score(Bleu(), failed, [REFERENCES]) == sacrebleu.corpus_bleu([*HYPOTHESES[:-1], ""], [REFERENCES]).score
    assert score(ChrF(), [None], [["a b"]]) == 0


@pytest.mark.parametrize("scorer", [Bleu(), ChrF(), ChrF(word_order=2)])
def test_what_cannot_be_scored_is_nan(scorer):
    """sacreBLEU gives 0.0 for empty references without a word."""
    size = len(total(scorer, ["a b"], [["a b"]]))
    none = scorer.stats(Sample(id="1", language="eng_Latn"), Output(text="a b"))
    empty = scorer.stats(Sample(id="1", language="eng_Latn", references=("", " ")), Output(text="a b"))
    assert none.shape == empty.shape == (size,)
    assert not none.any()
    assert np.isnan(scorer.reduce(none))
    assert np.isnan(scorer.reduce(empty))


def test_empty_references():
    """Alone one costs BLEU what it costs in sacreBLEU; beside others it does not excuse an empty answer."""
    hypotheses, references = ["a b c d", "x"], [["a b c d", ""]]
    assert score(Bleu(), hypotheses, references) == BLEU().corpus_score(hypotheses, references).score
    sample = Sample(id="1", language="eng_Latn", references=("a b c d", ""))
    assert Bleu().stats(sample, None)[1] == 4


@pytest.mark.parametrize("scorer", [Bleu(), ChrF(), ChrF(word_order=2)])
def test_reduce_is_vectorised(scorer):
    rows = np.stack([total(scorer, [h], [[r]]) for h, r in zip(HYPOTHESES, REFERENCES, strict=True)])
    grid = scorer.reduce(np.stack([rows, rows[::-1]]))
    assert grid.shape == (2, 5)
    assert grid[1].tolist() == [float(scorer.reduce(row)) for row in rows[::-1]]


def test_signatures():
    version = sacrebleu.__version__
    ours = f"version:{version}|mmbench:0.1.0"
    assert Bleu().signature(["fra_Latn", "eng_Latn"]) == f"bleu|nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|{ours}"
    assert "|tok:13a+char(lao_Laoo,tha_Thai)+zh(zho_Hans)|" in Bleu().signature(
        ["tha_Thai", "zho_Hans", "eng_Latn", "lao_Laoo", "tha_Thai"]
    )
    assert "|tok:char|" in Bleu(tokenize="char").signature(["eng_Latn"])
    assert ChrF().signature([]) == f"chrf|nrefs:var|case:mixed|eff:yes|nc:6|nw:0|space:no|{ours}"
    assert ChrF(word_order=2).signature([]) == f"chrf++|nrefs:var|case:mixed|eff:yes|nc:6|nw:2|space:no|{ours}"


def test_protocol():
    scorers: list[Scorer] = [Bleu(), ChrF(), ChrF(word_order=2)]
    assert [scorer.name for scorer in scorers] == ["bleu", "chrf", "chrf++"]
    assert all(scorer.higher_is_better and not scorer.proportion for scorer in scorers)
    assert all(scorer.unparsed(np.zeros(3)) == 0 for scorer in scorers)


def test_tokenizers_that_do_not_work_fail_at_once(monkeypatch):
    with pytest.raises(UsageError, match="unknown BLEU tokenizer 'moses': known are none, zh, 13a"):
        Bleu(tokenize="moses")

    def offline(**_: object) -> BLEU:
        raise OSError("no\nnetwork")

    offline.TOKENIZERS = BLEU.TOKENIZERS
    monkeypatch.setattr("mmbench.scorers.translation.BLEU", offline)
    with pytest.raises(UsageError, match="'flores200' cannot be loaded: no network"):
        Bleu(tokenize="flores200")
