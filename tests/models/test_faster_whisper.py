"""Whisper on CTranslate2: its own audio for each sample, the language that was asked for, and no chance."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.faster_whisper import FasterWhisper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mmbench.schema import Sample

pytest.importorskip("faster_whisper")


@pytest.fixture(scope="session")
def folders(make_whisper: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Tiny Whispers in CTranslate2's format by whether they are multilingual."""
    from ctranslate2.converters import TransformersConverter

    found = {}
    for multilingual in (True, False):
        found[multilingual] = tmp_path_factory.mktemp("ct2") / "model"
        source = make_whisper(multilingual=multilingual, seconds=30, seed=2)
        TransformersConverter(str(source), copy_files=["tokenizer.json"]).convert(str(found[multilingual]))
    return found


def make(folder: Path, **settings: Any) -> FasterWhisper:
    # Noise is what random weights say: keep the engine from throwing it away as silence.
    keep = {"max_new_tokens": 6, "no_speech_threshold": None, "log_prob_threshold": None}
    model = FasterWhisper(name="fast", model=str(folder), device="cpu", transcription=keep, **settings)
    model.load()
    return model


def texts(model: FasterWhisper, batch: Sequence[Sample]) -> list[str]:
    return [output.text for output in model.generate(batch)]


@pytest.mark.parametrize("multilingual", [True, False])
def test_any_batch_and_order_gives_the_same(
    folders: dict[bool, Path], spoken: list[Sample], multilingual: bool
) -> None:
    model = make(folders[multilingual])
    alone = {sample.id: texts(model, [sample])[0] for sample in spoken}
    assert len(set(alone.values())) > 2
    order = random.Random(0).sample(spoken, len(spoken))
    for batch in (order[:3], order[3:]):
        assert texts(model, batch) == [alone[sample.id] for sample in batch]
    both = replace(spoken[0], parts=(*spoken[0].parts, *spoken[3].parts))
    assert texts(model, [both]) == [f"{alone['s0']} {alone['s3']}"]


def test_languages_and_tasks(folders: dict[bool, Path], spoken: list[Sample]) -> None:
    model, heard = make(folders[True]), spoken[:4]
    french = [replace(sample, language="fra_Latn") for sample in heard]
    assert texts(make(folders[True], language="fra_Latn"), heard) == texts(model, french)
    told = {
        tuple(texts(model, [replace(s, language=tag) for s in heard])) for tag in ("eng_Latn", "zho_Hans", "spa_Latn")
    }
    assert len(told) > 1
    asked = [replace(sample, target_language="eng_Latn") for sample in heard]
    translating = make(folders[True], task="translate")
    assert texts(translating, asked) != texts(model, heard)
    with pytest.raises(SampleError, match="sample s1: fast translates into English alone, not into French"):
        translating.generate(french[1:2])
    with pytest.raises(SampleError, match="sample odd: fast does not know"):
        model.generate([replace(spoken[0], id="odd", language="kik_Latn")])


def test_no_chance_and_nothing_of_the_clip_before(
    folders: dict[bool, Path], spoken: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    model = make(folders[True])
    model.transcription = {"patience": 2.0}
    transcribe = model._model.transcribe
    monkeypatch.setattr(
        model._model, "transcribe", lambda wave, **given: told.append(given) or transcribe(wave, **given)
    )
    model.generate(spoken[:1])
    assert told == [
        {
            "language": "en",
            "task": "transcribe",
            "beam_size": 1,
            "temperature": 0.0,
            "condition_on_previous_text": False,
            "without_timestamps": True,
            "patience": 2.0,
        }
    ]


def test_english_alone(folders: dict[bool, Path], spoken: list[Sample]) -> None:
    model = make(folders[False])
    assert texts(model, [replace(spoken[0], language="kik_Latn")]) == texts(model, spoken[:1])
    with pytest.raises(ModelLoadError, match="task=translate"):
        make(folders[False], task="translate")


def test_a_load_that_fails_says_why(folders: dict[bool, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for settings in ({"compute_type": "float99"}, {"device": "toaster"}):
        with pytest.raises(ModelLoadError) as error:
            FasterWhisper(name="fast", model=str(folders[False]), **settings).load()  # type: ignore[arg-type]
        assert "\n" not in str(error.value)
        assert next(iter(settings.values())) in str(error.value)
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ModelLoadError, match=r"mmbench\[faster-whisper\]"):
        make(folders[False])


@pytest.mark.gpu
def test_on_the_accelerator(folders: dict[bool, Path], spoken: list[Sample]) -> None:
    from ctranslate2 import get_cuda_device_count

    if not get_cuda_device_count():
        pytest.skip("CTranslate2 finds no CUDA device")
    model = FasterWhisper(name="fast", model=str(folders[True]), device="cuda", compute_type="float16")
    assert len(model.generate(spoken)) == len(spoken)
