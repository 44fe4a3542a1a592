from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mmbench.errors import UsageError
from mmbench.measure import measure
from mmbench.records import Record
from mmbench.schema import Failure, Output, Prediction, Sample
from mmbench.score import estimate
from mmbench.scorers.majority import MajorityAccuracy, plurality

if TYPE_CHECKING:
    from mmbench.scorers.accuracy import Ties

CHOICES = ("travel", "politics", "health")


def asked(sentence: str, take: int, output: Output | None, *, answer: int = 1, **fields: Any) -> Record:
    sample = Sample(
        **{"id": f"{sentence}/{take}", "language": "eng_Latn", "choices": CHOICES, "answer": answer, **fields},
        group={"sentence": sentence},
    )
    error = None if output is not None else Failure("MediaError", "broken")
    return Record(sample, Prediction(sample_id=sample.id, language=sample.language, output=output, error=error))


def said(*texts: str | None) -> list[Record]:
    return [asked("s", n, None if text is None else Output(text=text)) for n, text in enumerate(texts)]


def ranked(*picked: int) -> list[Record]:
    scores = [tuple(0.0 if n == pick else -1.0 for n in range(3)) for pick in picked]
    return [asked("s", n, Output(text="", choice_scores=score)) for n, score in enumerate(scores)]


def result(records: list[Record], **settings: Any) -> tuple[float, float, int]:
    scorer = MajorityAccuracy(**settings)
    measured = measure(records, scorer)
    assert measured.ids == ("s",), "one question"
    return *(float(x) for x in measured.stats[0, :2]), int(scorer.unparsed(measured.stats))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("records", "right"),
    [
        (said("politics", "politics", "travel"), 1),
        (said("politics", "travel", "travel"), 0),
        (ranked(1, 1, 0), 1),
        (ranked(1, 0, 0), 0),
        (ranked(1), 1),
        (said("politics", "politics", None), 1),
        (said("politics", "politics", "politics", "travel", "no idea at all"), 1),
        (said("politics", "politics", "travel", None), 0),  # no answer is a vote for the strongest wrong choice
        (said("politics", None), 0),
        (said("politics", "politics", "travel", "travel", "health"), 0),  # a tie
        (ranked(2, 0, 1), 0),
    ],
)
def test_the_choice_with_most_votes_is_the_answer(records: list[Record], right: int) -> None:
    assert result(records) == (right, 1, 0)


def test_tied_votes_first() -> None:
    assert result(said("politics", "travel"), tied_votes="first") == (1, 1, 0)
    assert result(said("travel", "politics"), tied_votes="first") == (0, 1, 0)
    assert result(said("health", "travel", "politics", "politics", "travel"), tied_votes="first") == (0, 1, 0)
    assert result(list(reversed(said("politics", "travel"))), tied_votes="first") == (1, 1, 0), "order is that of ids"
    assert result(said(None, "politics"), tied_votes="first") == (0, 1, 0)
    assert result(said("politics", None), tied_votes="first") == (1, 1, 0)


@pytest.mark.parametrize("ties", ["wrong", "first"])
def test_nobody_gains_by_not_answering(ties: Ties) -> None:
    for words in itertools.product((*CHOICES, None), repeat=4):
        before = result(said(*words), tied_votes=ties)[0]
        for place in range(4):
            after = result(said(*words[:place], None, *words[place + 1 :]), tied_votes=ties)[0]
            assert after <= before, (words, place)


def test_no_vote_at_all_is_wrong_and_unparsed() -> None:
    assert result(said("what?", None)) == (0, 1, 1)
    assert result(said(None, None)) == (0, 1, 0)
    nan = asked("s", 0, Output(text="", choice_scores=(math.nan, 0.0, 0.0)))
    assert result([nan]) == (0, 1, 1)


def test_equal_likelihoods_vote_for_none_where_ties_are_wrong() -> None:
    tie = asked("s", 0, Output(text="", choice_scores=(0.0, 0.0, -1.0)))
    records = [tie, *ranked(0, 1, 1)[1:]]
    assert result(records, ties="wrong") == (1, 1, 0), "two of three"
    assert result(records[:2], ties="wrong") == (0, 1, 0)
    assert result([tie], ties="wrong") == (0, 1, 0)


def test_rotated_choices_vote_for_the_choice() -> None:
    turned: dict[str, Any] = {"choices": ("politics", "health", "travel"), "answer": 0}
    records = [
        asked("s", 0, Output(text="", choice_scores=(-1, -1, 0))),  # health
        asked("s", 1, Output(text="", choice_scores=(-1, 0, -1)), **turned),  # health
        asked("s", 2, Output(text="politics")),
    ]
    assert result(records) == (0, 1, 0)
    records[1] = asked("s", 1, Output(text="politics"), **turned)
    assert result(records) == (1, 1, 0)


def test_a_score_counts_questions() -> None:
    records = [
        *[asked("a", n, Output(text=text)) for n, text in enumerate(("politics", "politics", "travel"))],
        *[asked("b", n, Output(text="health")) for n in range(2)],
        asked("c", 0, None),
    ]
    scorer = MajorityAccuracy()
    found = estimate(measure(records, scorer), scorer)
    assert found.value == pytest.approx(1 / 3) and (found.n, found.failed) == (3, 1)


def test_samples_without_a_question_are_not_counted() -> None:
    sample = Sample(id="1", language="eng_Latn", group={"sentence": "s"})
    row = MajorityAccuracy().stats(sample, Output(text="politics"))
    assert not row.any() and row.shape == (4,)
    assert not MajorityAccuracy().join(np.stack([row, row])).any()


def test_a_sample_without_the_group_field() -> None:
    bare = Record(
        Sample(id="1", language="eng_Latn", choices=CHOICES, answer=0),
        Prediction(sample_id="1", language="eng_Latn", output=Output(text="travel")),
    )
    with pytest.raises(UsageError, match="no group field 'sentence', by which majority joins"):
        measure([bare], MajorityAccuracy())


@pytest.mark.parametrize(("votes", "choices"), [(1, 4), (2, 4), (3, 4), (4, 3), (5, 2), (3, 7)])
def test_plurality_is_what_counting_all_ways_gives(votes: int, choices: int) -> None:
    wins = 0
    for way in itertools.product(range(choices), repeat=votes):
        (best, most), *others = Counter(way).most_common()
        wins += best == 0 and all(count < most for _, count in others)
    assert plurality(votes, choices) == pytest.approx(wins / choices**votes)


def test_chance_and_majority() -> None:
    samples = [record.sample for record in (*ranked(0, 0, 0), asked("t", 0, None, answer=0))]
    scorer = MajorityAccuracy()
    assert plurality(3, 3) == pytest.approx(7 / 27)
    assert scorer.chance(samples) == pytest.approx((7 / 27 + 1 / 3) / 2)
    assert MajorityAccuracy(tied_votes="first").chance(samples) == pytest.approx(1 / 3)
    assert scorer.majority(samples) == 0.5, "one vote for each question, however many recordings it has"
    assert math.isnan(scorer.chance([]))


def test_chance_is_what_guessing_scores() -> None:
    rng = np.random.default_rng(0)
    settings: tuple[Ties, ...] = ("wrong", "first")
    for ties in settings:
        scorer = MajorityAccuracy(tied_votes=ties)
        rows = np.array([scorer.stats(r.sample, r.prediction.output) for r in ranked(0, 1, 2)])
        drawn = [scorer.join(rows[rng.integers(0, 3, size=4)])[0] for _ in range(4000)]
        samples = [record.sample for record in ranked(0, 0, 0, 0)]
        assert np.mean(drawn) == pytest.approx(scorer.chance(samples), abs=0.03)


def test_signature_and_settings() -> None:
    signature = MajorityAccuracy(tied_votes="first").signature(["eng_Latn"])
    assert signature.startswith("majority|votes_by:sentence|tied_votes:first|scores:sum|")
    with pytest.raises(UsageError, match="unknown tied_votes 'last'"):
        MajorityAccuracy(tied_votes="last")  # type: ignore[arg-type]
