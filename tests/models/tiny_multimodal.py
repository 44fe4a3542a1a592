"""Tiny random multimodal models of real architectures, in the layout of a hub: 0.1 M parameters, seconds to build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmbench.models.multimodal import MultimodalLM
from mmbench.schema import Part, Sample
from tests.models.tiny_multimodal_images import (
    PICTURE,
    QWEN,
    gemma3,
    llava,
    qwen2_5_vl,
    qwen2_vl,
    qwen_ids,
    qwen_pictures,
    qwen_videos,
    qwen_vision,
    smolvlm,
)
from tests.models.tiny_multimodal_parts import CHAT, ROPE, TEXT, finish, tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPEECH = {
    "num_mel_bins": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "d_model": 16,
}  # fmt: skip


def whisper_features(seconds: int = 2) -> Any:
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=16, chunk_length=seconds, sampling_rate=8000, hop_length=80, n_fft=400)


def qwen2_audio(folder: Path, *, begin: str | None = None, positions: int = 2048) -> None:
    from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration, Qwen2AudioProcessor

    tokenizer = tokens("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>", begin=begin)
    chat = CHAT % ("<|audio_bos|><|AUDIO|><|audio_eos|>", "")
    processor = Qwen2AudioProcessor(whisper_features(), tokenizer, chat_template=chat)
    config = Qwen2AudioConfig(
        text_config={"model_type": "qwen2", "vocab_size": len(tokenizer), **TEXT, "max_position_embeddings": positions},
        audio_config={**SPEECH, "max_source_positions": 100},
        audio_token_index=processor.audio_token_id,
    )
    finish(folder, Qwen2AudioForConditionalGeneration(config), processor)


def audioflamingo3(folder: Path) -> None:
    from transformers import AudioFlamingo3Config, AudioFlamingo3ForConditionalGeneration, AudioFlamingo3Processor

    tokenizer = tokens("<sound>")
    features = whisper_features()
    processor = AudioFlamingo3Processor(features, tokenizer, chat_template=CHAT % ("<sound>", ""), max_audio_len=6)
    processor.audio_kwargs = {**processor.audio_kwargs, "sampling_rate": 8000}
    config = AudioFlamingo3Config(
        text_config={"model_type": "qwen2", "vocab_size": len(tokenizer), **TEXT},
        audio_config={
            "num_mel_bins": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
            "hidden_size": 16, "max_source_positions": 100,
        },
        audio_token_id=processor.audio_token_id,
    )  # fmt: skip
    finish(folder, AudioFlamingo3ForConditionalGeneration(config), processor)


def qwen3_asr(folder: Path) -> None:
    from transformers import (
        Qwen3ASRConfig,
        Qwen3ASRFeatureExtractor,
        Qwen3ASRForConditionalGeneration,
        Qwen3ASRProcessor,
    )

    names = {"audio_token": "<|audio_pad|>", "audio_bos_token": "<|audio_start|>", "audio_eos_token": "<|audio_end|>"}
    tokenizer = tokens(**names)
    chat = CHAT % ("<|audio_start|><|audio_pad|><|audio_end|>", "")
    processor = Qwen3ASRProcessor(Qwen3ASRFeatureExtractor(feature_size=16), tokenizer, chat_template=chat)
    config = Qwen3ASRConfig(
        text_config={"model_type": "qwen3", "vocab_size": len(tokenizer), "head_dim": 16, **TEXT},
        audio_config={**SPEECH, "output_dim": 32, "downsample_hidden_size": 8, "n_window": 50, "n_window_infer": 200},
        audio_token_id=processor.audio_token_id, pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id, tie_word_embeddings=False,
    )  # fmt: skip
    finish(folder, Qwen3ASRForConditionalGeneration(config), processor)


def granite_speech(folder: Path, *, adapter: bool = False) -> None:
    """A model whose chat template knows strings alone."""
    from transformers import (
        GraniteSpeechConfig,
        GraniteSpeechFeatureExtractor,
        GraniteSpeechForConditionalGeneration,
        GraniteSpeechProcessor,
    )

    tokenizer = tokens(audio_token="<|audio|>")
    features = GraniteSpeechFeatureExtractor()
    chat = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    processor = GraniteSpeechProcessor(features, tokenizer, chat_template=chat)
    config = GraniteSpeechConfig(
        text_config={"model_type": "granite", "vocab_size": len(tokenizer), **TEXT},
        encoder_config={
            "input_dim": 160, "num_layers": 2, "hidden_dim": 32, "num_heads": 2, "dim_head": 16, "output_dim": 8,
            "context_size": 20, "max_pos_emb": 40,
        },
        projector_config={
            "model_type": "blip_2_qformer", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 32, "encoder_hidden_size": 32,
        },
        audio_token_index=tokenizer.convert_tokens_to_ids("<|audio|>"), has_lora_adapter=adapter,
        tie_word_embeddings=False,
    )  # fmt: skip
    finish(folder, GraniteSpeechForConditionalGeneration(config), processor)


def _omni(tokenizer: Any) -> tuple[Any, Any]:
    from transformers import Qwen2_5OmniProcessor, Qwen2_5OmniThinkerConfig

    chat = CHAT % ("<|audio_bos|><|AUDIO|><|audio_eos|>", PICTURE)
    processor = Qwen2_5OmniProcessor(qwen_pictures(), qwen_videos(), whisper_features(), tokenizer, chat_template=chat)
    processor.audio_kwargs = {**processor.audio_kwargs, "sampling_rate": 8000}
    vision = qwen_vision(
        hidden_size=16, intermediate_size=32, out_hidden_size=32, window_size=16, fullatt_block_indexes=[1]
    )
    ids = {key.replace("_id", "_index"): value for key, value in qwen_ids(tokenizer).items() if "vision" not in key}
    config = Qwen2_5OmniThinkerConfig(
        text_config={"vocab_size": len(tokenizer), "rope_parameters": ROPE, **TEXT}, vision_config=vision,
        audio_config={**SPEECH, "output_dim": 32, "n_window": 10, "max_source_positions": 100},
        audio_token_index=tokenizer.audio_token_id, audio_start_token_id=tokenizer.audio_bos_token_id,
        audio_end_token_id=tokenizer.audio_eos_token_id, **ids,
        vision_start_token_id=tokenizer.vision_bos_token_id, vision_end_token_id=tokenizer.vision_eos_token_id,
    )  # fmt: skip
    return config, processor


OMNI = {**QWEN, "audio_token": "<|AUDIO|>", "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>"}


def qwen2_5_omni_thinker(folder: Path) -> None:
    from transformers import Qwen2_5OmniThinkerForConditionalGeneration

    config, processor = _omni(tokens(**OMNI))
    finish(folder, Qwen2_5OmniThinkerForConditionalGeneration(config), processor)


def qwen2_5_omni(folder: Path) -> None:
    """The layout of a whole Omni model: what thinks, beside what speaks (nothing here, and its voices)."""
    import torch
    from transformers import Qwen2_5OmniConfig, Qwen2_5OmniForConditionalGeneration

    thinker, processor = _omni(tokens(**OMNI))
    config = Qwen2_5OmniConfig(thinker_config=thinker.to_dict(), enable_audio_output=False)
    finish(folder, Qwen2_5OmniForConditionalGeneration(config), processor)
    torch.save({}, folder / "spk_dict.pt")


def voxtral(folder: Path) -> None:
    """A model whose text mistral-common reads, from a vocabulary of bytes and 1,000 control tokens."""
    import base64
    import json

    import torch
    from transformers import VoxtralConfig, VoxtralForConditionalGeneration, VoxtralProcessor, WhisperFeatureExtractor
    from transformers.tokenization_mistral_common import MistralCommonBackend

    named = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]"]
    named += ["[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]"]
    named += ["[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]", "<x20>", "<x21>", "<x22>", "<x23>"]
    named += ["[AUDIO]", "[BEGIN_AUDIO]", *(f"<SPECIAL_{i}>" for i in range(26, 34)), "[TRANSCRIBE]"]
    named += [f"<SPECIAL_{i}>" for i in range(len(named), 1000)]
    vocabulary = [
        {"rank": i, "token_bytes": base64.b64encode(bytes([i])).decode(), "token_str": chr(i) if i < 128 else None}
        for i in range(256)
    ]
    config = {
        "pattern": r"\S+|\s+", "num_vocab_tokens": 256, "default_vocab_size": 1256, "version": "v7",
        "default_num_special_tokens": 1000,
    }  # fmt: skip
    audio = {
        "sampling_rate": 16000, "frame_rate": 12.5, "chunk_length_s": 30.0,
        "audio_encoding_config": {"num_mel_bins": 16, "hop_length": 160, "window_size": 400},
    }  # fmt: skip
    control = [{"rank": i, "token_str": token, "is_control": True} for i, token in enumerate(named)]
    file = {"config": config, "vocab": vocabulary, "special_tokens": control, "audio": audio}
    (folder / "tekken.json").write_text(json.dumps(file), encoding="utf-8")
    tokenizer = MistralCommonBackend.from_pretrained(folder)
    processor = VoxtralProcessor(WhisperFeatureExtractor(feature_size=16), tokenizer)
    model = VoxtralForConditionalGeneration(
        VoxtralConfig(
            text_config={"model_type": "llama", "vocab_size": 1256, **TEXT},
            audio_config={
                "num_mel_bins": 16, "hidden_size": 16, "intermediate_size": 64, "num_hidden_layers": 2,
                "num_attention_heads": 2,
            },
            audio_token_id=24,
        )
    )  # fmt: skip
    with torch.no_grad():
        model.lm_head.weight[: len(named)] = 0  # or it would answer with control tokens alone
    finish(folder, model, processor)


HEARS: dict[str, Callable[..., None]] = {
    "qwen2_audio": qwen2_audio, "audioflamingo3": audioflamingo3, "qwen3_asr": qwen3_asr,
    "granite_speech": granite_speech,
}  # fmt: skip
SEES: dict[str, Callable[..., None]] = {"llava": llava, "gemma3": gemma3}
NEEDS_TORCHVISION: dict[str, Callable[..., None]] = {
    "qwen2_vl": qwen2_vl, "qwen2_5_vl": qwen2_5_vl, "smolvlm": smolvlm, "qwen2_5_omni_thinker": qwen2_5_omni_thinker,
    "qwen2_5_omni": qwen2_5_omni,
}  # fmt: skip
FAMILIES = {**HEARS, **SEES, **NEEDS_TORCHVISION, "voxtral": voxtral}


def build(family: str, folder: Path, **options: Any) -> Path:
    """Write a tiny model of a family into a folder; skip the test where a package is not there that it needs."""
    import pytest
    import torch

    if family in NEEDS_TORCHVISION:
        pytest.importorskip("torchvision")
    if family == "smolvlm":
        pytest.importorskip("num2words")
    if family == "voxtral":
        pytest.importorskip("mistral_common")
    torch.manual_seed(0)
    FAMILIES[family](folder, **options)
    return folder


def make(folder: Path, **settings: Any) -> MultimodalLM:
    """The wrapper of a tiny model, loaded."""
    settings = {"name": "tiny", "max_new_tokens": 8, **settings}
    model = MultimodalLM(model=str(folder), dtype="float32", device="cpu", **settings)
    model.load()
    return model


def ask(*parts: Part, name: str = "s", language: str = "eng_Latn") -> Sample:
    """A question with three choices."""
    return Sample(id=name, language=language, parts=parts, choices=("yes", "no", "maybe"))
