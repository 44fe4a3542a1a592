"""MEXA and Language Ranker have the published values on small cases, and the invariances that cosines give them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmbench.errors import UsageError
from mmbench.intrinsic import cosines, language_ranker, mexa, mexa_layers, mexa_score, weighted_mean

VALUES = st.floats(-3, 3).map(lambda value: round(value, 2))
MATRICES = st.integers(2, 6).flatmap(lambda n: arrays(np.float64, (n, n), elements=VALUES))
LAYERS = st.integers(2, 5).flatmap(lambda n: arrays(np.float64, (2, 3, n, 4), elements=VALUES))


def naive(matrix) -> float:
    """The definition, sentence by sentence."""
    n, right = len(matrix), 0
    for i in range(n):
        rivals = [matrix[i][j] for j in range(n) if j != i] + [matrix[j][i] for j in range(n) if j != i]
        right += all(matrix[i][i] > rival for rival in rivals)
    return right / n


@pytest.mark.parametrize(
    ("matrix", "value"),
    [
        (np.eye(5), 1.0),
        (np.ones((5, 5)), 0.0),
        ([[0.9, 0.8], [0.95, 0.9]], 0.0),
        ([[0.9, 0.8], [0.7, 0.9]], 1.0),
        ([[0.9, 0.1, 0.1], [0.1, 0.5, 0.6], [0.1, 0.6, 0.5]], 1 / 3),
        (np.eye(4)[[1, 0, 2, 3]], 0.5),
        ([[1.0, -1.0], [-1.0, -1.0]], 0.5),
    ],
)
def test_golden_values(matrix, value):
    assert mexa(matrix) == pytest.approx(value)


@given(MATRICES)
def test_the_definition(matrix):
    assert mexa(matrix) == pytest.approx(naive(matrix.tolist()))


@given(MATRICES, st.randoms(use_true_random=False))
def test_order_and_scale_play_no_part(matrix, shuffle):
    order = list(range(len(matrix)))
    shuffle.shuffle(order)
    assert mexa(matrix[np.ix_(order, order)]) == mexa(matrix) == mexa(matrix.T)
    assert mexa(8 * matrix + 2) == mexa(matrix)


@given(st.permutations(range(6)))
def test_a_permuted_language_keeps_its_fixed_points(order):
    assert mexa(np.eye(6)[order]) == np.mean(np.array(order) == np.arange(6))


def test_duplicates_both_fail():
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert mexa(cosines(vectors, vectors)) == pytest.approx(1 / 3)


@pytest.mark.parametrize("n", [2, 3, 7, 17, 100])
def test_duplicates_tie_wherever_they_are(n):
    vectors = np.random.default_rng(n).normal(size=(n, 257))
    vectors[-1] = vectors[0]
    assert mexa(cosines(vectors, vectors)) == pytest.approx((n - 2) / n)


@pytest.mark.parametrize("matrix", [[[1.0]], np.zeros((0, 0)), np.ones((2, 3)), np.ones(4), [[np.nan, 0], [0, 1]]])
def test_what_has_no_value_is_refused(matrix):
    with pytest.raises(UsageError):
        mexa(matrix)


def test_weighted_mean():
    assert weighted_mean([[1, 0], [0, 1]]) == pytest.approx([1 / 3, 2 / 3])
    assert weighted_mean([[5.0, 7.0]]) == pytest.approx([5, 7])
    with pytest.raises(UsageError):
        weighted_mean(np.zeros((0, 3)))


@given(LAYERS)
def test_layers(vectors):
    pivot, other = vectors
    layers = mexa_layers(pivot, other)
    assert layers.shape == (3,)
    assert layers.tolist() == [mexa(cosines(one, two)) for one, two in zip(pivot, other, strict=True)]
    assert ((layers >= 0) & (layers <= 1)).all()
    assert mexa_layers(4 * pivot, other / 2).tolist() == layers.tolist(), "powers of two change no bit of a cosine"


def test_score_of_a_language():
    assert mexa_score([0.2, 0.6, 0.4]) == pytest.approx(0.4)
    assert mexa_score([0.2, 0.6, 0.4], pooling="max") == pytest.approx(0.6)
    assert mexa_score([0.5, 1.0], pivot_accuracy=0.8) == pytest.approx(0.6), "adjusted by the accuracy in English"
    with pytest.raises(UsageError, match="unknown pooling 'median'"):
        mexa_score([0.5], pooling="median")  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        mexa_score([])


def test_the_pivot_with_itself_is_1():
    vectors = np.random.default_rng(0).normal(size=(4, 20, 16))
    assert mexa_layers(vectors, vectors).tolist() == [1.0] * 4
    assert mexa_layers(vectors, -vectors).tolist() == [0.0] * 4


def test_language_ranker_leaves_out_the_embeddings():
    """Equal sentences give 1 in every layer; MEXA has a value for layer 0, Language Ranker none."""
    vectors = np.random.default_rng(0).normal(size=(4, 20, 16))
    assert language_ranker(vectors, vectors) == pytest.approx([1, 1, 1])
    other = vectors.copy()
    other[0] *= -1
    assert language_ranker(vectors, other) == pytest.approx([1, 1, 1])
    assert len(mexa_layers(vectors, other)) == 4
    assert language_ranker([[[1, 0]], [[1, 0]]], [[[1, 0]], [[1, 1]]]) == pytest.approx([np.sqrt(0.5)])


@given(LAYERS, st.randoms(use_true_random=False))
def test_language_ranker_is_a_mean_of_cosines(vectors, shuffle):
    pivot, other = vectors
    found = language_ranker(pivot, other)
    order = list(range(pivot.shape[1]))
    shuffle.shuffle(order)
    assert found.shape == (2,) and (np.abs(found) <= 1 + 1e-9).all()
    assert language_ranker(other, pivot) == pytest.approx(found), "the side of the pivot plays no part"
    assert language_ranker(pivot[:, order], other[:, order]) == pytest.approx(found)
    assert language_ranker(3 * pivot, other / 7) == pytest.approx(found)
    means = [np.diagonal(cosines(one, two)).mean() for one, two in zip(pivot[1:], other[1:], strict=True)]
    assert found == pytest.approx(means)


def test_bad_states_are_refused_with_their_shapes():
    states = np.ones((2, 3, 4))
    with pytest.raises(UsageError, match=r"\(2, 3, 4\) and \(2, 2, 4\)"):
        mexa_layers(states, states[:, :2])
    with pytest.raises(UsageError, match="one layer"):
        language_ranker(states[:1], states[:1])
    with pytest.raises(UsageError, match="not finite"):
        language_ranker(states, states * np.inf)
    with pytest.raises(UsageError, match="shape"):
        cosines(states, states)


def test_zeros_and_huge_values_have_cosines():
    assert cosines([[0, 0], [1, 0]], [[1, 0], [0, 1]]).tolist() == [[0, 0], [1, 0]]
    assert cosines([[1e300, 0.0]], [[1e300, 1e300]])[0, 0] == pytest.approx(np.sqrt(0.5))
