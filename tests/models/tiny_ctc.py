"""Tiny random CTC models and speech classifiers with what the fixtures of conftest.py lack: adapters, mel features."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.models.conftest import ALPHABET, save

if TYPE_CHECKING:
    from pathlib import Path

ADAPTERS = {"eng": "abcdefgh", "fra": "ijklmnop", "swh": "qrstuvwxyz", "urd-script_arabic": "ابتث"}
"""Alphabets of the languages of `mms`: what it writes shows which adapter was in place."""
SHAPE = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "conv_dim": (8, 8, 8),
    "conv_stride": (5, 4, 4), "conv_kernel": (10, 8, 4), "num_feat_extract_layers": 3, "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True,
}  # fmt: skip
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "|"]


def mms(folder: Path, *, unfinished: str = "") -> Path:
    """A wav2vec 2.0 with an adapter for each of `ADAPTERS`; the one of `unfinished` has an alphabet but no file."""
    import torch
    from safetensors.torch import save_file
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir()
    nested = {code: {token: i for i, token in enumerate([*SPECIAL, *letters])} for code, letters in ADAPTERS.items()}
    (folder / "vocab.json").write_text(json.dumps(nested), encoding="utf-8")
    tokenizer = Wav2Vec2CTCTokenizer(str(folder / "vocab.json"), target_lang="eng")
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(return_attention_mask=True), tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    config = Wav2Vec2Config(**SHAPE, vocab_size=len(nested["eng"]), adapter_attn_dim=4, pad_token_id=0)
    model = Wav2Vec2ForCTC(config)
    save(model, folder, scale=4)
    own = {name: weight.detach().clone() for name, weight in model._get_adapters().items()}
    for seed, (code, vocabulary) in enumerate(nested.items()):
        torch.manual_seed(seed)
        weights = {name: weight + 0.3 * torch.randn_like(weight) for name, weight in own.items()}
        weights["lm_head.weight"] = 2 * torch.randn(len(vocabulary), 16)
        weights["lm_head.bias"] = torch.zeros(len(vocabulary))
        if code != unfinished:
            save_file(weights, folder / f"adapter.{code}.safetensors")
    return folder


def parakeet(folder: Path) -> Path:
    """A FastConformer with CTC over pieces of words; the blank is the last label."""
    import torch
    from tokenizers import Tokenizer, decoders, models
    from transformers import (
        ParakeetCTCConfig,
        ParakeetEncoderConfig,
        ParakeetFeatureExtractor,
        ParakeetForCTC,
        ParakeetProcessor,
        ParakeetTokenizer,
    )

    folder.mkdir()
    pieces = ["<unk>", *ALPHABET, *(f"▁{letter}" for letter in ALPHABET), "<pad>"]
    raw = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, [], unk_token="<unk>"))
    raw.decoder = decoders.Metaspace()
    tokenizer = ParakeetTokenizer(tokenizer_object=raw, unk_token="<unk>", pad_token="<pad>")
    ParakeetProcessor(ParakeetFeatureExtractor(feature_size=16), tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    encoder = ParakeetEncoderConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_mel_bins=16,
        subsampling_conv_channels=8,
    )  # fmt: skip
    config = ParakeetCTCConfig(vocab_size=len(pieces), pad_token_id=len(pieces) - 1, encoder_config=encoder)
    save(ParakeetForCTC(config), folder, scale=10)
    return folder


def classifier(folder: Path, labels: list[str], architecture: str = "Wav2Vec2ForSequenceClassification") -> Path:
    """A speech classifier with these labels."""
    import torch
    import transformers
    from transformers import Wav2Vec2FeatureExtractor

    folder.mkdir()
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    kind = getattr(transformers, architecture)
    torch.manual_seed(0)
    named: dict[str, Any] = {
        "id2label": dict(enumerate(labels)),
        "label2id": {name: i for i, name in enumerate(labels)},
    }
    save(kind(kind.config_class(**SHAPE, classifier_proj_size=8, **named)), folder, scale=4)
    return folder


def spectrogram(folder: Path, labels: list[str]) -> Path:
    """An audio spectrogram transformer, which takes 1.28 s and cuts off what is longer."""
    import torch
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    folder.mkdir()
    ASTFeatureExtractor(max_length=128, num_mel_bins=32).save_pretrained(folder)
    torch.manual_seed(0)
    config = ASTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, max_length=128,
        num_mel_bins=32, id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)},
    )  # fmt: skip
    save(ASTForAudioClassification(config), folder, scale=4)
    return folder
