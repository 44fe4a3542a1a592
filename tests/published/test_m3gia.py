"""M3GIA: the published tables of 15 models come out again, by type and cluster, and as a table for the factor model."""

from __future__ import annotations

import csv
import io
import json

import pytest

from loaders.m3gia import CLUSTERS, GIA_COLUMNS, NAMES, abilities
from mmbench.config import load
from mmbench.records import Record, from_row
from mmbench.scoring_file import score_records
from mmbench.wide_table import as_csv, wide_table
from tests.published.samples import sample
from tests.published.workbook import table

CHINESE = "m3gia/MLLMs_acc_zh_score.xlsx"
WHOLE = range(1, 10)
"""Models whose Chinese counts are whole numbers; those of the others, and of most in English, are not."""


def questions() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(sample("m3gia/answer_dict_english.jsonl").read_text(encoding="utf-8"))
    return found


def answered(counts: dict[str, str], system: str) -> list[Record]:
    """Answers to all questions, of which the first of each type are right, as many as the table says."""
    left = {kind: int(counts[heading]) for kind, heading in GIA_COLUMNS.items()}
    found = []
    for one in questions():
        kind = NAMES.get(one["question_type"], one["question_type"])
        cluster = next(name for name, kinds in CLUSTERS.items() if kind in kinds)
        right = left[kind] > 0
        left[kind] -= 1
        letter = one["ground_truth"]
        row = {
            "sample_id": f"{one['question_id']}/zho_Hans",
            "language": "zho_Hans",
            "system": system,
            "prediction": f"({letter})" if right else "none",
            "choices": [f"text {each}" for each in "ABCDEF"],
            "answer": letter,
            "group": {"type": kind, "cluster": cluster, "Gv": "yes" if "Gv" in _abilities(one, kind) else "no"},
        }
        found.append(from_row(row, where="test"))
    return found


def _abilities(one: dict[str, str], kind: str) -> tuple[str, ...]:
    return abilities(kind, int(one["question_id"]))


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, str]]:
    """Whole counts by model."""
    found = {row["subid"]: row for row in table(sample(CHINESE)) if int(row["subid"]) in WHOLE}
    assert len(found) == 9
    return found


def test_the_wide_table_is_the_published_one(tables: dict[str, dict[str, str]]) -> None:
    records = [record for name, counts in tables.items() for record in answered(counts, name)]
    rows = wide_table(records, load("scorer", "m3gia"), "type", columns=GIA_COLUMNS, total="total_acc")
    header = next(csv.reader(io.StringIO(as_csv(rows))))
    assert header[1:20] == list(tables["1"])[1:20], "18 counts in columns 2 to 19, where R takes them, and the sum"
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert [row["system"] for row in read] == list(tables)
    for row in read:
        published = tables[row["system"]]
        assert {name: row[name] for name in GIA_COLUMNS.values()} == {
            name: published[name] for name in GIA_COLUMNS.values()
        }
        assert (row["total_acc"], row["n"]) == (published["total_acc"], "300")


def test_types_clusters_and_all_are_weighted_by_questions(tables: dict[str, dict[str, str]]) -> None:
    counts = tables["2"]
    result = score_records(answered(counts, "2"), load("scorer", "m3gia"), ["type", "cluster", "Gv"])
    assert result["overall"]["value"] == 180 / 300 and result["overall"]["unparsed"] == 120
    sizes = {kind: found["n"] for kind, found in result["by"]["type"].items()}
    assert (sizes["Visualization"], sizes["Math Facts"], sizes["Number Series"], sizes["Geometry"]) == (30, 25, 20, 10)
    for kind, heading in GIA_COLUMNS.items():
        assert result["by"]["type"][kind]["value"] == pytest.approx(int(counts[heading]) / sizes[kind])
    clusters = {"Common Sense": 50, "Visual-spatial": 60, "Comprehension": 40, "Mathematics": 60, "Reasoning": 90}
    for cluster, kinds in CLUSTERS.items():
        right = sum(int(counts[GIA_COLUMNS[kind]]) for kind in kinds)
        found = result["by"]["cluster"][cluster]
        assert (found["n"], round(found["value"] * found["n"])) == (clusters[cluster], right)
    assert result["by"]["Gv"]["yes"]["n"] == 120, "of Math Facts ten are about what is seen"


def test_published_totals_are_sums_of_their_rows_but_for_three() -> None:
    """English totals are; three Chinese ones are not, and fractions of questions stand in both."""
    for language, wrong in (("en", set()), ("zh", {"11", "12", "13"})):
        found = set()
        for row in table(sample(f"m3gia/MLLMs_acc_{language}_score.xlsx")):
            total = sum(float(row[name]) for name in GIA_COLUMNS.values())
            if abs(total - float(row["total_acc"])) > 1e-6:
                found.add(row["subid"])
        assert found == wrong
    english = {row["subid"]: row["total_acc"] for row in table(sample("m3gia/MLLMs_acc_en_score.xlsx"))}
    assert (english["1"], english["2"]) == ("199.01", "184.41")


def test_the_published_answers_are_read_as_published() -> None:
    """The two example answers; the rules of M3GIA take the bare letter."""
    rows = [json.loads(line) for line in sample("m3gia/example_output.jsonl").read_text("utf-8").splitlines()]
    scorer = load("scorer", "m3gia")
    for row in rows:
        made = {
            "sample_id": row["question_id"],
            "language": "eng_Latn",
            "prediction": row["response"],
            "choices": row["options"],
            "answer": row["prediction"],
        }
        record = from_row(made, where="test")
        assert float(scorer.stats(record.sample, record.prediction.output)[0]) == 1.0
    assert len(rows) == 2
