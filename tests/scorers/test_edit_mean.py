"""The mean of rates per utterance is another metric than the pooled rate, with its own name and its own rules."""

from __future__ import annotations

import json
from pathlib import Path

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench import __version__
from mmbench.schema import Audio, Output, Sample, Scorer, Step
from mmbench.scorers.edit import ErrorRate, UtteranceMean

LOGS = Path(__file__).resolve().parents[2] / "../shared/samples/audiobench-logs"
POOLED = ErrorRate(name="wer", unit="word", normalizer="none")
MEAN = UtteranceMean(name="wer_mean", unit="word", normalizer="none")
WORDS = st.lists(st.sampled_from("a b c d e".split()), max_size=8).map(" ".join)


def stats(scorer, references, answer):
    references = (references,) if isinstance(references, str) else references
    sample = Sample(id="1", language="eng_Latn", references=references)
    return scorer.stats(sample, None if answer is None else Output(text=answer))


def value(scorer, pairs):
    return float(scorer.reduce(np.sum([stats(scorer, *pair) for pair in pairs], axis=0)))


@given(st.lists(st.tuples(WORDS.filter(bool), WORDS), min_size=1, max_size=8))
def test_it_is_the_mean_of_jiwers_rates(pairs):
    assert value(MEAN, pairs) == pytest.approx(np.mean([jiwer.wer(*pair) for pair in pairs]), abs=1e-9)
    letters = UtteranceMean(name="cer_mean", unit="char", normalizer="none")
    rates = [jiwer.cer(*(text.replace(" ", "") for text in pair)) for pair in pairs]
    assert value(letters, pairs) == pytest.approx(np.mean(rates), abs=1e-9)


@given(WORDS, WORDS)
def test_the_mean_over_one_utterance_is_its_pooled_rate(reference, hypothesis):
    if reference:
        assert value(MEAN, [(reference, hypothesis)]) == value(POOLED, [(reference, hypothesis)])


def test_the_two_rank_systems_in_opposite_order():
    """As SALMONN and WavLLM on TED-LIUM 3: pooled 4.60 < 6.62 %, mean 9.76 > 6.39 %."""
    long, short = "a b c d e f g h i j k l m n o p q r s t", "yes"
    one = [(long, long), (short, "guess so")]  # wrong where it is short
    other = [(long, long.replace("a b c d", "w x y z")), (short, short)]
    assert value(POOLED, one) == pytest.approx(2 / 21)
    assert value(POOLED, other) == pytest.approx(4 / 21)
    assert value(MEAN, one) == pytest.approx(1.0)
    assert value(MEAN, other) == pytest.approx(0.1)


def test_empty_texts():
    """An answer to silence has the rate 1: not the number of insertions (jiwer 4) and not infinity (torchmetrics)."""
    assert stats(MEAN, "", "").tolist() == [0, 1]
    assert stats(MEAN, "", "a b c").tolist() == [1, 1]
    assert stats(MEAN, "a b", "").tolist() == [1, 1]
    assert stats(MEAN, "a", "x y z").tolist() == [3, 1]
    assert value(MEAN, [("", "thank you for watching"), ("a b", "a b")]) == 0.5
    assert stats(UtteranceMean(name="wer_mean", unit="word"), "...", "?").tolist() == [0, 1]


def test_nothing_to_score_is_no_number():
    assert stats(MEAN, (), "a").tolist() == [0, 0]
    np.testing.assert_equal(MEAN.reduce(np.array([[0.0, 0], [3, 4]])), [np.nan, 0.75])


def test_a_failed_sample_is_wrong_even_where_there_was_nothing_to_say():
    for references in ("a b", "", ("", "a b")):
        assert stats(MEAN, references, None).tolist() == [1, 1]


def test_of_several_references_the_lowest_rate_counts():
    assert stats(MEAN, ("a b c d", "a b e"), "a b x").tolist() == [1 / 3, 1]
    assert stats(MEAN, ("a", ""), "x y z").tolist() == [1, 1]


def test_a_stage_of_a_cascade():
    scorer = UtteranceMean(name="wer_mean@asr", unit="word", stage="asr")
    sample = Sample(id="1", language="fra_Latn", parts=(Audio(b"", transcript="a b"),), references=("no",))
    assert scorer.stats(sample, Output(text="no", steps=(Step("asr", 0, "a x"),))).tolist() == [0.5, 1]
    assert scorer.stats(sample, Output(text="no", steps=(Step("mt", 0, "z"),))).tolist() == [0, 0]
    assert scorer.stats(sample, None).tolist() == [0, 0], "another stage may be to blame"


def test_protocol_and_signature():
    scorer: Scorer = MEAN
    assert not scorer.higher_is_better
    assert not scorer.proportion
    assert scorer.fraction
    assert scorer.unparsed(np.zeros(2)) == 0
    assert scorer.signature([]) == (
        "wer_mean|unit:word|norm:none/1|refs:best|mean:utterance|empty_ref:1|empty_both:0|macro:spaced"
        f"|mmbench:{__version__}"
    )
    assert not MEAN.averages("tha_Thai")
    assert not hasattr(scorer, "pair"), "MAPSSWE tests pooled errors, which this is not"


@pytest.mark.parametrize(
    ("model", "pooled", "mean"),
    [
        ("WavLLM_fairseq", 0.367285, 0.437236),
        ("whisper_large_v3", 0.166253, 0.190363),
        ("cascade_whisper_large_v3_llama_3_8b_instruct", 0.158036, 0.174110),
    ],
)
def test_published_logs_of_audiobench(model, pooled, mean):
    """Its texts are normalised already and have "empty" for empty ones; each utterance's rate agrees, too."""
    file = LOGS / f"{model}.idpc_short_test_wer_score.json"
    if not file.exists():
        pytest.skip("the logs are not here")
    log = json.loads(file.read_text(encoding="utf-8"))
    pairs = [(row["reference"], row["prediction"]) for row in log["sample_wer"]]
    assert len(pairs) == 122
    assert value(POOLED, pairs) == pytest.approx(pooled, abs=5e-7)
    assert value(POOLED, pairs) == pytest.approx(log["wer"], abs=1e-9)
    assert value(MEAN, pairs) == pytest.approx(mean, abs=5e-7)
    for pair, row in zip(pairs, log["sample_wer"], strict=True):
        assert stats(MEAN, *pair)[0] == pytest.approx(row["wer"], abs=1e-9)
