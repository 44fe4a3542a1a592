"""Where models run and come from: what is not there is one line that says what to do; importing costs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import ModelLoadError
from mmbench.identity import resolve
from mmbench.models.audio_classifier import AudioClassifier
from mmbench.models.causal_lm import CausalLM
from mmbench.models.ctc import CTC
from mmbench.models.faster_whisper import FasterWhisper
from mmbench.models.loading import pick_device, pick_dtype
from mmbench.models.multimodal import MultimodalLM
from mmbench.models.speech_classifier import SpeechClassifier
from mmbench.models.speech_to_text import SpeechToText
from mmbench.models.translation import Translation

if TYPE_CHECKING:
    from collections.abc import Callable

TRANSFORMERS = [CausalLM, SpeechToText, CTC, SpeechClassifier, AudioClassifier, Translation, MultimodalLM]
WRAPPERS = [*TRANSFORMERS, FasterWhisper]


def refused(load: Callable[[], object]) -> str:
    with pytest.raises(ModelLoadError) as error:
        load()
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600
    return str(error.value)


def test_a_device_that_is_not_there() -> None:
    import torch

    count = torch.cuda.device_count()
    assert f"cuda:{count}" in refused(lambda: pick_device(f"cuda:{count}"))
    assert "device=toaster" in refused(lambda: pick_device("toaster"))
    if not torch.backends.mps.is_available():
        assert "device=mps" in refused(lambda: pick_device("mps"))
    if not count:
        assert "device=cuda" in refused(lambda: pick_device("cuda"))
        assert pick_device("auto") in ("cpu", "mps")
    assert pick_device("cpu") == "cpu"


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_every_wrapper_refuses_a_missing_device_before_it_loads(wrapper: type[Any], whisper: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("the device is there")
    assert "device=cuda" in refused(wrapper(name="m", model=str(whisper), device="cuda").load)


def test_dtypes() -> None:
    import torch

    assert pick_dtype("auto", "cpu") is torch.float32
    assert pick_dtype("auto", "cuda:1") is torch.bfloat16
    assert pick_dtype("float16", "cpu") is torch.float16
    for name in ("float99", "nn", "int8", ""):
        assert f"dtype={name}" in refused(lambda name=name: pick_dtype(name, "cpu"))  # type: ignore[misc]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_folder_that_is_missing_or_empty(wrapper: type[Any], tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert str(missing) in refused(wrapper(name="m", model=str(missing), device="cpu").load)
    assert str(tmp_path) in refused(wrapper(name="m", model=str(tmp_path), device="cpu").load)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_hub_that_is_out_of_reach(wrapper: type[Any]) -> None:
    message = refused(wrapper(name="m", model="nobody/no-such-model-of-mmbench", device="cpu").load)
    assert "nobody/no-such-model-of-mmbench" in message
    assert "hub in reach" in message


def test_another_architecture(llama: Path, whisper: Path) -> None:
    refused(SpeechToText(name="m", model=str(llama), device="cpu").load)
    refused(CTC(name="m", model=str(whisper), device="cpu").load)


def test_no_tensor_is_left_to_chance(make_wav2vec2: Callable[..., Path], whisper: Path) -> None:
    """A model that was never tuned for a task has no head for it; transformers makes one up and only warns."""
    encoder = make_wav2vec2("layer", "Wav2Vec2Model")
    assert "lack 2 of the tensors of Wav2Vec2ForCTC, such as lm_head.bias" in refused(
        CTC(name="m", model=str(encoder), device="cpu").load
    )
    for folder in (encoder, whisper):
        assert "such as classifier.bias" in refused(AudioClassifier(name="m", model=str(folder), device="cpu").load)
    SpeechClassifier(name="m", model=str(encoder), device="cpu").load()


def test_weights_that_are_cut_off(whisper: Path, tmp_path: Path) -> None:
    for file in whisper.iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(data[: len(data) // 2] if file.suffix == ".safetensors" else data)
    assert str(tmp_path) in refused(SpeechToText(name="m", model=str(tmp_path), device="cpu").load)


def test_packages() -> None:
    assert Path(resolve("package://mmbench/languages.tsv")).is_file()
    assert resolve("openai/whisper-tiny") == "openai/whisper-tiny"
    assert "no_such_package" in refused(lambda: resolve("package://no_such_package/model"))
    assert "has no weights/here" in refused(lambda: resolve("package://mmbench/weights/here"))
    message = refused(SpeechToText(name="m", model="package://no_such_package/model", device="cpu").load)
    assert "mmbench doctor" in message


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)


def test_importing_the_wrappers_imports_no_heavy_library() -> None:
    code = """
import importlib, pkgutil, sys, mmbench.models
names = [m.name for m in pkgutil.iter_modules(mmbench.models.__path__)]
assert len(names) > 8, names
for name in names:
    importlib.import_module(f"mmbench.models.{name}")
heavy = {"torch", "transformers", "faster_whisper", "ctranslate2", "datasets", "gguf", "safetensors"} & set(sys.modules)
assert not heavy, heavy
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_a_normal_run_says_nothing(
    whisper: Path,
    whisper_en: Path,
    speech2text: Path,
    make_wav2vec2: Callable[..., Path],
    llama: Path,
    llama_chat: Path,
    clips: list[Path],
) -> None:
    """No advice, bar or warning of transformers or torch reaches the user: what is printed is ours."""
    code = """
import sys, warnings
warnings.simplefilter("default")
from mmbench.models.causal_lm import CausalLM
from mmbench.models.speech_classifier import SpeechClassifier
from mmbench.models.ctc import CTC
from mmbench.models.speech_to_text import SpeechToText
from mmbench.schema import Audio, Sample, Text
whisper, whisper_en, moonshine, layer, group, wavlm, llama, llama_chat, *clips = sys.argv[1:]
heard = [Sample(id=c, language="eng_Latn", parts=(Audio(c),)) for c in clips]
read = [Sample(id=t, language="eng_Latn", parts=(Text(t),), choices=("a", "b c")) for t in ("a b", "c", "a " * 50)]
for path in (whisper, whisper_en, moonshine):
    SpeechToText(name="m", model=path, device="cpu", max_new_tokens=4).generate(heard)
SpeechToText(name="m", model=whisper, device="cpu", task="translate", generation={"num_beams": 2}).generate(heard)
for path in (layer, group, wavlm):
    CTC(name="m", model=path, device="cpu").generate(heard)
for path in (whisper, layer, group, wavlm):
    SpeechClassifier(name="m", model=path, device="cpu").hidden_states(heard)
for path in (llama, llama_chat):
    model = CausalLM(name="m", model=path, device="cpu", stop="x", max_new_tokens=4)
    model.generate(read)
    model.loglikelihood(read)
"""
    folders = (whisper, whisper_en, speech2text, make_wav2vec2("layer"), make_wav2vec2("group"))
    done = run(code, *folders, make_wav2vec2("layer", "WavLMForCTC"), llama, llama_chat, *clips[:3])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
