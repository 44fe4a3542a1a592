"""CTC models: padding must not be heard, with a mask (layer norm) and without one (group norm)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mmbench.errors import SampleError
from mmbench.models.padding import takes_padding
from mmbench.models.speech_to_text import CTC
from mmbench.schema import Sample, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def texts(model: CTC, batch: Sequence[Sample]) -> list[str]:
    return [output.text for output in model.generate(batch)]


VARIANTS = [
    ("layer", "Wav2Vec2ForCTC", True),
    ("group", "Wav2Vec2ForCTC", False),
    ("group", "Wav2Vec2ForCTC", True),  # a mask does not help where a norm runs over the padding
    ("layer", "Wav2Vec2ForCTC", False),
    ("layer", "HubertForCTC", True),
    ("group", "HubertForCTC", False),
    ("layer", "WavLMForCTC", True),
]


@pytest.mark.parametrize(("norm", "architecture", "masked"), VARIANTS)
def test_batched_equals_single(
    make_wav2vec2: Callable[..., Path], spoken: list[Sample], norm: str, architecture: str, masked: bool
) -> None:
    model = CTC(name="ctc", model=str(make_wav2vec2(norm, architecture, masked=masked)), device="cpu")
    single = [texts(model, [sample])[0] for sample in spoken]
    assert len(set(single)) == len(spoken)
    assert texts(model, spoken) == single
    assert texts(model, spoken[::-1]) == single[::-1]
    assert takes_padding(model._processor.feature_extractor, model._model) == (norm == "layer" and masked)


def test_several_clips_and_no_clips(make_wav2vec2: Callable[..., Path], spoken: list[Sample]) -> None:
    model = CTC(name="ctc", model=str(make_wav2vec2("layer")), device="cpu")
    first, second = texts(model, spoken[:2])
    both = replace(spoken[0], parts=(*spoken[0].parts, *spoken[1].parts))
    assert texts(model, [both, spoken[1]]) == [f"{first} {second}", second]
    with pytest.raises(SampleError, match="sample mute has no audio"):
        model.generate([Sample(id="mute", language="eng_Latn", parts=(Text("hello"),))])


def test_half_precision_gets_half_precision_input(make_wav2vec2: Callable[..., Path], spoken: list[Sample]) -> None:
    model = CTC(name="ctc", model=str(make_wav2vec2("layer")), dtype="bfloat16", device="cpu")
    assert all(texts(model, spoken))


@pytest.mark.gpu
@pytest.mark.parametrize("norm", ["layer", "group"])
def test_on_the_accelerator(make_wav2vec2: Callable[..., Path], spoken: list[Sample], norm: str, cuda: str) -> None:
    assert all(texts(CTC(name="ctc", model=str(make_wav2vec2(norm)), device=cuda), spoken))
