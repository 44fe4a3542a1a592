"""How well a model's hidden states align a language with a pivot, without any generation: MEXA and Language Ranker.

Both compare the states of parallel sentences, layer by layer. What comes in are arrays; which model they are of, and
how its states are read, is not the business of this module.

- MEXA (Kargaran et al. 2024, arXiv 2410.05873): the share of sentences that are nearest to their own translation, in
  both directions. Sentence vectors are means of all token states weighted by position, or the state of the last token.
  All layers count, that of the embeddings (0) included.
- Language Ranker (Li et al. 2024, arXiv 2404.11553): the mean cosine of the last token's states. Layer 0 is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from mmbench.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Pooling = Literal["mean", "max"]
"""How one value is made of the layers' values."""


def weighted_mean(hidden: ArrayLike) -> Floats:
    """Vector of a sentence, of shape (d,): sum of t * h_t over sum of t, for t = 1 ... T.

    The weights grow, because in a causal model only later tokens have seen the sentence (Muennighoff 2022, SGPT).

    Args:
        hidden: states of all tokens, of shape (T, d), the first one included.

    Raises:
        UsageError: there are no tokens.
    """
    states = _floats(hidden, 2, "states of a sentence, of shape (tokens, width)")
    weights = np.arange(1, len(states) + 1, dtype=np.float64)
    mean: Floats = weights @ states / weights.sum()
    return mean


def cosines(pivot: ArrayLike, other: ArrayLike) -> Floats:
    """Cosine of each pivot vector with each vector of the other language, of shape (n, n), from two of shape (n, d).

    A vector of zeros has a cosine of 0 with every other. Equal vectors have equal cosines, to the last bit.

    Raises:
        UsageError: the vectors are not finite, or their numbers or widths differ.
    """
    one, two = _pairs(pivot, other, 2)
    # not by matrix product: BLAS may round equal vectors differently at different places, and ties would be lost
    found: Floats = np.einsum("id,jd->ij", _unit(one), _unit(two))
    return found


def mexa(similarities: ArrayLike) -> float:
    """Share of sentences whose similarity to their own translation beats all others, strictly, in row and in column.

    A tie is a defeat: so two equal sentences in the list both fail, and n equal similarities give 0.

    Args:
        similarities: of pivot sentence i to sentence j of the other language, of shape (n, n).

    Raises:
        UsageError: the shape is another, n is below 2 (nothing to beat), or a value is NaN.
    """
    matrix = _floats(similarities, 2, "similarities, of shape (sentences, sentences)")
    if matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise UsageError(f"MEXA: similarities of shape {matrix.shape}; a square of two or more sentences is needed")
    own = np.diagonal(matrix)
    others = matrix.copy()
    np.fill_diagonal(others, -np.inf)
    return float(np.mean((own > others.max(axis=0)) & (own > others.max(axis=1))))


def mexa_layers(pivot: ArrayLike, other: ArrayLike) -> Floats:
    """MEXA of each layer, of shape (L,), from sentence vectors of shape (L, n, d) of the pivot and of the language.

    Raises:
        UsageError: the shapes differ, there are fewer than two sentences, or a value is not finite.
    """
    one, two = _pairs(pivot, other, 3)
    return np.array([mexa(cosines(left, right)) for left, right in zip(one, two, strict=True)])


def mexa_score(layers: ArrayLike, *, pooling: Pooling = "mean", pivot_accuracy: float = 1.0) -> float:
    """One score of a language: the mean or the largest of its layers' values.

    Args:
        layers: of shape (L,), see `mexa_layers`.
        pooling: what is made of the layers.
        pivot_accuracy: the model's accuracy at a task in the pivot language, 0 to 1. With it the score is the paper's
            adjusted one, an estimate of the accuracy in this language.

    Raises:
        UsageError: the pooling is unknown, or there are no layers.
    """
    if pooling not in get_args(Pooling):
        raise UsageError(f"MEXA: unknown pooling {pooling!r}: known are {', '.join(get_args(Pooling))}")
    values = _floats(layers, 1, "values of layers, of shape (layers,)")
    return pivot_accuracy * float(values.mean() if pooling == "mean" else values.max())


def language_ranker(pivot: ArrayLike, other: ArrayLike) -> Floats:
    """Mean cosine of parallel sentences in each layer but the first, of shape (L - 1,).

    Args:
        pivot: last token's states, of shape (L, n, d), the embeddings' layer first.
        other: those of the other language, in the same order.

    Raises:
        UsageError: the shapes differ, there is only one layer, or a value is not finite.
    """
    one, two = _pairs(pivot, other, 3)
    if len(one) < 2:
        raise UsageError("Language Ranker: one layer is given; it leaves out the first, that of the embeddings")
    found: Floats = (_unit(one[1:]) * _unit(two[1:])).sum(axis=-1).mean(axis=-1)
    return found


def _pairs(pivot: ArrayLike, other: ArrayLike, axes: int) -> tuple[Floats, Floats]:
    what = "vectors, of shape (sentences, width)" if axes == 2 else "vectors, of shape (layers, sentences, width)"
    one, two = _floats(pivot, axes, what), _floats(other, axes, what)
    if one.shape != two.shape:
        raise UsageError(f"parallel sentences need {what}; pivot and language differ: {one.shape} and {two.shape}")
    return one, two


def _floats(values: ArrayLike, axes: int, what: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != axes or not found.size:
        raise UsageError(f"{what} are needed, not an array of shape {found.shape}")
    if not np.isfinite(found).all():
        raise UsageError(f"{what}: some are not finite; half precision may overflow, read the states as float32")
    return found


def _unit(vectors: Floats) -> Floats:
    """Vectors of length 1; those of zeros stay."""
    # the largest value first, so that no square overflows
    scaled = vectors / np.maximum(np.abs(vectors).max(axis=-1, keepdims=True), np.finfo(np.float64).tiny)
    length = np.linalg.norm(scaled, axis=-1, keepdims=True)
    units: Floats = np.divide(scaled, length, out=np.zeros_like(scaled), where=length > 0)
    return units
