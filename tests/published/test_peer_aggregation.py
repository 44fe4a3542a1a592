"""Defects of peers in averages, groups, intervals and comparisons, with the number that is right."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from mmbench.bootstrap import wilson
from mmbench.compare import differences
from mmbench.config import compose, names
from mmbench.errors import UsageError
from mmbench.records import from_row
from mmbench.scorers.accuracy import Accuracy, CircularAccuracy
from mmbench.scorers.edit import ErrorRate
from mmbench.scorers.instructions import InstructionFollowing
from mmbench.scorers.mean import MeanOfSamples
from mmbench.scorers.ranking import Ranking
from mmbench.scoring_file import score_records


@dataclass(frozen=True, kw_only=True)
class Figure(MeanOfSamples):
    """The number that an answer is; an answer without one cannot be scored."""

    name: ClassVar[str] = "figure"

    def stats(self, sample, output):
        return np.array([float(output.text), 1.0]) if output and output.text else np.zeros(2)

    def signature(self, languages):
        return "figure"


def figures(values, **fields):
    """A record with a number for each (id, language) or id."""
    given = [(name, "eng_Latn", value) if isinstance(name, str) else (*name, value) for name, value in values.items()]
    rows = [
        {"sample_id": name, "language": language, "prediction": str(value), **fields} for name, language, value in given
    ]
    return [from_row(row, where="test") for row in rows]


def chosen(right: int, wrong: int, language: str = "eng_Latn", unparsed: int = 0, failed: int = 0, **fields):
    """Records of multiple choice; how a text is parsed plays no part but for an empty one, which names nothing."""
    kinds = [(0.0, -1.0)] * right + [(-1.0, 0.0)] * wrong + [()] * unparsed + [None] * failed
    rows = []
    for index, scores in enumerate(kinds):
        row = {"sample_id": f"{language}{index}", "language": language, "choices": ["yes", "no"], "answer": 0, **fields}
        said = {"prediction": None} if scores is None else {"prediction": "", "choice_scores": list(scores)}
        rows.append(from_row({**row, **said}, where="test"))
    return rows


def test_unparsed_answers_are_wrong_and_counted_and_not_guessed():
    """VoiceBench, MMMU, M3GIA, ArcMMLU and VLMEvalKit draw a choice, which gives .70 here."""
    found = score_records(chosen(40, 0, unparsed=60), Accuracy())["overall"]
    assert (found["value"], found["n"], found["unparsed"]) == (0.4, 100, 60)


def test_failed_answers_are_wrong_and_counted():
    """Lmms-eval: out of memory on every second batch was 32 of 64 answers "" and no word about it."""
    found = score_records(chosen(32, 0, failed=32), Accuracy())["overall"]
    assert (found["value"], found["n"], found["failed"], found["unparsed"]) == (0.5, 64, 32, 0)


def test_a_missing_cell_is_no_number():
    """IGLUE fills missing cells with -1.0, and some of its averages take them in."""
    values = {("a", "deu_Latn"): 0.4, ("b", "rus_Cyrl"): 0.6, ("c", "swh_Latn"): ""}
    found = score_records(figures(values), Figure())
    assert found["macro"]["value"] == pytest.approx(0.5)
    assert (found["macro"]["n"], found["summary"]["averaged"], found["summary"]["given"]) == (2, 2, 3)
    assert math.isnan(found["languages"]["swh_Latn"]["value"])


def test_published_mean_without_english_of_iglue():
    """Image retrieval R@1 of UC2 on xFlickr&CO: the published 20.31 leaves English out; the mean of all is 22.44."""
    languages = "deu_Latn spa_Latn ind_Latn jpn_Jpan rus_Cyrl tur_Latn zho_Hans".split()
    values = dict(zip(languages, (28.6, 15.95, 14.6, 24.25, 20.0, 7.15, 31.6), strict=True))
    found = score_records(figures({(tag, tag): value for tag, value in {**values, "eng_Latn": 37.4}.items()}), Figure())
    assert found["summary"]["gap"] + 37.4 == pytest.approx(20.31, abs=5e-3)
    assert found["macro"]["value"] == pytest.approx(22.44, abs=5e-3)
    assert found["summary"]["worst"][0] == ("tur_Latn", 7.15)


def test_who_skipped_the_hard_set_is_not_first():
    """Open ASR leaderboard: 8.20 over three sets stands above 8.34 over four, which is 6.84 on the same three."""
    some, all_of = {"a": 8.2, "b": 8.2, "c": 8.2}, {"a": 6.84, "b": 6.84, "c": 6.84, "d": 12.84}
    means = [score_records(figures(each), Figure())["overall"]["value"] for each in (some, all_of)]
    assert means == pytest.approx([8.20, 8.34])
    with pytest.raises(UsageError, match="not the same samples: 0 are only in the first and 1 only in the second"):
        differences(figures(some), figures(all_of), Figure())
    found = differences(figures(some), figures(all_of), Figure(), intersect=True)["eng_Latn"]
    assert (found.a, found.b, found.n) == (pytest.approx(8.20), pytest.approx(6.84), 3)


def test_groups_are_equal_values_and_not_parts_of_them():
    """Lmms-eval takes "acc" for "acc_norm,none", SEED-Bench a subpart for each whose name holds it."""
    records = [
        *figures({"1": 0.0}, group={"part": "acc"}),
        *figures({"2": 1.0}, group={"part": "acc_norm"}),
        *figures({"3": 1.0}, group={"part": "Acc"}),
    ]
    found = score_records(records, Figure(), ["part"])["by"]["part"]
    assert {name: (one["value"], one["n"]) for name, one in found.items()} == {
        "acc": (0.0, 1),
        "acc_norm": (1.0, 1),
        "Acc": (1.0, 1),
    }


def test_large_and_small_languages_may_change_the_order():
    """MTVQA's podium by pooled answers is another than by languages; EXAMS-V has 439 to 3,969 in each. Both show."""
    large, small = (700, 300, "hrv_Latn"), (10, 90, "fra_Latn")
    one = [*chosen(*large), *chosen(*small)]
    other = [*chosen(650, 350, "hrv_Latn"), *chosen(30, 70, "fra_Latn")]
    first, second = (score_records(each, Accuracy()) for each in (one, other))
    assert [each["overall"]["value"] for each in (first, second)] == pytest.approx([710 / 1100, 680 / 1100])
    assert [each["macro"]["value"] for each in (first, second)] == pytest.approx([0.40, 0.475])


def test_d14_interval_of_the_mean_over_languages_by_the_public_command():
    """.9 of 10,000 and .4 of 100: standard error of the mean .0245, which lm-eval and lmms-eval print as .0030."""
    found = score_records([*chosen(9000, 1000, "eng_Latn"), *chosen(40, 60, "swh_Latn")], Accuracy())
    macro, pooled = found["macro"], found["overall"]
    assert macro["value"] == pytest.approx(0.65)
    assert (macro["high"] - macro["low"]) / (2 * 1.96) == pytest.approx(0.0245, rel=0.05)
    assert (pooled["high"] - pooled["low"]) / (2 * 1.96) == pytest.approx(0.0030, rel=0.05)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"), [(59, 81, 0.623, 0.813), (160, 220, 0.665, 0.782), (653, 900, 0.695, 0.754)]
)
def test_wilson_of_belebele_fleurs(right, n, low, high):
    """Languages of Belebele-Fleurs have 81 to 900 questions: at .726 an interval of 19 points or of 6."""
    assert wilson(right, n) == pytest.approx((low, high), abs=5.5e-4)


def test_interval_of_pooled_instructions_is_not_that_of_shares_of_prompts():
    """Multi-IF pools instructions for the value, but resamples each prompt's own share for its interval."""
    one = [{"id": "punctuation:no_comma", "kwargs": {}}]
    three = [*one, {"id": "detectable_format:title", "kwargs": {}}, {"id": "startend:quotation", "kwargs": {}}]
    rows = [("no comma", one)] * 150 + [("a, b", three)] * 150
    records = [
        from_row(
            {
                "sample_id": str(i),
                "language": "eng_Latn",
                "prediction": said,
                "group": {"instructions": json.dumps(of)},
            },
            where="test",
        )
        for i, (said, of) in enumerate(rows)
    ]
    found = score_records(records, InstructionFollowing(part="instruction_strict"))["overall"]
    assert found["value"] == 150 / 600
    assert found["low"] < 0.25 < found["high"] < 0.5, "the mean of shares is .5"


def test_rotations_are_joined_by_name_wherever_they_stand():
    """Centurio takes rows in groups of four as they come, VLMEvalKit ids modulo a million."""
    rows = []
    for question, said in (("q1", "0000"), ("1000001", "0010"), ("1", "0000")):
        for shift, choice in enumerate(said):
            choices = [f"c{(index + shift) % 4}" for index in range(4)]
            scores = [0.0 if text == f"c{choice}" else -1.0 for text in choices]
            row = {"sample_id": f"{question}/{shift}", "language": "eng_Latn", "prediction": ""}
            more = {"choices": choices, "choice_scores": scores, "answer": choices.index("c0")}
            rows.append(from_row({**row, **more, "group": {"circular": question}}, where="test"))
    for order in (rows, rows[::-1], rows[::3] + rows[1::3] + rows[2::3]):
        found = score_records(order, CircularAccuracy(name="circular"))["overall"]
        assert (found["value"], found["n"]) == (pytest.approx(2 / 3), 3)


def test_each_sample_is_read_in_its_own_language():
    """Lmms-eval takes the language of the last sample for all: a capital I is no dotless one in English."""
    rows = [("tur_Latn", "ISI", "\u0131s\u0131"), ("eng_Latn", "ISI", "isi")]
    records = [
        from_row({"sample_id": tag, "language": tag, "prediction": said, "references": [right]}, where="test")
        for tag, right, said in rows
    ]
    for order in (records, records[::-1]):
        assert score_records(order, ErrorRate(name="wer", unit="word"))["overall"]["value"] == 0


def test_ties_do_not_depend_on_a_sort():
    """MLLM-MSR sorts with an unstable argsort: equal scores are a hit or not by their place. Here each is the mean."""
    for answer in range(21):
        row = {"sample_id": "1", "language": "eng_Latn", "choices": [f"c{i}" for i in range(21)], "answer": answer}
        record = from_row({**row, "prediction": "", "choice_scores": [0.5] * 21}, where="test")
        found = score_records([record], Ranking(name="recall@3", metric="recall", k=3))
        assert found["overall"]["value"] == pytest.approx(3 / 21)
        assert found["baselines"]["chance"] == pytest.approx(3 / 21)


@pytest.mark.parametrize("name", [name for name in names("task") if name.endswith("_asr")])
def test_speech_recognition_is_scored_by_error_rates(name):
    """D17: lm-eval's only speech task is scored by BLEU; somebody proposed accuracy for Dynamic-SUPERB's."""
    scorers = compose([f"+task={name}"], name="empty").task.scorers
    assert {each._target_ for each in scorers.values()} == {"mmbench.scorers.edit.ErrorRate"}
    assert {each.unit for each in scorers.values()} >= {"word", "char"}
