"""Vectors of multimodal language models: the last token's state, of unit length, in any batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as pil

from mmbench.models.vectors import unit
from mmbench.schema import QUERY, Audio, Image, Sample, Text
from tests.models.tiny_multimodal import HEARS, build, make

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter")  # they are that small
FAMILIES = ("llava", "gemma3", "qwen2_vl", "qwen2_5_vl", "smolvlm", "qwen2_audio")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family(family: str, tmp_path: Path, clips: list[Path]) -> None:
    import torch

    model = make(build(family, tmp_path))
    pixels = np.random.default_rng(0).integers(0, 255, (2, 24, 32, 3), dtype=np.uint8)
    for index, each in enumerate(pixels):
        pil.fromarray(each).save(tmp_path / f"{index}.png")
    media = [Audio(clips[0]), Audio(clips[2])] if family in HEARS else [Image(tmp_path / f"{n}.png") for n in (0, 1)]
    prompts = [(Text("In one word: "),), (media[0], Text("In one word: ")), (media[1], Text("What? In one word: "))]
    samples = [Sample(id=str(i), language="eng_Latn", parts=parts) for i, parts in enumerate(prompts)]
    alone = [model.embed([sample])[0].vectors[QUERY] for sample in samples]
    for one, other in zip(alone, model.embed(samples[::-1])[::-1], strict=True):
        assert one == pytest.approx(other.vectors[QUERY], abs=1e-5)
        assert math.hypot(*one) == pytest.approx(1, abs=1e-5)
    assert len(set(alone)) == 3
    features = model._features(samples[1], [model._ask(samples[1])], model._frames[0])
    with torch.inference_mode():
        states = model._model(**features, output_hidden_states=True).hidden_states[-1]
        logits = model._model.lm_head(states)
        assert torch.allclose(logits, model._model(**features).logits, atol=1e-4), "nothing comes after that layer"
    assert alone[1] == pytest.approx((states[0, -1] / states[0, -1].norm()).tolist(), abs=1e-5)


def test_a_vector_without_length_stays_zero() -> None:
    import torch

    assert unit(torch.tensor([[0.0, 0.0], [3.0, 4.0]])).tolist() == [
        [0.0, 0.0],
        [pytest.approx(0.6), pytest.approx(0.8)],
    ]
