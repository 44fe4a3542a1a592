"""ArcMMLU: the published average is the mean of four subjects, not of items; mmbench prints both, each by its name."""

from __future__ import annotations

from statistics import fmean

import pytest

from mmbench.records import from_row
from mmbench.scorers.accuracy import Accuracy, chance, majority
from mmbench.scoring_file import score_records
from tests.published.samples import rows

# subject: its number of questions, and published accuracies of GPT-4 and Qwen-14B without examples
SUBJECTS = {"archive": (2213, 66.38, 66.65), "data": (1499, 82.12, 71.51), "library": (804, 66.79, 63.06)}
SUBJECTS["information"] = (1674, 78.55, 71.21)


def published(model: int) -> dict:
    """Scores of as many right answers as the published accuracies stand for."""
    records = []
    for subject, numbers in SUBJECTS.items():
        count = numbers[0]
        right = round(numbers[1 + model] * count / 100)
        for index in range(count):
            given = {
                "sample_id": f"{subject}{index}",
                "language": "zho_Hans",
                "prediction": "A" if index < right else "B",
            }
            choices = {"choices": ["甲", "乙", "丙", "丁"], "answer": 0, "group": {"subject": subject}}
            records.append(from_row({**given, **choices}, where="test"))
    return score_records(records, Accuracy(), ["subject"])


@pytest.mark.parametrize(("model", "average", "items"), [(0, 73.46, 73.54), (1, 68.11, 68.59)])
def test_average_of_subjects_and_of_items(model, average, items):
    found = published(model)
    subjects = [100 * one["value"] for one in found["by"]["subject"].values()]
    assert fmean(subjects) == pytest.approx(average, abs=6e-3)
    assert 100 * found["overall"]["value"] == pytest.approx(items, abs=6e-3)
    assert found["overall"]["n"] == 6190


def test_baselines_of_the_library_subject():
    found = []
    for row in rows("arcmmlu/test.library.csv"):
        choices = {"choices": [row[letter] for letter in "ABCD"], "answer": row["Answer"]}
        given = {"sample_id": row[""], "language": "zho_Hans", "prediction": row["Answer"], **choices}
        found.append(from_row(given, where="test"))
    assert len(found) == SUBJECTS["library"][0]
    assert chance(record.sample for record in found) == 0.25
    assert majority(record.sample for record in found) == pytest.approx(224 / 804)
    # question 477 has the option texts w, Z, A, Y: its key "A" is the letter of the first, and the text of the third
    wrong = [one.sample.id for one in found if Accuracy().stats(one.sample, one.prediction.output)[0] == 0]
    assert wrong in ([], ["477"])
