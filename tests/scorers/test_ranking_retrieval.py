"""Ranks of targets among embeddings: against a full sort, whatever the chunks, with ties counted against."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.scorers.ranking import ranks, recall_at


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1, 3, 7, 100]), st.sampled_from(["f4", "f8"]))
def test_ranks_are_those_of_all_scores(seed, cosine, chunk, kind):
    rng = np.random.default_rng(seed)
    queries, items = rng.normal(size=(9, 5)).astype(kind), rng.normal(size=(13, 5)).astype(kind)
    items[3], items[8] = items[1], 0.0
    targets = rng.integers(13, size=9)
    left, right = queries.astype(float), items.astype(float)
    if cosine:
        left /= np.linalg.norm(left, axis=1, keepdims=True)
        right /= np.maximum(np.linalg.norm(right, axis=1, keepdims=True), 1e-300)
    scores = np.round(left @ right.T, 9)
    expected = (scores >= scores[np.arange(9), targets][:, None]).sum(axis=1)
    assert ranks(queries, items, targets, cosine=cosine, chunk=chunk).tolist() == expected.tolist()


def test_ties_count_against_the_target():
    """Embeddings that are all the same find nothing before the whole pool is taken."""
    queries, items = np.ones((4, 300), dtype="f4") / 7, np.ones((50, 300), dtype="f4") / 3
    for chunk in (1, 8, 64):
        found = ranks(queries, items, np.array([0, 7, 8, 49]), chunk=chunk)
        assert found.tolist() == [50] * 4
        assert recall_at(found, 49) == 0
        assert recall_at(found, 50) == 1


def test_recall_of_a_perfect_and_of_random_embeddings():
    rng = np.random.default_rng(0)
    items = rng.normal(size=(500, 16))
    assert recall_at(ranks(items, items, np.arange(500), cosine=True), 1) == 1
    found = ranks(rng.normal(size=(2000, 16)), items, rng.integers(500, size=2000), cosine=True)
    assert recall_at(found, 50) == pytest.approx(0.1, abs=0.03)
    assert [recall_at(np.array([1, 5, 10, 11]), k) for k in (1, 5, 10, 10**6)] == [0.25, 0.5, 0.75, 1]
    assert math.isnan(recall_at(np.array([], dtype=np.intp), 1))


def test_cosine_does_not_look_at_length():
    queries, items = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [9.0, 9.0]])
    assert ranks(queries, items, np.array([0])).tolist() == [2]
    assert ranks(queries, items, np.array([0]), cosine=True).tolist() == [1]


def test_what_is_not_a_number_is_last():
    rng = np.random.default_rng(0)
    queries, items = rng.normal(size=(3, 4)), rng.normal(size=(6, 4))
    queries[0, 0], items[2, 1] = math.nan, math.nan
    items[5] = queries[2] * 100
    assert ranks(queries, items, np.array([1, 2, 5])).tolist() == [6, 6, 2]  # the broken item counts against others
    assert ranks(np.full((1, 4), math.inf), items, np.array([0])).tolist() == [6]


def test_memory_does_not_grow_with_the_pool():
    queries, items = np.ones((64, 8), dtype="f4"), np.ones((200_000, 8), dtype="f4")
    tracemalloc.start()
    ranks(queries, items, np.zeros(64, dtype=np.intp), chunk=1024)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # all scores at once are 100 MB


def test_what_does_not_fit():
    for shapes in (((3, 4), (6, 5), 3), ((3, 4), (6, 4), 2), ((4,), (6, 4), 4)):
        with pytest.raises(UsageError, match="do not fit"):
            ranks(np.ones(shapes[0]), np.ones(shapes[1]), np.zeros(shapes[2], dtype=np.intp))
    for target in (-1, 6):
        with pytest.raises(UsageError, match="a target is not among the 6 items"):
            ranks(np.ones((1, 4)), np.ones((6, 4)), np.array([target]))
    assert ranks(np.ones((0, 4)), np.ones((6, 4)), np.zeros(0, dtype=np.intp)).tolist() == []
