"""ROUGE-L equals rouge_score and CIDEr-D the COCO tools' on English, and both measure what those score 0."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.schema import Output, Sample, Scorer
from mmbench.scorers.captions import Cider, RougeL
from mmbench.text import normalizer_version, segmenter_version

# name: answer, references, ROUGE-L of rouge_score 0.1.2, CIDEr-D of pycocoevalcap 1.2
CAPTIONS = [
    (
        "a man rides a brown horse",
        ("a man riding a horse on the beach", "a person rides a brown horse", "man on a horse near the sea"),
        0.8333333333333334,
        2.60587817788146,
    ),
    (
        "two dogs play in the snow",
        ("two dogs are playing in the snow", "dogs run through snow"),
        0.7692307692307692,
        2.3806401749961483,
    ),
    (
        "a plate of food on a table",
        ("a table with a plate of pasta", "a plate of food sits on a wooden table", "some food on a plate"),
        0.8750000000000001,
        3.762968538948903,
    ),
    ("a man a man a man", ("a man is surfing a big wave",), 0.4615384615384615, 0.3997920553689674),
    (
        "an old red bus",
        ("an old red bus parked on the street", "a bus on the street"),
        0.6666666666666666,
        2.9323764218452646,
    ),
]
THAI = [  # CIDEr-D of pycocoevalcap on the texts as they are is 0.0; on their characters it is the last number
    ("แมวนอนบนโซฟา", "แมวนอนบนเตียง", 5.054102678818019),
    ("รถสีแดงจอดอยู่", "รถสีแดงคันหนึ่งจอดอยู่", 3.019419148180518),
    ("คนกินข้าว", "เด็กกินข้าวในบ้าน", 2.39445878629816),
]
TEXTS = st.lists(st.sampled_from("a man dog on the beach rides".split()), min_size=1, max_size=8).map(" ".join)


def pairs(rows, language="eng_Latn"):
    return [
        (Sample(id=str(i), language=language, references=tuple(refs)), None if text is None else Output(text=text))
        for i, (text, refs) in enumerate(rows)
    ]


def rows_of(scorer, asked):
    return np.stack([scorer.stats(*pair) for pair in asked])


def fitted(asked, **settings):
    return Cider(**settings).fitted([sample for sample, _ in asked])


COCO = pairs([row[:2] for row in CAPTIONS])


def test_rouge_equals_rouge_score():
    np.testing.assert_allclose(rows_of(RougeL(), COCO)[:, 0], [row[2] for row in CAPTIONS], rtol=0, atol=1e-12)


@settings(max_examples=50)
@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))
def test_rouge_is_the_best_f1_of_the_longest_common_subsequence(text, references):
    def longest(a, b):
        if not a or not b:
            return 0
        rest = max(longest(a[1:], b), longest(a, b[1:])) if a[0] != b[0] else 1 + longest(a[1:], b[1:])
        return rest

    answer, expected = text.split(), []
    for words in map(str.split, references):
        expected.append(2 * longest(answer, words) / (len(answer) + len(words)))
    (found,) = rows_of(RougeL(), pairs([(text, references)]))
    assert found.tolist() == pytest.approx([max(expected), 1])


def test_beta_weighs_recall():
    """Lin 2004, equation 4, with precision 2/2 and recall 2/5; 1.2 is the COCO tools' beta."""
    (row,) = rows_of(RougeL(beta=1.2), pairs([("a b", ["a b c d e"])]))
    assert row[0] == pytest.approx((1 + 1.44) * 1.0 * 0.4 / (0.4 + 1.44 * 1.0))
    assert "|beta:1.2|" in RougeL(beta=1.2).signature([])


@pytest.mark.parametrize("setting", [0, -1, math.inf, math.nan, "F1"])
def test_settings_that_are_wrong(setting):
    with pytest.raises(UsageError, match=r"rouge_l: beta is .*; give a positive number"):
        RougeL(beta=setting)
    with pytest.raises(UsageError, match=r"cider-d: sigma is .*; give a positive number"):
        Cider(sigma=setting)


def test_names_that_are_wrong():
    with pytest.raises(UsageError, match="unknown unit 'token': known are word, char, mixed"):
        RougeL(unit="token")
    with pytest.raises(UsageError, match="unknown normalizer 'ptb'"):
        Cider(normalizer="ptb")
    with pytest.raises(UsageError, match="cider: unknown variant 'cider-r': known are cider-d, cider"):
        Cider(variant="cider-r")


def test_words_of_a_segmenter():
    pytest.importorskip("MeCab")
    asked = pairs([("猫が寝ている", ["猫が寝た"]), ("赤い車", ["赤い車が走る"])], "jpn_Jpan")
    (cat, car) = rows_of(RougeL(unit="word", segmenter="mecab"), asked)[:, 0]  # 猫|が|寝|て|いる and 猫|が|寝|た
    assert (cat, car) == pytest.approx((2 * 3 / (5 + 4), 2 * 2 / (2 + 4)))
    scorer = fitted(asked, unit="word", segmenter="mecab")
    assert rows_of(scorer, asked)[0, 0] > 1
    for one in (RougeL(unit="word", segmenter="mecab"), scorer):
        assert f"|unit:word|seg:{segmenter_version('mecab')}|" in one.signature(["jpn_Jpan"])
    with pytest.raises(UsageError, match="segmenter=mecab finds words, and the unit is 'mixed'; add unit=word"):
        RougeL(segmenter="mecab")
    with pytest.raises(UsageError, match="unknown segmenter 'thulac'"):
        Cider(unit="word", segmenter="thulac")


def test_rouge_sees_every_script():
    """rouge_score deletes all but a-z and 0-9: the first pair scores 0 and so would itself; the second scores 1.0."""
    hindi, other = "लड़का स्कूल जाता है", "लड़की बाज़ार गई थी"
    five, apples = "मैं घर 5 जाता हूँ", "वह 5 सेब खाता है"
    asked = pairs([(hindi, [hindi]), (hindi, [other]), (five, [apples])], "hin_Deva")
    assert rows_of(RougeL(), asked)[:, 0].tolist() == pytest.approx([1, 0, 2 / 10])
    (thai,) = rows_of(RougeL(), pairs([("วันนี้อากาศดี", ["วันนี้ฝนตก"])], "tha_Thai"))
    assert thai[0] == pytest.approx(2 * 7 / (13 + 10))


def test_several_references_are_not_clipped_to_right_or_wrong():
    """lm-eval #2890 (0.98 for 0.23) and lmms-eval #363: `1.0 if any(scores)` made any overlap right."""
    (row,) = rows_of(RougeL(), pairs([("the cat", ["the old house by the sea", "a green door of wood"])]))
    assert row[0] == pytest.approx(2 * 1 / (2 + 6))


def test_coco_tools_mix_references():
    """Their ROUGE-L takes precision from one reference and recall from another: 1.0 here for a half of each."""
    (row,) = rows_of(RougeL(), pairs([("a b", ["a b c d e f", "b"])]))
    assert row[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize("scorer", [RougeL(), fitted(COCO)])
def test_what_has_no_answer_or_no_reference(scorer):
    asked = pairs([(None, ["a man"]), ("...", ["a man"]), ("a man", []), ("a man", ["", "?!"]), ("", [""])])
    assert rows_of(scorer, asked).tolist() == [[0, 1], [0, 1], [0, 0], [0, 0], [0, 0]]
    assert np.isnan(scorer.reduce(rows_of(scorer, asked)[2:].sum(axis=0)))
    (left_out,) = rows_of(scorer, pairs([("a brown dog", ["", "a brown dog"])]))
    assert left_out.tolist() == rows_of(scorer, pairs([("a brown dog", ["a brown dog"])]))[0].tolist()


def test_cider_equals_the_coco_tools():
    found = rows_of(fitted(COCO), COCO)
    np.testing.assert_allclose(found[:, 0], [row[3] for row in CAPTIONS], rtol=0, atol=1e-12)
    assert float(fitted(COCO).reduce(found.sum(axis=0))) == pytest.approx(2.4163310738081485, abs=1e-12)


def test_cider_by_hand():
    """Two documents: "a" is in both and weighs nothing, every other n-gram weighs log 2."""
    asked = pairs([("a dog sleeps", ["a dog runs"]), ("dog dog", ["a cat sleeps"])])
    scorer = fitted(asked)
    # one of two unigrams, one of two bigrams, no trigram, and nobody has four words
    assert scorer.stats(*asked[0])[0] == pytest.approx(10 * (1 / 2 + 1 / 2) / 4)
    sample = asked[0][0]
    clipped = 10 * (1 * 1 / (2 * math.sqrt(2))) / 4 * math.exp(-(1**2) / (2 * 6**2))
    assert scorer.stats(sample, Output(text="dog dog"))[0] == pytest.approx(clipped)
    plain = fitted(asked, variant="cider").stats(sample, Output(text="dog dog"))[0]
    assert plain == pytest.approx((2 * 1 / (2 * math.sqrt(2))) / 4)


def test_xm100_unspaced_captions():
    """XM100 takes a Thai, Chinese or Japanese caption for one word: near-identical ones get CIDEr 0.0, ROUGE-L 0.0."""
    asked = pairs([(answer, [reference]) for answer, reference, _ in THAI], "tha_Thai")
    assert rows_of(fitted(asked, unit="word"), asked)[:, 0].tolist() == [0, 0, 0]
    np.testing.assert_allclose(rows_of(fitted(asked), asked)[:, 0], [row[2] for row in THAI], rtol=0, atol=1e-12)
    for language, texts in {
        "zho_Hans": "一只猫睡在沙发上 一只猫睡在床上 红色汽车",
        "jpn_Jpan": "猫が寝ている 猫が寝た 赤い車",
    }.items():
        answer, reference, other = texts.split()
        asked = pairs([(answer, [reference]), (other, [other])], language)
        assert rows_of(fitted(asked), asked)[0, 0] > 3
        assert rows_of(RougeL(), asked)[0, 0] >= 0.6


def test_one_document_gives_no_weights(caplog):
    """log(1 / 1) is 0 for every n-gram: the COCO tools say 0.0, whatever the caption; nothing was measured."""
    asked = pairs([("a brown dog", ["a brown dog"])])
    scorer = fitted(asked)
    assert np.isnan(scorer.reduce(rows_of(scorer, asked).sum(axis=0)))
    assert "eng_Latn has one captioned sample" in caplog.text


def test_a_part_is_scored_like_the_whole(tmp_path):
    whole = COCO + pairs([(answer, [reference]) for answer, reference, _ in THAI], "tha_Thai")
    scorer = fitted(whole)
    scorer.save(tmp_path / "df.jsonl")
    stored, part = Cider(statistics=str(tmp_path / "df.jsonl")), whole[1:3] + whole[6:7]
    kept = stored.fitted([sample for sample, _ in part])
    assert rows_of(kept, part).tolist() == rows_of(scorer, part).tolist()
    both = ["tha_Thai", "eng_Latn"]
    assert kept.signature(both) == scorer.signature(both)
    alone = fitted(part)
    assert rows_of(alone, part)[0, 0] != rows_of(scorer, part)[0, 0]
    assert alone.signature(both) != scorer.signature(both)
    with pytest.raises(
        UsageError, match=r"df.jsonl has no document frequencies of hin_Deva; known are eng_Latn, tha_Th"
    ):
        stored.fitted([Sample(id="1", language="hin_Deva", references=("एक",))])
    with pytest.raises(UsageError, match=r"df.jsonl:1: has statistics of norm:.*unit:mixed, not of norm:.*unit:word;"):
        Cider(statistics=str(tmp_path / "df.jsonl"), unit="word")


def test_several_systems_share_their_documents():
    """A file with the answers of two systems has every sample twice; the documents are as many as before."""
    twice = [sample for sample, _ in COCO] * 2
    assert Cider().fitted(twice).signature(["eng_Latn"]) == fitted(COCO).signature(["eng_Latn"])
    assert Cider().fitted(twice[::-1]).signature(["eng_Latn"]) == fitted(COCO).signature(["eng_Latn"])
    with pytest.raises(UsageError, match="cider-d: there are no document frequencies of eng_Latn; known are none"):
        Cider().stats(*COCO[0])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=3)), min_size=2, max_size=5))
def test_bounds(rows):
    asked = pairs(rows)
    for scorer, top in ((RougeL(), 1), (fitted(asked), 10), (fitted(asked, variant="cider"), 1)):
        values = rows_of(scorer, asked)[:, 0]
        assert (values >= 0).all()
        assert (values <= top + 1e-9).all()


def test_signatures():
    norm = f"norm:{normalizer_version('mmbench')}|unit:mixed|stem:no"
    assert RougeL().signature(["eng_Latn"]) == f"rouge_l|beta:1|{norm}|refs:best|mmbench:{__version__}"
    signature = fitted(COCO).signature(["eng_Latn"])
    assert signature.startswith(f"cider-d|n:4|sigma:6|scale:10|{norm}|refs:mean|docs:5|df:")
    assert (
        fitted(COCO, variant="cider").signature(["eng_Latn"]).startswith(f"cider|n:4|scale:1|{norm}|refs:mean|docs:5")
    )


def test_protocol():
    scorers: list[Scorer] = [RougeL(), Cider()]
    assert [scorer.name for scorer in scorers] == ["rouge_l", "cider-d"]
    assert all(scorer.higher_is_better and scorer.fraction and not scorer.proportion for scorer in scorers)
