"""Likelihoods of several continuations of one prompt with media, which is read once: they go on from its cache.

Whether a model can do that is found out, not assumed: see `shortcut`. Else the whole prompt is read for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mmbench.models.continuations import BY_TOKEN, Continuation, extended
from mmbench.models.loading import import_torch, keeping
from mmbench.models.shortcut import Shortcut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Features = dict[str, Any]

_ANSWER_TYPES: Mapping[str, int] = {"paligemma": 1}
"""Token type of an answer by type of model, where it is not 0: type 0 is a prompt that may look ahead in itself."""


@dataclass(slots=True, kw_only=True)
class Prefixes:
    """Asks one model for likelihoods of continuations.

    Args:
        name: of the model, for messages.
        model: the model itself.
        pad: a token to fill up rows with.
        shares: whether prompts are read once, where the model allows that.
    """

    name: str
    model: Any
    pad: int
    shares: bool = True
    shortcut: Shortcut = field(init=False)

    def __post_init__(self) -> None:
        """Begin without trust."""
        what = "prompts are read once for each choice"
        self.shortcut = Shortcut(name=self.name, dtype=self.model.dtype, what=what, taken=self.shares)

    def scores(
        self, choices: Sequence[Continuation], repeated: Callable[[int], Features], kind: tuple[bool, ...] = ()
    ) -> list[float]:
        """Log-likelihood of each choice, summed over its tokens.

        Args:
            choices: all keep the same number of the prompt's tokens.
            repeated: features of the prompt in as many rows as are asked for.
            kind: of prompt, such as which media it holds; each is checked once.
        """
        # All tokens but the last are read, and the last one's probability is where they end: rows that agree are one.
        rows = sorted({Continuation(kept, tokens[:-1]) for kept, tokens in choices})

        def plain() -> list[float]:
            return _sums(self._apart(rows, repeated(len(rows))), rows, choices)

        if len(rows) == 1:
            return plain()
        beyond = rows[0].kept > self._window()
        return self.shortcut((*kind, beyond), lambda: _sums(self._shared(rows, repeated(1)), rows, choices), plain)

    def _window(self) -> int:
        """Tokens beyond which layers with a sliding window forget; their cache is of another kind from there on."""
        return int(getattr(self.model.config.get_text_config(), "sliding_window", None) or 1 << 30)

    def _apart(self, rows: list[Continuation], features: Features) -> Any:
        """Log probabilities from the prompt's end on, which is in each row: (rows, positions, vocabulary)."""
        inputs = extended(features, rows, self.pad, _ANSWER_TYPES.get(self.model.config.model_type, 0))
        kept = inputs["input_ids"].shape[1] - rows[0].kept + 1
        with import_torch().inference_mode():
            return self.model(**inputs, **keeping(self.model, kept)).logits[:, -kept:].float().log_softmax(-1)

    def _shared(self, rows: list[Continuation], features: Features) -> Any:
        """The same from one prompt and its cache."""
        torch = import_torch()
        kept, width = rows[0].kept, max(len(row.tokens) for row in rows)
        prompt = {key: value[:, :kept] if key in BY_TOKEN else value for key, value in features.items()}
        ids = prompt["input_ids"].new_full((len(rows), width), self.pad)
        for index, row in enumerate(rows):
            ids[index, : len(row.tokens)] = ids.new_tensor(row.tokens)
        self._forget()
        with torch.inference_mode():
            read = self.model(**prompt, use_cache=True, **keeping(self.model, 1))
            # Of BLIP-2 the part that speaks goes on; the whole asks for an image each time.
            inner = getattr(read, "language_model_outputs", None)
            speaker, cache = (self.model, read) if inner is None else (self.model.language_model, inner)
            cache.past_key_values.batch_repeat_interleave(len(rows))
            # No mask: the padding comes last, where nothing looks at it, and models that count places in two
            # dimensions count them anew from a mask.
            after = speaker(input_ids=ids, past_key_values=cache.past_key_values, use_cache=True).logits
            first = read.logits[:, -1:].expand(len(rows), -1, -1)
            return torch.cat([first, after], 1).float().log_softmax(-1)

    def _forget(self) -> None:
        """Take from models that count places in two dimensions what they remember of the prompt before."""
        for module in self.model.modules():
            if getattr(module, "rope_deltas", None) is not None:
                module.rope_deltas = None


def _sums(logprobs: Any, rows: list[Continuation], choices: Sequence[Continuation]) -> list[float]:
    """Log-likelihood of each choice from the log probabilities after each row: (rows, positions, vocabulary)."""
    found = []
    for kept, tokens in choices:
        own = logprobs[rows.index(Continuation(kept, tokens[:-1]))]
        found.append(sum(own[position, token].item() for position, token in enumerate(tokens)))
    return found
