"""Whisper weights in CTranslate2's format, as transformers' Whisper: the same tensors under other names.

faster-whisper's community publishes Whisper in this format, and it is the one in which packages carry it. Reading it
gives PyTorch the model too, for encoder states and for comparing the engines on equal weights.

The binary layout is that of ctranslate2.specs.model_spec (format version 6): little-endian, strings with their length.
"""

from __future__ import annotations

import json
import struct
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mmbench.errors import ModelLoadError
from mmbench.identity import resolve
from mmbench.models.loading import import_torch, pick_dtype, quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPES: dict[int, np.dtype[Any]] = {
    0: np.dtype("<f4"),
    1: np.dtype("i1"),
    2: np.dtype("<i2"),
    3: np.dtype("<i4"),
    4: np.dtype("<f2"),
}
_FORMAT = 6
MULTILINGUAL_VOCABULARY = 51865
"""Size from which on a Whisper vocabulary is multilingual; the English-only ones have one token less."""
_NORM = {"gamma": "weight", "beta": "bias"}
_LINEAR = {"ffn/linear_0": "fc1", "ffn/linear_1": "fc2"}


def is_ctranslate2(path: Path) -> bool:
    """Whether a folder holds a model in CTranslate2's format."""
    return (path / "model.bin").exists() and any(path.glob("vocabulary.*"))


def _unpack(file: BinaryIO, form: str) -> tuple[Any, ...]:
    data = file.read(struct.calcsize(f"<{form}"))
    return struct.unpack(f"<{form}", data)


def _string(file: BinaryIO) -> str:
    (length,) = _unpack(file, "H")
    return file.read(length)[:-1].decode()


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Tensors of a CTranslate2 model file by their names there.

    Raises:
        ModelLoadError: it is not a Whisper model of the known format, or it is quantised.
    """
    try:
        with path.open("rb") as file:
            (version,) = _unpack(file, "I")
            spec = _string(file)
            _unpack(file, "I")
            if version != _FORMAT or spec != "WhisperSpec":
                raise ModelLoadError(
                    f"{path}: {spec} of format {version}; only WhisperSpec of format {_FORMAT} is read"
                )
            tensors = {}
            for _ in range(_unpack(file, "I")[0]):
                name = _string(file)
                shape = _unpack(file, "I" * _unpack(file, "B")[0])
                kind, size = _unpack(file, "BI")
                data = file.read(size)
                if len(data) == size and kind in _DTYPES:
                    tensors[name] = np.frombuffer(data, _DTYPES[kind]).reshape(shape)
                else:
                    raise ModelLoadError(f"{path}: {name} is cut off or of unknown type {kind}; get the file again")
            for _ in range(_unpack(file, "I")[0]):  # a tensor that equals another one is written once
                alias, name = _string(file), _string(file)
                tensors[alias] = tensors[name]
    except (OSError, struct.error, ValueError, KeyError) as error:
        raise ModelLoadError(f"{path}: not a CTranslate2 model ({error}); get the file again") from error
    if any(name.endswith("weight_scale") for name in tensors):
        raise ModelLoadError(f"{path}: the weights are quantised; use the float16 or float32 conversion")
    return tensors


def rename(tensors: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Tensors under transformers' names.

    CTranslate2 fuses query, key and value of self-attention, and key and value of cross-attention; keys have no bias
    in Whisper, which the fused tensor holds as zeros.
    """
    state: dict[str, NDArray[Any]] = {}
    for name, value in tensors.items():
        side, _, rest = name.partition("/")
        head, _, leaf = rest.rpartition("/")
        if value.ndim == 0 or name == "decoder/projection/weight":
            continue  # settings, and the output layer, which shares the embedding
        if head == "embeddings":
            state["model.decoder.embed_tokens.weight"] = value
        elif head == "position_encodings":
            state[f"model.{side}.embed_positions.weight"] = value
        elif head in ("conv1", "conv2"):
            state[f"model.{side}.{head}.{leaf}"] = value
        elif head == "layer_norm":
            state[f"model.{side}.layer_norm.{_NORM[leaf]}"] = value
        elif head.startswith("layer_"):
            layer, _, inner = head.removeprefix("layer_").partition("/")
            state |= _layer(f"model.{side}.layers.{layer}", inner, leaf, value)
    return state


def _layer(prefix: str, inner: str, leaf: str, value: NDArray[Any]) -> dict[str, NDArray[Any]]:
    block, _, part = inner.partition("/")
    if block == "ffn":
        if part == "layer_norm":
            return {f"{prefix}.final_layer_norm.{_NORM[leaf]}": value}
        return {f"{prefix}.{_LINEAR[inner]}.{leaf}": value}
    attention = f"{prefix}.self_attn" if block == "self_attention" else f"{prefix}.encoder_attn"
    if part == "layer_norm":
        return {f"{attention}_layer_norm.{_NORM[leaf]}": value}
    if block == "self_attention":
        fused = {"linear_0": ("q_proj", "k_proj", "v_proj"), "linear_1": ("out_proj",)}
    else:
        fused = {"linear_0": ("q_proj",), "linear_1": ("k_proj", "v_proj"), "linear_2": ("out_proj",)}
    names: tuple[str, ...] = fused[part]
    pieces = np.split(value, len(names), axis=0)
    return {
        f"{attention}.{name}.{leaf}": piece
        for name, piece in zip(names, pieces, strict=True)
        if not (name == "k_proj" and leaf == "bias")
    }


@lru_cache(maxsize=1)
def load_ctranslate2(location: str, dtype: str, device: str) -> Any:
    """Build transformers' Whisper from a folder in CTranslate2's format; every tensor must find its place."""
    torch = import_torch()
    quiet()
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    folder = Path(resolve(location))
    tensors = read_tensors(folder / "model.bin")
    settings = _json(folder / "config.json")
    config = WhisperConfig(**_shape(tensors), **_tokens(folder))
    with torch.device("meta"):
        model = WhisperForConditionalGeneration(config)
    state = {
        name: torch.from_numpy(np.array(value)).to(pick_dtype(dtype, device)) for name, value in rename(tensors).items()
    }
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    try:
        model.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise ModelLoadError(
            f"{location}: the tensors are not Whisper's ({' '.join(str(error).split())[:300]})"
        ) from error
    model.tie_weights()
    multilingual = bool(config.vocab_size >= MULTILINGUAL_VOCABULARY)
    model.generation_config = GenerationConfig(
        **_tokens(folder),
        suppress_tokens=settings.get("suppress_ids"),
        begin_suppress_tokens=settings.get("suppress_ids_begin"),
        alignment_heads=settings.get("alignment_heads"),
        max_length=config.max_target_positions,
        is_multilingual=multilingual,
        no_timestamps_token_id=_ids(folder)["<|notimestamps|>"],
        return_timestamps=False,
    )
    if multilingual:
        ids = _ids(folder)
        settings_by_token = {token: ids[token] for token in ids if ids[token] in set(settings.get("lang_ids", ()))}
        model.generation_config.lang_to_id = settings_by_token
        model.generation_config.task_to_id = {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")}
    else:
        model.generation_config.forced_decoder_ids = None
    return model.to(device).eval()


def load_ctranslate2_processor(location: str) -> Any:
    """Feature extractor and tokenizer of a folder in CTranslate2's format."""
    quiet()
    from transformers import PreTrainedTokenizerFast, WhisperFeatureExtractor, WhisperProcessor, WhisperTokenizerFast

    folder = Path(resolve(location))
    _ids(folder)  # says what is wrong with the tokenizer's file
    bins = _shape(read_tensors(folder / "model.bin"))["num_mel_bins"]
    tokenizer: PreTrainedTokenizerFast = WhisperTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    return WhisperProcessor(WhisperFeatureExtractor(feature_size=bins), tokenizer)


def _shape(tensors: dict[str, NDArray[Any]]) -> dict[str, int]:
    """WhisperConfig's sizes, read off the tensors."""

    def layers(side: str) -> int:
        return len(
            {name.split("/")[1] for name in tensors if name.startswith(f"{side}/layer_") and "norm/" not in name}
        )

    if missing := {"encoder/conv1/weight", "encoder/num_heads", "decoder/embeddings/weight"} - tensors.keys():
        raise ModelLoadError(f"model.bin has no tensor {min(missing)}; it is not a Whisper that can be read")
    return {
        "vocab_size": tensors["decoder/embeddings/weight"].shape[0],
        "num_mel_bins": tensors["encoder/conv1/weight"].shape[1],
        "d_model": tensors["encoder/conv1/weight"].shape[0],
        "encoder_layers": layers("encoder"),
        "decoder_layers": layers("decoder"),
        "encoder_attention_heads": int(tensors["encoder/num_heads"]),
        "decoder_attention_heads": int(tensors["decoder/num_heads"]),
        "encoder_ffn_dim": tensors["encoder/layer_0/ffn/linear_0/weight"].shape[0],
        "decoder_ffn_dim": tensors["decoder/layer_0/ffn/linear_0/weight"].shape[0],
        "max_source_positions": tensors["encoder/position_encodings/encodings"].shape[0],
        "max_target_positions": tensors["decoder/position_encodings/encodings"].shape[0],
    }


@lru_cache(maxsize=2)
def _ids(folder: Path) -> dict[str, int]:
    """Ids of the special tokens."""
    tokens = _json(folder / "tokenizer.json").get("added_tokens", ())
    ids = {token["content"]: token["id"] for token in tokens}
    missing = {"<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"} - ids.keys()
    if missing:
        raise ModelLoadError(f"{folder}: tokenizer.json has no {min(missing)}; it is not Whisper's")
    return ids


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelLoadError(f"{path}: cannot be read ({error}); get the whole folder again") from error
    return found


def _tokens(folder: Path) -> dict[str, int]:
    ids = _ids(folder)
    end = ids["<|endoftext|>"]
    return {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": ids["<|startoftranscript|>"],
    }
