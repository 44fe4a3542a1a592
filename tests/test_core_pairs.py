"""What two sides of a pair have to share, and what counts for neither."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mmbench.bootstrap import clustered_wilson, wilson
from mmbench.compare import differences
from mmbench.errors import UsageError
from mmbench.measure import averaged, by_language, measure
from mmbench.records import Record
from mmbench.schema import Audio, Output, Prediction, Sample, Step
from mmbench.score import read_records
from mmbench.scorers.accuracy import Accuracy, CircularAccuracy
from mmbench.scorers.edit import ErrorRate
from mmbench.scorers.judge import Judge
from tests.fakes import WER, record

CHOICE = {"choices": ("yes", "no"), "answer": 0, "language": "eng_Latn"}


def judged(index: int, text: str) -> Record:
    sample = Sample(id=f"{index:03}", language="eng_Latn")
    return Record(sample, Prediction(sample_id=sample.id, language="eng_Latn", output=Output(text=text)))


def test_what_a_judge_says_of_one_side_alone_is_no_difference() -> None:
    easy = [judged(index, "8") for index in range(70)]
    hard = [judged(index, "2") for index in range(70, 100)]
    silent = [judged(index, "no idea") for index in range(70, 100)]
    found = differences([*easy, *silent], [*easy, *hard], Judge())["eng_Latn"]
    assert (found.difference, found.p, found.n) == (0, 1, 70)


def test_a_stage_that_failed_on_one_side_counts_for_neither() -> None:
    def heard(index: int, text: str | None) -> Record:
        sample = Sample(id=f"{index:03}", language="eng_Latn", parts=(Audio(b"", transcript="one two three"),))
        output = None if text is None else Output(text="x", steps=(Step("asr", 0, text),))
        return Record(sample, Prediction(sample_id=sample.id, language="eng_Latn", output=output))

    right, wrong = "one two three", "x y z"
    a = [heard(i, None if i < 10 else right) for i in range(40)]
    b = [heard(i, wrong if i < 10 else right) for i in range(40)]
    found = differences(a, b, ErrorRate(name="wer@asr", unit="word", stage="asr"))["eng_Latn"]
    assert (found.difference, found.n) == (0, 30)


def speakers(shift: int = 0, group: bool = True) -> list[Record]:
    return [
        record(i, "yes" if i % 7 else "no", **CHOICE, group={"speaker": str((i + shift) % 12)} if group else {})
        for i in range(120)
    ]


def test_both_sides_have_to_have_the_same_clusters() -> None:
    assert (
        differences(speakers(), speakers(), Accuracy(), cluster="auto")["eng_Latn"].test == "randomisation by speaker"
    )
    for other in (speakers(shift=1), speakers(group=False)):
        with pytest.raises(UsageError, match="have different group fields"):
            differences(speakers(), other, Accuracy(), cluster="auto")
    assert (
        differences(speakers(), speakers(group=False), Accuracy(), cluster="none")["eng_Latn"].test == "exact McNemar"
    )


def test_translations_into_different_languages_are_different_data() -> None:
    one = record(1, "x", language="eng_Latn")
    other = Record(replace(one.sample, target_language="fra_Latn"), one.prediction)
    with pytest.raises(UsageError, match="do not agree in target_language"):
        differences([one], [other], WER)


def test_a_side_without_any_answer_is_still_compared() -> None:
    a, b = ([record(i, text, **CHOICE) for i in range(5)] for text in (None, "yes"))
    assert differences(a, b, Accuracy())["eng_Latn"].difference == -1


def test_a_question_that_lacks_a_rotation_is_left_out_as_a_whole() -> None:
    def asked(question: int, turn: int) -> Record:
        choices = ("yes", "no") if turn == 0 else ("no", "yes")
        group = {"circular": f"q{question:02}"}
        fields = {"choices": choices, "answer": turn, "language": "eng_Latn", "group": group}
        return record(10 * question + turn, "yes", **fields)

    whole = [asked(question, turn) for question in range(12) for turn in range(2)]
    found = differences(whole, whole[1:], CircularAccuracy(), intersect=True)["eng_Latn"]
    assert (found.a, found.b, found.n) == (1, 1, 11)


def test_one_id_in_two_languages_is_two_samples(tmp_path) -> None:
    path = tmp_path / "x.jsonl"
    row = '{{"sample_id": "1", "language": "{}", "prediction": {}, "references": ["a"]}}\n'
    path.write_text(row.format("eng_Latn", "null") + row.format("swh_Latn", '"a"'), encoding="utf-8")
    assert len(read_records(path, strict=True)) == 2


def test_the_language_of_the_answer_decides_what_is_averaged() -> None:
    def into(target: str) -> Record:
        sample = Sample(id=target, language="deu_Latn", target_language=target, references=("a b",))
        return Record(sample, Prediction(sample_id=target, language="deu_Latn", output=Output(text="a b")))

    for target, count in (("zho_Hans", 0), ("eng_Latn", 1)):
        assert len(averaged(by_language(measure([into(target)], WER)), WER)) == count


def test_a_proportion_over_clusters_never_shrinks_to_a_point() -> None:
    all_right = np.full((10, 2), 5.0)
    low, high = clustered_wilson(all_right)
    assert (low, high) == wilson(10, 10)
    assert low < wilson(50, 50)[0]
    assert all(map(math.isnan, clustered_wilson(all_right[:1])))
    alike = np.array([[3.0, 5.0]] * 10)
    assert clustered_wilson(alike) == pytest.approx(wilson(30, 50)), "no spread beyond what samples have"
    apart = np.array([[5.0, 5.0]] * 6 + [[0.0, 5.0]] * 4)
    ends, single = clustered_wilson(apart), wilson(30, 50)
    assert ends[1] - ends[0] > 2 * (single[1] - single[0]), "five samples of a speaker are one"


def test_coverage_over_clusters() -> None:
    """Ten speakers of five clips each, p .98 and intraclass correlation .3: the bootstrap holds the value .45 times."""
    rng, held = np.random.default_rng(0), 0
    shape = 0.7 / 0.3
    for share in rng.beta(0.98 * shape, 0.02 * shape, size=(300, 10)):
        low, high = clustered_wilson(np.stack([rng.binomial(5, share), np.full(10, 5)], axis=1).astype(float))
        held += low <= 0.98 <= high
    assert held / 300 > 0.92
