"""Statistics made once: joined by question, split, pooled and put into clusters."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.errors import UsageError
from mmbench.measure import by_language, cluster_field, fit, measure, pool, split
from mmbench.scorers.accuracy import Accuracy
from tests.fakes import WER, record

CHOICE = {"choices": ("yes", "no"), "answer": 0, "language": "eng_Latn"}


class Strict:
    """Accuracy of questions that are asked several times: right when every answer is."""

    name = "strict"
    joined_by = "question"
    higher_is_better = proportion = fraction = True

    def __init__(self):
        self.inner = Accuracy()

    def stats(self, sample, output):
        return self.inner.stats(sample, output)

    def join(self, rows):
        return np.array([rows[:, 0].min(), rows[:, 1].max(), rows[:, 2].max()])

    def reduce(self, totals):
        return self.inner.reduce(totals)

    def unparsed(self, stats):
        return self.inner.unparsed(stats)


def asked(index, text, question):
    return record(index, text, **CHOICE, group={"question": question})


def test_samples_of_one_question_are_one_row():
    records = [
        asked(1, "yes", "q"),
        asked(2, "yes", "q"),
        asked(3, "yes", "p"),
        asked(4, "no", "p"),
        asked(5, None, "r"),
    ]
    found = measure(records, Strict())
    assert found.ids == ("p", "q", "r")
    assert found.stats[:, 0].tolist() == [0, 1, 0]
    assert found.failed.tolist() == [False, False, True]
    assert [part.sample.id for part in found.records] == ["s003", "s001", "s005"], "the first of each"


def test_a_sample_without_the_field_is_refused():
    with pytest.raises(UsageError, match="sample s001: has no group field 'question', by which strict joins"):
        measure([record(1, "yes", **CHOICE)], Strict())


def test_the_same_question_in_two_languages_or_systems_is_two():
    one = asked(1, "yes", "q")
    other = record(2, "no", **{**CHOICE, "language": "swh_Latn"}, group={"question": "q"})
    assert measure([one, other], Strict()).stats[:, 0].tolist() == [1, 0]


def test_parts_pool_to_the_whole():
    records = [record(index, "x and more" if index % 2 else None) for index in range(9)]
    whole = measure(records, WER)
    again = pool(by_language(whole).values())
    assert sorted(again.ids) == sorted(whole.ids)
    np.testing.assert_array_equal(again.stats.sum(0), whole.stats.sum(0))
    assert again.failed.sum() == whole.failed.sum() == 5
    part = split(whole, lambda each: str(each.prediction.error is None))
    assert part["False"].failed.all() and not part["True"].failed.any()
    assert pool([]).ids == ()


def test_a_scorer_that_needs_the_whole_set_gets_it_once():
    class Needs:
        def fitted(self, samples):
            return [sample.id for sample in samples]

    assert fit(Needs(), [record(1, "x"), record(2, "x")]) == ["s001", "s002"]  # type: ignore[arg-type]
    assert fit(WER, [record(1, "x")]) is WER


def test_statistics_of_many_at_once_are_used():
    class Batch:
        def all_stats(self, pairs):
            return np.array([[len(output.text)] for _, output in pairs], dtype=float)

    assert measure([record(2, "abc"), record(1, "x")], Batch()).stats.tolist() == [[1], [3]]  # type: ignore[arg-type]


def test_a_refusal_is_counted_unless_the_reference_is_one():
    text = "I'm sorry, but I can't help with that."
    assert measure([record(1, text)], WER).refused.tolist() == [True]
    spoken = record(1, text)
    object.__setattr__(spoken.sample, "references", (text,))
    assert measure([spoken], WER).refused.tolist() == [False]


def speakers(count, each, language="eng_Latn", field="speaker"):
    return [
        record(1000 * index + turn, "x", language=language, group={field: f"v{index}"})
        for index in range(count)
        for turn in range(each)
    ]


def test_clusters_are_found_where_every_language_has_ten():
    many = speakers(10, 3)
    assert cluster_field(many) == "speaker"
    assert cluster_field(speakers(9, 3)) is None, "an interval over nine clusters is worse than one over samples"
    assert cluster_field(speakers(30, 1)) is None, "nothing is shared"
    assert cluster_field([*many, record(7, "x", language="eng_Latn")]) is None, "one sample has no speaker"
    assert cluster_field([*many, *speakers(2, 2, "swh_Latn")]) is None, "few in one language"
    assert cluster_field([]) is None
    both = [
        record(i, "x", language="eng_Latn", group={"speaker": f"{i % 20}", "document": f"{i % 12}"}) for i in range(60)
    ]
    assert cluster_field(both) == "document"


def test_clusters_are_told_apart_by_language():
    records = [*speakers(1, 2), *speakers(1, 1, "swh_Latn")]
    assert len(set(measure(records, WER, "speaker").clusters)) == 2
    with pytest.raises(UsageError, match="sample s000: has no group field 'topic' to make clusters of; it has speaker"):
        measure(records, WER, "topic")


def test_clusters_are_found_among_questions_not_their_rotations():
    records = [
        record(10 * q + turn, "yes", **CHOICE, group={"question": f"q{q}", "document": f"d{q}"})
        for q in range(12)
        for turn in range(2)
    ]
    assert measure(records, Strict(), "auto").cluster is None, "a document for each question"
    assert measure(records, Accuracy(), "auto").cluster == "document", "its two rotations are not independent"
    assert measure(records, Strict(), "none").cluster is None


def test_what_is_drawn_is_the_sum_over_clusters():
    measured = measure(speakers(3, 4), WER, "speaker")
    assert measured.drawn.shape[0] == 3
    np.testing.assert_array_equal(measured.drawn.sum(0), measured.stats.sum(0))
    part = by_language(measured)["eng_Latn"]
    assert (part.cluster, len(part.clusters)) == ("speaker", 12)
