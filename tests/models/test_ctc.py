"""CTC models: padding must not be heard, with a mask (layer norm) and without one (group norm)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import soundfile
import torch

from mmbench.errors import SampleError, UsageError
from mmbench.models.ctc import CTC
from mmbench.models.padding import takes_padding
from mmbench.schema import Audio, Sample, Text
from tests.models.conftest import sound
from tests.models.tiny_ctc import parakeet

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
    # Their convolutions hear padding that is masked.
    ("layer", "Wav2Vec2ConformerForCTC", True),
    ("layer", "SEWForCTC", True),
    ("layer", "Data2VecAudioForCTC", True),
]
DEAF = {"Wav2Vec2ForCTC", "HubertForCTC", "WavLMForCTC"}


@pytest.mark.parametrize(("norm", "architecture", "masked"), VARIANTS)
def test_batched_equals_single(
    make_wav2vec2: Callable[..., Path], spoken: list[Sample], norm: str, architecture: str, masked: bool
) -> None:
    model = CTC(name="ctc", model=str(make_wav2vec2(norm, architecture, masked=masked)), device="cpu")
    single = [texts(model, [sample])[0] for sample in spoken]
    assert len(set(single)) == len(spoken)
    assert texts(model, spoken) == single
    assert texts(model, spoken[::-1]) == single[::-1]
    assert takes_padding(model._processor.feature_extractor, model._model) == (
        norm == "layer" and masked and architecture in DEAF
    )


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


def test_parakeet_hears_no_padding_and_writes_no_blank(tmp_path: Path, spoken: list[Sample]) -> None:
    model = CTC(name="parakeet", model=str(parakeet(tmp_path / "parakeet")), device="cpu")
    single = [texts(model, [sample])[0] for sample in spoken]
    assert len(set(single)) == len(spoken)
    assert texts(model, spoken) == single
    assert takes_padding(model._processor.feature_extractor, model._model)
    assert not any("<pad>" in text for text in single)


def test_parakeet_labels_become_text_by_the_rule_of_ctc(tmp_path: Path) -> None:
    model = CTC(name="parakeet", model=str(parakeet(tmp_path / "parakeet")), device="cpu")
    model.load()
    labels = ["▁a", "▁a", "<pad>", "b", "<pad>", "b", "b", "▁c", "<pad>"]
    ids = torch.tensor([model._processor.tokenizer.convert_tokens_to_ids(labels)])
    logits = torch.nn.functional.one_hot(ids, model._model.config.vocab_size).float()
    everything = torch.ones(ids.shape, dtype=torch.bool)
    assert model._read(logits, everything, None)[0].strip() == "abb c"
    assert model._read(logits, everything & (torch.arange(9) < 4)[None], None)[0].strip() == "ab"


def test_a_clip_shorter_than_the_filters_is_padded_and_noted(
    tmp_path: Path, make_wav2vec2: Callable[..., Path], spoken: list[Sample]
) -> None:
    soundfile.write(tmp_path / "click.wav", sound(0.005, 300, 16000), 16000)
    click = Sample(id="click", language="eng_Latn", parts=(Audio(tmp_path / "click.wav"),))
    for folder in (make_wav2vec2("layer"), parakeet(tmp_path / "parakeet")):
        model = CTC(name="ctc", model=str(folder), device="cpu")
        output, other = model.generate([click, spoken[0]])
        assert output.notes == ("padded 0.005 s to 0.1 s",)
        assert (other.notes, other.text) == ((), texts(model, [spoken[0]])[0])


def test_long_clips_are_refused_cut_or_taken_window_by_window(
    make_wav2vec2: Callable[..., Path], spoken: list[Sample]
) -> None:
    long = spoken[-1]  # 2.1 s
    folder = str(make_wav2vec2("layer"))
    assert CTC(name="ctc", model=folder, device="cpu").generate([long])[0].notes == (), "no limit unless one is set"
    with pytest.raises(SampleError, match=r"lasts 2\.1 s, the model takes 1 s"):
        CTC(name="ctc", model=folder, window=1, device="cpu").generate([long])
    (cut,) = CTC(name="ctc", model=folder, window=1, long_audio="truncate", device="cpu").generate([long])
    first = replace(long, parts=(replace(long.parts[0], end=1.0),))
    assert (cut.text, cut.notes) == (
        texts(CTC(name="ctc", model=folder, device="cpu"), [first])[0],
        ("truncated 2.1 s to 1 s",),
    )
    (parts,) = CTC(name="ctc", model=folder, window=1, long_audio="chunk", device="cpu").generate([long])
    assert parts.notes == ("cut into 3 windows",)
    with pytest.raises(UsageError, match="long_audio=loud"):
        CTC(name="ctc", model=folder, long_audio="loud", device="cpu").load()  # type: ignore[arg-type]


@pytest.mark.gpu
@pytest.mark.parametrize("norm", ["layer", "group"])
def test_on_the_accelerator(make_wav2vec2: Callable[..., Path], spoken: list[Sample], norm: str, cuda: str) -> None:
    assert all(texts(CTC(name="ctc", model=str(make_wav2vec2(norm)), device=cuda), spoken))
