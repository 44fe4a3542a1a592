"""Multimodal language models: frames of published systems, limits, notes, and refusals of one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mmbench.config import build as build_config
from mmbench.config import compose, resolve
from mmbench.errors import SampleError, UsageError
from mmbench.media import load_audio
from mmbench.models.multimodal import MultimodalLM
from mmbench.schema import Audio, Sample, Text
from tests.models.tiny_multimodal import ask, build, make

if TYPE_CHECKING:
    from pathlib import Path

ASSISTANT = "<|im_end|>\n<|im_start|>assistant\n"
CLIP = "<|audio_bos|><|AUDIO|><|audio_eos|>"

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter")  # they are that small


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("qwen2_audio", tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="session")
def qwen_begin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its tokenizer writes <s> before each text, as Llama's does."""
    return build("qwen2_audio", tmp_path_factory.mktemp("begin"), begin="<s>")


def shown(model: MultimodalLM, sample: Sample, *, scored: bool = False) -> str:
    """What the model is given as text, each clip as one placeholder."""
    ids = model._features(sample, [model._ask(sample)], model._frames[scored])["input_ids"][0]
    return re.sub(r"(<\|AUDIO\|>)+", "<|AUDIO|>", model._processor.tokenizer.decode(ids))


VITA = (
    "system:You are an AI robot and your name is VITA. \n- You are a multimodal large language model developed by the "
)
FRAMES = {
    "blsp": "###[Human]:Say it.<|AUDIO|>\n\n\n###[Assistant]:",
    "wavllm": "[INST]<<SYS>>\nAs a helpful language and speech assistant, you are able to understand the speech "
    "content provided by the user, and assist the user with a variety of tasks using natural language.\n<</SYS>>\n\n"
    "<SPEECH><|AUDIO|> </SPEECH> Say it. [/INST]",
    "x_llm": "<Speech><|AUDIO|></Speech>[Round 1]\n问：Say it.",
    "typhoon_audio": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n<Speech><|AUDIO|></Speech> Say it."
    "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "vita": VITA,
}


def published(name: str, folder: Path, *more: str) -> MultimodalLM:
    settings = [f"+model={name}", f"model.model={folder}", "+model.dtype=float32", "+model.device=cpu"]
    settings.append("model.max_new_tokens=6")
    windowed = name in ("blsp", "wavllm", "typhoon_audio")
    cfg = compose([*settings, *(["model.window=2"] if windowed else []), *more], name="empty")
    model = build_config(resolve(cfg["model"]))
    assert isinstance(model, MultimodalLM)
    model.load()
    return model


@pytest.mark.parametrize("name", FRAMES)
def test_published_systems(name: str, qwen: Path, clips: list[Path]) -> None:
    model = published(name, qwen)
    words = () if name == "vita" else (Text("Say it."),)
    sample = ask(*words, Audio(clips[0]))
    if name == "vita":
        assert shown(model, sample).startswith(VITA)
        assert shown(model, sample).endswith("with the user.</s>\nuser:<|AUDIO|></s>\nbot:")
        with pytest.raises(SampleError, match="sample s holds both audio and text"):
            model.generate([ask(Text("Say it."), Audio(clips[0]))])
        with pytest.raises(SampleError, match="neither"):
            model.generate([ask(Text(" "))])
    else:
        assert shown(model, sample) == FRAMES[name]
    written = shown(model, ask(Text("Say it.")))
    assert "Say it." in written
    assert "peech>" not in written, "a question without a clip has no frame of one"
    batch = [sample, ask(*words, Audio(clips[4])), ask(Text("Say something else."))]
    assert model.generate(batch) == [model.generate([each])[0] for each in batch]
    scores = model.loglikelihood(batch)
    assert len({output.choice_scores for output in scores}) == 3


def test_long_clips_of_published_systems(qwen: Path, clips: list[Path]) -> None:
    long = ask(Text("x"), Audio(clips[7]))
    with pytest.raises(SampleError, match=r"lasts 2\.1 s, the model takes 2 s"):
        published("blsp", qwen).generate([long])
    assert published("wavllm", qwen).generate([long])[0].notes[0] == "cut into 2 windows"
    assert published("typhoon_audio", qwen).generate([long])[0].notes[0] == "truncated 2.1 s to 2 s"


@pytest.mark.parametrize(("language", "gap"), [("eng_Latn", " "), ("zho_Hans", "")])
def test_likelihood_after_a_raw_template(qwen_begin: Path, clips: list[Path], language: str, gap: str) -> None:
    import torch

    model = make(qwen_begin, template="Q: {input}\nA: ")
    sample = ask(Audio(clips[0]), Text("is it?"), language=language)
    assert shown(model, sample) == "<s>Q: <|AUDIO|>is it?\nA: "
    assert shown(model, sample, scored=True) == "<s>Q: <|AUDIO|>is it?\nA:"
    (output,) = model.loglikelihood([sample])
    wave = load_audio(Audio(clips[0]), rate=8000)
    for choice, score in zip(sample.choices, output.choice_scores, strict=True):
        text = f"Q: <|AUDIO|>is it?\nA:{gap}{choice}"
        inputs = model._processor(text=[text], audio=[wave], return_tensors="pt")
        ids = inputs["input_ids"][0].tolist()
        with torch.inference_mode():
            logprobs = model._model(**inputs).logits[0].log_softmax(-1)
        start = len(ids) - len(gap + choice)
        assert score == pytest.approx(sum(logprobs[i - 1, ids[i]].item() for i in range(start, len(ids))), abs=1e-4)


def test_a_text_begins_once(qwen_begin: Path, clips: list[Path]) -> None:
    for template, expected in (
        (None, f"<s><|im_start|>user\nx{CLIP}{ASSISTANT}"),
        ("<s>{prompt}{audio}", "<s>x<|AUDIO|>"),
    ):
        assert shown(make(qwen_begin, template=template), ask(Text("x"), Audio(clips[0]))) == expected
    with_system = make(qwen_begin, system="Be brief.")
    assert shown(with_system, ask(Text("x"))).startswith(
        "<s><|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nx"
    )


def test_a_chat_template_of_strings_gets_strings(tmp_path: Path, clips: list[Path]) -> None:
    model = make(build("granite_speech", tmp_path), system="Be brief.")
    ids = model._features(ask(), [model._ask(ask(Audio(clips[0]), Text("what?")))], model._frames[0])["input_ids"][0]
    text = re.sub(r"(<\|audio\|>)+", "<|audio|>", model._processor.tokenizer.decode(ids))
    assert text == f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n<|audio|>what?{ASSISTANT}"


def test_a_template_that_asks_for_the_day_gets_the_same_one(tmp_path: Path) -> None:
    model = make(build("granite_speech", tmp_path))
    model._processor.chat_template = "{{ strftime_now('%B %d, %Y') }}" + model._processor.chat_template
    model._frames = model._framed(model._processor)
    assert shown(model, ask(Text("what?"))).startswith("July 26, 2024<|im_start|>")


def test_long_clips(qwen: Path, clips: list[Path]) -> None:
    long, short = ask(Text("x"), Audio(clips[7])), ask(Text("x"), Audio(clips[7], end=2.0))
    with pytest.raises(SampleError, match=r"sample s: the clip lasts 2\.1 s, the model takes 2 s"):
        make(qwen).generate([long])
    cut = make(qwen, long_audio="truncate")
    scores = [output.choice_scores for output in cut.loglikelihood([long, short])]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3), "resampling hears a little beyond the cut"
    assert cut.generate([long, short])[0].notes[0] == "truncated 2.1 s to 2 s"
    assert not any("truncated" in note for note in cut.generate([short])[0].notes)
    pieces = make(qwen, long_audio="chunk")
    assert shown(pieces, long).count(CLIP) == 2
    assert pieces.loglikelihood([long])[0].notes == ("cut into 2 windows",)
    assert shown(make(qwen, long_audio="chunk", window=0.5), ask(Audio(clips[2]))).count(CLIP) > 2
    with pytest.raises(UsageError, match="hears 2 s"):
        make(qwen, window=3.0)


def _answers(model: MultimodalLM, text: str, monkeypatch: pytest.MonkeyPatch, *, special: str = "") -> None:
    """Let the model say a text."""
    import torch

    if special:
        model._processor.tokenizer.add_special_tokens({"additional_special_tokens": [special]})
    row = torch.tensor([model._processor.tokenizer(text, add_special_tokens=False)["input_ids"]])
    monkeypatch.setattr(model._model, "generate", lambda **given: torch.cat([given["input_ids"], row], 1))


@pytest.mark.parametrize("special", ["", "<2>"])
def test_state_tokens_become_notes(
    tmp_path: Path, clips: list[Path], special: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make(build("qwen2_audio", tmp_path), state_tokens=["<1>", "<2>", "<3>"], stop="\n\n")
    for said, text, notes in (
        ("<2> I <1> hear\n\nmore<|im_end|>", "I <1> hear", ("state <2>",)),
        ("no state <2><|im_end|>", "no state" if special else "no state <2>", ()),
        ("<2><|im_end|>", "", ("state <2>",)),
        ("<think>a</think> b<|im_end|>", "<think>a</think> b", ()),
        ("<2> and", "and", ("state <2>", "stopped after 5 tokens" if special else "stopped after 7 tokens")),
    ):
        _answers(model, said, monkeypatch, special=special)
        (output,) = model.generate([ask(Audio(clips[0]))])
        assert (output.text, output.notes) == (text, notes)


def test_generation_settings(qwen: Path, clips: list[Path]) -> None:
    samples = [ask(Text("x" * n), Audio(clips[n]), name=str(n)) for n in range(3)]
    plain = make(qwen).generate(samples)
    assert make(qwen, generation={"num_beams": 3}, max_new_tokens=3).generate(samples) != plain
    assert max(output.tokens or 0 for output in make(qwen, max_new_tokens=2).generate(samples)) == 2
    stop = plain[0].text[2]
    stopped = make(qwen, stop=stop).generate(samples)
    assert [output.text for output in stopped] == [output.text.partition(stop)[0].strip() for output in plain]


def test_adapters_are_on_for_media_and_off_for_text(
    tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make(build("qwen2_audio", tmp_path))
    said: list[bool] = []
    monkeypatch.setattr(model._model, "_hf_peft_config_loaded", True, raising=False)
    monkeypatch.setattr(model._model, "enable_adapters", lambda: said.append(True))
    monkeypatch.setattr(model._model, "disable_adapters", lambda: said.append(False))
    model.generate([ask(Audio(clips[0])), ask(Text("x"), name="t")])
    model.loglikelihood([ask(Text("x")), ask(Audio(clips[0]))])
    assert said == [True, False, False, True]
