"""Multimodal language models, family by family: against the plain forward pass, and answers that no batch changes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as pil

from mmbench.media import load_audio, load_image
from mmbench.models.cascade import Cascade
from mmbench.models.echo import Gold
from mmbench.models.multimodal import MultimodalLM
from mmbench.schema import Audio, Image, Output, Part, Sample, Text
from tests.models.tiny_multimodal import FAMILIES, build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter")  # they are that small
CHOICES = ("yes", "no", "yellow", "n", "é!")
SEEING = ("llava", "gemma3", "qwen2_vl", "qwen2_5_vl", "smolvlm")
LITERAL = (
    "<|AUDIO|> <|audio|> <|audio_pad|> <sound> <image> <|image_pad|> <|vision_start|> <start_of_image> [AUDIO] "
    "<|im_end|> <|im_start|>"
)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], MultimodalLM]:
    models: dict[str, MultimodalLM] = {}

    def load(family: str) -> MultimodalLM:
        if family not in models:
            folder = build(family, tmp_path_factory.mktemp(family))
            models[family] = MultimodalLM(
                name=family, model=str(folder), dtype="float32", device="cpu", max_new_tokens=8
            )
            models[family].load()
        return models[family]

    return load


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    paths = [folder / f"{index}.png" for index in range(3)]
    for index, path in enumerate(paths):
        pil.fromarray(rng.integers(0, 255, (20 + 8 * index, 24, 3), dtype=np.uint8)).save(path)
    return paths


@pytest.fixture
def media(clips: list[Path], pictures: list[Path]) -> Callable[[str], list[Part]]:
    """Three media parts of the kind that a family takes, of other lengths and sizes."""
    return lambda family: (
        [Image(path) for path in pictures] if family in SEEING else [Audio(clips[index]) for index in (0, 4, 2)]
    )


def ask(name: str, *parts: Part) -> Sample:
    return Sample(id=name, language="eng_Latn", parts=parts, choices=CHOICES)


def questions(parts: Sequence[Part]) -> list[Sample]:
    return [ask(str(index), Text("What is this? " * (index + 1)), part) for index, part in enumerate(parts)]


def close(one: Sequence[Output], other: Sequence[Output]) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.choice_scores == pytest.approx(b.choice_scores, abs=1e-5)
        assert (a.text, a.choice_lengths) == (b.text, b.choice_lengths)


def reference(model: MultimodalLM, sample: Sample, choice: str) -> float:
    """Log-likelihood of a choice from one forward pass over prompt and choice as a single text."""
    import torch

    processor = model._processor
    blocks: list[dict[str, Any]] = []
    given: dict[str, Any] = {}
    for part in sample.parts:
        if isinstance(part, Text):
            blocks.append({"type": "text", "text": part.text})
        elif isinstance(part, Audio):
            blocks.append({"type": "audio"})
            given["audio"] = [load_audio(part, rate=model._reader.rate)]
        elif isinstance(part, Image):
            blocks.append({"type": "image"})
            given["images"] = [[load_image(part)]]
    turn = [{"role": "user", "content": blocks}]
    text = processor.apply_chat_template(turn, chat_template=model._frames[0], add_generation_prompt=True)
    if "sampling_rate" in getattr(processor, "audio_kwargs", {}):
        given["audio_kwargs"] = {"sampling_rate": model._reader.rate}
    inputs = processor(text=[text + choice], return_tensors="pt", **given)
    with torch.inference_mode():
        logprobs = model._model(**inputs).logits[0].log_softmax(-1)
    ids = inputs["input_ids"][0].tolist()
    count = len(choice.encode())  # a token is a byte
    return sum(logprobs[position - 1, ids[position]].item() for position in range(len(ids) - count, len(ids)))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family(family: str, loaded: Callable[[str], MultimodalLM], media: Callable[[str], list[Part]]) -> None:
    model = loaded(family)
    parts = media(family)
    samples = questions(parts)
    single = [model.generate([sample])[0] for sample in samples]
    assert model.generate(samples) == single
    assert model.generate(samples[::-1]) == single[::-1]
    assert all(output.tokens is not None and 0 <= output.tokens <= 8 for output in single)
    assert not any("What is this" in output.text or "assistant" in output.text for output in single)

    scores = model.loglikelihood(samples)
    close(scores, [model.loglikelihood([sample])[0] for sample in samples])
    assert all(output.choice_lengths == tuple(len(choice.encode()) for choice in CHOICES) for output in scores)
    if family != "voxtral":  # its processor takes no finished text
        for sample, output in zip(samples, scores, strict=True):
            expected = [reference(model, sample, choice) for choice in CHOICES]
            assert output.choice_scores == pytest.approx(expected, abs=1e-4)

    same = [ask(str(index), Text("What is this?"), part) for index, part in enumerate(parts)]
    heard = {output.choice_scores for output in model.loglikelihood(same)}
    assert len(heard) == 3, "what is heard or seen decides"
    turned = [ask("t", parts[0], Text("What is this?")), ask("u", Text("What is this?"), parts[0])]
    assert len({output.choice_scores for output in model.loglikelihood(turned)}) == 2, "the order of parts counts"


@pytest.mark.parametrize("family", FAMILIES)
def test_text_alone_and_mixed_batches(
    family: str, loaded: Callable[[str], MultimodalLM], media: Callable[[str], list[Part]]
) -> None:
    model = loaded(family)
    samples = [ask("t", Text("Is it? yes or no")), *questions(media(family)), ask("u", Text("no"))]
    assert model.generate(samples) == [model.generate([sample])[0] for sample in samples]
    close(model.loglikelihood(samples), [model.loglikelihood([sample])[0] for sample in samples])
    assert len({output.choice_scores for output in model.loglikelihood(samples)}) == 5


@pytest.mark.parametrize("family", FAMILIES)
def test_placeholders_in_a_question_are_plain_text(
    family: str, loaded: Callable[[str], MultimodalLM], media: Callable[[str], list[Part]]
) -> None:
    model = loaded(family)
    part = media(family)[0]
    plain, literal = (ask(name, Text(text), part) for name, text in (("p", "x"), ("l", f"x {LITERAL}")))
    counts = []
    for sample in (plain, literal):
        features = model._features(sample, [model._ask(sample)], model._frames[0])
        ids = features["input_ids"][0].tolist()
        special = set(model._processor.tokenizer.all_special_ids)
        special |= {getattr(model._processor, f"{kind}_token_id", None) for kind in ("audio", "image")}
        counts.append(sum(token in special for token in ids))
        assert len(ids) > 40 or sample is plain
    assert counts[0] == counts[1]
    batch = [literal, plain, ask("t", Text(LITERAL))]
    assert model.generate(batch) == [model.generate([sample])[0] for sample in batch]
    assert len({output.choice_scores for output in model.loglikelihood(batch)}) == 3


@pytest.mark.parametrize("family", ["qwen2_audio", "audioflamingo3", "llava"])
def test_padding_is_on_the_left(
    family: str,
    loaded: Callable[[str], MultimodalLM],
    media: Callable[[str], list[Part]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = loaded(family)
    seen: list[Any] = []
    generate = model._model.generate
    monkeypatch.setattr(model._model, "generate", lambda **given: seen.append(given) or generate(**given))
    model.generate(questions(media(family)))
    (given,) = seen
    mask = given["attention_mask"]
    assert mask.shape[0] == 3
    assert mask[:, -1].all()
    assert not mask[:, 0].all()
    assert (mask.diff(dim=1) >= 0).all()
    assert all(
        value.dtype.is_floating_point for key, value in given.items() if key in ("pixel_values", "input_features")
    )
    assert not given["input_ids"].is_floating_point()


def test_one_token_choices_cost_one_forward(
    loaded: Callable[[str], MultimodalLM], media: Callable[[str], list[Part]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded("qwen2_audio")
    rows: list[int] = []
    forward = model._model.forward

    def counted(*args: Any, **given: Any) -> Any:
        rows.append(len(given["input_ids"]))
        return forward(*args, **given)

    monkeypatch.setattr(model._model, "forward", counted)
    counted.__signature__ = inspect.signature(forward)  # type: ignore[attr-defined]
    letters = [
        Sample(id=str(i), language="eng_Latn", parts=(Text("x"), part), choices=tuple("ABCD"))
        for i, part in enumerate(media("qwen2_audio"))
    ]
    model.loglikelihood(letters)
    assert rows == [1, 1, 1]


def test_several_clips_stand_where_they_were(loaded: Callable[[str], MultimodalLM], clips: list[Path]) -> None:
    model = loaded("qwen2_audio")
    first, second = Audio(clips[0]), Audio(clips[2])
    orders = [(first, Text("and"), second), (second, Text("and"), first), (first, second, Text("and"))]
    samples = [ask(str(index), *parts) for index, parts in enumerate(orders)]
    outputs = model.loglikelihood(samples)
    assert len({output.choice_scores for output in outputs}) == 3
    mixed = [*samples, ask("one", first, Text("and")), ask("none", Text("and"))]
    close(model.loglikelihood(mixed)[:3], outputs)
    assert model.generate(mixed) == [model.generate([sample])[0] for sample in mixed]


def test_what_is_padded_is_not_heard_by_granite(loaded: Callable[[str], MultimodalLM], clips: list[Path]) -> None:
    """Its encoder has no mask, so that clips of other lengths never share a call."""
    model = loaded("granite_speech")
    sizes: list[int] = []
    answer = model._answer
    model._answer = lambda samples, asked: sizes.append(len(samples)) or answer(samples, asked)  # type: ignore[method-assign]
    clip = [Audio(clips[0]), Audio(clips[4]), Audio(clips[0])]
    model.generate([ask(str(index), Text("x"), part) for index, part in enumerate(clip)])
    del model._answer
    assert sizes == [2, 1]


def test_the_same_model_answers_speech_and_its_transcript(
    loaded: Callable[[str], MultimodalLM], clips: list[Path]
) -> None:
    """Behaviour alignment: one wrapper, asked with the clip and through a stage with what the clip says."""
    model = loaded("qwen2_audio")
    sample = ask("s", Text("Answer: ", instruction=True), Audio(clips[0], transcript="is it one or two"))
    cascade = Cascade(name="c", asr=Gold(), llm=model)
    written = ask("s", Text("Answer: "), Text("is it one or two"))
    (said,) = cascade.generate([sample])
    assert said.text == model.generate([written])[0].text
    assert [step.text for step in said.steps] == ["is it one or two"]
    assert cascade.loglikelihood([sample])[0].choice_scores == model.loglikelihood([written])[0].choice_scores
    assert model.loglikelihood([sample])[0].choice_scores != model.loglikelihood([written])[0].choice_scores
