"""BLEU and chrF are sacreBLEU's, to the last digit, in every language and for any number of references."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF

from mmbench import __version__
from mmbench.schema import Output, Sample, Scorer
from mmbench.scorers.translation import Bleu, ChrF

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
    """D10: lmms-eval lower-cases and strips both sides and spells numbers out: 88.45 instead of sacreBLEU's 13.39."""
    references = [
        "The U.S. won 3 medals, on Friday!",
        '"We\'re ready," said Mrs. Smith.',
        "It cost 20 dollars: too much?",
    ]
    hypotheses = ["the us won three medals on friday", "we are ready said mrs smith", "it cost twenty dollars too much"]
    plain = ["the us won three medals on friday", "we are ready said mrs smith", "it cost twenty dollars too much"]
    standard = sacrebleu.corpus_bleu(hypotheses, [references]).score
    assert score(Bleu(), hypotheses, [references]) == standard == pytest.approx(4.094, abs=0.001)
    assert sacrebleu.corpus_bleu(hypotheses, [plain]).score == pytest.approx(100)
    assert score(Bleu(), ["The dog had bit the man."], [["The dog had bit the man."]]) == pytest.approx(100)


def test_scale_bleu_counts_words_not_letters():
    """SCALE's court views: NLTK's sentence_bleu on two strings is a BLEU of their letters, here 58.77."""
    hypothesis, reference = (
        "The court rejects the appeal as unfounded.",
        "The court has rejected that appeal as groundless.",
    )
    assert score(Bleu(), [hypothesis], [[reference]]) == pytest.approx(14.575161396875705)
    assert score(Bleu(tokenize="char"), [hypothesis], [[reference]]) == pytest.approx(51.88695281114807)


def test_m5b_padding_with_empty_references_changes_nothing():
    for scorer in (Bleu(), ChrF(), ChrF(word_order=2)):
        alone = total(scorer, HYPOTHESES, [REFERENCES])
        assert np.array_equal(total(scorer, HYPOTHESES, [REFERENCES, [""] * 5]), alone)


def test_chrf_is_not_chrf_plus_plus():
    """One is published under the name of the other; on 20,000 segments they are 62.82 and 60.67."""
    values = [score(ChrF(word_order=order), HYPOTHESES, [REFERENCES]) for order in (0, 2)]
    assert values[0] > values[1] + 1
    assert "|nw:0|" in ChrF().signature([])
    assert "|nw:2|" in ChrF(word_order=2).signature([])


def test_d7_unspaced_scripts_are_not_one_word():
    """D7 for BLEU: with 13a one changed character of a Thai or Japanese sentence is a BLEU of 0."""
    assert score(Bleu(), ["วันนี้อากาศดีมากครับ"], [["วันนี้อากาศดีมากค่ะ"]], "tha_Thai") > 50
    assert score(Bleu(), ["今日はとても良い天気ですよ"], [["今日はとても良い天気ですね"]], "jpn_Jpan") > 50


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
    ours = f"version:{version}|mmbench:{__version__}"
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


BLEU_ROWS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.lists(st.floats(0, 1), min_size=4, max_size=4)), max_size=20
)


@given(BLEU_ROWS)
def test_bleu_of_any_statistics_is_sacrebleus(rows):
    grams = [[max(0, length - order) for order in range(4)] for length, _, _ in rows]
    matches = [[int(s * n) for s, n in zip(r[2], g, strict=True)] for r, g in zip(rows, grams, strict=True)]
    table = [[r[0], r[1], *m, *g] for r, m, g in zip(rows, matches, grams, strict=True)]
    stats = np.array(table, dtype=np.float64).reshape(-1, 10)
    expected = [BLEU()._compute_score_from_stats(list(row)).score if row[1] else np.nan for row in table]
    np.testing.assert_array_equal(Bleu().reduce(stats), expected)


@given(st.sampled_from([0, 2]), st.data())
def test_chrf_of_any_statistics_is_sacrebleus(word_order, data):
    order = st.tuples(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1))
    size = 6 + word_order
    rows = data.draw(st.lists(st.lists(order, min_size=size, max_size=size), max_size=10))
    table = [[n for h, r, s in row for n in (h if r else 0, r, int(s * min(h, r)))] for row in rows]
    stats = np.array(table, dtype=np.float64).reshape(-1, 3 * size)
    metric = CHRF(word_order=word_order)
    expected = [metric._compute_f_score(row) if any(row[1::3]) else np.nan for row in table]
    np.testing.assert_array_equal(ChrF(word_order=word_order).reduce(stats), expected)


def test_lengths_are_shown_beside_bleu():
    stats = total(Bleu(), ["a b c"], [["a b c d e"]])
    assert Bleu().counts(stats) == {"answer tokens": 3, "reference tokens": 5}
