"""What the tiny multimodal models share: settings of a text model, a chat template, a tokenizer of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.models.conftest import byte_level, save

if TYPE_CHECKING:
    from pathlib import Path

TEXT = {
    "hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 2048, "tie_word_embeddings": False, "use_cache": True,
}  # fmt: skip
ROPE = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
CHAT = (
    "{%% for m in messages %%}<|im_start|>{{ m['role'] }}\n{%% for c in m['content'] %%}"
    "{%% if c['type'] == 'text' %%}{{ c['text'] }}"
    "{%% elif c['type'] == 'audio' %%}%s{%% elif c['type'] == 'image' %%}%s{%% endif %%}{%% endfor %%}<|im_end|>\n"
    "{%% endfor %%}{%% if add_generation_prompt %%}<|im_start|>assistant\n{%% endif %%}"
)
CHATML = ("<|im_start|>", "<|im_end|>", "<pad>")


def tokens(*media: str, begin: str | None = None, **named: str) -> Any:
    """A tokenizer of bytes and control tokens, with `begin` before each text where that is given."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    control = [*CHATML, *media, *(token for token in named.values() if token not in media)]
    raw = byte_level(control if begin is None else [*control, begin])
    if begin is not None:
        pair = (begin, raw.token_to_id(begin))
        raw.post_processor = processors.TemplateProcessing(single=f"{begin} $A", special_tokens=[pair])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token=begin, eos_token="<|im_end|>", pad_token="<pad>", extra_special_tokens=named
    )


def finish(folder: Path, model: Any, processor: Any, *, scale: float = 4.0) -> None:
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    save(model, folder, scale=scale)
    processor.save_pretrained(folder)
