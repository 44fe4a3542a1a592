"""Dual encoders: against the model's own forward, in any batch, and what is cut or refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as pil

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.media import load_image
from mmbench.models.dual_encoder import DualEncoder
from mmbench.schema import QUERY, Audio, Image, Part, Sample, Text
from tests.models.tiny_dual_encoder import FAMILIES, build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHOICES = ("a red bird", "one flower", "三", "no")
CONTEXT = {"clip": 24, "siglip": 24, "chinese_clip": 40}


def make(folder: Path, **settings: Any) -> DualEncoder:
    return DualEncoder(name="tiny", model=str(folder), dtype="float32", device="cpu", **settings)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], DualEncoder]:
    models: dict[str, DualEncoder] = {}

    def load(family: str) -> DualEncoder:
        if family not in models:
            models[family] = make(build(family, tmp_path_factory.mktemp(family)))
            models[family].load()
        return models[family]

    return load


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for index in range(3):
        pil.fromarray(rng.integers(0, 255, (20 + 9 * index, 24, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return [Image(folder / f"{index}.png") for index in range(3)]


def ask(*parts: Part, name: str = "s") -> Sample:
    return Sample(id=name, language="eng_Latn", parts=parts, choices=CHOICES)


def forward(model: DualEncoder, image: Image, family: str) -> Any:
    """What the whole model makes of an image and the choices, as its own documentation asks it."""
    import torch

    padding = {"padding": "max_length", "max_length": 24} if family == "siglip" else {"padding": True}
    inputs = model._processor(text=list(CHOICES), images=[load_image(image)], return_tensors="pt", **padding)
    if family == "siglip":
        inputs.pop("attention_mask", None)
    with torch.inference_mode():
        return model._model(**inputs)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family(family: str, loaded: Callable[[str], DualEncoder], pictures: list[Image]) -> None:
    model = loaded(family)
    read = forward(model, pictures[0], family)
    logits = read.logits_per_image[0]
    expected = logits.sigmoid().log() if family == "siglip" else logits.log_softmax(0)
    (output,) = model.loglikelihood([ask(Text("Which?", instruction=True), pictures[0])])
    assert output.choice_scores == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-5)
    assert output.text == CHOICES[int(expected.argmax())]
    assert output.notes == ()
    samples = [ask(pictures[0]), *(ask(Text(choice)) for choice in CHOICES)]
    vectors = [each.vectors[QUERY] for each in model.embed(samples)]
    assert vectors[0] == pytest.approx(read.image_embeds[0].tolist(), abs=1e-5)
    for vector, other in zip(vectors[1:], read.text_embeds.tolist(), strict=True):
        assert vector == pytest.approx(other, abs=1e-5)
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_batch_changes_an_answer(family: str, loaded: Callable[[str], DualEncoder], pictures: list[Image]) -> None:
    model = loaded(family)
    a, b, c = pictures
    prompts = [(a,), (Text("one"),), (Text("a red bird"), b), (c, a), (Text("x"), b, c), (Text("no"), Text(" flower"))]
    samples = [ask(*parts, name=str(index)) for index, parts in enumerate(prompts)]
    alone = [model.embed([sample])[0].vectors[QUERY] for sample in samples]
    for one, other in zip(alone, model.embed(samples[::-1])[::-1], strict=True):
        assert one == pytest.approx(other.vectors[QUERY], abs=1e-5)
    assert len(set(alone)) == len(alone)
    (bird,) = model.embed([ask(Text("a red bird"))])
    (image,) = model.embed([ask(b)])
    mean = (np.array(bird.vectors[QUERY]) + np.array(image.vectors[QUERY])) / 2
    assert alone[2] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5), "both is the mean of the two"
    images = [ask(each, name=str(index)) for index, each in enumerate(pictures)]
    single = [model.loglikelihood([sample])[0] for sample in images]
    for own, together in zip(single, model.loglikelihood(images), strict=True):
        assert own.choice_scores == pytest.approx(together.choice_scores, abs=1e-5)
    assert len({own.choice_scores for own in single}) == 3


@pytest.mark.parametrize("family", CONTEXT)
def test_a_long_text_is_cut(family: str, loaded: Callable[[str], DualEncoder], pictures: list[Image]) -> None:
    model, limit = loaded(family), CONTEXT[family]
    long = "a b c d e f g " * 9
    outputs = model.embed([ask(Text("one")), ask(Text(long)), ask(Text(long + "more"), pictures[0])])
    assert outputs[0].notes == ()
    assert outputs[1].notes[0].startswith("cut from ")
    assert outputs[1].notes[0].endswith(f" to {limit} tokens")
    assert outputs[2].notes == (f"cut from {_count(model, long + 'more')} to {limit} tokens",)
    ranked = Sample(id="s", language="eng_Latn", parts=(pictures[0], Text("x")), choices=("one", long))
    (output,) = model.loglikelihood([ranked])
    assert output.notes[0] == "the text beside the image is not read"
    assert output.notes[1].startswith("choice cut from ")


def _count(model: DualEncoder, text: str) -> int:
    return len(model._processor.tokenizer(text)["input_ids"])


def test_settings(loaded: Callable[[str], DualEncoder], tmp_path: Path) -> None:
    folder = build("clip", tmp_path)
    plain = loaded("clip").embed([ask(Text("a photo of one"))])[0]
    assert make(folder, prompt="a photo of {text}", lower=True).embed([ask(Text("ONE"))])[0] == plain
    assert make(folder, context=5).embed([ask(Text("four letters"))])[0].notes == ("cut from 14 to 5 tokens",)
    with pytest.raises(UsageError, match="context=77, but the model takes 3 to 24 tokens"):
        make(folder, context=77).load()
    with pytest.raises(UsageError, match=r"must hold \{text\} once"):
        make(folder, prompt="a photo")


def test_what_is_refused(loaded: Callable[[str], DualEncoder], llama: Path, pictures: list[Image]) -> None:
    model = loaded("clip")
    for sample, message in (
        (ask(Audio("a.wav")), "sample s holds audio, which tiny does not take"),
        (ask(Text("x", instruction=True)), "sample s has neither text nor image"),
    ):
        with pytest.raises(SampleError, match=message):
            model.embed([sample])
    with pytest.raises(SampleError, match="sample s has no image, and tiny ranks choices by an image alone"):
        model.loglikelihood([ask(Text("x"))])
    with pytest.raises(SampleError, match="sample s has no choices"):
        model.loglikelihood([Sample(id="s", language="eng_Latn", parts=(pictures[0],))])
    with pytest.raises(ModelLoadError, match="is not made for images and texts"):
        make(llama).load()
