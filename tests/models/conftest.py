"""Tiny random models of real architectures in the layout of a hub, and clips to feed them.

Everything is built when it is first asked for, once a session, from fixed seeds: nothing binary lies in the repository.
"""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the models are too small to share

from mmbench.schema import Audio, Sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORDS = "the capital of france is paris london berlin a b c d answer question : yes no one two three".split()
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
CHATML = (
    "{% for m in messages %}{{ bos_token }}{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LANGUAGES = ("en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "sw")
# Of the 99 languages of Whisper's vocabulary only those above have a name here; the others keep their place.


def sound(seconds: float, pitch: float, rate: int) -> np.ndarray:
    """A tone with an overtone whose loudness moves, and noise."""
    rng = np.random.default_rng(int(pitch))
    time = np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * pitch * time) + 0.5 * np.sin(2 * np.pi * 2.5 * pitch * time + 3 * np.sin(9 * time))
    return (0.3 * tone * (0.6 + 0.4 * np.sin(5 * time)) + 0.05 * rng.standard_normal(len(time))).astype(np.float32)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Eight clips of other lengths, pitches, rates and formats."""
    folder = tmp_path_factory.mktemp("clips")
    shapes = [(0.5, 16000, "wav"), (0.9, 8000, "wav"), (1.3, 44100, "flac"), (0.7, 16000, "flac")]
    shapes += [(1.7, 16000, "wav"), (1.1, 8000, "flac"), (0.4, 44100, "wav"), (2.1, 16000, "wav")]
    paths = []
    for index, (seconds, rate, kind) in enumerate(shapes):
        paths.append(folder / f"clip{index}.{kind}")
        soundfile.write(paths[-1], sound(seconds, 130 * 1.4**index, rate), rate)
    return paths


@pytest.fixture(scope="session")
def spoken(clips: list[Path]) -> list[Sample]:
    """One sample a clip, in three languages that take turns."""
    tags = ("eng_Latn", "fra_Latn", "swh_Latn")
    return [Sample(id=f"s{i}", language=tags[i % 3], parts=(Audio(path),)) for i, path in enumerate(clips)]


@pytest.fixture
def cuda() -> str:
    """The accelerator, or a reason to skip."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return "cuda"


def save(model: Any, folder: Path, *, scale: float = 1.0) -> None:
    """Save a model whose random weights are blown up, so that its answers depend on what goes in."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and "embed_positions" not in name:
                weight.mul_(scale)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder)


def byte_level(
    special: list[str], *, size: int = 0, merges: list[tuple[str, str]] | None = None, last: str | None = None
) -> Any:
    """A byte-level BPE tokenizer: the 256 bytes, merges, filler up to `size` (the last of it given), special tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    merges = merges or []
    pieces = sorted(pre_tokenizers.ByteLevel.alphabet()) + ["".join(pair) for pair in merges]
    pieces += [f"Ġw{index}" for index in range(size - len(pieces))]
    pieces[-1] = pieces[-1] if last is None else last
    tokenizer = Tokenizer(models.BPE({piece: index for index, piece in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def word_merges() -> list[tuple[str, str]]:
    """Merges that make each of WORDS one token, with and without a space before it."""
    found: dict[tuple[str, str], None] = {}
    for word in WORDS:
        for start in ("", "Ġ"):
            left = start + word[0] if start else word[0]
            if start:
                found[(start, word[0])] = None
            for letter in word[1:]:
                found[(left, letter)] = None
                left += letter
    return list(found)


@pytest.fixture(scope="session")
def make_whisper(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Build a tiny Whisper with the ids of the real vocabulary, multilingual or English alone."""

    def make(*, multilingual: bool, seconds: int = 5, seed: int = 0) -> Path:
        import torch
        from transformers import (
            GenerationConfig,
            WhisperConfig,
            WhisperFeatureExtractor,
            WhisperForConditionalGeneration,
            WhisperProcessor,
            WhisperTokenizerFast,
        )

        folder = tmp_path_factory.mktemp("whisper")
        words = 50257 if multilingual else 50256
        codes = [LANGUAGES[i] if i < len(LANGUAGES) else f"x{i:02}" for i in range(99)]
        special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in codes)]
        special += [f"<|{name}|>" for name in ("translate", "transcribe", "startoflm", "startofprev", "nospeech")]
        special += ["<|notimestamps|>", *(f"<|{i * 0.02:.2f}|>" for i in range(1501))]
        # CTranslate2 knows a multilingual vocabulary by the empty token before the special ones.
        raw = byte_level(special, size=words, last="" if multilingual else None)
        raw.save(str(folder / "tokenizer.json"))
        ids = {token: raw.token_to_id(token) for token in special}
        end, start = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
        tokenizer = WhisperTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
        WhisperProcessor(WhisperFeatureExtractor(chunk_length=seconds), tokenizer).save_pretrained(folder)
        torch.manual_seed(seed)
        tokens = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end, "decoder_start_token_id": start}
        config = WhisperConfig(
            **tokens, vocab_size=words + len(special), d_model=16, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
            max_source_positions=50 * seconds,
        )  # fmt: skip
        model = WhisperForConditionalGeneration(config)
        settings: dict[str, Any] = {
            **tokens, "max_length": 14, "suppress_tokens": list(range(end, config.vocab_size)),
            "begin_suppress_tokens": [0], "is_multilingual": multilingual, "return_timestamps": False,
            "no_timestamps_token_id": ids["<|notimestamps|>"], "alignment_heads": [[1, 0]],
        }  # fmt: skip
        if multilingual:
            settings["lang_to_id"] = {f"<|{code}|>": ids[f"<|{code}|>"] for code in codes}
            settings["task_to_id"] = {name: ids[f"<|{name}|>"] for name in ("transcribe", "translate")}
        model.generation_config = GenerationConfig(**settings)
        save(model, folder, scale=20)
        return folder

    return make


@pytest.fixture(scope="session")
def whisper(make_whisper: Callable[..., Path]) -> Path:
    return make_whisper(multilingual=True)


@pytest.fixture(scope="session")
def whisper_en(make_whisper: Callable[..., Path]) -> Path:
    return make_whisper(multilingual=False)


@pytest.fixture(scope="session")
def make_wav2vec2(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Build a tiny wav2vec 2.0 or HuBERT; `norm` is group (trained without a mask) or layer."""

    def make(norm: str, architecture: str = "Wav2Vec2ForCTC", *, masked: bool | None = None) -> Path:
        import torch
        import transformers
        from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2Processor

        folder = tmp_path_factory.mktemp(norm)
        vocabulary = {token: index for index, token in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", *ALPHABET])}
        (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        extractor = Wav2Vec2FeatureExtractor(return_attention_mask=norm == "layer" if masked is None else masked)
        Wav2Vec2Processor(extractor, Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))).save_pretrained(folder)
        kind = getattr(transformers, architecture)
        torch.manual_seed(0)
        config = kind.config_class(
            vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=32, conv_dim=(8, 8, 8), conv_stride=(5, 4, 4), conv_kernel=(10, 8, 4),
            num_feat_extract_layers=3, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
            feat_extract_norm=norm, do_stable_layer_norm=norm == "layer", conv_bias=norm == "layer", pad_token_id=0,
        )  # fmt: skip
        save(kind(config), folder, scale=4)
        return folder

    return make


@pytest.fixture(scope="session")
def speech2text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Moonshine: a speech encoder-decoder without a fixed window, whose extractor does not pad unless told."""
    import torch
    from transformers import (
        MoonshineConfig,
        MoonshineForConditionalGeneration,
        PreTrainedTokenizerFast,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2Processor,
    )

    folder = tmp_path_factory.mktemp("moonshine")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(["<s>", "</s>", "<pad>"], size=400),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
    )
    extractor = Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)
    Wav2Vec2Processor(extractor, tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    config = MoonshineConfig(
        vocab_size=403, hidden_size=32, intermediate_size=32, encoder_num_hidden_layers=2, decoder_num_hidden_layers=2,
        encoder_num_attention_heads=2, decoder_num_attention_heads=2, bos_token_id=400, eos_token_id=401,
        decoder_start_token_id=400, pad_token_id=402,
    )  # fmt: skip
    model = MoonshineForConditionalGeneration(config)
    model.generation_config.max_length = 12
    save(model, folder, scale=8)
    return folder


@pytest.fixture(scope="session")
def make_llama(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Build a tiny Llama with byte-level BPE that adds BOS; with a chat template or without."""

    def make(*, chat: bool, positions: int = 256) -> Path:
        import torch
        from tokenizers import processors
        from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

        folder = tmp_path_factory.mktemp("llama")
        raw = byte_level(["<s>", "</s>", "<|im_start|>", "<|im_end|>"], merges=word_merges())
        start, end = raw.token_to_id("<s>"), raw.token_to_id("</s>")
        raw.post_processor = processors.Sequence(
            [
                processors.ByteLevel(trim_offsets=False),
                processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", start)]),
            ]
        )
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>")
        if chat:
            tokenizer.chat_template = CHATML
        tokenizer.save_pretrained(folder)
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=raw.get_vocab_size(), hidden_size=64, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=positions,
            bos_token_id=start, eos_token_id=end, tie_word_embeddings=False,
        )  # fmt: skip
        save(LlamaForCausalLM(config), folder, scale=8)
        return folder

    return make


@pytest.fixture(scope="session")
def llama(make_llama: Callable[..., Path]) -> Path:
    return make_llama(chat=False)


@pytest.fixture(scope="session")
def llama_chat(make_llama: Callable[..., Path]) -> Path:
    return make_llama(chat=True)
