"""Retrieval among embeddings, on pools whose ranks can be seen, and against a plain sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.schema import Output, Sample
from mmbench.scorers.retrieval import Direction, Retrieval


def pair(
    name: str, item: str, query: list[float], image: list[float], language: str = "eng_Latn"
) -> tuple[Sample, Output | None]:
    sample = Sample(id=name, language=language, group={"image": item})
    return sample, Output(text="", vectors={"query": tuple(query), "item": tuple(image)})


def value(scorer: Retrieval, pairs: list[tuple[Sample, Output | None]]) -> float:
    return float(scorer.reduce(scorer.all_stats(pairs).sum(axis=0)))


EAST, NORTH, MIDDLE = [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]


def test_the_nearest_image_of_the_pool() -> None:
    pairs = [pair("1", "a", EAST, EAST), pair("2", "b", EAST, NORTH), pair("3", "c", MIDDLE, MIDDLE)]
    stats = Retrieval(k=1).all_stats(pairs)
    np.testing.assert_array_equal(stats, [[1, 1], [0, 1], [1, 1]])
    np.testing.assert_array_equal(Retrieval(k=3).all_stats(pairs)[:, 0], [1, 1, 1])
    assert Retrieval(k=1).chance([sample for sample, _ in pairs]) == pytest.approx(1 / 3)


def test_an_image_with_two_captions_is_in_the_pool_once_and_asks_once() -> None:
    pairs = [pair("1", "a", EAST, EAST), pair("2", "a", NORTH, EAST), pair("3", "b", NORTH, NORTH)]
    asked = Retrieval(k=1, direction="item_to_query").all_stats(pairs)
    np.testing.assert_array_equal(asked, [[1, 1], [0, 0], [0, 1]])  # b ties with the second caption of a
    assert value(Retrieval(k=2, direction="item_to_query"), pairs) == 1.0
    assert Retrieval(k=1).chance([sample for sample, _ in pairs]) == 0.5
    by_caption = Retrieval(k=1, direction="item_to_query").chance([sample for sample, _ in pairs])
    assert by_caption == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_equal_captions_of_one_image_are_none_against_each_other() -> None:
    pairs = [pair("1", "a", EAST, EAST), pair("2", "a", EAST, EAST), pair("3", "b", NORTH, NORTH)]
    assert value(Retrieval(k=1, direction="item_to_query"), pairs) == 1.0


def test_one_vector_for_all_finds_nothing() -> None:
    pairs = [pair(str(i), str(i), EAST, EAST) for i in range(4)]
    assert value(Retrieval(k=1), pairs) == 0.0
    assert value(Retrieval(k=3, direction="item_to_query"), pairs) == 0.0
    assert value(Retrieval(k=4), pairs) == 1.0


def test_each_language_has_its_own_pool() -> None:
    pairs = [pair("1", "a", EAST, EAST), pair("2", "a", EAST, EAST, "fra_Latn"), pair("3", "b", EAST, EAST, "fra_Latn")]
    np.testing.assert_array_equal(Retrieval(k=1).all_stats(pairs)[:, 0], [1, 0, 0])


def test_what_failed_is_a_miss_and_not_in_the_pool() -> None:
    failed = Sample(id="2", language="eng_Latn", group={"image": "b"})
    stats = Retrieval(k=1).all_stats([pair("1", "a", EAST, EAST), (failed, None)])
    np.testing.assert_array_equal(stats, [[1, 1], [0, 1]])
    assert value(Retrieval(k=1, direction="item_to_query"), [(failed, None)]) == 0.0


def test_dot_product_and_cosine_differ() -> None:
    pairs = [pair("1", "a", EAST, EAST), pair("2", "b", NORTH, [5.0, 5.0])]
    assert value(Retrieval(k=1), pairs) == 1.0
    assert value(Retrieval(k=1, cosine=False), pairs) == 0.5


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(UsageError, match="needs the group field item or image or stamp"):
        Retrieval(k=1).all_stats([(Sample(id="1", language="eng_Latn"), pair("1", "a", EAST, EAST)[1])])
    with pytest.raises(UsageError, match="vectors of several lengths"):
        Retrieval(k=1).all_stats([pair("1", "a", EAST, EAST), pair("2", "b", [1.0], EAST)])
    with pytest.raises(UsageError, match="vectors of 2 and of 1 numbers"):
        Retrieval(k=1).all_stats([pair("1", "a", EAST, [1.0])])
    with pytest.raises(UsageError, match="unknown direction"):
        Retrieval(k=1, direction="sideways")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="whole number from 1"):
        Retrieval(k=0)


@given(
    st.integers(2, 12), st.integers(1, 4), st.integers(0, 10_000), st.sampled_from(["query_to_item", "item_to_query"])
)
def test_agrees_with_a_plain_sort(count: int, k: int, seed: int, direction: Direction) -> None:
    rng = np.random.default_rng(seed)
    queries, items = rng.normal(size=(2, count, 5))
    pairs = [pair(str(i), str(i), list(queries[i]), list(items[i])) for i in range(count)]
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, items)]
    near = unit[0] @ unit[1].T if direction == "query_to_item" else unit[1] @ unit[0].T
    expected = np.mean([i in np.argsort(-near[i])[:k] for i in range(count)])
    assert value(Retrieval(k=k, direction=direction), pairs) == pytest.approx(expected)
