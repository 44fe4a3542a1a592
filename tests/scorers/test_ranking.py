"""Ranking against scikit-learn, all orders of ties by brute force, and the published figures of random scores."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.schema import Output, Sample, Scorer
from mmbench.scorers.ranking import PointwiseRanking, Ranking

METRICS = [("auc", None), *((metric, k) for metric in ("recall", "hit", "mrr", "ndcg") for k in (1, 2, 3, 5))]
METRICS += [("mrr", None), ("ndcg", None)]


def ranking(metric, k=None, ties="mean"):
    return Ranking(name=f"{metric}@{k}", metric=metric, k=k, ties=ties)


def sample(relevant, count):
    """A query whose relevant candidates are the right answer and, if there are more, references."""
    texts = tuple(f"c{i}" for i in range(count))
    more = tuple(texts[i] for i in relevant[1:])
    answer = relevant[0] if relevant else None
    return Sample(id="1", language="eng_Latn", choices=texts, answer=answer, references=more)


def value(scorer, relevant, scores):
    row = scorer.stats(sample(relevant, len(scores)), Output(text="", choice_scores=tuple(scores)))
    assert row[1:].tolist() == [1, 0]
    return float(row[0])


def by_hand(metric, k, order, relevant):
    """The definition, on one order of the candidates."""
    places = [place for place, candidate in enumerate(order, start=1) if candidate in relevant]
    first = [place for place in places if place <= (k or len(order))]
    if metric == "auc":
        others = [place for place in range(1, len(order) + 1) if place not in places]
        return sum(p < o for p in places for o in others) / (len(places) * len(others))
    if metric == "ndcg":
        ideal = range(1, min(len(places), k or len(order)) + 1)
        return sum(1 / math.log2(p + 1) for p in first) / sum(1 / math.log2(p + 1) for p in ideal)
    return {"recall": len(first) / len(places), "hit": float(bool(first)), "mrr": 1 / first[0] if first else 0.0}[
        metric
    ]


queries = st.integers(3, 6).flatmap(
    lambda count: st.tuples(
        st.lists(st.integers(0, 2).map(float), min_size=count, max_size=count),
        st.lists(st.integers(0, count - 1), min_size=1, max_size=count - 1, unique=True),
    )
)


@given(queries)
def test_ties_are_the_mean_over_all_orders_or_the_worst(query):
    scores, relevant = query
    orders = [
        order
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    for metric, k in METRICS:
        values = [by_hand(metric, k, order, relevant) for order in orders]
        assert value(ranking(metric, k), relevant, scores) == pytest.approx(np.mean(values))
        assert value(ranking(metric, k, "worst"), relevant, scores) == pytest.approx(min(values))


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_scikit_learn(seed, tied):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-4, 4, 12).astype(float) if tied else rng.normal(size=12)
    relevant = rng.permutation(12)[: rng.integers(1, 11)].tolist()
    truth = np.isin(np.arange(12), relevant)
    assert value(ranking("auc"), relevant, scores) == pytest.approx(roc_auc_score(truth, scores))
    for k in (1, 5, 12, None):
        assert value(ranking("ndcg", k), relevant, scores) == pytest.approx(ndcg_score([truth], [scores], k=k))


@pytest.mark.parametrize(
    ("metric", "k", "expected"),
    [
        ("recall", 3, 3 / 21),
        ("recall", 5, 5 / 21),
        ("recall", 10, 10 / 21),
        ("mrr", 10, sum(1 / rank for rank in range(1, 11)) / 21),
        ("auc", None, 0.5),
    ],
)
def test_random_scores_of_mllm_msr(metric, k, expected):
    """One positive among 21: 0.1429, 0.2381 and 0.4762, and an MRR@10 of 0.1395."""
    published = {("recall", 3): 0.1429, ("recall", 5): 0.2381, ("recall", 10): 0.4762, ("mrr", 10): 0.1395}
    scorer = ranking(metric, k)
    assert value(scorer, [0], [0.3] * 21) == pytest.approx(expected)
    assert round(expected, 4) == published.get((metric, k), 0.5)
    assert scorer.chance([sample([4], 21)]) == pytest.approx(expected)
    assert value(ranking(metric, k, "worst"), [0], [0.3] * 21) == 0  # a sort would make it first or last by chance


def test_ndcg_of_one_positive():
    """It is 1 / log2(rank + 1) within k."""
    for rank in range(1, 12):
        scores = [-1.0] * (rank - 1) + [-2.0] + [-3.0] * (21 - rank)
        expected = 1 / math.log2(rank + 1) if rank <= 10 else 0
        assert value(ranking("ndcg", 10), [rank - 1], scores) == pytest.approx(expected)


def test_pooled_auc_is_another_number():
    """MLLM-MSR draws one curve through all users; the level of a user's scores then counts as if it ranked."""
    first, second = [0.2, 0.1, 0.0], [0.9, 0.8, 0.7]  # both rank their relevant candidate first
    per_query = [value(ranking("auc"), [0], scores) for scores in (first, second)]
    assert per_query == [1, 1]
    assert roc_auc_score([1, 0, 0, 1, 0, 0], first + second) == 0.75


@given(queries, st.randoms())
def test_permuting_the_candidates_changes_nothing(query, random):
    scores, relevant = query
    order = random.sample(range(len(scores)), len(scores))
    moved = [order.index(i) for i in relevant]
    for metric, k in METRICS:
        expected = value(ranking(metric, k), relevant, scores)
        assert value(ranking(metric, k), moved, [scores[i] for i in order]) == pytest.approx(expected)


@settings(max_examples=30)
@given(st.lists(queries, min_size=1, max_size=4), st.randoms())
def test_order_of_queries_plays_no_part_and_a_perfect_one_never_hurts(drawn, random):
    def mean(all_of, scorer):
        rows = [scorer.stats(sample(r, len(s)), Output(text="", choice_scores=tuple(s))) for s, r in all_of]
        return float(scorer.reduce(np.sum(rows, axis=0)))

    for metric, k in METRICS:
        scorer = ranking(metric, k)
        before = mean(drawn, scorer)
        assert mean(random.sample(drawn, len(drawn)), scorer) == pytest.approx(before)
        assert mean([*drawn, ([3.0, 2.0, 1.0], [0])], scorer) >= before - 1e-12


def test_what_cannot_be_ranked():
    scorer, scores = ranking("auc"), Output(text="", choice_scores=(-1.0, -2.0))
    assert scorer.stats(sample([], 2), scores).tolist() == [0, 0, 0]
    assert scorer.stats(sample([0, 1], 2), scores).tolist() == [0, 0, 0]
    assert ranking("mrr").stats(sample([0, 1], 2), scores).tolist() == [1, 1, 0]
    assert scorer.stats(sample([0], 2), None).tolist() == [0, 1, 0]
    nan = Output(text="", choice_scores=(-1.0, math.nan))
    assert scorer.stats(sample([0], 2), nan).tolist() == [0, 1, 1]
    assert value(scorer, [0], [-math.inf, -math.inf]) == value(scorer, [0], [0.0, -0.0]) == 0.5
    with pytest.raises(UsageError, match="sample 1: 2 choices, but 0 choice_scores to rank by; ask with"):
        scorer.stats(sample([0], 2), Output(text="c0"))


def test_protocol_and_settings():
    scorer: Scorer = ranking("recall", 3)
    np.testing.assert_equal(scorer.reduce(np.array([[1.0, 4, 1], [0, 0, 0]])), [0.25, np.nan])
    assert scorer.unparsed(np.array([[1.0, 4, 1], [0, 1, 1]])) == 2
    assert scorer.higher_is_better
    assert not scorer.proportion  # the mean over orders of ties is no share of samples
    expected = f"recall@3|metric:recall|k:3|ties:mean|per:query|unparsed:wrong|mmbench:{__version__}"
    assert scorer.signature([]) == expected
    assert math.isnan(scorer.chance([]))
    for given_, message in [
        ({"metric": "map"}, "unknown metric 'map'"),
        ({"metric": "mrr", "ties": "first"}, "unknown ties 'first': known are mean, worst"),
        ({"metric": "auc", "k": 3}, "metric auc has no k"),
        ({"metric": "recall"}, "metric recall needs k"),
        ({"metric": "mrr", "k": 0}, "k=0 is no number of candidates"),
    ]:
        with pytest.raises(UsageError, match=message):
            Ranking(name="r", **given_)


def pointwise(scores, relevant, failed=()):
    """One user's candidates, each a sample that is asked whether the user will like it."""
    pairs = []
    for index, score in enumerate(scores):
        right = 0 if index in relevant else 1
        asked = Sample(id=str(index), language="eng_Latn", choices=("yes", "no"), answer=right, group={"query": "u"})
        output = None if index in failed else Output(text="", choice_scores=(score, math.log(1 - math.exp(score))))
        pairs.append((asked, output))
    return pairs


def test_pointwise_candidates_are_one_query():
    scores = [-0.5, -0.1, -0.9, -0.5]
    for metric, k in METRICS:
        scorer = PointwiseRanking(name="p", metric=metric, k=k)
        rows = np.stack([scorer.stats(*pair) for pair in pointwise(scores, [0])])
        assert scorer.joined_by == "query"
        assert float(scorer.reduce(scorer.join(rows))) == pytest.approx(value(ranking(metric, k), [0], scores))
        assert scorer.chance([asked for asked, _ in pointwise(scores, [0])]) == pytest.approx(
            value(ranking(metric, k), [0], [0.0] * 4)
        )
    scorer = PointwiseRanking(name="p", metric="auc")
    for failed in (0, 2):
        rows = np.stack([scorer.stats(*pair) for pair in pointwise(scores, [0], {failed})])
        assert scorer.join(rows).tolist() == [0, 1, 0]
    asked = sample([0], 2)
    with pytest.raises(UsageError, match="sample 1: no choice is 'yes'"):
        scorer.stats(asked, Output(text="", choice_scores=(-1.0, -2.0)))
    impossible = Output(text="", choice_scores=(-math.inf, -math.inf))
    rows = np.stack(
        [scorer.stats(*pair) for pair in [*pointwise(scores, [0]), (pointwise([-1.0], [])[0][0], impossible)]]
    )
    assert scorer.join(rows).tolist() == [0, 1, 1]
    assert scorer.join(np.zeros((2, 3))).tolist() == [0, 0, 0]
