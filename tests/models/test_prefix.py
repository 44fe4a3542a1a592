"""Choices after one prompt that is read once: the same likelihoods, with media encoded once; or else asked plainly."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as pil

from mmbench.schema import Audio, Image, Part, Sample, Text
from tests.models.tiny_multimodal import FAMILIES, HEARS, build, make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mmbench.models.multimodal import MultimodalLM

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter")  # they are that small
BOTH = ("qwen2_5_omni_thinker", "qwen2_5_omni")
CHOICES = {
    "lengths": ("yes", "a much longer answer than the others", "é!", "n"),
    "begins": ("yes", "yes it is", "yes it is so", "y"),
    "one token": ("A", "B", "C", "D"),
    "one beside longer": ("A", "Because of it"),
}
ENCODERS = ("vision_tower", "visual", "vision_model", "audio_tower", "encoder", "vision_encoder")
"""Names of the modules that turn media into vectors, in all families."""


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], MultimodalLM]:
    models: dict[str, MultimodalLM] = {}

    def load(family: str) -> MultimodalLM:
        if family not in models:
            models[family] = make(build(family, tmp_path_factory.mktemp(family)))
        return models[family]

    return load


@pytest.fixture
def media(tmp_path: Path, clips: list[Path]) -> Callable[[str], tuple[Part, ...]]:
    pixels = np.random.default_rng(0).integers(0, 255, (2, 28, 20, 3), dtype=np.uint8)
    for index, each in enumerate(pixels):
        pil.fromarray(each).save(tmp_path / f"{index}.png")
    images = tuple(Image(tmp_path / f"{index}.png") for index in range(2))

    def of(family: str) -> tuple[Part, ...]:
        heard = family in HEARS or family == "voxtral"
        if family in ("audioflamingo3", "qwen3_asr"):  # one clip a question
            return (Audio(clips[0]),)
        return (Audio(clips[0]), Audio(clips[4])) if heard else (*images, Audio(clips[0])) if family in BOTH else images

    return of


def ask(*parts: Part, choices: tuple[str, ...] = CHOICES["lengths"], name: str = "s") -> Sample:
    return Sample(id=name, language="eng_Latn", parts=parts, choices=choices)


def unshared(model: MultimodalLM) -> MultimodalLM:
    """The same model, asked with the whole prompt for each choice."""
    twin = replace(model, share_prefix=False)
    twin.load()
    return twin


def encoders(model: MultimodalLM, seen: list[str]) -> list[Any]:
    """Hooks that note each call of a media encoder."""

    def noting(name: str) -> Any:
        return lambda *_: seen.append(name)

    inner = getattr(model._model, "thinker", model._model)
    inner = getattr(inner, "model", inner)
    return [each.register_forward_hook(noting(name)) for name, each in inner.named_children() if name in ENCODERS]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family(
    family: str,
    loaded: Callable[[str], MultimodalLM],
    media: Callable[[str], tuple[Part, ...]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    model, parts = loaded(family), media(family)
    plain = unshared(model)
    long = Text("What is this? " * 12)  # beyond the sliding window of Gemma 3
    prompts = [
        (*parts, Text("What is it?")),
        (Text("Is it? yes or no"),),
        (parts[0], long),
        (Text("Why?"), *parts[-1:]),
    ]
    samples = [
        ask(*prompt, choices=choices, name=f"{name}{index}")
        for index, prompt in enumerate(prompts)
        for name, choices in CHOICES.items()
    ]
    with caplog.at_level(logging.WARNING, "mmbench.models.shortcut"):
        for sample in samples:
            (one,), (other,) = model.loglikelihood([sample]), plain.loglikelihood([sample])
            assert one.choice_scores == pytest.approx(other.choice_scores, abs=1e-5, rel=1e-5)
            assert (one.text, one.choice_lengths) == (other.text, other.choice_lengths)
    assert model._prefixes.shortcut.taken and not caplog.records, "it was really read once"
    assert model.loglikelihood(samples) == [model.loglikelihood([sample])[0] for sample in samples]


@pytest.mark.parametrize("family", FAMILIES)
def test_media_are_encoded_once(
    family: str, loaded: Callable[[str], MultimodalLM], media: Callable[[str], tuple[Part, ...]]
) -> None:
    model = loaded(family)
    sample = ask(*media(family), Text("What is it?"))
    model.loglikelihood([sample])  # both ways, to compare
    seen: list[str] = []
    hooks = encoders(model, seen)
    model.loglikelihood([sample])
    for hook in hooks:
        hook.remove()
    assert len(seen) == len(set(seen)) == (2 if family in BOTH else 1)


def test_rows_of_the_choices_alone(
    loaded: Callable[[str], MultimodalLM], media: Callable[[str], tuple[Part, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded("llava")
    sample = ask(*media("llava"), Text("What is it?"))
    model.loglikelihood([sample])
    shapes: list[tuple[int, ...]] = []
    model._model.register_forward_pre_hook(
        lambda _, __, given: shapes.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    model.loglikelihood([sample])
    (first, second) = shapes
    assert first[0] == 1 and first[1] > 32
    assert second == (4, len(CHOICES["lengths"][1]) - 1)


@pytest.mark.parametrize("broken", ["wrong", "no cache", "refused"])
def test_a_model_that_cannot_is_asked_plainly(
    broken: str,
    tmp_path: Path,
    media: Callable[[str], tuple[Part, ...]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    import inspect

    model = make(build("llava", tmp_path))
    plain = unshared(model)
    samples = [ask(*media("llava"), Text("What is it?")), ask(Text("Why?"), name="t")]
    expected = [output.choice_scores for output in plain.loglikelihood(samples)]
    forward = model._model.forward

    def worse(**given: Any) -> Any:
        if broken == "refused" and "past_key_values" in given:
            raise TypeError("forward() got an unexpected keyword argument 'past_key_values'")
        if broken == "wrong" and "past_key_values" in given:
            given["input_ids"] = given["input_ids"] + 1
        read = forward(**given)
        if broken == "no cache":
            read.past_key_values = None
        return read

    worse.__signature__ = inspect.signature(forward)  # type: ignore[attr-defined]
    monkeypatch.setattr(model._model, "forward", worse)
    with caplog.at_level(logging.WARNING, "mmbench.models.shortcut"):
        found = [output.choice_scores for output in model.loglikelihood(samples)]
    for own, other in zip(found, expected, strict=True):
        assert own == pytest.approx(other, rel=1e-6)
    (record,) = caplog.records
    assert record.getMessage().startswith("model tiny: prompts are read once for each choice, as it does not allow")


def test_sharing_is_no_setting_of_the_answers(tmp_path: Path) -> None:
    from mmbench.identity import describe

    model = make(build("llava", tmp_path))
    assert "share_prefix" not in describe(model)
    assert describe(model) == describe(unshared(model))


@pytest.mark.gpu
@pytest.mark.parametrize("family", ["llava", "qwen2_vl", "gemma3"])
def test_in_bfloat16_on_an_accelerator(
    family: str, tmp_path: Path, media: Callable[[str], tuple[Part, ...]], cuda: str
) -> None:
    model = replace(make(build(family, tmp_path)), dtype="bfloat16", device=cuda)
    sample = ask(*media(family), Text("What is it?"))
    (one,), (other,) = model.loglikelihood([sample]), unshared(model).loglikelihood([sample])
    assert model._prefixes.shortcut.taken
    assert one.choice_scores == pytest.approx(other.choice_scores, rel=0.06)
