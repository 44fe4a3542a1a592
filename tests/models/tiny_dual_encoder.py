"""Tiny random dual encoders of real architectures, in the layout of a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.models.conftest import byte_level, save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAYERS = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {**LAYERS, "image_size": 16, "patch_size": 4}
SIZE = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}


def tokens(kind: Any, control: list[str], template: str, **options: Any) -> Any:
    """A tokenizer of bytes that writes control tokens around each text."""
    from tokenizers import processors

    raw = byte_level(control)
    pairs = [(token, raw.token_to_id(token)) for token in control if token in template]
    raw.post_processor = processors.TemplateProcessing(single=template, special_tokens=pairs)
    return kind(tokenizer_object=raw, **options)


def clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPProcessor, PreTrainedTokenizerFast

    control = ["<pad>", "<s>", "</s>"]
    tokenizer = tokens(
        PreTrainedTokenizerFast, control, "<s> $A </s>", bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        model_max_length=24,
    )  # fmt: skip
    config = CLIPConfig(
        text_config={
            "vocab_size": len(tokenizer), "max_position_embeddings": 24, **LAYERS, "bos_token_id": 257,
            "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config=VISION, projection_dim=16,
    )  # fmt: skip
    save(CLIPModel(config), folder, scale=8)
    CLIPProcessor(CLIPImageProcessorPil(**SIZE), tokenizer).save_pretrained(folder)


def siglip(folder: Path) -> None:
    from transformers import (
        PreTrainedTokenizerFast,
        SiglipConfig,
        SiglipImageProcessorPil,
        SiglipModel,
        SiglipProcessor,
    )

    tokenizer = tokens(
        PreTrainedTokenizerFast, ["<pad>", "</s>"], "$A </s>", eos_token="</s>", pad_token="<pad>", model_max_length=24
    )
    config = SiglipConfig(
        text_config={"vocab_size": len(tokenizer), "max_position_embeddings": 24, **LAYERS, "projection_size": 32},
        vision_config=VISION,
    )
    save(SiglipModel(config), folder, scale=8)
    pictures = SiglipImageProcessorPil(size={"height": 16, "width": 16})
    SiglipProcessor(pictures, tokenizer).save_pretrained(folder)


def chinese_clip(folder: Path) -> None:
    from transformers import (
        BertTokenizer,
        ChineseCLIPConfig,
        ChineseCLIPImageProcessorPil,
        ChineseCLIPModel,
        ChineseCLIPProcessor,
    )

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz一二三红花鸟"]
    words += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    tokenizer = BertTokenizer(vocab={word: index for index, word in enumerate(words)}, model_max_length=512)
    config = ChineseCLIPConfig(
        text_config={"vocab_size": len(words), "max_position_embeddings": 40, **LAYERS},
        vision_config=VISION, projection_dim=16,
    )  # fmt: skip
    save(ChineseCLIPModel(config), folder, scale=8)
    ChineseCLIPProcessor(ChineseCLIPImageProcessorPil(**SIZE), tokenizer).save_pretrained(folder)


def altclip(folder: Path) -> None:
    from transformers import (
        AltCLIPConfig,
        AltCLIPModel,
        AltCLIPProcessor,
        CLIPImageProcessorPil,
        PreTrainedTokenizerFast,
    )

    control = ["<pad>", "<s>", "</s>"]
    tokenizer = tokens(
        PreTrainedTokenizerFast, control, "<s> $A </s>", bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        model_max_length=512,
    )  # fmt: skip
    config = AltCLIPConfig(
        text_config={
            "vocab_size": len(tokenizer), "max_position_embeddings": 300, **LAYERS, "project_dim": 32,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config=VISION, projection_dim=32,
    )  # fmt: skip
    save(AltCLIPModel(config), folder, scale=8)
    AltCLIPProcessor(CLIPImageProcessorPil(**SIZE), tokenizer).save_pretrained(folder)


FAMILIES: dict[str, Callable[[Path], None]] = {
    "clip": clip, "siglip": siglip, "chinese_clip": chinese_clip, "altclip": altclip,
}  # fmt: skip


def build(family: str, folder: Path) -> Path:
    """Write a tiny model of a family into a folder."""
    import torch

    torch.manual_seed(0)
    FAMILIES[family](folder)
    return folder
