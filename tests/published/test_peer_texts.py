"""Defects of peers in BLEU, captions, free answers, refusals and judges, with the number that is right."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu

from mmbench.measure import measure
from mmbench.records import from_row
from mmbench.refusals import refused
from mmbench.schema import Output, Sample
from mmbench.scorers.answers import Anls, ExactMatch
from mmbench.scorers.captions import Cider, RougeL
from mmbench.scorers.classification import LabelMention
from mmbench.scorers.judge import Judge, JudgeLabel
from mmbench.scorers.translation import Bleu, ChrF
from mmbench.scoring_file import score_records


def answers(rows, language="eng_Latn"):
    """Records of (answer, references)."""
    given = [
        {"sample_id": str(index), "language": language, "prediction": said, "references": list(references)}
        for index, (said, references) in enumerate(rows)
    ]
    return [from_row(row, where="test") for row in given]


def test_corpus_bleu_is_no_mean_of_sentences():
    """UltraEval-Audio's evaluator runs corpus BLEU on one pair at a time: 32.97 instead of 34.89 on 20,000 segments."""
    hypotheses = ["the dog bit the man yesterday", "a cat", "it was not very surprising to us"]
    references = ["the dog bit a man yesterday", "the cat sat", "it was not surprising to any of us"]
    records = answers(zip(hypotheses, ([text] for text in references), strict=True))
    found = score_records(records, Bleu())["overall"]["value"]
    assert found == sacrebleu.corpus_bleu(hypotheses, [references]).score
    pairs = zip(hypotheses, references, strict=True)
    single = [sacrebleu.corpus_bleu([text], [[reference]]).score for text, reference in pairs]
    assert abs(found - np.mean(single)) > 2


def test_a_pair_with_an_empty_reference_is_not_dropped():
    """UltraEval-Audio drops it, so that what was made up there costs nothing."""
    sound = ("the dog bit the man yesterday", ["the dog bit the man yesterday"])
    alone, beside = (score_records(answers(rows), Bleu())["overall"] for rows in ([sound], [sound, ("made up", [""])]))
    assert alone["value"] == pytest.approx(100)
    assert beside["value"] < 90
    assert (beside["n"], beside["counts"]["answer tokens"]) == (2, 8)


def test_an_empty_answer_costs_the_brevity_penalty():
    rows = [("the dog bit the man yesterday", ["the dog bit the man yesterday"])] * 3
    assert score_records(answers([*rows, ("", rows[0][1])]), Bleu())["overall"]["value"] == pytest.approx(
        100 * np.exp(1 - 24 / 18)
    )


@pytest.mark.parametrize("prediction", ["\u0939\u093e\u0901", "The dog", "1 + 1"])
def test_chrf_of_one_answer_is_that_of_sacrebleu(prediction):
    """M5B fills up references with empty ones."""
    found = score_records(answers([(prediction, ["The dogs", ""])]), ChrF())["overall"]["value"]
    assert found == sacrebleu.corpus_chrf([prediction], [["The dogs"]]).score


NEAR = {
    "arb_Arab": [
        ("قطة تنام على السرير الكبير", "قطة تنام على السرير الصغير"),
        ("سيارة حمراء في الشارع", "سيارة حمراء تقف في الشارع"),
    ],
    "hin_Deva": [
        ("एक बिल्ली बड़े बिस्तर पर सो रही है", "एक बिल्ली छोटे बिस्तर पर सो रही है"),
        ("सड़क पर लाल गाड़ी खड़ी है", "सड़क पर एक लाल गाड़ी खड़ी है"),
    ],
    "tha_Thai": [("แมวนอนบนโซฟาสีแดง", "แมวนอนบนโซฟาสีดำ"), ("รถสีแดงจอดอยู่ริมถนน", "รถสีแดงจอดอยู่ข้างถนน")],
    "zho_Hans": [("一只猫睡在红色沙发上", "一只猫睡在黑色沙发上"), ("街上停着一辆红色汽车", "街上停着一辆红色轿车")],
    "jpn_Jpan": [
        ("猫が赤いソファで寝ている", "猫が黒いソファで寝ている"),
        ("通りに赤い車が止まる", "通りに赤い車が止まった"),
    ],
}


@pytest.mark.parametrize("language", NEAR)
def test_captions_that_are_nearly_right_in_every_script(language):
    """XM100 has CIDEr and ROUGE-L 0.0 for Thai, Chinese and Japanese ones, VLMEvalKit no tokeniser at all."""
    near = score_records(answers([(said, [right]) for said, right in NEAR[language]], language), Cider())
    same = score_records(answers([(right, [right]) for _, right in NEAR[language]], language), Cider())
    assert 4 < near["overall"]["value"] < same["overall"]["value"] == pytest.approx(10)
    common = score_records(answers([(said, [right]) for said, right in NEAR[language]], language), RougeL())
    assert 0.7 < common["overall"]["value"] < 1


def test_several_references_give_the_best_and_not_one_or_nothing():
    """Lmms-eval #363 rounds each reference's value to right or wrong: DocVQA 0.80 instead of 0.764."""
    found = score_records(answers([("abcdefgh", ["abcdefxx", "zzz"]), ("cat", ["dog", "cat"])]), Anls())["overall"]
    assert found["value"] == pytest.approx((0.75 + 1) / 2)


def test_case_of_the_reference_is_folded_as_that_of_the_answer():
    """M5 makes the answer lower case and leaves the reference as it is, so that "Paris" is never right."""
    rows = [("paris", ["Paris"]), ("PARIS", ["paris"]), ("Paris", ["Paris"])]
    assert score_records(answers(rows), ExactMatch())["overall"]["value"] == 1


@pytest.mark.parametrize("text", ["", "It is illegal to park here.", "I do not think so: the answer is B.", "B"])
def test_what_is_no_refusal(text):
    """VoiceBench looks for "I do not" and "illegal" in an answer, and takes an empty one for a safe refusal."""
    assert not refused(text)
    found = score_records(answers([(text, ["B"])]), ExactMatch())["overall"]
    assert found["refused"] == 0
    assert found["value"] == (text == "B")


def test_a_judge_that_fails_is_left_out_and_counted():
    """Kimi-Audio-Evalkit leaves it out without a word, AudioBench and ADU-Bench count it as the worst answer."""
    records = answers([("Score: 8", []), ("Score: 6", []), (None, []), ("I cannot say.", [])])
    found = score_records(records, Judge())["overall"]
    assert (found["value"], found["n"], found["unparsed"], found["failed"]) == (7.0, 4, 2, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("No. Yesterday it was right", 0),  # Kimi-Audio-Evalkit looks for "yes" in the last line
        ("yes\nno", 0),
        ("eyes and nose", None),
        ("incorrect, so no", 0),
    ],
)
def test_a_label_is_a_word(text, value):
    row = JudgeLabel().stats(Sample(id="1", language="eng_Latn"), Output(text=text))
    assert row[2] == (value is None)
    assert value is None or row[0] == value


@pytest.mark.parametrize(("text", "named"), [("The sentence you gave is not plausible.", 1), ("It is plausible.", 0)])
def test_a_label_inside_a_longer_one_is_not_mentioned(text, named):
    """VoiceBench's reader of BBH takes "the sentence ... is not plausible" for plausible."""
    asked = Sample(id="1", language="eng_Latn", choices=("plausible", "not plausible"), answer=named)
    assert LabelMention().stats(asked, Output(text=text)).tolist() == [1, 1, 0]


def test_the_same_samples_scored_alone_or_with_others_have_the_same_rows():
    """Lmms-eval's debug print, MMMU's and VLMEvalKit's draws: a score depended on what was scored before it."""
    records = answers([("the dog", ["the dog"]), ("a cat", ["the cat"]), ("...", ["..."])])
    for scorer in (Bleu(), ChrF(), RougeL(), Anls(), ExactMatch()):
        whole = measure(records, scorer).stats
        alone = np.concatenate([measure([record], scorer).stats for record in records[::-1]])[::-1]
        np.testing.assert_array_equal(whole, alone)
