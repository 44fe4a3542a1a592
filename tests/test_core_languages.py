"""Which languages and answers count where: means, pools, summaries, joined questions, and what is counted beside."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mmbench.arguments import parser
from mmbench.bootstrap import macro_wilson
from mmbench.compare import differences
from mmbench.measure import measure, poolable, split
from mmbench.records import to_row
from mmbench.score import score
from mmbench.scorers.accuracy import Accuracy
from mmbench.scorers.classification import MacroF1
from mmbench.scoring_file import score_file, score_records
from mmbench.store import dumps
from tests.fakes import WER, record

if TYPE_CHECKING:
    from pathlib import Path

    from mmbench.records import Record

SORRY = "I'm sorry, but I can't help with that."


@dataclass(frozen=True, kw_only=True)
class Sure(Accuracy):
    """Accuracy that is sure of itself in all languages but Swahili."""

    def averages(self, language: str) -> bool:
        return language != "swh_Latn"

    def pools(self, language: str) -> bool:
        return self.averages(language)


@dataclass(frozen=True, kw_only=True)
class Pairs(Accuracy):
    """Accuracy of pairs: right where both are."""

    joined_by: str = "pair"

    def join(self, rows: Any) -> Any:
        return np.array([rows[:, 0].min(), 1.0, rows[:, 2].max()])


def chosen(language: str, right: int, count: int, first: int = 0, **fields: Any) -> list[Record]:
    return [
        record(first + i, "yes" if i < right else "no", language=language, choices=("yes", "no"), answer=0, **fields)
        for i in range(count)
    ]


THREE = [*chosen("eng_Latn", 9, 10), *chosen("swh_Latn", 2, 20, 100), *chosen("hin_Deva", 4, 8, 200)]


def rows(records: list[Record], scorer: Any) -> dict[str, Any]:
    return {row.language: row for row in score(records, {"": scorer}, task="t", model="m")}


def test_what_is_not_pooled_is_in_neither_pool_nor_mean() -> None:
    found = rows(THREE, Sure())
    assert found["swh_Latn"].value == 0.1
    assert (found["all"].value, found["all"].n) == (pytest.approx(13 / 18), 18)
    assert (found["macro"].value, found["macro"].n) == (pytest.approx((0.9 + 0.5) / 2), 2)
    said = score_records(THREE, Sure())
    assert (said["overall"]["value"], said["overall"]["n"]) == (found["all"].value, 18)
    assert said["summary"]["median"] == pytest.approx(0.7)
    assert (said["summary"]["averaged"], said["summary"]["given"]) == (2, 3)
    assert [tag for tag, _ in said["summary"]["worst"]] == ["hin_Deva", "eng_Latn"]
    assert said["summary"]["gap"] == pytest.approx(0.5 - 0.9)


def test_one_language_alone_needs_no_pool() -> None:
    alone = chosen("swh_Latn", 2, 20)
    assert rows(alone, Sure())["all"].value == 0.1
    assert len(poolable(split(measure(THREE, Sure()), lambda each: each.sample.language), Sure())) == 2


def test_a_comparison_pools_and_averages_the_same_languages() -> None:
    a = [*chosen("eng_Latn", 9, 10), *chosen("swh_Latn", 20, 20, 100), *chosen("hin_Deva", 4, 8, 200)]
    b = [*chosen("eng_Latn", 5, 10), *chosen("swh_Latn", 0, 20, 100), *chosen("hin_Deva", 1, 8, 200)]
    found = differences(a, b, Sure())
    assert found["swh_Latn"].difference == 1
    every = found["all"]
    assert (every.a, every.b, every.n) == (pytest.approx(13 / 18), pytest.approx(6 / 18), 18)
    mean = found["macro"]
    assert (mean.a, mean.b, mean.n) == (pytest.approx(0.7), pytest.approx((0.5 + 0.125) / 2), 2)
    assert mean.difference == pytest.approx(mean.a - mean.b)


def test_the_mean_of_shares_has_the_interval_of_a_mean_of_shares() -> None:
    found = rows(THREE, Accuracy())["macro"]
    assert (found.low, found.high) == macro_wilson([(9, 10), (2, 20), (4, 8)])
    perfect = rows([*chosen("eng_Latn", 5, 5), *chosen("hin_Deva", 5, 5, 100)], Accuracy())["macro"]
    assert perfect.low < 0.9 and perfect.high == 1, "ten right answers do not make a system perfect"


def test_the_worst_language_of_an_error_rate_has_the_highest() -> None:
    found = score_records([record(1, "word1 and"), record(4, "x y z", language="eng_Latn")], WER)["summary"]
    assert [tag for tag, _ in found["worst"]] == ["eng_Latn", "swh_Latn"]


def test_labels_are_those_of_all_records() -> None:
    labels = ("a", "b")
    records = [
        record(i, labels[i % 2], language=tag, choices=labels, answer=i // 2 % 2)
        for i, tag in enumerate(["eng_Latn", "hin_Deva"] * 4)
    ]
    assert rows(records, MacroF1())["all"].value == score_records(records, MacroF1())["overall"]["value"]
    found = differences(records, records, MacroF1())["all"]
    assert found.a == found.b == rows(records, MacroF1())["all"].value


def test_failed_unparsed_and_refused_are_three_counts() -> None:
    asked: dict[str, Any] = {"choices": ("yes", "no"), "answer": 0, "language": "eng_Latn"}
    said = ["yes", None, "no", SORRY, SORRY, "who knows"]
    records = [record(i, text, **asked) for i, text in enumerate(said)]
    for row in rows(records, Accuracy()).values():
        assert (row.failed, row.unparsed, row.refused) == (1, 3, 2)
    entry = score_records(records, Accuracy())["languages"]["eng_Latn"]
    assert (entry["failed"], entry["unparsed"], entry["refused"], entry["n"]) == (1, 3, 2, 6)


def test_a_refusal_is_looked_for_in_the_language_of_the_answer() -> None:
    text = "Es tut mir leid, aber dabei kann ich nicht helfen."
    assert measure([record(1, text, language="eng_Latn", target_language="deu_Latn")], WER).refused.all()
    assert not measure([record(1, text, language="deu_Latn", target_language="eng_Latn")], WER).refused.any()


def pair(index: int, text: str | None, name: str, system: str | None = None) -> Record:
    asked = record(index, text, language="eng_Latn", choices=("yes", "no"), answer=0, group={"pair": name})
    return replace(asked, system=system)


def test_a_question_is_failed_or_refused_where_one_of_its_samples_is() -> None:
    records = [pair(1, "yes", "p"), pair(2, None, "p"), pair(3, SORRY, "q"), pair(4, "yes", "q"), pair(5, "yes", "r")]
    found = measure(records, Pairs())
    assert found.ids == ("p", "q", "r")
    assert found.failed.tolist() == [True, False, False]
    assert found.refused.tolist() == [False, True, False]
    assert rows(records, Pairs())["all"].n == 3


def test_a_question_is_one_for_each_system() -> None:
    records = [pair(1, "yes", "p", "one"), pair(2, "yes", "p", "one"), pair(1, "no", "p", "two")]
    assert measure(records, Pairs()).stats[:, 0].tolist() == [1, 0]


def test_groups_are_in_order_of_their_values() -> None:
    found = split(measure([record(i, "x") for i in range(6)], WER), lambda each: str(-int(each.sample.id[1:])))
    assert list(found) == sorted(found)


@pytest.fixture
def printed(tmp_path: Path):
    """What `mmbench score` prints of some records."""

    def run(records: list[Record], *arguments: str) -> str:
        path = tmp_path / "file.jsonl"
        lines = [{**to_row(each.sample, each.prediction), "system": each.system} for each in records]
        path.write_text("".join(dumps(line) + "\n" for line in lines), encoding="utf-8")
        return score_file(parser().parse_args(["score", str(path), "--scorer", *arguments]))

    return run


def test_the_table_of_a_file_says_what_stands_behind_it(printed) -> None:
    records = [*chosen("eng_Latn", 9, 10), *chosen("swh_Latn", 2, 20, 100), record(300, SORRY, language="eng_Latn")]
    text = printed(records, "accuracy")
    assert "median 50.0; worst 2: swh_Latn 10.0, eng_Latn 90.0; other languages minus English -80.0\n" in text
    assert "guessing: chance 50.0, majority 100.0\n" in text
    head, english = (next(line.split() for line in text.splitlines() if name in line) for name in ("n ", "eng_Latn"))
    assert head == ["accuracy", "n", "failed", "unparsed", "refused"]
    assert english[-4:] == ["11", "0", "0", "1"]
    thai = printed([record(i, "x and more") for i in range(6)], "wer")
    assert "the mean is of 2 of 3 languages\n" in thai


def test_baselines_and_means_of_groups_are_in_the_object(printed) -> None:
    found = json.loads(printed(THREE, "accuracy", "--by", "resource", "script", "--format", "json"))
    assert found["baselines"] == {"chance": 0.5, "majority": 1.0}
    latin = found["by"]["script"]["Latn"]
    assert latin["value"] == pytest.approx(11 / 30) and latin["macro"]["value"] == pytest.approx(0.5)
    assert (latin["n"], latin["macro"]["n"]) == (30, 2)


def test_several_systems_and_samples_without_a_reference_are_said(printed, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        printed([replace(record(1, "x"), system=name) for name in "ab"], "wer")
        assert "2 systems are scored as one; --by system tells them apart" in caplog.text
        printed([record(1, "x"), *chosen("eng_Latn", 1, 2, 10)], "accuracy")
        assert "1 of 3 samples give accuracy nothing to score" in caplog.text
        caplog.clear()
        printed([replace(record(1, "x"), system=name) for name in "ab"], "wer", "--by", "system")
        assert not caplog.records
