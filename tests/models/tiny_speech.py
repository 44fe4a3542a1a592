"""Tiny random models of the families of speech-to-text models, in the layout of a hub, from fixed seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.models.conftest import byte_level, save

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = 400
"""Tokens of text: the bytes and filler."""
CANARY = (
    "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'text' %}<|startofcontext|>"
    "<|{{ c['source_language'] }}|><|{{ c['target_language'] }}|>{% endif %}{% endfor %}{% endfor %}"
)


def tokenizer(special: list[str], **extra: Any) -> Any:
    """A byte-level tokenizer with special tokens after the text; the first three begin, end and pad."""
    from transformers import PreTrainedTokenizerFast

    start, end, pad = special[:3]
    return PreTrainedTokenizerFast(
        tokenizer_object=byte_level(special, size=VOCABULARY), bos_token=start, eos_token=end, pad_token=pad, **extra
    )


def ids(tok: Any) -> dict[str, int]:
    """The ids of the tokens that begin, end and pad, as configs name them."""
    return {f"{name}_token_id": getattr(tok, f"{name}_token_id") for name in ("bos", "eos", "pad")}


def finish(model: Any, processor: Any, folder: Path, *, scale: float, **generation: Any) -> Path:
    """Write both, with further facts in generation_config.json."""
    from transformers import GenerationConfig

    own = {name: value for name, value in model.generation_config.to_dict().items() if value is not None}
    model.generation_config = GenerationConfig(**{**own, "_from_model_config": False, **generation})
    processor.save_pretrained(folder)
    save(model, folder, scale=scale)
    return folder


def seamless(folder: Path, version: int, scale: float = 20) -> Path:
    """SeamlessM4T, first or second version, without the parts that speak."""
    import torch
    import transformers
    from transformers import SeamlessM4TFeatureExtractor, SeamlessM4TProcessor

    kind = transformers.SeamlessM4TForSpeechToText if version == 1 else transformers.SeamlessM4Tv2ForSpeechToText
    codes = ("eng", "fra", "swh", "cmn", "cmn_Hant")
    tok = tokenizer(["<s>", "</s>", "<pad>", *(f"__{code}__" for code in codes)])
    torch.manual_seed(0)
    config = kind.config_class(
        vocab_size=len(tok), hidden_size=16, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, speech_encoder_layers=2,
        speech_encoder_attention_heads=2, speech_encoder_intermediate_size=32, conv_depthwise_kernel_size=7,
        max_new_tokens=10, decoder_start_token_id=tok.eos_token_id, **ids(tok),
    )  # fmt: skip
    processor = SeamlessM4TProcessor(SeamlessM4TFeatureExtractor(), tok)
    told = {code: tok.convert_tokens_to_ids(f"__{code}__") for code in codes}
    return finish(kind(config), processor, folder, scale=scale, text_decoder_lang_to_code_id=told)


ENCODER = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "subsampling_conv_channels": 8, "num_mel_bins": 128, "scale_input": False, "layerdrop": 0.0,
}  # fmt: skip
DECODER = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 128, "head_dim": 8,
}  # fmt: skip


def canary(folder: Path, scale: float = 20) -> Path:
    """Canary."""
    import torch
    from transformers import (
        CanaryConfig,
        CanaryForConditionalGeneration,
        CanaryProcessor,
        ParakeetFeatureExtractor,
    )

    codes = ("en", "fr", "de")
    tok = tokenizer(["<s>", "</s>", "<pad>", "<|startofcontext|>", *(f"<|{code}|>" for code in codes)])
    torch.manual_seed(0)
    config = CanaryConfig(
        encoder_config={"model_type": "parakeet_encoder", **ENCODER},
        decoder_config=DECODER | ids(tok) | {"vocab_size": len(tok)},
        vocab_size=len(tok),
        decoder_start_token_id=tok.convert_tokens_to_ids("<|startofcontext|>"),
        **ids(tok),
    )
    processor = CanaryProcessor(ParakeetFeatureExtractor(feature_size=128), tok, chat_template=CANARY)
    return finish(CanaryForConditionalGeneration(config), processor, folder, scale=scale)


def cohere(folder: Path, scale: float = 20) -> Path:
    """Cohere's model of fourteen languages, with a window of 2 s."""
    import torch
    from transformers import (
        CohereAsrConfig,
        CohereAsrFeatureExtractor,
        CohereAsrForConditionalGeneration,
        CohereAsrProcessor,
    )

    marks = ("startofcontext", "startoftranscript", "emo:undefined", "pnc", "noitn", "notimestamp", "nodiarize")
    tok = tokenizer(["<s>", "</s>", "<pad>", "▁", *(f"<|{mark}|>" for mark in (*marks, "en", "fr", "de"))])
    torch.manual_seed(0)
    config = CohereAsrConfig(encoder_config=ENCODER, vocab_size=len(tok), **DECODER, **ids(tok))
    extractor = CohereAsrFeatureExtractor(max_audio_clip_s=2.0, overlap_chunk_second=0.5)
    return finish(CohereAsrForConditionalGeneration(config), CohereAsrProcessor(extractor, tok), folder, scale=scale)


def streaming(folder: Path, scale: float = 20) -> Path:
    """Moonshine for streams."""
    import torch
    from transformers import (
        MoonshineStreamingConfig,
        MoonshineStreamingForConditionalGeneration,
        MoonshineStreamingProcessor,
        Wav2Vec2FeatureExtractor,
    )

    tok = tokenizer(["<s>", "</s>", "<pad>"])
    torch.manual_seed(0)
    config = MoonshineStreamingConfig(
        vocab_size=len(tok), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, head_dim=8, decoder_start_token_id=tok.bos_token_id, max_position_embeddings=128,
        encoder_config={
            "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "num_key_value_heads": 2, "head_dim": 8, "sliding_windows": [[16, 4], [16, 0]],
        },
        **ids(tok),
    )  # fmt: skip
    extractor = Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)
    processor = MoonshineStreamingProcessor(extractor, tok)
    return finish(MoonshineStreamingForConditionalGeneration(config), processor, folder, scale=scale)


def speech2text(folder: Path, languages: bool = True, scale: float = 40) -> Path:
    """Speech2Text with target languages, or of one pair."""
    import json

    import sentencepiece
    import torch
    from transformers import (
        Speech2TextConfig,
        Speech2TextFeatureExtractor,
        Speech2TextForConditionalGeneration,
        Speech2TextProcessor,
        Speech2TextTokenizer,
    )

    codes = [f"<lang:{code}>" for code in ("pt", "fr", "ru", "nl", "ro", "it", "es", "de")]
    text = folder / "text.txt"
    text.write_text("\n".join(f"word{i} is number {i * 7}" for i in range(200)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "sentencepiece.bpe"), vocab_size=80, model_type="bpe",
        bos_id=0, pad_id=1, eos_id=2, unk_id=3, user_defined_symbols=codes, minloglevel=2,
    )  # fmt: skip
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "sentencepiece.bpe.model"))
    vocabulary = {pieces.id_to_piece(index): index for index in range(len(pieces))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    tok = Speech2TextTokenizer(
        str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"), lang_codes="mustc" if languages else None
    )
    torch.manual_seed(0)
    config = Speech2TextConfig(
        vocab_size=len(vocabulary), d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, conv_channels=16, max_source_positions=300,
        decoder_start_token_id=2, **ids(tok),
    )  # fmt: skip
    processor = Speech2TextProcessor(Speech2TextFeatureExtractor(), tok)
    return finish(Speech2TextForConditionalGeneration(config), processor, folder, scale=scale, max_length=12)


def encoder_decoder(folder: Path, scale: float = 20) -> Path:
    """A wav2vec 2.0 encoder with a BART decoder, as `SpeechEncoderDecoderModel` joins them."""
    import torch
    from transformers import (
        BartConfig,
        SpeechEncoderDecoderConfig,
        SpeechEncoderDecoderModel,
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2Processor,
    )

    tok = tokenizer(["<s>", "</s>", "<pad>"])
    encoder = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, conv_dim=(8, 8),
        conv_stride=(5, 4), conv_kernel=(10, 8), num_feat_extract_layers=2, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2, feat_extract_norm="layer",
    )  # fmt: skip
    decoder = BartConfig(
        vocab_size=len(tok), d_model=16, decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=32,
        max_position_embeddings=64, is_decoder=True, add_cross_attention=True, **ids(tok),
    )  # fmt: skip
    torch.manual_seed(0)
    told = {"decoder_start_token_id": tok.bos_token_id, **ids(tok)}
    config = SpeechEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder, **told)
    processor = Wav2Vec2Processor(Wav2Vec2FeatureExtractor(return_attention_mask=True), tok)
    return finish(SpeechEncoderDecoderModel(config=config), processor, folder, scale=scale, **told)


def speecht5(folder: Path, scale: float = 5) -> Path:
    """SpeechT5 that recognises speech, character by character."""
    import sentencepiece
    import torch
    from transformers import (
        SpeechT5Config,
        SpeechT5FeatureExtractor,
        SpeechT5ForSpeechToText,
        SpeechT5Processor,
        SpeechT5Tokenizer,
    )

    text = folder / "text.txt"
    text.write_text("\n".join(f"word {i} is the number {i * 7}" for i in range(200)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "spm_char"), vocab_size=30, model_type="char",
        hard_vocab_limit=False, bos_id=0, pad_id=1, eos_id=2, unk_id=3, minloglevel=2,
    )  # fmt: skip
    tok = SpeechT5Tokenizer(str(folder / "spm_char.model"))
    torch.manual_seed(0)
    config = SpeechT5Config(
        vocab_size=len(tok), hidden_size=16, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, conv_dim=(8, 8), conv_stride=(5, 4),
        conv_kernel=(10, 8), num_feat_extract_layers=2, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    processor = SpeechT5Processor(SpeechT5FeatureExtractor(), tok)
    return finish(SpeechT5ForSpeechToText(config), processor, folder, scale=scale)
