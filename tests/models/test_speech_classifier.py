"""The end-to-end classifier: a head belongs to its encoder, and pooling leaves padding out."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.speech_classifier import Head, SpeechClassifier
from mmbench.schema import Audio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mmbench.schema import Sample

LABELS = ("health", "sports", "travel")


def head(encoder: str, *, layer: int = -1, seed: int = 0) -> Head:
    rng = np.random.default_rng(seed)
    weight, bias = rng.standard_normal((3, 16)).astype(np.float32), rng.standard_normal(3).astype(np.float32)
    return Head(weight=weight, bias=bias, labels=LABELS, layer=layer, encoder=encoder, training="noise, für Tests")


def make(folder: Path, **settings: Any) -> SpeechClassifier:
    return SpeechClassifier(name="slu", model=str(folder), dtype="float32", device="cpu", **settings)


@pytest.fixture
def classifier(whisper: Path, tmp_path: Path) -> SpeechClassifier:
    path = tmp_path / "head.safetensors"
    head(make(whisper).content, layer=1).save(path)
    return make(whisper, head=str(path))


def test_head_comes_back_as_it_was(tmp_path: Path) -> None:
    one = head("sha256:0", layer=3)
    one.save(tmp_path / "a.safetensors")
    two = Head.load(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(one.weight, two.weight)
    np.testing.assert_array_equal(one.bias, two.bias)
    for name in ("labels", "layer", "encoder", "training"):
        assert getattr(one, name) == getattr(two, name)


def test_equal_heads_give_equal_bytes_in_every_process(tmp_path: Path) -> None:
    for index in range(6):
        head("sha256:0").save(tmp_path / f"{index}.safetensors")
    code = """
import sys
from pathlib import Path
from mmbench.models.speech_classifier import Head
for index in range(6):
    Head.load(Path(sys.argv[1], "0.safetensors")).save(Path(sys.argv[1], f"other{index}.safetensors"))
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=120)
    assert len(list(tmp_path.iterdir())) == 12
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_a_head_that_is_missing_or_none(whisper: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    (tmp_path / "text").write_text("no head")
    save_file({"weight": np.zeros((3, 16), np.float32)}, tmp_path / "bare.safetensors")
    for name in ("missing", "text", "bare.safetensors"):
        with pytest.raises(ModelLoadError, match="train_topic_head") as error:
            make(whisper, head=str(tmp_path / name)).load()
        assert "\n" not in str(error.value)


def test_a_head_of_another_encoder_is_refused(
    whisper: Path, whisper_en: Path, spoken: list[Sample], tmp_path: Path
) -> None:
    path = tmp_path / "head.safetensors"
    head(make(whisper_en).content).save(path)
    with pytest.raises(ModelLoadError, match=r"trained on encoder .*, not on "):
        make(whisper, head=str(path)).load()
    make(whisper_en, head=str(path)).generate(spoken[:1])


def test_without_a_head_there_is_no_answer(whisper: Path, spoken: list[Sample]) -> None:
    with pytest.raises(ModelLoadError, match="no head"):
        make(whisper).generate(spoken[:1])


ENCODERS = [("layer", "Wav2Vec2Model"), ("group", "Wav2Vec2Model"), ("layer", "HubertModel"), ("group", "HubertModel")]


@pytest.mark.parametrize(("norm", "architecture"), [*ENCODERS, ("whisper", "")])
@pytest.mark.parametrize("masked", [True, False])
def test_pooling_ignores_padding(
    make_wav2vec2: Callable[..., Path], whisper: Path, spoken: list[Sample], norm: str, architecture: str, masked: bool
) -> None:
    model = make(whisper if norm == "whisper" else make_wav2vec2(norm, architecture, masked=masked))
    layers = [0, 1, -1]
    single = np.concatenate([model.layer_states([sample], layers) for sample in spoken], axis=1)
    batched = model.layer_states(spoken, layers)
    assert batched.shape == (3, len(spoken), 16)
    np.testing.assert_allclose(batched, single, atol=1e-5, rtol=1e-4)
    np.testing.assert_array_equal(model.hidden_states(spoken), batched[-1])
    assert np.abs(batched[:, 0] - batched[:, 1]).max() > 1e-2  # clips do differ


def test_pooling_is_the_mean_over_speech(make_wav2vec2: Callable[..., Path], spoken: list[Sample]) -> None:
    import torch

    from mmbench.media import load_audio

    model = make(make_wav2vec2("layer", "Wav2Vec2Model"))
    found = model.layer_states(spoken, [1])[0]
    for sample, pooled in zip(spoken, found, strict=True):
        wave = load_audio(sample.parts[0], rate=16000)  # type: ignore[arg-type]
        inputs = model._extractor(wave, sampling_rate=16000, return_tensors="pt")["input_values"]
        with torch.inference_mode():
            states = model._encoder(inputs, output_hidden_states=True).hidden_states[1][0]
        np.testing.assert_allclose(pooled, states.mean(0).numpy(), atol=1e-5, rtol=1e-4)


def test_a_clip_of_a_few_samples_is_lengthened(
    make_wav2vec2: Callable[..., Path], spoken: list[Sample], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "short.wav", np.ones(40, np.float32) / 2, 16000)
    short = replace(spoken[0], id="short", parts=(Audio(tmp_path / "short.wav"),))
    for norm in ("layer", "group"):
        model = make(make_wav2vec2(norm, "HubertModel"))
        both = model.hidden_states([short, spoken[1]])
        assert np.isfinite(both).all()
        np.testing.assert_allclose(both[:1], model.hidden_states([short]), atol=1e-4)


def test_several_clips_weigh_the_same(whisper: Path, spoken: list[Sample]) -> None:
    model = make(whisper)
    both = replace(spoken[0], parts=(*spoken[0].parts, *spoken[4].parts))
    found = model.hidden_states([both, spoken[0], spoken[4]])
    np.testing.assert_allclose(found[0], (found[1] + found[2]) / 2, atol=1e-5)


def test_likelihoods_are_those_of_the_classes(classifier: SpeechClassifier, spoken: list[Sample]) -> None:
    samples = [replace(sample, choices=LABELS) for sample in spoken]
    outputs = classifier.loglikelihood(samples)
    for sample, output, answer in zip(samples, outputs, classifier.generate(samples), strict=True):
        assert sum(map(math.exp, output.choice_scores)) == pytest.approx(1)
        assert output.text == answer.text == max(zip(output.choice_scores, LABELS, strict=True))[1]
        (turned,) = classifier.loglikelihood([replace(sample, choices=LABELS[::-1])])
        assert turned.choice_scores == pytest.approx(output.choice_scores[::-1], abs=1e-5)
    assert len({output.choice_scores for output in outputs}) == len(spoken)


def test_a_choice_that_is_no_class(classifier: SpeechClassifier, spoken: list[Sample]) -> None:
    odd = replace(spoken[1], id="odd", choices=("health", "cooking"))
    with pytest.raises(SampleError, match=r"sample odd: choice .*cooking.*health, sports, travel"):
        classifier.loglikelihood([replace(spoken[0], choices=LABELS), odd])
    with pytest.raises(SampleError, match="sample s0"):
        classifier.loglikelihood([spoken[0]])


def test_identity_is_of_encoder_and_head(classifier: SpeechClassifier, whisper: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    head(make(whisper).content, seed=1).save(path)
    assert len({classifier.content, make(whisper).content, make(whisper, head=str(path)).content}) == 3


@pytest.mark.gpu
def test_on_the_accelerator(make_wav2vec2: Callable[..., Path], whisper: Path, spoken: list[Sample], cuda: str) -> None:
    for folder in (whisper, make_wav2vec2("layer", "HubertModel"), make_wav2vec2("group", "HubertModel")):
        exact = SpeechClassifier(name="gpu", model=str(folder), dtype="float32", device=cuda)
        np.testing.assert_allclose(exact.hidden_states(spoken), make(folder).hidden_states(spoken), atol=1e-2)
        assert SpeechClassifier(name="gpu", model=str(folder), device=cuda).hidden_states(spoken).shape == (8, 16)
