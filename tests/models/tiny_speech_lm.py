"""Tiny random models of language that listen: an encoder's states stand where the prompt has a sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.models.tiny_speech import finish, ids, tokenizer

if TYPE_CHECKING:
    from pathlib import Path

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for c in m['content'] %}{% if c['type'] == 'audio' %}"
    "<|audio_start|><|audio_pad|><|audio_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}"
    "{% if not loop.last or add_generation_prompt %}<|im_end|>\n{% endif %}{% endfor %}"
)
GRANITE = "{% for m in messages %}USER: {{ m['content'] }}\n{% endfor %}ASSISTANT:"
FUN = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for c in m['content'] %}{% if c['type'] == 'audio' %}"
    "<|object_ref_start|>{% elif c['type'] == 'language' %}{{ c['language'] }}{% endif %}{% endfor %}{% endfor %}"
)


def qwen3(folder: Path, scale: float = 20) -> Path:
    """Qwen3-ASR: a model of language behind an encoder."""
    import torch
    from transformers import (
        Qwen3ASRConfig,
        Qwen3ASRFeatureExtractor,
        Qwen3ASRForConditionalGeneration,
        Qwen3ASRProcessor,
    )

    audio = {"audio_token": "<|audio_pad|>", "audio_bos_token": "<|audio_start|>", "audio_eos_token": "<|audio_end|>"}
    marks = ["<s>", "<|im_end|>", "<pad>", *audio.values(), "<|im_start|>", "<asr_text>"]
    tok = tokenizer(marks, extra_special_tokens=audio)
    torch.manual_seed(0)
    config = Qwen3ASRConfig(
        audio_config={
            "model_type": "qwen3_asr_encoder", "encoder_layers": 2, "encoder_attention_heads": 2,
            "encoder_ffn_dim": 32, "d_model": 16, "output_dim": 16, "downsample_hidden_size": 8,
        },
        text_config={
            "model_type": "qwen3", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "vocab_size": len(tok),
            "max_position_embeddings": 512,
        },
        audio_token_id=tok.convert_tokens_to_ids("<|audio_pad|>"),
        pad_token_id=tok.pad_token_id,
        eos_token_id=tok.eos_token_id,
    )  # fmt: skip
    processor = Qwen3ASRProcessor(Qwen3ASRFeatureExtractor(), tok, chat_template=CHATML)
    return finish(Qwen3ASRForConditionalGeneration(config), processor, folder, scale=scale)


def granite(folder: Path, scale: float = 20) -> Path:
    """Granite Speech, without its adapter."""
    import torch
    from transformers import (
        GraniteSpeechConfig,
        GraniteSpeechFeatureExtractor,
        GraniteSpeechForConditionalGeneration,
        GraniteSpeechProcessor,
    )

    tok = tokenizer(["<s>", "</s>", "<pad>", "<|audio|>"])
    tok.padding_side, tok.chat_template = "left", GRANITE
    torch.manual_seed(0)
    config = GraniteSpeechConfig(
        text_config={
            "model_type": "granite", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": len(tok), **ids(tok),
        },
        encoder_config={
            "input_dim": 160, "num_layers": 2, "hidden_dim": 16, "num_heads": 2, "dim_head": 8, "output_dim": 8,
            "context_size": 20, "max_pos_emb": 32, "conv_kernel_size": 5,
        },
        projector_config={
            "model_type": "blip_2_qformer", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 2, "encoder_hidden_size": 16, "cross_attention_frequency": 1,
        },
        audio_token_index=tok.convert_tokens_to_ids("<|audio|>"),
        has_lora_adapter=False,
    )  # fmt: skip
    processor = GraniteSpeechProcessor(GraniteSpeechFeatureExtractor(), tok)
    return finish(GraniteSpeechForConditionalGeneration(config), processor, folder, scale=scale)


def fun(folder: Path, scale: float = 20) -> Path:
    """Fun-ASR-Nano."""
    import torch
    from transformers import (
        FunAsrNanoConfig,
        FunAsrNanoFeatureExtractor,
        FunAsrNanoForConditionalGeneration,
        FunAsrNanoProcessor,
    )

    tok = tokenizer(["<s>", "<|im_end|>", "<pad>", "<|object_ref_start|>", "<|im_start|>"])
    tok.padding_side = "left"
    torch.manual_seed(0)
    config = FunAsrNanoConfig(
        audio_config={
            "model_type": "fun_asr_nano_encoder", "hidden_size": 16, "num_attention_heads": 2,
            "intermediate_size": 32, "num_hidden_layers": 4, "num_timestamp_prediction_layers": 1,
        },
        adaptor_config={
            "hidden_size": 16, "intermediate_size": 4, "num_attention_heads": 2, "projector_hidden_size": 32
        },
        text_config={
            "model_type": "qwen3", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "vocab_size": len(tok), **ids(tok),
        },
        audio_token_id=tok.convert_tokens_to_ids("<|object_ref_start|>"),
    )  # fmt: skip
    processor = FunAsrNanoProcessor(FunAsrNanoFeatureExtractor(), tok, chat_template=FUN)
    return finish(FunAsrNanoForConditionalGeneration(config), processor, folder, scale=scale, **ids(tok))
