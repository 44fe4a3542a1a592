"""Tiny random translation models of real architectures, with tokenizers built from a few words."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

from tests.models.conftest import ALPHABET, WORDS, save

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
}  # fmt: skip


SCALE = 12
"""How much random weights are blown up, so that what is written depends on what is read."""


def nllb(folder: Path, tags: list[str], *, positions: int = 64, seed: int = 0) -> Path:
    """NLLB: the language is a token before the text, the target's the first that is written."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    vocabulary = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", "▁", *ALPHABET, *_starts()])}
    merges = [("▁", letter) for letter in ALPHABET]
    tokenizer = NllbTokenizer(vocab=vocabulary, merges=merges, extra_special_tokens=tags)
    tokenizer.save_pretrained(folder)
    _translator(
        M2M100ForConditionalGeneration,
        M2M100Config,
        folder,
        len(tokenizer),
        range(5, 5 + 2 * len(ALPHABET)),
        positions,
        seed,
    )
    return folder


def m2m100(folder: Path) -> Path:
    """M2M100: ISO codes, spelled `__sw__` as tokens."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer

    folder.mkdir()
    pieces = _sentencepiece(folder / "sentencepiece.bpe.model")
    vocabulary = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *pieces])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"))
    tokenizer.save_pretrained(folder)
    size = max(tokenizer.lang_code_to_id.values()) + 9
    _translator(M2M100ForConditionalGeneration, M2M100Config, folder, size, range(4, len(vocabulary)), 64, 0)
    return folder


def mbart50(folder: Path) -> Path:
    """mBART-50: a language and a territory, `sw_KE`."""
    from transformers import MBart50Tokenizer, MBartConfig, MBartForConditionalGeneration

    tokenizer = MBart50Tokenizer(
        vocab=[("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((p, -3.0) for p in _pieces())]
    )
    tokenizer.save_pretrained(folder)
    _translator(
        MBartForConditionalGeneration, MBartConfig, folder, len(tokenizer) + 8, range(5, 4 + len(_pieces())), 64, 0
    )
    return folder


def marian(folder: Path, source: str, target: str, asked_for: tuple[str, ...] = ()) -> Path:
    """Marian: one pair, or several targets that are asked for with `>>fra<<`."""
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    folder.mkdir()
    pieces = _sentencepiece(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    tokens = ["</s>", "<unk>", *pieces, *(f">>{code}<<" for code in asked_for), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8")
    files = [str(folder / name) for name in ("source.spm", "target.spm", "vocab.json")]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")
        MarianTokenizer(*files, source_lang=source, target_lang=target).save_pretrained(folder)
    pad = len(tokens) - 1
    _translator(
        MarianMTModel, MarianConfig, folder, len(tokens), range(2, 2 + len(pieces)), 64, 0, pad=pad, eos=0, start=pad
    )
    return folder


def madlad(folder: Path, codes: list[str]) -> Path:
    """MADLAD-400: a T5 that is asked for a language with `<2sw>`."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

    special: list[Any] = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = T5Tokenizer(vocab=[*special, *((piece, -3.0) for piece in _pieces())], extra_ids=0)
    tokenizer.add_tokens([f"<2{code}>" for code in codes])
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=16, d_ff=32, num_layers=2, num_heads=2, decoder_start_token_id=0,
        pad_token_id=0, eos_token_id=1, tie_word_embeddings=False,
    )  # fmt: skip
    _write(T5ForConditionalGeneration(config), folder, words=range(3, 3 + len(_pieces())))
    return folder


def _starts() -> list[str]:
    return [f"▁{letter}" for letter in ALPHABET]


def _pieces() -> list[str]:
    return ["▁", *ALPHABET, *_starts(), *sorted({f"▁{word}" for word in WORDS if word.isalpha() and len(word) > 1})]


def _sentencepiece(path: Path) -> list[str]:
    """Train a model of single letters on the words, and list its pieces."""
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*WORDS, ALPHABET] * 20), model_prefix=str(path.with_suffix("")), vocab_size=34,
        model_type="char", minloglevel=2, pad_id=-1, bos_id=-1, eos_id=1, unk_id=0,
    )  # fmt: skip
    trained = path.with_suffix(".model")
    if trained != path:
        trained.rename(path)
    path.with_suffix(".vocab").unlink(missing_ok=True)
    found = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [found.id_to_piece(i) for i in range(2, found.get_piece_size())]


def _translator(
    kind: Any, settings: Any, folder: Path, size: int, words: range, positions: int, seed: int, *,
    pad: int = 1, eos: int = 2, start: int = 2,
) -> None:  # fmt: skip
    import torch

    torch.manual_seed(seed)
    config = settings(
        **SIZES, vocab_size=size, max_position_embeddings=positions, pad_token_id=pad, bos_token_id=0,
        eos_token_id=eos, decoder_start_token_id=start, forced_eos_token_id=None, tie_word_embeddings=False,
        scale_embedding=True,
    )  # fmt: skip
    _write(kind(config), folder, words=words)


def _write(model: Any, folder: Path, *, words: range) -> None:
    """Save a model that hardly writes anything but these tokens."""
    import torch

    silent = torch.ones(model.config.vocab_size, dtype=torch.bool)
    silent[words.start : words.stop] = False
    with torch.no_grad():
        model.lm_head.weight[silent] = 0
    save(model, folder, scale=SCALE)
