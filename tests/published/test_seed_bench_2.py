"""SEED-Bench-2: GPT-4V's published answers give the recomputed accuracies, pooled, per dimension and per part."""

from __future__ import annotations

import json
from statistics import fmean

import pytest

from mmbench.errors import UsageError
from mmbench.records import Record, from_row
from mmbench.score import read_records
from mmbench.scorers.accuracy import Accuracy, majority
from mmbench.scoring_file import score_records
from tests.published.samples import rows, sample

CHOICES = ["first", "second", "third", "fourth"]
PARTS = {"single": range(1, 17), "multi": range(17, 19), "video": range(19, 23), "interleaved": range(23, 25)}
ANSWERS = "seed-bench-2/GPT-4V.sb2.head2500.jsonl"


def published() -> list[dict[str, str]]:
    """Rows as they are published: one object a line, with a comma behind, which is no JSON."""
    lines = sample(ANSWERS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line.rstrip().removesuffix(",")) for line in lines]


def row(name: str, prediction: str, answer: str, dimension: int) -> dict:
    part = next(part for part, dimensions in PARTS.items() if dimension in dimensions)
    group = {"dimension": str(dimension), "part": part, "level": "L2" if part == "interleaved" else "L1"}
    return {
        "sample_id": name,
        "language": "eng_Latn",
        "prediction": prediction,
        "choices": CHOICES,
        "answer": answer,
        "group": group,
    }


def answered() -> list[Record]:
    found = []
    for one in published():
        dimension = int(one["question_id"].partition("_")[0])
        made = row(one["question_id"], one["prediction"], one["gt_answer"].strip(), dimension)
        found.append(from_row(made, where="test"))
    return found


def test_published_letters_are_all_read():
    """Eleven of these keys have a space behind the letter; comparing strings takes four right answers for wrong ones.

    In the whole file there are 19: 15,740 of 23,192 by strings, as the figure 67.87 counts, 15,751 (67.92) by letters.
    """
    given = published()
    result = score_records(answered(), Accuracy(), ["dimension"])
    by_string = sum(one["prediction"] == one["gt_answer"] for one in given)
    assert sum(one["gt_answer"] != one["gt_answer"].strip() for one in given) == 11
    assert (len(given), by_string) == (2500, 1828)
    assert result["overall"]["value"] == (by_string + 4) / 2500
    assert result["overall"]["unparsed"] == result["overall"]["failed"] == result["overall"]["refused"] == 0
    assert [result["by"]["dimension"][str(n)]["n"] for n in (9, 11, 17)] == [350, 435, 452]


def test_a_key_with_a_space_is_refused_and_not_taken_for_a_wrong_answer():
    sample(ANSWERS)
    with pytest.raises(UsageError, match="field 'answer' is 'A '"):
        from_row(row("12_0", "A", "A ", 12), where="test")


def test_a_question_that_is_answered_twice_is_refused_with_its_lines(tmp_path):
    """The published file answers eight questions twice, three of them differently: no one may pick silently."""
    path = tmp_path / "answers.jsonl"
    given = [row("3_165", "A", "A", 3), row("5_84", "B", "A", 5), row("3_165", "B", "A", 3)]
    path.write_text("\n".join(map(json.dumps, given)), encoding="utf-8")
    with pytest.raises(UsageError, match=r"answers.jsonl:3: sample '3_165' was answered in line 1"):
        read_records(path, strict=True)


def whole() -> list[Record]:
    """As many right and wrong answers in each dimension as the whole published file has."""
    found = []
    for one in rows("seed-bench-2/GPT-4V.per_dimension_recomputed.csv"):
        dimension, right = int(one["dim"]), int(one["n_correct"])
        for index in range(int(one["n_answered"])):
            made = row(f"{dimension}_{index}", "A" if index < right else "B", "A", dimension)
            found.append(from_row(made, where="test"))
    return found


def test_all_23192_answers():
    result = score_records(whole(), Accuracy(), ["dimension", "part", "level"])
    overall, by = result["overall"], result["by"]
    assert overall["n"] == 23192
    assert 100 * overall["value"] == pytest.approx(67.87, abs=5e-3)
    values = {int(name): 100 * found["value"] for name, found in by["dimension"].items()}
    assert fmean(values.values()) == pytest.approx(67.11, abs=5e-3), "dimensions differ in size: 49 to 4,650"
    assert fmean(values[n] for n in range(1, 23)) == pytest.approx(69.19, abs=5e-3)
    assert 100 * by["level"]["L1"]["value"] == pytest.approx(68.09, abs=5e-3)
    micro = {"single": (69.87, 17026), "multi": (73.32, 656), "video": (61.77, 5341), "interleaved": (37.87, 169)}
    macro = {"single": 69.94, "multi": 78.76, "video": 61.39, "interleaved": 44.18}
    for part, (value, n) in micro.items():
        assert 100 * by["part"][part]["value"] == pytest.approx(value, abs=5e-3)
        assert by["part"][part]["n"] == n
        assert fmean(values[dimension] for dimension in PARTS[part]) == pytest.approx(macro[part], abs=5.1e-3)


def test_majority_of_a_dimension():
    found = [record.sample for record in answered() if record.sample.group["dimension"] == "17"]
    assert 100 * majority(found) == pytest.approx(38.23, abs=3), "452 of its 497 questions are here"
