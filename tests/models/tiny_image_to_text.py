"""Tiny random models that write about one image without a chat, in the layout of a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.models.conftest import byte_level, save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAYERS = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {**LAYERS, "image_size": 16, "patch_size": 4, "initializer_range": 0.02}
"""The range is wider than that of BLIP-2's vision tower, with which tiny weights see next to nothing."""
SIZE = {"height": 16, "width": 16}


def tokens(*control: str, template: str, **options: Any) -> Any:
    """A tokenizer of bytes, padded with <pad>, that writes control tokens around each text."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    names = ["<pad>", "<s>", "</s>", *control]
    raw = byte_level(names)
    pairs = [(token, raw.token_to_id(token)) for token in names if token in template]
    raw.post_processor = processors.TemplateProcessing(single=template, special_tokens=pairs)
    own = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=raw, **{**own, **options})


def ids(tokenizer: Any) -> dict[str, int]:
    return {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}


def finish(folder: Path, model: Any, processor: Any, *, scale: float = 4.0) -> None:
    import torch

    for key, value in ids(processor.tokenizer).items():
        setattr(model.generation_config, key, value)
    speaker = getattr(model, "decoder", model)
    with torch.no_grad():
        speaker.get_output_embeddings().weight[256:] = 0  # or they would answer with control tokens alone
    save(model, folder, scale=scale)
    processor.save_pretrained(folder)


def opt(tokenizer: Any) -> dict[str, Any]:
    return {
        "model_type": "opt", "vocab_size": len(tokenizer), "hidden_size": 32, "ffn_dim": 37, "num_hidden_layers": 2,
        "num_attention_heads": 2, "word_embed_proj_dim": 32, "max_position_embeddings": 256, **ids(tokenizer),
    }  # fmt: skip


def t5(tokenizer: Any) -> dict[str, Any]:
    return {
        "model_type": "t5", "vocab_size": len(tokenizer), "d_model": 32, "d_kv": 16, "d_ff": 37, "num_layers": 2,
        "num_heads": 2, "decoder_start_token_id": tokenizer.pad_token_id, **ids(tokenizer),
    }  # fmt: skip


def pictures() -> Any:
    from transformers import BlipImageProcessorPil

    return BlipImageProcessorPil(size=SIZE)


def _blip2(folder: Path, text: Callable[[Any], dict[str, Any]], template: str) -> None:
    import torch
    from transformers import Blip2Config, Blip2ForConditionalGeneration, Blip2Processor

    tokenizer = tokens("<image>", template=template)
    image = tokenizer.convert_tokens_to_ids("<image>")
    config = Blip2Config(
        vision_config=VISION, qformer_config={**LAYERS, "encoder_hidden_size": 32, "vocab_size": 99},
        text_config=text(tokenizer), num_query_tokens=4, image_token_index=image,
    )  # fmt: skip
    model = Blip2ForConditionalGeneration(config)
    torch.nn.init.normal_(model.query_tokens)  # zeros would see nothing
    finish(folder, model, Blip2Processor(pictures(), tokenizer, num_query_tokens=4))


def blip2_opt(folder: Path) -> None:
    _blip2(folder, opt, "<s> $A")


def blip2_t5(folder: Path) -> None:
    _blip2(folder, t5, "$A </s>")


def instructblip(folder: Path) -> None:
    import torch
    from transformers import InstructBlipConfig, InstructBlipForConditionalGeneration, InstructBlipProcessor

    tokenizer = tokens("<image>", template="$A </s>")
    image = tokenizer.convert_tokens_to_ids("<image>")
    reader = tokens(template="<s> $A </s>")
    config = InstructBlipConfig(
        vision_config=VISION, qformer_config={**LAYERS, "encoder_hidden_size": 32, "vocab_size": len(reader)},
        text_config=t5(tokenizer), num_query_tokens=4, image_token_index=image,
    )  # fmt: skip
    model = InstructBlipForConditionalGeneration(config)
    torch.nn.init.normal_(model.query_tokens)
    finish(folder, model, InstructBlipProcessor(pictures(), tokenizer, reader, num_query_tokens=4))


def florence2(folder: Path) -> None:
    from transformers import (
        CLIPImageProcessorPil,
        Florence2Config,
        Florence2ForConditionalGeneration,
        Florence2Processor,
    )

    tokenizer = tokens(template="<s> $A </s>", extra_special_tokens={"image_token": "<image>"})
    tokenizer.add_tokens([f"<loc_{n}>" for n in range(10)])
    images = CLIPImageProcessorPil(size=SIZE, do_center_crop=False)
    images.image_seq_length = 5
    config = Florence2Config(
        text_config={
            "model_type": "bart", "vocab_size": len(tokenizer), "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
            "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 37, "decoder_ffn_dim": 37,
            "max_position_embeddings": 256, "decoder_start_token_id": tokenizer.eos_token_id,
            "is_encoder_decoder": True, **ids(tokenizer),
        },
        vision_config={
            "embed_dim": [8, 16], "num_heads": [1, 2], "num_groups": [1, 2], "depths": [1, 1], "patch_size": [7, 3],
            "patch_stride": [4, 2], "patch_padding": [3, 1], "patch_prenorm": [False, True], "window_size": 4,
            "projection_dim": 32, "drop_path_rate": 0.0,
        },
        image_token_id=tokenizer.image_token_id,
    )  # fmt: skip
    model = Florence2ForConditionalGeneration(config)
    model.generation_config.decoder_start_token_id = tokenizer.eos_token_id
    model.generation_config.forced_bos_token_id = tokenizer.bos_token_id
    finish(folder, model, Florence2Processor(images, tokenizer))


def paligemma(folder: Path) -> None:
    from transformers import (
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        PaliGemmaProcessor,
        SiglipImageProcessorPil,
    )

    tokenizer = tokens(template="$A", extra_special_tokens={"image_token": "<image>"})
    images = SiglipImageProcessorPil(size=SIZE)
    images.image_seq_length = 16
    processor = PaliGemmaProcessor(images, tokenizer)
    config = PaliGemmaConfig(
        text_config={
            "model_type": "gemma", "vocab_size": len(tokenizer), "head_dim": 16, "num_key_value_heads": 1,
            "max_position_embeddings": 512, **LAYERS, **ids(tokenizer),
        },
        vision_config={"model_type": "siglip_vision_model", "vision_use_head": False, "projection_dim": 32, **VISION},
        image_token_index=tokenizer.image_token_id, projection_dim=32,
    )  # fmt: skip
    finish(folder, PaliGemmaForConditionalGeneration(config), processor, scale=16)


def trocr(folder: Path) -> None:
    """A vision encoder and a text decoder of their own, as TrOCR's and Donut's."""
    from transformers import (
        TrOCRConfig,
        TrOCRProcessor,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        ViTConfig,
        ViTImageProcessorPil,
    )

    tokenizer = tokens("<s_ocr>", template="<s> $A </s>")
    decoder = TrOCRConfig(
        vocab_size=len(tokenizer), d_model=32, decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=37,
        max_position_embeddings=256, cross_attention_hidden_size=32,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(**VISION), decoder)
    config.decoder_start_token_id = tokenizer.eos_token_id
    config.pad_token_id = tokenizer.pad_token_id
    model = VisionEncoderDecoderModel(config)
    model.generation_config.decoder_start_token_id = tokenizer.eos_token_id
    finish(folder, model, TrOCRProcessor(ViTImageProcessorPil(size=SIZE), tokenizer))


def got_ocr2(folder: Path) -> None:
    """A model whose processor writes the whole prompt, in a chat frame; 64 x 64 patches become its 256 tokens."""
    from transformers import (
        GotOcr2Config,
        GotOcr2ForConditionalGeneration,
        GotOcr2ImageProcessorPil,
        GotOcr2Processor,
    )

    chat = ("<|im_start|>", "<|im_end|>", "<img>", "</img>", "<imgpad>")
    tokenizer = tokens(*chat, template="$A", bos_token=None)
    processor = GotOcr2Processor(GotOcr2ImageProcessorPil(size={"height": 64, "width": 64}), tokenizer)
    config = GotOcr2Config(
        text_config={
            "model_type": "qwen2", "vocab_size": len(tokenizer), "num_key_value_heads": 1,
            "max_position_embeddings": 1024, **LAYERS, "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={
            "hidden_size": 8, "output_channels": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64,
            "patch_size": 1, "window_size": 8, "global_attn_indexes": [], "mlp_dim": 16, "initializer_range": 0.5,
        },
        image_token_index=processor.image_token_id,
    )  # fmt: skip
    finish(folder, GotOcr2ForConditionalGeneration(config), processor, scale=8)


FAMILIES: dict[str, Callable[[Path], None]] = {
    "blip2_opt": blip2_opt, "blip2_t5": blip2_t5, "instructblip": instructblip, "florence2": florence2,
    "paligemma": paligemma, "trocr": trocr, "got_ocr2": got_ocr2,
}  # fmt: skip


def build(family: str, folder: Path) -> Path:
    """Write a tiny model of a family into a folder."""
    import torch

    torch.manual_seed(0)
    FAMILIES[family](folder)
    return folder
