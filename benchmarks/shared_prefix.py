"""What it saves to read a prompt with an image once for all its choices: samples a second with and without that.

    python benchmarks/shared_prefix.py

LLaVA with random weights and 576 tokens an image: a small one on the processor, and one of the size of LLaVA-1.5-7B in
bfloat16 where there is CUDA. Each sample has one image, a question and four choices, of about 40 tokens.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CLIPImageProcessorPil,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from mmbench.media import encode_image
from mmbench.models.multimodal import MultimodalLM
from mmbench.models.prefix import Prefixes
from mmbench.schema import Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLES = 4
ROUNDS = 5
SMALL = (
    {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 4, "num_attention_heads": 4},
    {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 4, "num_attention_heads": 4},
)
LLAVA_7B = (
    {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32},
    {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16},
)
"""Sizes of the language model and of the image encoder."""


def processor() -> Any:
    """LLaVA-1.5's processor with a vocabulary of bytes."""
    pieces = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE({piece: index for index, piece in enumerate(pieces)}, []))
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    raw.add_special_tokens([AddedToken(token, special=True) for token in ("<image>", "</s>", "<pad>")])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="</s>", pad_token="<pad>")
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    template = (
        "{% for c in messages[-1].content %}{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}"
        "{% endfor %}"
    )
    return LlavaProcessor(
        pictures, tokenizer, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=template,
    )  # fmt: skip


def config(text: dict[str, int], vision: dict[str, int]) -> Any:
    """LLaVA-1.5's configuration in a size."""
    return LlavaConfig(
        text_config={"model_type": "llama", "vocab_size": 32064, "max_position_embeddings": 4096, **text},
        vision_config={
            "model_type": "clip_vision_model", "image_size": 336, "patch_size": 14, "projection_dim": 768, **vision,
        },
        image_token_index=256,
    )  # fmt: skip


def samples() -> list[Sample]:
    """Questions about pictures of noise."""
    rng = np.random.default_rng(0)
    choices = tuple(f"{letter}. {letter.lower() * 12} with {letter.lower() * 20}" for letter in "ABCD")
    pictures = [encode_image(rng.integers(0, 255, (336, 336, 3), dtype=np.uint8)) for _ in range(SAMPLES)]
    return [
        Sample(id=str(n), language="eng_Latn", parts=(Image(p), Text("\nWhich is it? ")), choices=choices)
        for n, p in enumerate(pictures)
    ]


def speeds(wrappers: Sequence[MultimodalLM], asked: list[Sample]) -> list[float]:
    """Samples a second of each; the best of rounds that take turns, as the machine may have other work."""
    for model in wrappers:
        model.loglikelihood(asked[:2])  # warms up, and compares both ways
    best = [float("inf")] * len(wrappers)
    for _ in range(ROUNDS):
        for index, model in enumerate(wrappers):
            begun = time.perf_counter()
            model.loglikelihood(asked)
            best[index] = min(best[index], time.perf_counter() - begun)
    return [len(asked) / seconds for seconds in best]


def compare(what: str, shared: MultimodalLM) -> None:
    """Print a line for a model."""
    plain = replace(shared, share_prefix=False)
    plain.load()
    asked = samples()
    if shared._model is not plain._model:  # put there without a folder
        plain._model = shared._model
        plain._prefixes = Prefixes(name="plain", model=shared._model, pad=258, shares=False)
    slow, fast = speeds([plain, shared], asked)
    kept = "" if shared._prefixes.shortcut.taken else "  (fell back: nothing is shared)"
    print(f"{what:36}{slow:12.2f}{fast:12.2f}{fast / slow:8.1f}{kept}")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.manual_seed(0)
        processor().save_pretrained(folder)
        LlavaForConditionalGeneration(config(*SMALL)).save_pretrained(folder)
        print(f"{'samples a second':36}{'repeated':>12}{'shared':>12}{'ratio':>8}")
        model = MultimodalLM(name="small", model=str(folder), dtype="float32", device="cpu")
        model.load()
        compare("small, float32, processor", model)
        if torch.cuda.is_available():
            torch.set_default_dtype(torch.bfloat16)
            with torch.device("cuda"):
                large = LlavaForConditionalGeneration(config(*LLAVA_7B)).eval()
            torch.set_default_dtype(torch.float32)
            model._model, model._prefixes = large, Prefixes(name="large", model=large, pad=258)
            compare("size of LLaVA-1.5-7B, bfloat16, CUDA", model)


if __name__ == "__main__":
    main()
