"""SEED-Bench-2: dimensions, parts and levels as the loader names them give the figures of GPT-4V's answers."""

from __future__ import annotations

import json
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

from loaders.seed_bench_2 import DIMENSIONS, PARTS, part_of
from mmbench.errors import UsageError
from mmbench.records import from_row
from mmbench.score import read_records
from mmbench.scorers.accuracy import Accuracy
from mmbench.scoring_file import score_records
from tests.published.samples import rows, sample

if TYPE_CHECKING:
    from pathlib import Path

    from mmbench.records import Record

PUBLISHED = (
    *(77.46, 73.95, 70.60, 61.80, 56.79, 56.93, 74.23, 78.55, 81.38, 91.82, 97.40, 45.27),
    *(71.86, 66.06, 71.06, 43.94, 68.21, 89.31, 64.77, 65.67, 51.67, 63.44, 29.17, 59.18),
)
"""Per cent of right answers in dimensions 1 to 24, of the whole file, comparing strings."""

HEAD = "seed-bench-2/GPT-4V.sb2.head2500.jsonl"


def record(name: str, prediction: str, answer: str) -> dict[str, Any]:
    """A row as `mmbench score` reads it, with the group fields of the loader."""
    number = int(name.partition("_")[0])
    group = {"dimension": str(number), "dimension_name": DIMENSIONS[number - 1], "part": part_of(number)}
    return {
        "sample_id": f"{name}/eng_Latn",
        "language": "eng_Latn",
        "prediction": prediction,
        "choices": ["one", "two", "three", "four"],
        "answer": answer.strip(),
        "group": {**group, "level": "L1" if number < 23 else "L2"},
    }


def whole() -> list[Record]:
    """As many right and wrong answers in each dimension as the whole published file has."""
    found = []
    for one in rows("seed-bench-2/GPT-4V.per_dimension_recomputed.csv"):
        for index in range(int(one["n_answered"])):
            right = index < int(one["n_correct"])
            found.append(from_row(record(f"{one['dim']}_{index}", "A" if right else "B", "A"), where="test"))
    return found


def test_dimensions_parts_and_levels() -> None:
    result = score_records(whole(), Accuracy(), ["dimension", "dimension_name", "part", "level"])
    by = result["by"]
    for number, wanted in enumerate(PUBLISHED, 1):
        for field, name in (("dimension", str(number)), ("dimension_name", DIMENSIONS[number - 1])):
            assert 100 * by[field][name]["value"] == pytest.approx(wanted, abs=5.1e-3)
    right = {part: round(found["value"] * found["n"]) for part, found in by["part"].items()}
    assert right == {"single_image": 11896, "multiple_images": 481, "video": 3299, "interleaved": 64}
    assert round(by["level"]["L1"]["value"] * by["level"]["L1"]["n"]) == 15676 and by["level"]["L1"]["n"] == 23023
    assert by["level"]["L2"]["n"] == by["part"]["interleaved"]["n"] == 169
    assert round(result["overall"]["value"] * 23192) == 15740
    macro = {"single_image": 69.94, "multiple_images": 78.76, "video": 61.39, "interleaved": 44.18}
    for part, wanted in macro.items():
        mean = fmean(by["dimension"][str(n)]["value"] for n in PARTS[part])
        assert 100 * mean == pytest.approx(wanted, abs=5.1e-3)


def test_guessing_is_a_quarter_in_each_dimension() -> None:
    for wanted, number in ((25.0, 5), (25.0, 23)):
        some = [each for each in whole() if each.sample.group["dimension"] == str(number)]
        assert 100 * score_records(some, Accuracy())["baselines"]["chance"] == wanted


SHIPPED = {
    # right answers and questions of each dimension among the first 2,500
    "9": (305, 350),
    "10": (281, 308),
    "11": (425, 435),
    "12": (185, 448),
    "13": (117, 173),
    "14": (181, 275),
    "15": (41, 59),
    "17": (297, 452),
}


def test_the_shipped_head() -> None:
    """Keys of dimension 12 have stray spaces: comparing strings gets 181 right there, four too few."""
    given = [json.loads(line.rstrip().removesuffix(",")) for line in sample(HEAD).read_text("utf-8").splitlines()]
    made = [from_row(record(one["question_id"], one["prediction"], one["gt_answer"]), where="test") for one in given]
    result = score_records(made, Accuracy(), ["dimension", "part"])
    by = result["by"]["dimension"]
    assert {name: (round(found["value"] * found["n"]), found["n"]) for name, found in by.items()} == SHIPPED
    assert {part: found["n"] for part, found in result["by"]["part"].items()} == {
        "single_image": 2048,
        "multiple_images": 452,
    }
    totals = {one["dim"]: int(one["n_answered"]) for one in rows("seed-bench-2/GPT-4V.per_dimension_recomputed.csv")}
    assert all(n <= totals[name] for name, (_, n) in SHIPPED.items())
    twelve = [one for one in given if one["question_id"].startswith("12_")]
    assert sum(one["prediction"] == one["gt_answer"] for one in twelve) == 181


TWICE = ("3_165", "5_84", "3_167", "5_85", "4_39", "5_86", "5_90", "1_105")
"""What the published file answers twice."""


@pytest.mark.parametrize("name", TWICE)
def test_each_of_the_eight_doubled_answers_is_refused_by_name(tmp_path: Path, name: str) -> None:
    given = [record(one, "A", "A") for one in ("2_1", *TWICE)] + [record(name, "B", "A")]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(map(json.dumps, given)), encoding="utf-8")
    with pytest.raises(UsageError, match=f"sample '{name}/eng_Latn' was answered in line {2 + TWICE.index(name)}"):
        read_records(path, strict=True)


def test_lines_as_published_are_refused_for_their_commas(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    lines = [json.dumps(record(name, "A", "A")) + "," for name in ("1_1", "1_2")]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UsageError, match=r"answers\.jsonl:1"):
        read_records(path, strict=True)
