"""Models that write about one image: against a plain forward pass, in any batch, with the image read once."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as pil

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.models.image_to_text import ImageToText
from mmbench.schema import Audio, Image, Part, Sample, Text
from tests.models.tiny_image_to_text import FAMILIES, build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHOICES = ("yes", "yes it is", "no", "é!", "n")
DECODER_ONLY = ("blip2_opt", "paligemma", "got_ocr2")
WITHOUT_TEXT = ("trocr", "got_ocr2")
VISION = {"blip2_opt": "vision_model", "blip2_t5": "vision_model", "instructblip": "vision_model", "trocr": "encoder"}


def make(folder: Path, **settings: Any) -> ImageToText:
    given = {"name": "tiny", "max_new_tokens": 8, **settings}
    return ImageToText(model=str(folder), dtype="float32", device="cpu", **given)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    built: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in built:
            built[family] = build(family, tmp_path_factory.mktemp(family))
        return built[family]

    return folder


@pytest.fixture(scope="session")
def loaded(folders: Callable[[str], Path]) -> Callable[[str], ImageToText]:
    models: dict[str, ImageToText] = {}

    def load(family: str) -> ImageToText:
        if family not in models:
            models[family] = make(folders(family), template=None if family in WITHOUT_TEXT else "{prompt}")
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


def questions(family: str, pictures: list[Image]) -> list[Sample]:
    """The same question about other images, and other questions; none where the model takes no text."""
    texts = ["What is it?", "What is it?", "Is it? Answer:"]
    asked = [
        (image,) if family in WITHOUT_TEXT else (image, Text(text)) for image, text in zip(pictures, texts, strict=True)
    ]
    return [ask(*parts, name=str(index)) for index, parts in enumerate(asked)]


def reference(model: ImageToText, sample: Sample, choice: str, family: str) -> float:
    """Log-likelihood of a choice from one forward over all of it: in the prompt, or as labels of a decoder."""
    import torch

    features = model._features(sample)
    text = f" {choice}" if family == "blip2_opt" else choice  # the others' prompts end in a line
    ids = torch.tensor([list(text.encode())])
    alphabet = model._processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    ids[0] = torch.tensor(alphabet)
    with torch.inference_mode():
        if family in DECODER_ONLY:
            whole = {**features, "input_ids": torch.cat([features["input_ids"], ids], 1)}
            whole["attention_mask"] = torch.ones_like(whole["input_ids"])
            if "token_type_ids" in features:
                whole["token_type_ids"] = torch.cat([features["token_type_ids"], torch.ones_like(ids)], 1)
            logits = model._model(**whole).logits[:, -len(alphabet) - 1 : -1]
        else:
            forced = [[257]] if family == "florence2" else [[]]
            labels = torch.cat([torch.tensor(forced, dtype=torch.long), ids], 1)
            logits = model._model(**features, labels=labels).logits[:, -len(alphabet) :]
    return float(logits[0].log_softmax(-1).gather(1, ids[0][:, None]).sum())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family(
    family: str,
    loaded: Callable[[str], ImageToText],
    pictures: list[Image],
    caplog: pytest.LogCaptureFixture,
) -> None:
    model, samples = loaded(family), questions(family, pictures)
    single = [model.generate([sample])[0] for sample in samples]
    assert model.generate(samples) == single
    assert model.generate(samples[::-1]) == single[::-1]
    assert not any("What" in output.text for output in single)
    assert all(output.tokens == 8 and output.notes == ("stopped after 8 tokens",) for output in single)
    with caplog.at_level(logging.WARNING, "mmbench"):
        scores = model.loglikelihood(samples)
    assert model._ranker.shortcut.taken and not caplog.records, "it was really read once"
    plain = replace(model, share_prefix=False)
    plain.load()
    for sample, output in zip(samples, scores, strict=True):
        expected = [reference(model, sample, choice, family) for choice in CHOICES]
        assert output.choice_scores == pytest.approx(expected, rel=1e-5, abs=1e-4)
        assert output.choice_scores == pytest.approx(plain.loglikelihood([sample])[0].choice_scores, rel=1e-5, abs=1e-5)
        assert output.choice_scores == model.loglikelihood([sample])[0].choice_scores
        extra = family == "blip2_opt"  # a space before each choice
        assert output.choice_lengths == tuple(len(choice.encode()) + extra for choice in CHOICES)
        assert output.text == CHOICES[int(np.argmax(output.choice_scores))]
    assert len({output.choice_scores for output in scores}) == 3, "what is seen and asked decides"


@pytest.mark.parametrize("family", FAMILIES)
def test_an_image_is_encoded_once(family: str, loaded: Callable[[str], ImageToText], pictures: list[Image]) -> None:
    model, sample = loaded(family), questions(family, pictures)[0]
    model.loglikelihood([sample])  # both ways, to compare
    seen: list[int] = []
    inner = model._model if family in VISION else model._model.model
    tower = getattr(inner, VISION.get(family, "vision_tower"))
    hook = tower.register_forward_hook(lambda *_: seen.append(1))
    model.loglikelihood([sample])
    hook.remove()
    assert seen == [1]


def test_a_shared_question_that_goes_wrong(
    folders: Callable[[str], Path],
    pictures: list[Image],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = make(folders("blip2_t5"), name="other")
    (sample, *_) = questions("blip2_t5", pictures)
    expected = replace(model, share_prefix=False).loglikelihood([sample])[0].choice_scores
    model.load()
    monkeypatch.setattr(type(model._ranker), "_shared", lambda self, features, ids: self._apart(features, ids) * 1.1)
    with caplog.at_level(logging.WARNING, "mmbench"):
        found = [model.loglikelihood([sample])[0].choice_scores for _ in range(2)]
    assert found == [expected, expected]
    (record,) = caplog.records
    assert record.getMessage().startswith("model other: questions are encoded once for each choice, as it does not")


def test_templates(folders: Callable[[str], Path], pictures: list[Image]) -> None:
    image = pictures[0]
    florence = make(folders("florence2"), template="<OCR>")
    florence.load()
    shown = florence._processor.tokenizer.decode(
        florence._features(ask(Text("Read!", instruction=True), image))["input_ids"][0]
    )
    assert shown.replace("<image>", "") == "<s>What is the text in the image?</s>", "the name of a task alone"
    with pytest.raises(SampleError, match="sample s holds text, for which the template of tiny has no place"):
        florence.generate([ask(image, Text("what?"))])
    asked = make(folders("blip2_opt"), template="Question: {prompt} Answer: ")
    asked.load()
    ids = asked._features(ask(image, Text("Look. ", instruction=True), Text("what?")))["input_ids"][0]
    assert asked._processor.tokenizer.decode(ids) == "<image>" * 4 + "<s>Question: Look. what? Answer:"
    for template in ("{input}", "{"):
        with pytest.raises(UsageError, match=r"its one field is \{prompt\}"):
            make(folders("blip2_opt"), template=template)
    with pytest.raises(UsageError, match="decoder_prompt is for encoder-decoders"):
        make(folders("blip2_opt"), decoder_prompt="<s_ocr>").load()


def test_an_answer_ends_at_its_token(folders: Callable[[str], Path], pictures: list[Image]) -> None:
    model = make(folders("got_ocr2"), template=None)
    (whole,) = model.generate([ask(pictures[0])])
    ids = model._model.generate(**model._features(ask(pictures[0])), max_new_tokens=8)[0, -8:].tolist()
    token = model._processor.tokenizer.convert_ids_to_tokens(ids[-1])
    (ended,) = make(folders("got_ocr2"), template=None, end_token=token).generate([ask(pictures[0])])
    assert ended.tokens == ids.index(ids[-1]) < (whole.tokens or 0)
    assert ended.notes == ()
    with pytest.raises(UsageError, match="end_token='<nothing>' is no token of its vocabulary"):
        make(folders("got_ocr2"), end_token="<nothing>").load()
    with pytest.raises(SampleError, match=r"tiny needs a prompt beside the image; set model\.template=''"):
        make(folders("blip2_opt"), template=None).generate([ask(pictures[0])])


def test_what_a_decoder_begins_with(folders: Callable[[str], Path], pictures: list[Image]) -> None:
    """Donut is told its task in its decoder."""
    told = make(folders("trocr"), template=None, decoder_prompt="<s_ocr>{prompt}:")
    sample = ask(pictures[0], Text("what"))
    plain = make(folders("trocr"), template=None)
    told.load()
    plain.load()
    assert told._processor.tokenizer.decode(told._start(sample)) == "</s><s_ocr>what:"
    assert plain._start(ask(pictures[0])) == told._start(sample)[:1]
    output = told.generate([sample])[0]
    assert output.tokens == 8
    assert "what" not in output.text
    one, other = told.loglikelihood([sample])[0], plain.loglikelihood([ask(pictures[0])])[0]
    assert one.choice_scores != pytest.approx(other.choice_scores, rel=1e-3)


@pytest.mark.parametrize("text", ["a <image> b", "a </s> b", "<OCR> a"])
def test_control_tokens_in_a_question_are_refused(
    text: str, loaded: Callable[[str], ImageToText], pictures: list[Image]
) -> None:
    with pytest.raises(SampleError, match=r"sample s: its text holds <\S+>, which tiny takes for a control token"):
        loaded("florence2").generate([ask(pictures[0], Text(text))])


def test_what_is_refused(
    loaded: Callable[[str], ImageToText], pictures: list[Image], llama: Path, whisper: Path
) -> None:
    model = loaded("blip2_opt")
    for parts, held in (((Text("x"),), "0 images"), ((*pictures[:2], Text("x")), "2 images"), ((Audio("a"),), "audio")):
        with pytest.raises(SampleError, match=f"sample s holds {held}; tiny takes one image and text"):
            model.generate([ask(*parts)])
    with pytest.raises(SampleError, match="sample s has no choices"):
        model.loglikelihood([Sample(id="s", language="eng_Latn", parts=(pictures[0], Text("x")))])
    with pytest.raises(SampleError, match=r"sample s: \d+ tokens with the answer, tiny takes 256"):
        model.generate([ask(pictures[0], Text("x" * 250))])
    for folder in (llama, whisper):
        with pytest.raises(ModelLoadError, match="no class makes text of images of the model type"):
            make(folder).load()
