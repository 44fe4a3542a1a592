"""Tiny random models of architectures that see; see `tiny_multimodal`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.models.tiny_multimodal_parts import CHAT, ROPE, TEXT, finish, tokens

if TYPE_CHECKING:
    from pathlib import Path

VISION = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 4,
}  # fmt: skip


def llava(folder: Path) -> None:
    from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

    tokenizer = tokens("<image>")
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    processor = LlavaProcessor(
        pictures, tokenizer, patch_size=4, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=CHAT % ("", "<image>"),
    )  # fmt: skip
    config = LlavaConfig(
        text_config={"model_type": "llama", "vocab_size": len(tokenizer), **TEXT},
        vision_config={"model_type": "clip_vision_model", "image_size": 16, "projection_dim": 16, **VISION},
        image_token_index=processor.image_token_id, vision_feature_layer=-1,
    )  # fmt: skip
    finish(folder, LlavaForConditionalGeneration(config), processor)


def gemma3(folder: Path) -> None:
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3ImageProcessorPil, Gemma3Processor

    names = {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}
    tokenizer = tokens(**names)
    processor = Gemma3Processor(
        Gemma3ImageProcessorPil(size={"height": 16, "width": 16}), tokenizer, image_seq_length=4,
        chat_template=CHAT % ("", "<start_of_image>"),
    )  # fmt: skip
    config = Gemma3Config(
        text_config={
            "vocab_size": len(tokenizer), "head_dim": 16, "sliding_window": 64,
            "layer_types": ["sliding_attention", "full_attention"], **TEXT,
        },
        vision_config={"model_type": "siglip_vision_model", "image_size": 16, "vision_use_head": False, **VISION},
        image_token_id=tokenizer.image_token_id, mm_tokens_per_image=4,
        boi_token_index=tokenizer.boi_token_id, eoi_token_index=tokenizer.eoi_token_id,
    )  # fmt: skip
    model = Gemma3ForConditionalGeneration(config)
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight)  # zeros would see nothing
    finish(folder, model, processor)


def qwen_pictures() -> Any:
    from transformers import Qwen2VLImageProcessorPil

    return Qwen2VLImageProcessorPil(
        patch_size=4, merge_size=2, temporal_patch_size=2, size={"shortest_edge": 64, "longest_edge": 1024}
    )


def qwen_vision(**more: Any) -> dict[str, Any]:
    return {"depth": 2, "num_heads": 2, "patch_size": 4, "spatial_merge_size": 2, "temporal_patch_size": 2, **more}


def qwen_videos() -> Any:
    from transformers import Qwen2VLVideoProcessor

    return Qwen2VLVideoProcessor(patch_size=4, merge_size=2, temporal_patch_size=2)


QWEN = {
    "image_token": "<|image_pad|>", "video_token": "<|video_pad|>", "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
}  # fmt: skip
PICTURE = "<|vision_start|><|image_pad|><|vision_end|>"


def qwen_ids(tokenizer: Any) -> dict[str, int]:
    names = {"image_token_id": "image_token", "video_token_id": "video_token"}
    names |= {"vision_start_token_id": "vision_bos_token", "vision_end_token_id": "vision_eos_token"}
    return {key: tokenizer.convert_tokens_to_ids(QWEN[name]) for key, name in names.items()}


def qwen2_vl(folder: Path) -> None:
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLProcessor

    tokenizer = tokens(**QWEN)
    processor = Qwen2VLProcessor(qwen_pictures(), tokenizer, qwen_videos(), chat_template=CHAT % ("", PICTURE))
    config = Qwen2VLConfig(
        text_config={"vocab_size": len(tokenizer), "rope_parameters": ROPE, **TEXT},
        vision_config=qwen_vision(embed_dim=16, hidden_size=32, mlp_ratio=2),
        **qwen_ids(tokenizer),
    )
    finish(folder, Qwen2VLForConditionalGeneration(config), processor)


def qwen2_5_vl(folder: Path) -> None:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

    tokenizer = tokens(**QWEN)
    processor = Qwen2_5_VLProcessor(qwen_pictures(), tokenizer, qwen_videos(), chat_template=CHAT % ("", PICTURE))
    vision = qwen_vision(
        hidden_size=16, intermediate_size=32, out_hidden_size=32, window_size=16, fullatt_block_indexes=[1]
    )
    config = Qwen2_5_VLConfig(
        text_config={"vocab_size": len(tokenizer), "rope_parameters": ROPE, **TEXT}, vision_config=vision,
        **qwen_ids(tokenizer),
    )  # fmt: skip
    finish(folder, Qwen2_5_VLForConditionalGeneration(config), processor)


def smolvlm(folder: Path) -> None:
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessorPil,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    fake, whole, ends = "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"
    tokenizer = tokens(
        image_token="<image>", fake_image_token=fake, global_image_token=whole, end_of_utterance_token=ends
    )
    size = {"size": {"longest_edge": 16}, "max_image_size": {"longest_edge": 16}}
    pictures = SmolVLMImageProcessorPil(**size, do_image_splitting=False)
    processor = SmolVLMProcessor(
        pictures, tokenizer, SmolVLMVideoProcessor(**size), image_seq_len=4, chat_template=CHAT % ("", "<image>")
    )
    config = SmolVLMConfig(
        text_config={"model_type": "llama", "vocab_size": len(tokenizer), **TEXT, "pad_token_id": 0},
        vision_config={"image_size": 16, **VISION}, image_token_id=processor.image_token_id, scale_factor=2,
    )  # fmt: skip
    finish(folder, SmolVLMForConditionalGeneration(config), processor)
