"""Moonshine: greedy decoding with a cache on a stand-in for its graphs, and the weights themselves where they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import jiwer
import numpy as np
import pytest
import soundfile

from loaders.voice_prompts import VoicePrompts
from mmbench.config import build, compose, resolve
from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.moonshine_onnx import MoonshineOnnx
from mmbench.schema import Audio, Sample

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = 40
LAYERS = ("past_key_values.0.decoder.key", "past_key_values.0.encoder.key")


class Entry(NamedTuple):
    name: str
    shape: list[Any]


@dataclass
class Encoder:
    """Its states are the number of samples and the mean of the clip."""

    masked: bool = False

    def get_inputs(self) -> list[Entry]:
        names = ["input_values", "attention_mask"][: 1 + self.masked]
        return [Entry(name, ["batch", "samples"]) for name in names]

    def run(self, names: list[str], given: dict[str, Any]) -> list[Any]:
        assert names == ["last_hidden_state"]
        assert given.keys() == {entry.name for entry in self.get_inputs()}
        wave = given["input_values"]
        assert wave.dtype == np.float32 and wave.shape[0] == 1
        return [np.array([[[wave.shape[1], wave.mean()]]], np.float32)]


@dataclass
class Decoder:
    """Says `words` tokens, 10, 11, 12 and so on by what the cache remembers, and then ends; `words` None never ends."""

    words: int | None
    masked: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)

    def get_inputs(self) -> list[Entry]:
        names = ["input_ids", "encoder_hidden_states", "use_cache_branch"] + ["encoder_attention_mask"] * self.masked
        return [Entry(name, []) for name in names] + [Entry(name, ["batch", 2, "past", 3]) for name in LAYERS]

    def get_outputs(self) -> list[Entry]:
        return [
            Entry(name, []) for name in ("logits", *(name.replace("past_key_values", "present") for name in LAYERS))
        ]

    def run(self, names: list[str], given: dict[str, Any]) -> list[Any]:
        assert given.keys() == {entry.name for entry in self.get_inputs()}
        first = not given["use_cache_branch"][0]
        own, clip = (given[name] for name in LAYERS)
        assert own.shape[0] == (0 if first else 1) and own.shape[1] == 2 and own.shape[3] == 3
        assert given["input_ids"].shape == (1, 1)
        step = 0 if first else own.shape[2]
        assert given["input_ids"][0, 0] == (1 if first else 9 + step), "each step is told the token before it"
        if not first:
            assert clip.shape == (1, 2, 5, 3), "what the first step said of the clip stays"
        self.steps.append(given)
        logits = np.zeros((1, 1, VOCABULARY), np.float32)
        logits[0, 0, 2 if step == self.words else 10 + step] = 1
        grown = np.zeros((1, 2, step + 1, 3), np.float32)
        return [logits, grown, np.zeros((1, 2, 5, 3) if first else (0, 2, 1, 3), np.float32)]


class Words:
    def decode(self, tokens: list[int], skip_special_tokens: bool) -> str:
        assert skip_special_tokens and not {1, 2} & set(tokens)
        return " ".join(f"w{token}" for token in tokens)


def make(words: int | None, masked: bool = False, **settings: Any) -> MoonshineOnnx:
    model = MoonshineOnnx(name="moon", model="none", **settings)
    model._encoder, model._decoder, model._tokenizer = Encoder(masked), Decoder(words, masked), Words()
    return model


def sample(folder: Path, seconds: float, name: str = "1", clips: int = 1) -> Sample:
    path = folder / f"{seconds}.wav"
    soundfile.write(path, np.full(round(seconds * 16000), 0.1), 16000)
    return Sample(id=name, language="eng_Latn", parts=(Audio(path),) * clips)


@pytest.mark.parametrize("masked", [False, True])
def test_greedy_with_cache(tmp_path: Path, masked: bool) -> None:
    model = make(3, masked)
    batch = [sample(tmp_path, 1.0), sample(tmp_path, 2.0, "2", clips=2)]
    outputs = model.generate(batch)
    assert [output.text for output in outputs] == ["w10 w11 w12", "w10 w11 w12 w10 w11 w12"]
    assert [output.tokens for output in outputs] == [3, 6]
    assert [model.generate([one])[0] for one in batch] == outputs
    states = [given["encoder_hidden_states"] for given in model._decoder.steps[:4]]
    assert all(state[0, 0, 0] == 16000 for state in states)
    if masked:
        assert model._decoder.steps[0]["encoder_attention_mask"].shape == (1, 16000)


def test_a_clip_of_nothing_has_no_text(tmp_path: Path) -> None:
    assert make(0).generate([sample(tmp_path, 1.0)])[0].text == ""


def test_limits(tmp_path: Path) -> None:
    """A loop ends after so many tokens a second, a short word has room, and no clip is past the decoder's positions."""
    output = make(None).generate([sample(tmp_path, 4.0)])[0]
    assert (output.tokens, output.notes) == (26, ("stopped after 26 tokens",))
    assert make(None, tokens_per_second=3).generate([sample(tmp_path, 4.0)])[0].tokens == 12
    assert make(None).generate([sample(tmp_path, 0.3)])[0].tokens == 8
    assert make(None)._limit(16000 * 60) == 192


def test_short_and_long_clips(tmp_path: Path) -> None:
    short = make(1).generate([sample(tmp_path, 0.05)])[0]
    assert short.notes == ("padded 0.05 s to 0.1 s",)
    with pytest.raises(SampleError, match="the model takes 64 s"):
        make(1).generate([sample(tmp_path, 65.0)])
    cut = make(1, window=2, long_audio="chunk").generate([sample(tmp_path, 5.0)])[0]
    assert cut.text == "w10 w10 w10" and cut.notes == ("cut into 3 windows",)


def test_what_is_missing(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    with pytest.raises(ModelLoadError, match=r"there is no .*tokenizer.json; set model.tokenizer"):
        MoonshineOnnx(name="moon", model=str(tmp_path)).load()
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    Tokenizer(WordLevel({"a": 0}, unk_token="a")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelLoadError, match=r"there is no encoder_model.onnx or encoder_model.ort in "):
        MoonshineOnnx(name="moon", model=str(tmp_path)).load()
    pytest.importorskip("onnxruntime")
    (tmp_path / "encoder_model.onnx").write_bytes(b"not a graph")
    with pytest.raises(ModelLoadError, match=r"encoder_model.onnx"):
        MoonshineOnnx(name="moon", model=str(tmp_path)).load()


def test_identity_holds_the_tokenizer(tmp_path: Path) -> None:
    contents = set()
    for text in ("a", "b"):
        (tmp_path / "tokenizer.json").write_text(text)
        other = tmp_path / text
        other.write_text(text)
        contents.add(MoonshineOnnx(name="m", model=str(tmp_path / "none"), tokenizer=str(other)).content)
    assert len(contents) == 2


@pytest.mark.skipif(
    find_spec("moonshine_voice") is None or find_spec("moonshine_onnx") is None,
    reason="the packages moonshine-voice 0.1.0 and useful-moonshine-onnx are not installed",
)
def test_the_weights() -> None:
    """Twelve prompts of the bundled sample; the whole of its English is at 6.7 % WER."""
    model = build(resolve(compose(["+model=moonshine_tiny_en"], name="empty")["model"]))
    samples = [one for one in VoicePrompts(task="asr") if one.language == "eng_Latn"][:12]
    outputs = model.generate(samples)
    assert model.generate(samples[3:4]) == outputs[3:4]

    def plain(text: str) -> str:
        return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())

    rate = jiwer.wer([plain(one.references[0]) for one in samples], [plain(output.text) for output in outputs])
    assert rate < 0.15
