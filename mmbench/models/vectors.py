"""Vectors of unit length, out of what models say of a text or an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmbench.models.loading import import_torch, keeping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


def last_states(model: Any, features: Mapping[str, Any]) -> list[tuple[float, ...]]:
    """The state of the last token of each row after the last layer of a language model.

    Args:
        model: the model.
        features: of prompts that are padded on their left.
    """
    with import_torch().inference_mode():
        read = model(**features, output_hidden_states=True, **keeping(model, 1))
    return floats(unit(read.hidden_states[-1][:, -1]))


def unit(vectors: Tensor) -> Tensor:
    """Vectors of shape (n, d) in float32, each divided by its length; one without length stays zero."""
    found = vectors.float()
    unified: Tensor = found / found.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return unified


def floats(vectors: Tensor) -> list[tuple[float, ...]]:
    """Vectors of shape (n, d) as plain numbers."""
    return [tuple(row) for row in vectors.tolist()]
