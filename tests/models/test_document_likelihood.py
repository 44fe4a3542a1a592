"""The likelihood of documents: each family against one plain forward, cut by whole nodes, and never looking ahead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as pil

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.models.causal_lm import CausalLM
from mmbench.schema import Audio, Image, Output, Part, Sample, Text
from tests.models.tiny_multimodal import build, make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mmbench.models.multimodal import MultimodalLM

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter")  # they are that small
SEEING = ("llava", "gemma3", "qwen2_vl", "qwen2_5_vl", "smolvlm", "qwen2_5_omni_thinker")
LITERAL = "<image> <|image_pad|> <start_of_image> <|vision_start|> <|im_end|> <|AUDIO|>"


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for index in range(3):
        pil.fromarray(rng.integers(0, 255, (20 + 12 * index, 24, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return [Image(folder / f"{index}.png") for index in range(3)]


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], MultimodalLM]:
    models: dict[str, MultimodalLM] = {}

    def load(family: str) -> MultimodalLM:
        if family not in models:
            models[family] = make(build(family, tmp_path_factory.mktemp(family)))
        return models[family]

    return load


def document(*parts: Part, name: str = "d") -> Sample:
    return Sample(id=name, language="eng_Latn", parts=parts)


def likelihoods(output: Output) -> list[float]:
    return [reading.loglikelihood for reading in output.readings]


def interleaved(pictures: list[Image], *, between: bool = True) -> Sample:
    """Two images in a row, texts of several scripts, a literal placeholder, an image after all of it."""
    a, b, c = pictures
    parts = (a, Text("A title."), b, c, Text("Ce n’est pas ça."), Text("नमस्ते"), Text(f"x {LITERAL}"), a)
    return document(*(part for part in parts if between or isinstance(part, Text)))


def reference(model: MultimodalLM, parts: tuple[Part, ...], marks: str) -> list[float]:
    """Log-likelihoods of the texts from the processor's own reading of one raw string with placeholders."""
    import torch

    from mmbench.media import load_image

    processor = model._processor
    start = processor.tokenizer.bos_token or processor.tokenizer.eos_token
    text = start + "".join(f"{part.text}\n" if isinstance(part, Text) else marks for part in parts)
    images = [load_image(part) for part in parts if isinstance(part, Image)]
    inputs = processor(text=[text], **({"images": [images]} if images else {}), return_tensors="pt")
    with torch.inference_mode():
        logprobs = model._model(**inputs).logits[0].log_softmax(-1)
    ids = inputs["input_ids"][0].tolist()
    special = set(processor.tokenizer.all_special_ids)
    found, place = [], 1
    for part in parts:
        if not isinstance(part, Text):
            continue
        wanted = list(f"{part.text}\n".encode())  # a token is a byte
        rest = processor.tokenizer(f"{part.text}\n", add_special_tokens=False)["input_ids"]
        while ids[place : place + len(rest)] != rest:
            place += 1
        assert not special & set(rest) and len(rest) == len(wanted)
        found.append(sum(logprobs[i - 1, ids[i]].item() for i in range(place, place + len(rest))))
        place += len(rest)
    return found


MARKS = {
    "llava": "<image>",
    "gemma3": "<start_of_image>",
    "smolvlm": "<image>",
    **dict.fromkeys(("qwen2_vl", "qwen2_5_vl", "qwen2_5_omni_thinker"), "<|vision_start|><|image_pad|><|vision_end|>"),
}


@pytest.mark.parametrize("family", SEEING)
def test_a_family(family: str, loaded: Callable[[str], MultimodalLM], pictures: list[Image]) -> None:
    model = loaded(family)
    plain = document(*(part for part in interleaved(pictures).parts[:6]))
    (output,) = model.document_loglikelihood([plain])
    assert likelihoods(output) == pytest.approx(reference(model, plain.parts, MARKS[family]), rel=1e-5)
    assert [reading.node for reading in output.readings] == [0, 1, 2]
    texts = [part.text for part in plain.parts if isinstance(part, Text)]
    assert [reading.bytes for reading in output.readings] == [len(f"{text}\n".encode()) for text in texts]
    assert output.tokens == sum(reading.tokens for reading in output.readings)

    samples = [
        plain,
        interleaved(pictures),
        interleaved(pictures[::-1]),
        interleaved(pictures, between=False),
        document(Text("x"), pictures[0], Text("y")),
    ]
    alone = [likelihoods(model.document_loglikelihood([sample])[0]) for sample in samples]
    together = [likelihoods(each) for each in model.document_loglikelihood(samples[::-1])][::-1]
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, rel=1e-5)
    assert len({tuple(each) for each in alone[1:4]}) == 3, "what is seen decides"
    assert alone[1][0] == pytest.approx(alone[0][0], rel=1e-6), "what comes later does not"
    assert len(model._processor.tokenizer(LITERAL)["input_ids"]) < len(LITERAL), "they are control tokens elsewhere"


@pytest.mark.parametrize("family", SEEING)
def test_tokens_are_the_same_whatever_stands_between(
    family: str, loaded: Callable[[str], MultimodalLM], pictures: list[Image]
) -> None:
    model = loaded(family)
    outputs = model.document_loglikelihood([interleaved(pictures), interleaved(pictures, between=False)])
    counts = [[(each.tokens, each.bytes) for each in output.readings] for output in outputs]
    assert counts[0] == counts[1]
    assert counts[0][-1] == (len(f"x {LITERAL}\n"), len(f"x {LITERAL}\n")), "a literal placeholder is plain text"
    assert outputs[0].readings[0].loglikelihood != outputs[1].readings[0].loglikelihood


def test_a_placeholder_that_is_no_control_token(tmp_path: Path, pictures: list[Image]) -> None:
    from tokenizers import AddedToken

    model = make(build("llava", tmp_path))
    processor = model._processor
    processor.tokenizer.add_tokens([AddedToken("<image_2>", special=False, normalized=False)])
    processor.image_token_id = processor.tokenizer.convert_tokens_to_ids("<image_2>")
    model._documents.placeholders = frozenset({processor.image_token_id})
    assert processor.image_token_id in processor.tokenizer("<image_2>", split_special_tokens=True)["input_ids"]
    (output,) = model.document_loglikelihood([document(Text("a <image_2> b"))])
    assert output.readings[0].tokens == len("a <image_2> b\n")


def test_cut_by_whole_nodes(loaded: Callable[[str], MultimodalLM], pictures: list[Image]) -> None:
    model = loaded("llava")
    a, b, _ = pictures
    whole = document(a, Text("one"), b, Text("two"), a, Text("three"), a)
    run = 16  # tokens of an image
    lengths = [1 + run + 4, 1 + run + 4 + run + 4, 1 + 3 * run + 4 + 4 + 6]
    (full,) = model.document_loglikelihood([whole])
    assert full.notes == ()
    seen: list[int] = []
    forward = model._model.forward
    try:
        for context, kept in ((lengths[2], 3), (lengths[2] - 1, 2), (lengths[1], 2), (lengths[1] - 1, 1)):
            model._documents.context = context
            model._model.forward = _watched(forward, seen)
            (output,) = model.document_loglikelihood([whole])
            assert likelihoods(output) == pytest.approx(likelihoods(full)[:kept], rel=1e-5)
            assert output.notes == (() if kept == 3 else (f"kept {kept} of 3 nodes",))
            assert seen[-1] == kept, "an image after the last text is not looked at"
        model._documents.context = lengths[0] - 1
        with pytest.raises(SampleError, match=r"sample d: its first text ends after 21 tokens, tiny takes 20"):
            model.document_loglikelihood([whole])
    finally:
        del model._model.forward
        model._documents.context = 2048


def _watched(forward: Any, seen: list[int]) -> Any:
    import inspect

    def watched(**given: Any) -> Any:
        seen.append(len(given["pixel_values"]))
        return forward(**given)

    watched.__signature__ = inspect.signature(forward)  # type: ignore[attr-defined]
    return watched


def test_instructions_are_read_and_not_scored(loaded: Callable[[str], MultimodalLM], pictures: list[Image]) -> None:
    model = loaded("qwen2_vl")
    bare = document(pictures[0], Text("one"), Text("two"))
    told = document(Text("Read on:", instruction=True), pictures[0], Text("one"), Text("two"))
    outputs = model.document_loglikelihood([bare, told])
    assert [len(output.readings) for output in outputs] == [2, 2]
    assert likelihoods(outputs[0]) != pytest.approx(likelihoods(outputs[1]), rel=1e-4)
    for sample in (document(pictures[0]), document(Text("x", instruction=True)), document(Text(" "))):
        with pytest.raises(SampleError, match="sample d is a document without text"):
            model.document_loglikelihood([sample])
    with pytest.raises(SampleError, match="sample d holds audio; a document is read as text and images alone"):
        model.document_loglikelihood([document(Text("x"), Audio("a.wav"))])


def make_text(folder: Path, **settings: Any) -> CausalLM:
    return CausalLM(name="tiny", model=str(folder), dtype="float32", device="cpu", **settings)


def test_text_models_read_the_text_alone(llama: Path, llama_chat: Path, pictures: list[Image]) -> None:
    import torch

    model = make_text(llama)
    sample = interleaved(pictures)
    bare = interleaved(pictures, between=False)
    outputs = model.document_loglikelihood([sample, document(Text("another")), bare])
    assert outputs[0].readings == outputs[2].readings, "its gain from images is 0 to the last digit"
    assert outputs[0].readings == make_text(llama).document_loglikelihood([sample])[0].readings
    assert outputs[0].notes == ("4 images not seen",)
    assert outputs[2].notes == ()
    texts = [f"{part.text}\n" for part in bare.parts if isinstance(part, Text)]
    tokens = [model._tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts[:3]]
    ids = torch.tensor([[model._tokenizer.bos_token_id, *(token for own in tokens for token in own)]])
    with torch.inference_mode():
        logprobs = model._model(ids).logits[0].log_softmax(-1)
    place = 1
    for own, reading in zip(tokens, outputs[2].readings, strict=False):
        expected = sum(logprobs[place + i - 1, token].item() for i, token in enumerate(own))
        assert reading.loglikelihood == pytest.approx(expected, rel=1e-5)
        assert reading.tokens == len(own)
        place += len(own)
    assert likelihoods(make_text(llama_chat).document_loglikelihood([bare])[0]), "a chat model reads raw as well"


def test_models_that_hear_read_the_text_alone(loaded: Callable[[str], MultimodalLM], pictures: list[Image]) -> None:
    outputs = loaded("qwen2_audio").document_loglikelihood(
        [interleaved(pictures), interleaved(pictures, between=False)]
    )
    assert outputs[0].readings == outputs[1].readings
    assert outputs[0].notes == ("4 images not seen",)


def test_long_texts_are_scored_in_slices(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = document(*(Text("the capital of france is paris. " * 3) for _ in range(4)))
    (whole,) = make_text(llama).document_loglikelihood([sample])
    monkeypatch.setattr("mmbench.models.document_likelihood._SLICE", 3)
    assert make_text(llama).document_loglikelihood([sample])[0].readings == whole.readings


def test_contexts_that_cannot_be(llama: Path) -> None:
    with pytest.raises(UsageError, match="model tiny: context=512, but the model takes 2 to 256 tokens"):
        make_text(llama, context=512).load()
    (output,) = make_text(llama, context=20).document_loglikelihood([document(*(Text("a b c d") for _ in range(9)))])
    assert output.notes[0].startswith("kept ")
    assert output.tokens is not None and output.tokens < 20


def test_a_model_that_looks_ahead_is_refused(tmp_path: Path, llama: Path) -> None:
    import torch
    from transformers import BertConfig, BertLMHeadModel

    text = make_text(llama)
    text.load()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(text._tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16,
    )  # fmt: skip
    ahead = BertLMHeadModel(config).eval()
    with torch.no_grad():
        for weight in ahead.parameters():
            weight.mul_(8 if weight.ndim > 1 else 1)
    text._documents = replace(text._documents, model=ahead)
    with pytest.raises(ModelLoadError, match="model tiny: what it makes of a text depends on what comes after it"):
        text.document_loglikelihood([document(Text("the capital of france is paris"))])
