"""`mmbench calibrate`: files in, figures by language out, and the record that lets scores be averaged."""

from __future__ import annotations

import argparse
import json
import math

import numpy as np
import pytest

from mmbench.calibration import calibrate, calibrate_files
from mmbench.errors import UsageError
from mmbench.scorers.judge import Judge, JudgeLabel
from mmbench.scorers.judge_pairs import JudgePairwise


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def said(name, language, text, **group):
    return {"sample_id": name, "language": language, "prediction": text, **({"group": group} if group else {})}


def thought(name, language, value, **fields):
    return {"sample_id": name, "language": language, "human": value, **fields}


@pytest.fixture
def files(tmp_path):
    """English is judged as people do but for noise, Swahili two points too high; of Thai there is next to nothing."""
    rng, judged, human = np.random.default_rng(0), [], []
    for language, count, bias in (("eng_Latn", 40, 0), ("swh_Latn", 40, 2), ("tha_Thai", 3, 2)):
        for index in range(count):
            name, true = f"{language}-{index}", int(rng.integers(1, 8))
            judged.append(said(name, language, f"Score: {true + bias + (index % 3 - 1 if index < 39 else 0)}"))
            human.append(thought(name, language, true))
    return write(tmp_path / "judged.jsonl", judged), write(tmp_path / "human.jsonl", human)


def arguments(judged, human, **given):
    return argparse.Namespace(
        **{"judged": judged, "human": human, "scorer": "judge", "format": "json", "out": None} | given
    )


def test_bias_by_language(files):
    record = calibrate(*files, Judge())
    assert record["biased"] == ["swh_Latn"]
    english, swahili = record["languages"]["eng_Latn"], record["languages"]["swh_Latn"]
    assert (english["n"], english["bias"], swahili["bias"]) == (40, 0, 2)
    assert english["bias_low"] < 0 < english["bias_high"]
    assert 1.7 < swahili["bias_low"] < 2 < swahili["bias_high"] < 2.3
    assert swahili["pearson"] == pytest.approx(english["pearson"], abs=0.1), "a shift is no disagreement in rank"
    assert swahili["kappa"] < english["kappa"] - 0.2, "but it is one in kappa"
    assert record["overall"]["n"] == record["matched"] == 83


def test_record_lets_the_scorer_average(files, tmp_path):
    out = tmp_path / "record.json"
    text = calibrate_files(arguments(*files, out=out))
    assert json.loads(text) == json.loads(out.read_text())
    judge = Judge(calibration=str(out))
    assert [judge.averages(tag) for tag in ("eng_Latn", "swh_Latn", "tha_Thai", "fra_Latn")] == [
        True,
        True,
        False,
        False,
    ]
    with pytest.raises(UsageError, match="was made by"):
        Judge(calibration=str(out), high=5)


def test_table_says_it_in_plain_words(files):
    text = calibrate_files(arguments(*files, format="table"))
    assert "swh_Latn: biased, the judge is 2.00 [1.7" in text
    assert "eng_Latn: biased" not in text
    assert "tha_Thai: 3 samples are too few to see a bias; it does not count as calibrated" in text
    assert "reads:score|scale:0-10" in text


def test_failures_of_the_judge_and_samples_of_one_side(tmp_path):
    judged = [said("1", "en", "8"), said("2", "en", "no idea"), said("3", "en", None), said("4", "en", "3")]
    judged.append(said("5", "en", "Score: 9", failed="yes"))
    human = [thought("1", "eng", 6), thought("2", "en", 5), thought("3", "en", 5), thought("9", "en", 5)]
    record = calibrate(write(tmp_path / "j.jsonl", judged), write(tmp_path / "h.jsonl", human), Judge())
    assert (record["matched"], record["only_judged"], record["only_human"], record["not_answered"]) == (3, 1, 1, 1)
    found = record["languages"]["eng_Latn"]
    assert (found["n"], found["unparsed"], found["bias"]) == (1, 2, 2)
    text = calibrate_files(arguments(tmp_path / "j.jsonl", tmp_path / "h.jsonl", format="table"))
    for line in (
        "1 judged samples have no",
        "1 samples with a human score are not",
        "1 answers that the judged system",
    ):
        assert line in text


def test_raters_are_averaged_and_compared(tmp_path):
    judged = [said(str(index), "en", str(index)) for index in range(4)]
    human = [
        thought(str(index), "en", index + shift, rater=name)
        for index in range(4)
        for name, shift in (("a", 0), ("b", 2))
    ]
    record = calibrate(write(tmp_path / "j.jsonl", judged), write(tmp_path / "h.jsonl", human), Judge())
    found = record["overall"]
    assert (found["bias"], found["mae"], found["pearson"]) == (-1, 1, pytest.approx(1))
    assert (found["people"]["n"], found["people"]["mae"], found["people"]["agreement"]) == (4, 2, 0)


def test_labels(tmp_path):
    scorer = JudgeLabel(labels={"good": 1.0, "poor": 0.0})
    words = [("good", "good")] * 20 + [("good", "poor")] * 5 + [("poor", "good")] * 10 + [("poor", "poor")] * 15
    judged = [said(str(index), "en", word) for index, (word, _) in enumerate(words)]
    human = [thought(str(index), "en", word.title()) for index, (_, word) in enumerate(words)]
    found = calibrate(write(tmp_path / "j.jsonl", judged), write(tmp_path / "h.jsonl", human), scorer)["overall"]
    assert (found["agreement"], found["kappa"]) == (pytest.approx(0.7), pytest.approx(0.4))
    assert found["bias"] == pytest.approx(25 / 50 - 30 / 50)
    assert found["confusion"] == {"good": {"good": 20, "poor": 10}, "poor": {"good": 5, "poor": 15}}


def test_people_who_are_divided_on_a_label(tmp_path):
    judged = [said("1", "en", "yes"), said("2", "en", "yes")]
    human = [thought("1", "en", word) for word in ("yes", "no")] + [
        thought("2", "en", word) for word in ("yes", "yes", "no")
    ]
    found = calibrate(write(tmp_path / "j.jsonl", judged), write(tmp_path / "h.jsonl", human), JudgeLabel())["overall"]
    assert (found["n"], found["agreement"]) == (2, 1.0)
    assert found["bias"] == pytest.approx(1 - (1 / 2 + 2 / 3) / 2)
    assert found["confusion"] == {"yes": {"yes": 1}}


def test_pairs_are_joined_by_the_pair(tmp_path):
    verdicts = {"1": ("[[A]]", "[[B]]"), "2": ("[[A]]", "[[A]]"), "3": ("[[B]]", "[[A]]"), "4": ("[[A]]", "?")}
    judged = [
        said(f"{name}#{order}", "en", text, pair=name, order=order)
        for name, texts in verdicts.items()
        for order, text in zip(("ab", "ba"), texts, strict=True)
    ]
    human = [thought(name, "en", verdict) for name, verdict in zip("1234", ("a", "a", "b", "tie"), strict=True)]
    record = calibrate(write(tmp_path / "j.jsonl", judged), write(tmp_path / "h.jsonl", human), JudgePairwise())
    found = record["overall"]
    assert (found["n"], found["unparsed"], found["agreement"]) == (3, 1, pytest.approx(2 / 3))
    assert found["confusion"] == {"a": {"a": 1, "tie": 1}, "b": {"b": 1}}
    assert found["bias"] == pytest.approx((1 + 0.5 + 0) / 3 - 2 / 3)
    text = calibrate_files(
        arguments(tmp_path / "j.jsonl", tmp_path / "h.jsonl", scorer="judge_pairwise", format="table")
    )
    assert "people \\ judge" in text


def test_judge_of_a_run_is_named(tmp_path):
    fingerprint = {"model": {"name": "m"}, "data": {"loader": {"template": "{answer}"}}}
    (tmp_path / "run.json").write_text(json.dumps({"fingerprint": fingerprint}))
    judged, human = (
        write(tmp_path / "j.jsonl", [said("1", "en", "8")]),
        write(tmp_path / "h.jsonl", [thought("1", "en", 8)]),
    )
    assert calibrate(judged, human, Judge())["judge"] == {"model": {"name": "m"}, "template": "{answer}"}
    (tmp_path / "run.json").unlink()
    assert calibrate(judged, human, Judge())["judge"] is None


def test_one_sample_has_figures_or_none(tmp_path):
    judged, human = (
        write(tmp_path / "j.jsonl", [said("1", "en", "8")]),
        write(tmp_path / "h.jsonl", [thought("1", "en", 7)]),
    )
    found = calibrate(judged, human, Judge())["overall"]
    assert (found["bias"], found["agreement"]) == (1, 0)
    assert math.isnan(found["pearson"]) and math.isnan(found["people"]["kappa"])
    assert '"pearson": null' in calibrate_files(arguments(judged, human))


GOOD = thought("1", "en", 7)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([thought("2", "en", 7)], r"h.jsonl: none of its 1 samples is in .*j.jsonl; they are joined by sample_id"),
        ([], "none of its 0 samples"),
        ([{"sample_id": "1", "language": "en"}], "h.jsonl:1: is no human score"),
        (["7"], "h.jsonl:1: is no human score"),
        ([thought("1", "en", 11)], "h.jsonl:1: field 'human': 11 is no number from 0 to 10"),
        ([thought("1", "swh_Latn", 7)], "h.jsonl:1: the language is swh_Latn, but the judged answer's is eng_Latn"),
        ([thought("1", "klingonish", 7)], "h.jsonl:1: field 'language'"),
        ([GOOD | {"rater": "a"}, GOOD | {"rater": "a"}], "h.jsonl:2: rater 'a' judged sample '1' before"),
    ],
)
def test_wrong_files(tmp_path, rows, message):
    judged, human = write(tmp_path / "j.jsonl", [said("1", "en", "8")]), write(tmp_path / "h.jsonl", rows)
    with pytest.raises(UsageError, match=message):
        calibrate(judged, human, Judge())


def test_wrong_scorer_and_missing_file(tmp_path):
    judged = write(tmp_path / "j.jsonl", [said("1", "en", "8")])
    with pytest.raises(UsageError, match="--scorer accuracy: reads no judge"):
        calibrate_files(arguments(judged, judged, scorer="accuracy"))
    with pytest.raises(UsageError, match=r"nowhere.jsonl: cannot be read"):
        calibrate_files(arguments(judged, tmp_path / "nowhere.jsonl"))


def test_scorer_is_that_of_the_run(tmp_path):
    settings = {"_target_": "mmbench.scorers.judge.Judge", "low": 1, "high": 5, "calibration": "not made yet.json"}
    (tmp_path / "run.json").write_text(json.dumps({"config": {"task": {"scorers": {"judge": settings}}}}))
    judged = write(tmp_path / "j.jsonl", [said("1", "en", "4/5")])
    human = write(tmp_path / "h.jsonl", [thought("1", "en", 5)])
    record = json.loads(calibrate_files(arguments(judged, human)))
    assert record["rules"] == Judge(low=1, high=5).rules
    assert (record["overall"]["n"], record["overall"]["bias"]) == (1, -1)
    (tmp_path / "run.json").unlink()
    assert json.loads(calibrate_files(arguments(judged, human)))["rules"] == Judge().rules
