"""Choices as tokens after a prompt that holds media, and the features of a prompt with such tokens after it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

BY_TOKEN = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "image_embeds_position_mask")
"""Features with one value for each token of the prompt; 0 is a text token in the last three."""


class Continuation(NamedTuple):
    """How many of the prompt's tokens are kept, and the tokens after them."""

    kept: int
    tokens: tuple[int, ...]


def continuations(tokenizer: Any, prompt: Sequence[int], choices: Sequence[str], *, gap: bool) -> list[Continuation]:
    """Tokens of the choices, each read together with the text that the prompt ends in.

    Args:
        tokenizer: of the model.
        prompt: tokens of the prompt, media included.
        choices: their texts.
        gap: whether a space stands between the prompt's text and a choice, unless the text ends in a bracket or line.
    """
    control = set(tokenizer.all_special_ids)
    if not is_mistral(tokenizer):
        control |= set(tokenizer.added_tokens_decoder)
    start = 1 + max((index for index, token in enumerate(prompt) if token in control), default=-1)
    tail = tokenizer.decode(prompt[start:])
    if plain_tokens(tokenizer, tail) != list(
        prompt[start:]
    ):  # as after a piece that the tokenizer would join otherwise
        start, tail = len(prompt), ""
    space = " " if gap and tail[-1:] not in ("\n", "(", "[", "{", "“", "«", "¿", "¡") else ""
    wholes = [plain_tokens(tokenizer, tail + space + choice) for choice in choices]
    kept = shared(prompt[start:], wholes)
    return [Continuation(start + kept, tuple(whole[kept:])) for whole in wholes]


def shared(prompt: Sequence[int], wholes: Sequence[Sequence[int]]) -> int:
    """How many of the prompt's tokens begin each of the texts of prompt and choice, all of which go on after them.

    It is one number for all choices. Where a choice's first character becomes one token with the prompt's last ones,
    the likelihood of the others counts those as well: else choices would be compared over more and less text.
    """
    most = min(len(prompt), *(len(whole) - 1 for whole in wholes))
    return next((i for i in range(most) if any(whole[i] != prompt[i] for whole in wholes)), most)


def plain_tokens(tokenizer: Any, text: str, placeholders: Collection[int] = ()) -> list[int]:
    """Tokens of a text in which control tokens and placeholders of media are spelt out like any other word.

    Args:
        tokenizer: of the model.
        text: the text.
        placeholders: tokens that stand for media, which some vocabularies do not mark as control tokens.
    """
    options = {} if is_mistral(tokenizer) else {"split_special_tokens": True}
    ids: list[int] = tokenizer(text, add_special_tokens=False, **options)["input_ids"]
    if not set(placeholders).intersection(ids):
        return ids
    names = (re.escape(tokenizer.convert_ids_to_tokens(token)) for token in placeholders)
    pieces = re.split(f"(?<=(?={'|'.join(names)}).)", text, flags=re.DOTALL)  # after the first character of each
    return [token for piece in pieces for token in plain_tokens(tokenizer, piece)]


def is_mistral(tokenizer: Any) -> bool:
    """Whether mistral-common reads the text: it has a frame of its own, and no text becomes a control token there."""
    return type(tokenizer).__name__ == "MistralCommonBackend"


def extended(
    features: Mapping[str, Any], rows: Sequence[Continuation], pad: int, answer_type: int = 0
) -> dict[str, Any]:
    """The features of a prompt, which is there once for each row, with the row's tokens and then padding after it.

    Args:
        features: of the prompt.
        rows: what comes after it.
        pad: a token to fill up rows with.
        answer_type: what `token_type_ids` says of those tokens.
    """
    width = max(kept + len(tokens) for kept, tokens in rows)
    longer = dict(features)
    for key in BY_TOKEN:
        if key not in features:
            continue
        value = features[key].new_full((len(rows), width), pad if key == "input_ids" else 0)
        for index, (kept, tokens) in enumerate(rows):
            value[index, :kept] = features[key][index, :kept]
            own = {
                "input_ids": value.new_tensor(tokens),
                "attention_mask": 1,
                "token_type_ids": answer_type,
            }.get(key, 0)
            value[index, kept : kept + len(tokens)] = own
        longer[key] = value
    return longer


def repeated(features: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """The features of one prompt in as many rows."""
    return {key: value.repeat(rows, *[1] * (value.ndim - 1)) for key, value in features.items()}
