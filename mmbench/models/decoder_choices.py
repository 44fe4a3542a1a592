"""Likelihoods of answers out of an encoder-decoder whose encoder reads the question once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mmbench.models.continuations import repeated
from mmbench.models.loading import import_torch
from mmbench.models.shortcut import Shortcut

if TYPE_CHECKING:
    from collections.abc import Sequence

Features = dict[str, Any]
Tokens = tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class DecoderChoices:
    """Asks one model for likelihoods of what its decoder might write.

    Args:
        name: of the model, for messages.
        model: the model itself.
        pad: a token to fill up rows with.
        shares: whether a question is encoded once, where the model allows that.
    """

    name: str
    model: Any
    pad: int
    shares: bool = True
    shortcut: Shortcut = field(init=False)

    def __post_init__(self) -> None:
        """Begin without trust."""
        what = "questions are encoded once for each choice"
        self.shortcut = Shortcut(name=self.name, dtype=self.model.dtype, what=what, taken=self.shares)

    def scores(self, features: Features, start: Tokens, choices: Sequence[Tokens]) -> list[float]:
        """Log-likelihood of each choice, summed over its tokens, without an end after it.

        Args:
            features: of the question, in one row.
            start: what the decoder begins with.
            choices: tokens of each.
        """
        rows = sorted({(*start, *tokens[:-1]) for tokens in choices})
        width = max(map(len, rows))
        ids = import_torch().tensor([[*row, *[self.pad] * (width - len(row))] for row in rows])
        ids = ids.to(self.model.device)

        def sums(logits: Any) -> list[float]:
            logprobs = logits[:, len(start) - 1 :].float().log_softmax(-1)
            own = [logprobs[rows.index((*start, *tokens[:-1]))] for tokens in choices]
            return [
                sum(each[position, token].item() for position, token in enumerate(tokens))
                for each, tokens in zip(own, choices, strict=True)
            ]

        def plain() -> list[float]:
            return sums(self._apart(features, ids))

        return plain() if len(rows) == 1 else self.shortcut((), lambda: sums(self._shared(features, ids)), plain)

    def _apart(self, features: Features, ids: Any) -> Any:
        """Logits of the decoder, with the question encoded for each row: (rows, positions, vocabulary)."""
        with import_torch().inference_mode():
            return self.model(**repeated(features, len(ids)), decoder_input_ids=ids).logits

    def _shared(self, features: Features, ids: Any) -> Any:
        """The same, with the question encoded once."""
        from transformers.modeling_outputs import BaseModelOutput

        with import_torch().inference_mode():
            read = self.model(**features, decoder_input_ids=ids[:1, :1])
            # Of BLIP-2 the part that speaks goes on; the whole asks for an image each time.
            inner = getattr(read, "language_model_outputs", None)
            speaker, read = (self.model, read) if inner is None else (self.model.language_model, inner)
            states = read.encoder_last_hidden_state.expand(len(ids), -1, -1)
            mask = {key: value for key, value in features.items() if key == "attention_mask"}
            encoded = BaseModelOutput(last_hidden_state=states)
            return speaker(encoder_outputs=encoded, decoder_input_ids=ids, **repeated(mask, len(ids))).logits


def is_encoder_decoder(config: Any) -> bool:
    """Whether a model has a decoder that reads an encoder's states, by itself or in its language model."""
    return bool(config.is_encoder_decoder) or getattr(config, "use_decoder_only_language_model", True) is False


def first_token(model: Any) -> int | None:
    """What the decoder of an encoder-decoder begins with; None where its weights do not say."""
    speaker = getattr(model, "language_model", model)
    inner = [getattr(speaker.config, name) for name in ("decoder", "text_config") if hasattr(speaker.config, name)]
    places = [model.generation_config, speaker.generation_config, *inner, speaker.config]
    found = [getattr(place, key, None) for key in ("decoder_start_token_id", "bos_token_id") for place in places]
    return next((int(token) for token in found if token is not None), None)
