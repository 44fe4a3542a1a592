"""Every family of speech-to-text models: its own audio for each sample, the language it asks for, or a refusal."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.speech_families import FAMILIES, NOT_ASKED, PLAIN
from mmbench.models.speech_to_text import SpeechToText
from mmbench.schema import Audio, Sample
from tests.models import tiny_speech, tiny_speech_lm
from tests.models.conftest import sound

if TYPE_CHECKING:
    from pathlib import Path

BUILDERS: dict[str, Any] = {
    "canary": tiny_speech.canary,
    "cohere_asr": tiny_speech.cohere,
    "qwen3_asr": tiny_speech_lm.qwen3,
    "fun_asr_nano": tiny_speech_lm.fun,
    "granite_speech": tiny_speech_lm.granite,
    "moonshine_streaming": tiny_speech.streaming,
    "speech_to_text": tiny_speech.speech2text,
    "speech-encoder-decoder": tiny_speech.encoder_decoder,
    "speecht5": tiny_speech.speecht5,
}
VOCABULARY = 2000
"""More tokens than any of them has."""
OTHER = {"fun_asr_nano": "jpn_Jpan"}
"""A second language that the model knows, where it is not French."""
UNKNOWN = {"canary": "jpn_Jpan", "cohere_asr": "swh_Latn", "qwen3_asr": "swh_Latn", "fun_asr_nano": "fra_Latn"}
"""A language that the model does not know."""


@pytest.fixture(scope="module", params=BUILDERS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A family's name and the folder of a tiny model of it."""
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, BUILDERS[request.param](folder)


def make(built: tuple[str, Path], **settings: Any) -> SpeechToText:
    name, folder = built
    if name == "speech_to_text":  # this one is told what to write alone, and cannot transcribe
        settings = {"task": "translate", **settings}
    return SpeechToText(
        name=name, model=str(folder), **{"dtype": "float32", "device": "cpu", "max_new_tokens": 8, **settings}
    )


@pytest.fixture
def batch(built: tuple[str, Path], tmp_path: Path) -> list[Sample]:
    """Clips of several lengths, two of them the same, in two languages that take turns."""
    samples = []
    for index, seconds in enumerate((0.7, 1.3, 0.7, 1.9, 0.4)):
        path = tmp_path / f"{index}.wav"
        soundfile.write(path, sound(seconds, 130 * 1.4**index, 16000), 16000)
        tag = ("eng_Latn", OTHER.get(built[0], "fra_Latn"))[index % 2]
        target = "fra_Latn" if built[0] == "speech_to_text" else None
        samples.append(Sample(id=f"s{index}", language=tag, parts=(Audio(path),), target_language=target))
    return samples


def texts(model: SpeechToText, samples: list[Sample]) -> list[str]:
    return [output.text for output in model.generate(samples)]


def test_any_batch_and_order_gives_the_same(built: tuple[str, Path], batch: list[Sample]) -> None:
    model = make(built)
    alone = {sample.id: model.generate([sample])[0] for sample in batch}
    assert len({output.text for output in alone.values()}) > 2  # else any audio would do
    order = random.Random(1).sample(batch, len(batch))
    for part in (order, batch[:2], batch[2:]):
        assert model.generate(part) == [alone[sample.id] for sample in part]


def test_two_clips_give_one_text(built: tuple[str, Path], batch: list[Sample]) -> None:
    model = make(built)
    both = replace(batch[0], parts=(*batch[0].parts, *batch[2].parts))
    said = texts(model, [batch[0], batch[2]])
    assert texts(model, [both]) == [" ".join(filter(None, said))]


def test_nothing_said_and_nearly_nothing(built: tuple[str, Path], batch: list[Sample], tmp_path: Path) -> None:
    model = make(built)
    for name, length in (("silent", 16000), ("short", 40)):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(length, np.float32), 16000)
        sample = replace(batch[0], id=name, parts=(Audio(tmp_path / f"{name}.wav"),))
        output, other = model.generate([sample, batch[2]])
        assert output == model.generate([sample])[0]
        assert ("padded 0.0025 s to 0.1 s" in output.notes) == (name == "short")
        assert other == model.generate([batch[2]])[0]


def test_half_precision(built: tuple[str, Path], batch: list[Sample]) -> None:
    outputs = make(built, dtype="bfloat16").generate(batch)
    assert any(output.text for output in outputs)


def test_an_answer_that_is_broken_off_says_so(built: tuple[str, Path], batch: list[Sample]) -> None:
    for samples in (batch, batch[:1]):
        for output in make(built, max_new_tokens=2).generate(samples):
            assert (output.tokens, output.notes) == (2, ("stopped after 2 tokens",)) or (output.tokens or 0) < 2
    ends = {"eos_token_id": list(range(VOCABULARY))}
    for output in make(built, max_new_tokens=2, generation=ends).generate(batch):
        assert (output.tokens, output.notes) == (0, ()), "every token ends it"


def test_languages(built: tuple[str, Path], batch: list[Sample]) -> None:
    family, model = built[0], make(built)
    if family in UNKNOWN:
        with pytest.raises(SampleError, match=f"sample odd: {family} does not know (Japanese|Swahili|French)"):
            model.generate([batch[1], replace(batch[0], id="odd", language=UNKNOWN[family])])
        forced = make(built, language="en")
        english = [replace(sample, language="eng_Latn") for sample in batch]
        assert texts(forced, batch) == texts(model, english)
        assert texts(model, batch) != texts(model, english)


def test_translation(built: tuple[str, Path], batch: list[Sample]) -> None:
    family = built[0]
    if FAMILIES.get(family, PLAIN).into == "nothing":
        with pytest.raises(ModelLoadError, match=r"task=translate, but .* only transcribes"):
            make(built, task="translate").load()
        return
    model = make(built, task="translate")
    tags = ("fra_Latn", "deu_Latn")
    into = [[replace(sample, target_language=tag) for sample in batch] for tag in tags]
    french, german = (texts(model, samples) for samples in into)
    assert french != german
    mixed = [into[index % 2][index] for index in range(len(batch))]
    assert texts(model, mixed) == [(french, german)[index % 2][index] for index in range(len(batch))]
    if family != "granite_speech":  # it is told in words, and so knows every name
        with pytest.raises(SampleError, match=r"sample odd: .* does not know Japanese"):
            model.generate([replace(batch[0], id="odd", target_language="jpn_Jpan")])


def test_window_of_the_extractor(tmp_path: Path) -> None:
    folder = tmp_path / "cohere"
    folder.mkdir()
    model = make(("cohere", tiny_speech.cohere(folder)))
    soundfile.write(tmp_path / "long.wav", sound(2.5, 300, 16000), 16000)
    sample = Sample(id="long", language="eng_Latn", parts=(Audio(tmp_path / "long.wav"),))
    with pytest.raises(SampleError, match=r"lasts 2\.5 s, the model takes 2 s"):
        model.generate([sample])
    cut = Sample(id="cut", language="eng_Latn", parts=(Audio(tmp_path / "long.wav", end=1.9),))
    assert texts(model, [cut]) != [""]  # between 1.5 and 2 s its own code would think of cutting too


def test_tokens_follow_the_length_of_the_clip(speech2text: Path, tmp_path: Path) -> None:
    model = SpeechToText(name="moonshine", model=str(speech2text), device="cpu")
    for seconds, most in ((0.5, 3), (2.0, 13)):
        soundfile.write(tmp_path / "clip.wav", sound(seconds, 300, 16000), 16000)
        output = model.generate([Sample(id="a", language="eng_Latn", parts=(Audio(tmp_path / "clip.wav"),))])[0]
        assert (output.tokens or 0) <= most
        limited = model._limit(seconds)
        assert limited == most


def test_every_type_of_transformers_is_asked_or_refused() -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES

    plain = {"speecht5", "speech-encoder-decoder"}
    assert set(MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES) == set(FAMILIES) | NOT_ASKED | plain


def test_type_that_is_not_asked_is_refused(speech2text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbench.models.speech_to_text.NOT_ASKED", {"moonshine"})
    with pytest.raises(ModelLoadError, match=r"model m: .* is a moonshine model, which this wrapper cannot ask"):
        SpeechToText(name="m", model=str(speech2text), device="cpu").load()


def test_adapter_that_is_not_loaded_is_refused(tmp_path: Path) -> None:
    import json

    folder = tmp_path / "granite"
    folder.mkdir()
    path = tiny_speech_lm.granite(folder) / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "has_lora_adapter": True}))
    with pytest.raises(ModelLoadError, match=r"the adapter of .* was not loaded; pip install 'mmbench\[multimodal\]'"):
        SpeechToText(name="granite", model=str(folder), device="cpu").load()
