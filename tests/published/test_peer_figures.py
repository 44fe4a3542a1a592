"""Published figures that the other modules of this folder do not check, as far as the published samples reach."""

from __future__ import annotations

import csv
import json
from statistics import fmean

import pytest

from mmbench.compare import differences
from mmbench.measure import measure
from mmbench.records import from_row
from mmbench.scorers.accuracy import Accuracy, chance
from mmbench.scorers.classification import LabelMention, MacroF1
from mmbench.scorers.edit import ErrorRate
from mmbench.scorers.judge import Judge
from mmbench.scorers.judge_pairs import JudgeRelative
from mmbench.scorers.ranking import Ranking
from mmbench.scoring_file import score_records
from tests.published.samples import rows, sample

JUDGED = {"WavLLM_fairseq": (66.31, 11), "cascade_whisper_large_v3_llama_3_8b_instruct": (85.29, 16)}


def judged(model):
    """The published score of a system, and records of the twenty judgements that are published with it."""
    text = sample(f"audiobench-logs/{model}.cn_college_listen_mcq.judge.json").read_text(encoding="utf-8")
    log = json.loads(text)
    rows = enumerate(log["details"])
    records = [
        from_row({"sample_id": str(i), "language": "eng_Latn", "prediction": row["judge_response"]}, where="test")
        for i, row in rows
    ]
    return log["llama3_70b_judge"]["judge_score"], records


@pytest.mark.parametrize("model", JUDGED)
def test_judgements_of_audiobench(model):
    """Twenty of thousands of texts of the judge are published, so its score can only be checked on those."""
    published, right = JUDGED[model]
    stored, records = judged(model)
    assert stored == pytest.approx(published, abs=5e-3)
    found = score_records(records, Judge(high=1.0))["overall"]
    assert (found["value"], found["n"], found["unparsed"]) == (pytest.approx(right / 20), 20, 0)


def test_the_cascade_is_better_where_content_is_asked_for():
    (one, first), (other, second) = (judged(model) for model in reversed(JUDGED))
    found = differences(first, second, Judge(high=1.0))["eng_Latn"]
    assert one > other
    assert found.difference == pytest.approx(5 / 20)
    assert (found.n, found.test) == (20, "randomisation")


CONTENT = {  # cascade, WavLLM, Qwen2-Audio, SALMONN, Qwen-Audio, Phi-4-multimodal
    "cn_college_listen_mcq": (85.29, 66.31, 74.72, 50.99, 63.23, 73.18),
    "dream_tts_mcq": (86.46, 66.54, 66.49, 56.46, 59.75, 72.61),
    "spoken_squad": (83.82, 77.65, 64.86, 66.40, 64.83, 77.59),
}
VOICE = {
    "iemocap_emotion": (46.71, 59.76, 53.98, 23.80, 29.38, 41.04),
    "voxceleb_gender": (42.92, 69.61, 99.12, 88.80, 70.60, 94.54),
}


@pytest.mark.parametrize(("other", "content", "voice"), [(1, 15.02, -19.87), (2, 16.50, -31.73), (5, 10.73, -22.97)])
def test_cascades_win_what_is_said_and_lose_how_it_is_said(other, content, voice):
    """Published scores of the judge by task: the sign depends on the kind of task, so both kinds are reported."""
    rows = [
        (kind, task, values) for kind, of in (("content", CONTENT), ("voice", VOICE)) for task, values in of.items()
    ]

    def records(system):
        given = [(kind, task, f"Score: {values[system]}") for kind, task, values in rows]
        fields = [
            {"sample_id": task, "language": "eng_Latn", "prediction": said, "group": {"kind": kind}}
            for kind, task, said in given
        ]
        return [from_row(row, where="test") for row in fields]

    parts = [score_records(records(system), Judge(high=100.0), ["kind"])["by"]["kind"] for system in (0, other)]
    gaps = {kind: parts[0][kind]["value"] - parts[1][kind]["value"] for kind in ("content", "voice")}
    assert gaps == pytest.approx({"content": content, "voice": voice}, abs=6e-3)
    found = differences(records(0), records(other), Judge(high=100.0))["eng_Latn"]
    assert found.difference == pytest.approx((3 * gaps["content"] + 2 * gaps["voice"]) / 5)


def sib(language):
    labels = sample("sib-200/labels.txt").read_text(encoding="utf-8").split()
    with sample(f"sib-200/gpt4_output.{language}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        from_row(
            {
                "sample_id": f"{language}{row['index_id']}",
                "language": language,
                "prediction": row["gpt-4"],
                "choices": labels,
                "answer": labels.index(row["category"]),
            },
            where="test",
        )
        for row in rows
    ]


def test_unparsed_and_refused_stand_beside_the_accuracy_of_sib_200():
    found = score_records([*sib("eng_Latn"), *sib("swh_Latn")], LabelMention())
    english, swahili = (found["languages"][tag] for tag in ("eng_Latn", "swh_Latn"))
    assert (round(100 * english["value"], 1), english["unparsed"], english["n"]) == (81.4, 3, 204)
    assert (round(100 * swahili["value"], 1), swahili["unparsed"], swahili["n"]) == (77.5, 10, 204)
    assert found["overall"]["unparsed"] == 13
    assert swahili["refused"] >= 5 > english["refused"]
    assert found["baselines"] == pytest.approx({"chance": 1 / 7, "majority": 0.25})


def test_medication_qa_has_one_right_answer_in_five():
    lines = sample("xlinghealth/MedicationQA.head40.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    always_no = {"choices": ["Yes", "No"], "choice_scores": [-1.0, 0.0], "prediction": "No", "language": "eng_Latn"}
    records = [
        from_row({**always_no, "sample_id": str(i), "answer": 1 - int(row["label"])}, where="test")
        for i, row in enumerate(rows)
    ]
    questions = {row["question_English"]: 0 for row in rows}
    for row in rows:
        questions[row["question_English"]] += int(row["label"])
    assert set(questions.values()) == {1}
    assert len(rows) == 5 * len(questions) == 40
    assert score_records(records, MacroF1())["overall"]["value"] == pytest.approx(0.444, abs=5e-4)
    assert score_records(records, Accuracy())["overall"]["value"] == 0.8


def test_milu_is_the_mean_over_questions():
    """The group's score weighs languages by size; with accuracies of 1/11 to 11/11 that is not the mean over them."""
    counts = (6638, 4827, 14837, 6234, 4321, 6924, 4525, 4099, 6372, 7304, 13536)
    languages = "ben guj hin kan mal mar ory pan tam tel eng".split()
    assert sum(counts) == 79617
    records = []
    for number, (language, count) in enumerate(zip(languages, counts, strict=True), start=1):
        for index in range(count // 100):
            scores = [0.0, -1.0] if index < number * (count // 100) // 11 else [-1.0, 0.0]
            row = {"sample_id": f"{language}{index}", "language": language, "prediction": "", "choice_scores": scores}
            records.append(from_row({**row, "choices": ["1", "2"], "answer": 0}, where="test"))
    found = score_records(records, Accuracy())
    sizes = [one["n"] for one in found["languages"].values()]
    values = [one["value"] for one in found["languages"].values()]
    weighted = sum(n * value for n, value in zip(sizes, values, strict=True)) / sum(sizes)
    assert found["overall"]["value"] == pytest.approx(weighted)
    assert found["macro"]["value"] == pytest.approx(fmean(values))
    assert abs(weighted - fmean(values)) > 0.015


@pytest.mark.parametrize(
    ("mixspeech", "cascaded", "gain"),
    [(18.5, 12.7, 5.8), (15.1, 11.3, 3.8), (14.3, 11.5, 2.8), (17.2, 13.2, 4.0)],
)
def test_visual_translation_of_avmust_ted(mixspeech, cascaded, gain):
    """Here the cascade loses in all four languages; nothing in a comparison assumes who wins."""

    def one(value):
        row = {"sample_id": "1", "language": "spa_Latn", "prediction": f"Score: {value}"}
        return [from_row(row, where="test")]

    found = differences(one(mixspeech), one(cascaded), Judge(high=100.0))["spa_Latn"]
    swapped = differences(one(cascaded), one(mixspeech), Judge(high=100.0))["spa_Latn"]
    assert found.difference == pytest.approx(gain)
    assert swapped.difference == -found.difference
    assert found.p == swapped.p == 1, "one number each has no test"


def test_relative_score_of_x_llm_is_a_ratio_of_sums():
    """100 x (9 + 2) / (10 + 8) = 61.1 and not the mean of 90 and 25, in both orders of each pair."""
    pairs = {"1": (9, 10), "2": (2, 8)}
    records = [
        from_row(
            {
                "sample_id": f"{name}#{order}",
                "language": "zho_Hans",
                "prediction": f"{a} {b}" if order == "ab" else f"{b} {a}",
                "group": {"pair": name, "order": order},
            },
            where="test",
        )
        for name, (a, b) in pairs.items()
        for order in ("ab", "ba")
    ]
    found = score_records(records, JudgeRelative())
    assert found["languages"]["zho_Hans"]["value"] == pytest.approx(100 * 11 / 18)
    assert found["languages"]["zho_Hans"]["n"] == 2


@pytest.mark.parametrize(
    ("metric", "k", "value"),
    [("recall", 3, 0.1429), ("recall", 5, 0.2381), ("recall", 10, 0.4762), ("mrr", 10, 0.1395), ("auc", None, 0.5)],
)
def test_random_ranking_of_21_candidates(metric, k, value):
    """MLLM-MSR: one positive among 21; a model whose scores are all the same gets what chance gets."""
    row = {"sample_id": "1", "language": "eng_Latn", "choices": [str(i) for i in range(21)], "answer": 7}
    records = [from_row({**row, "prediction": "", "choice_scores": [0.0] * 21}, where="test")]
    found = score_records(records, Ranking(name="r", metric=metric, k=k))
    assert found["overall"]["value"] == pytest.approx(value, abs=5e-5)
    assert found["baselines"]["chance"] == pytest.approx(found["overall"]["value"])


def test_recognition_example_of_wavllm():
    """The output in its README has "browned" for "bruised": one word of 28, 3.57 %."""
    (row,) = rows("wavllm/asr.tsv", "\t")
    assert len(row["tgt_text"].split()) == 28
    given = {"sample_id": "1", "language": "eng_Latn", "references": [row["tgt_text"]]}
    record = from_row({**given, "prediction": row["tgt_text"].replace("bruised", "browned")}, where="test")
    found = score_records([record], ErrorRate(name="wer", unit="word"))["overall"]
    assert 100 * found["value"] == pytest.approx(3.57, abs=5e-3)
    assert found["counts"] == {"substitutions": 1, "deletions": 0, "insertions": 0, "units": 28}


def test_chance_of_seed_bench_2():
    lines = sample("seed-bench-2/GPT-4V.sb2.head2500.jsonl").read_text(encoding="utf-8").splitlines()
    keys = [json.loads(line.rstrip().removesuffix(","))["gt_answer"].strip() for line in lines]
    records = [
        from_row(
            {"sample_id": str(i), "language": "eng_Latn", "prediction": key, "choices": list("wxyz"), "answer": key},
            where="test",
        )
        for i, key in enumerate(keys)
    ]
    assert chance(record.sample for record in records) == 0.25
    assert measure(records, Accuracy()).stats[:, 1].sum() == 2500
