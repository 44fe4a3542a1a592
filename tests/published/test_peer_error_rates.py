"""Defects of peers in error rates: who is counted, which side is which, and what a few bad clips do."""

from __future__ import annotations

import json
import math

import pytest

from mmbench.compare import differences
from mmbench.errors import UsageError
from mmbench.records import from_row
from mmbench.score import MACRO, read_records, score
from mmbench.scorers.edit import ErrorRate, UtteranceMean
from mmbench.scorers.translation import ChrF
from mmbench.scoring_file import score_records
from tests.published.samples import sample

WER, CER = ErrorRate(name="wer", unit="word"), ErrorRate(name="cer", unit="char")
MEAN = UtteranceMean(name="wer_mean", unit="word")
RAW = ErrorRate(name="wer", unit="word", normalizer="none")


def answers(pairs, language="eng_Latn"):
    """Records of (reference, answer) pairs; None is a clip for which nothing came back."""
    given = [
        {"sample_id": f"{language}{index:04}", "language": language, "prediction": said, "references": [right]}
        for index, (right, said) in enumerate(pairs)
    ]
    return [from_row(row, where="test") for row in given]


def overall(pairs, scorer=WER):
    return score_records(answers(pairs), scorer)["overall"]


def test_the_reference_is_what_errors_are_divided_by():
    """UltraEval-Audio calls jiwer's cer with the two sides exchanged."""
    assert overall([("ab", "abcd")], CER)["value"] == 1.0
    assert overall([("abcd", "ab")], CER)["value"] == 0.5
    assert overall([("ab", "abcd")], CER)["counts"] == {"substitutions": 0, "deletions": 0, "insertions": 2, "units": 2}


def test_an_utterance_that_is_all_wrong_or_more_counts():
    """UltraEval-Audio's PracticeWERFilter drops those of 100 % and above, which hides what a model makes up."""
    found = overall([("a b c d", "a b c d"), ("yes", "thank you for watching this")])
    assert found["value"] == pytest.approx(5 / 5)
    assert (found["n"], found["counts"]["insertions"]) == (2, 4)


def test_utterances_without_an_answer_count():
    """WeNet #552, Kimi-Audio-Evalkit and UltraEval-Audio measure what came back: it would be 0 here."""
    found = overall([("a b", "a b"), ("c d", None), ("e f", None)])
    assert found["value"] == pytest.approx(4 / 6)
    assert (found["n"], found["failed"]) == (3, 2)


def test_what_is_made_up_in_silence_counts():
    """The open ASR leaderboard drops references that normalise to nothing; AudioBench makes them a word "empty"."""
    found = overall([("a b c d", "a b c d"), ("...", "thank you"), ("", "empty")])
    assert found["value"] == pytest.approx(3 / 4)
    assert found["counts"]["units"] == 4


def test_all_references_empty_is_no_crash_and_no_score():
    """UltraEval-Audio #30: ZeroDivisionError on "mm mm" and the like."""
    assert math.isnan(overall([("...", "mm mm"), ("", "")])["value"])


def test_an_extra_preamble_costs_its_words():
    """Qwen2-Audio #25: "the original content of this audio is" stands before what was said."""
    found = overall([("good morning", "The original content of this audio is: 'Good morning'")])
    assert found["counts"] == {"substitutions": 0, "deletions": 0, "insertions": 7, "units": 2}


def test_a_few_refusals_on_short_clips():
    """On Revolab one system has 15.0 % pooled and 87.3 % as a mean, from nine refusals: both, and how many refused."""
    refusal = "I'm sorry, but I can't help with that request because there is no audio in it to transcribe."
    long = " ".join("abcdefghij")
    pairs = [(long, long)] * 91 + [("yes", refusal)] * 9
    pooled, mean = overall(pairs), overall(pairs, MEAN)
    words = len(refusal.split())
    assert pooled["value"] == pytest.approx(9 * words / 919)
    assert mean["value"] == pytest.approx(9 * words / 100)
    assert mean["value"] > 5 * pooled["value"]
    assert (pooled["refused"], mean["refused"], pooled["n"]) == (9, 9, 100)


def test_rates_above_one_are_rates_and_are_averaged_with_nothing_else():
    """UltraEval-Audio's average takes 100 - WER, which is -179.9 for one set, and scores of other metrics beside it."""
    records = [*answers([("a", "v w x")], "eng_Latn"), *answers([("a b", "a b")], "deu_Latn")]
    found = score(records, {"wer": WER, "chrf": ChrF()}, task="t", model="m")
    means = {row.metric: row.value for row in found if row.language == MACRO}
    assert means["wer"] == pytest.approx((3 + 0) / 2)
    assert means["chrf"] == pytest.approx((0 + 100) / 2)
    assert len(found) == 2 * 4, "each row is of one metric"


@pytest.mark.parametrize("text", ["null", "NA", "nan", "None", "0012", "1e5", "true", "", "y" * 40_000])
def test_what_tables_take_for_something_else_stays_text(tmp_path, text):
    """Pandas reads "0012" as 12 and "null" or "NA" as nothing; Kimi-Audio-Evalkit drops who says "null".

    VLMEvalKit's tables cut an answer after 32,767 characters.
    """
    path = tmp_path / "said.jsonl"
    row = {"sample_id": "01", "language": "eng_Latn", "prediction": text, "references": [f"{text} x".strip()]}
    other = {**row, "sample_id": "1"}  # not the same id as 01
    path.write_text(json.dumps(row) + "\n" + json.dumps(other) + "\n", encoding="utf-8")
    records = list(read_records(path, strict=True).values())
    assert [each.prediction.output.text for each in records] == [text, text]
    found = score_records(records, RAW)["overall"]
    assert (found["n"], found["failed"]) == (2, 0)
    assert found["value"] == (0.5 if text else 1.0)


def test_one_answer_that_is_missing_does_not_make_all_of_them_wrong():
    """VLMEvalKit #1704: one NaN among the predictions turned a whole set to 0; lmms-eval PR #1311: it was discarded."""
    found = overall([("a b", "a b")] * 99 + [("a b", None)])
    assert found["value"] == pytest.approx(0.01)


def test_a_number_in_the_place_of_an_answer_is_refused_with_its_line(tmp_path):
    path = tmp_path / "said.jsonl"
    path.write_text('{"sample_id": "1", "language": "eng_Latn", "prediction": NaN, "references": ["a"]}\n')
    with pytest.raises(UsageError, match=r"said.jsonl:1: field 'prediction' must be text, not a number"):
        read_records(path, strict=True)


def test_outputs_that_moved_by_one_are_joined_by_id_and_not_by_place():
    """Fleurs-SLU lost one Nepali clip and shifted all that followed: a CER of .932 beside .100 of the test set.

    Hearing-to-translate and ADU-Bench pair files by line as well.
    """
    texts = [f"sentence number {index} of a long list" for index in range(40)]
    whole = answers([(text, text) for text in texts])
    lost = whole[:7] + whole[8:]
    found = differences(whole, lost[::-1], CER, intersect=True)["eng_Latn"]
    assert (found.a, found.b, found.n) == (0, 0, 39)


def published(model):
    """Pairs of an AudioBench log, as records with the names of their places."""
    file = sample(f"audiobench-logs/{model}.idpc_short_test_wer_score.json")
    rows = json.loads(file.read_text(encoding="utf-8"))["sample_wer"]
    return answers([(row["reference"], row["prediction"]) for row in rows])


WAVLLM, WHISPER = "WavLLM_fairseq", "whisper_large_v3"
CASCADE = "cascade_whisper_large_v3_llama_3_8b_instruct"


@pytest.mark.parametrize(
    ("model", "pooled", "mean"),
    [(WAVLLM, 0.367285, 0.437236), (WHISPER, 0.166253, 0.190363), (CASCADE, 0.158036, 0.174110)],
)
def test_published_rates_of_idpc_by_the_public_command(model, pooled, mean):
    records = published(model)
    found = score_records(records, RAW)["overall"]
    assert found["value"] == pytest.approx(pooled, abs=5e-7)
    assert found["low"] < pooled < found["high"]
    utterances = UtteranceMean(name="wer_mean", unit="word", normalizer="none")
    assert score_records(records, utterances)["overall"]["value"] == pytest.approx(mean, abs=5e-7)


def test_published_difference_of_idpc_is_paired():
    found = differences(published(WAVLLM), published(CASCADE), RAW)["eng_Latn"]
    assert found.difference == pytest.approx(0.367285 - 0.158036, abs=1e-6)
    assert found.real()
    assert (found.test, found.n) == ("mapsswe", 122)
    near = differences(published(WHISPER), published(CASCADE), RAW)["eng_Latn"]
    assert near.difference == pytest.approx(0.166253 - 0.158036, abs=1e-6)
    assert near.low < 0 < near.high, "122 clips do not tell the two apart"
    assert not near.real()
