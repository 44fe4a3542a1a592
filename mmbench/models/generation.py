"""How every model that writes is asked: greedily, on the same day, and with a note where its answer was broken off."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mmbench.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mmbench.schema import Sample

GREEDY: dict[str, Any] = {
    "do_sample": False,
    "num_beams": 1,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "min_length": 0,
    "min_new_tokens": None,
    "guidance_scale": None,
    "penalty_alpha": None,
    "prompt_lookup_num_tokens": None,
    "exponential_decay_length_penalty": None,
    "forced_eos_token_id": None,
}
"""Greedy decoding whatever the checkpoint's own generation config asks for.

What it suppresses or forces to begin with stays, because that is how the model is told its task; the end that mBART
forces at the limit does not, because it hides that an answer was broken off.
"""

_DAY = datetime(2024, 7, 26)
"""The day that Llama 3's chat template falls back to."""
_TODAY = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")


def on_one_day(template: str) -> str:
    """A chat template that writes today's date into the prompt, such as Granite's, with the same date every day.

    Else a model would be asked something else tomorrow, and an interrupted run would hold answers to two prompts.
    """
    return _TODAY.sub(lambda found: json.dumps(_DAY.strftime(found[2])), template)


def counted(row: Sequence[int], ends: Collection[int]) -> tuple[int, tuple[str, ...]]:
    """Number of tokens of an answer before its end, and a note where the limit broke it off.

    Args:
        row: tokens that were generated, with padding after them where others in the batch are longer.
        ends: tokens that end an answer or fill up a row.
    """
    count = next((index for index, token in enumerate(row) if token in ends), len(row))
    return count, () if count < len(row) else (f"stopped after {count} tokens",)


def positions(model: Any) -> int:
    """How many tokens a language model takes, prompt and answer together; very many where it does not say."""
    text = model.config.get_text_config()
    return int(getattr(text, "max_position_embeddings", None) or 1 << 30)


def check_fits(name: str, model: Any, sample: Sample, length: int) -> None:
    """Refuse a prompt that with its answer has more tokens than a model takes.

    Raises:
        SampleError: it has.
    """
    if length > (limit := positions(model)):
        raise SampleError(f"sample {sample.id}: {length} tokens with the answer, {name} takes {limit}; shorten it")


def end_tokens(model: Any, options: Mapping[str, Any]) -> frozenset[int]:
    """Tokens that end an answer or fill up its row, from the options of `generate` and else from the model."""
    found: set[int] = set()
    for name in ("eos_token_id", "pad_token_id"):
        own = options.get(name, getattr(model.generation_config, name))
        found |= set(own if isinstance(own, list | tuple) else (own,))
    return frozenset(found - {None})
