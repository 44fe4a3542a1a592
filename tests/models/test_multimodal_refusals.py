"""Multimodal language models: what is refused, before weights are loaded, at loading or for a sample, in one line."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.models import multimodal_weights
from mmbench.models.conversation import own_window
from mmbench.models.multimodal import MultimodalLM
from mmbench.schema import Audio, Image, Sample, Text, Video
from tests.models.tiny_multimodal import ask, build, make

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter")  # they are that small


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("qwen2_audio", tmp_path_factory.mktemp("qwen"))


def test_one_clip_a_question_where_the_processor_says_so(tmp_path: Path, clips: list[Path]) -> None:
    model = make(build("audioflamingo3", tmp_path))
    two = ask(Audio(clips[0]), Audio(clips[0]), name="two")
    with pytest.raises(SampleError, match="sample two: the processor of tiny refuses it: Got 1 text but 2 audios"):
        model.generate([two])
    with pytest.raises(SampleError, match="refuses it"):
        model.generate([two, ask(Text("x"))])  # as many clips as samples, but not one each


def test_what_a_model_does_not_take(qwen: Path, tmp_path: Path, clips: list[Path]) -> None:
    sees = make(build("llava", tmp_path))
    with pytest.raises(SampleError, match=r"sample s holds audio, which tiny does not take; put a stage before it"):
        sees.generate([ask(Audio(clips[0]))])
    hears = make(qwen)
    with pytest.raises(SampleError, match="holds image"):
        hears.loglikelihood([ask(Image(clips[0]))])
    with pytest.raises(SampleError, match="holds video"):
        hears.generate([ask(Video(clips[0]))])
    with pytest.raises(SampleError, match=r"holds audio, for which the template of tiny has no place"):
        make(qwen, template="{prompt}:").generate([ask(Audio(clips[0]))])
    with pytest.raises(SampleError, match="sample s has no choices"):
        hears.loglikelihood([Sample(id="s", language="eng_Latn", parts=(Text("x"),))])


def test_a_prompt_that_is_too_long(tmp_path: Path, clips: list[Path]) -> None:
    model = make(build("qwen2_audio", tmp_path, positions=128))
    model.generate([ask(Text("x"))])
    with pytest.raises(SampleError, match=r"sample long: \d+ tokens with the answer, tiny takes 128"):
        model.generate([ask(Text("x")), ask(Text("x" * 128), name="long")])
    with pytest.raises(SampleError, match="sample long: "):
        model.loglikelihood([ask(Text("x" * 128), Audio(clips[0]), name="long")])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"template": "Q: {question}"}, r"\{question\} is not known"),
        ({"template": "{audio}:"}, "nothing stands for the question"),
        ({"template": "{input}{audio}"}, "holds all parts already"),
        ({"template": "{input"}, "literal braces"),
        ({"template": "{input}", "system": "Be brief."}, "its own system message"),
        ({"template": "{input}", "around_audio": "<Speech>"}, "around_audio='<Speech>' needs"),
        ({"around_audio": "<Speech>{audio}</Speech>"}, "belongs to a template"),
    ],
)
def test_templates_that_cannot_be_filled(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MultimodalLM(name="m", model="x", **settings)


def _config(folder: Path, **values: Any) -> Path:
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def test_weights_that_are_no_such_model(tmp_path: Path, llama_chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelLoadError, match="`nothing_known`"):
        make(_config(tmp_path, model_type="nothing_known"))
    with pytest.raises(ModelLoadError, match="makes text of the model type clip;"):
        make(_config(tmp_path, model_type="clip"))
    with pytest.raises(ModelLoadError, match="t5 is an encoder-decoder"):
        make(_config(tmp_path, model_type="t5"))
    with pytest.raises(ModelLoadError, match="reads text alone; use model=causal_lm"):
        make(llama_chat)
    with pytest.raises(ModelLoadError, match="there is no such folder"):
        make(tmp_path / "nowhere")
    monkeypatch.setattr(multimodal_weights, "find_spec", lambda name: None)
    with pytest.raises(ModelLoadError, match="its text needs mistral-common: pip install"):
        make(_config(tmp_path, model_type="voxtral"))
    with pytest.raises(ModelLoadError, match=r"needs peft: pip install 'mmbench\[multimodal\]'"):
        make(build("granite_speech", tmp_path, adapter=True))
    with pytest.raises(ModelLoadError, match=r"needs peft: pip install 'mmbench\[multimodal\]'"):
        make(llama_chat, adapter="speech-lora")


def test_code_of_others_runs_only_when_asked(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "mine.py").write_text(
        f"open({str(ran)!r}, 'w').close()\nraise ValueError('mine ran')\n", encoding="utf-8"
    )
    _config(tmp_path, model_type="mine", auto_map={"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"})
    with pytest.raises(ModelLoadError) as caught:
        make(tmp_path)
    assert "\n" not in str(caught.value)
    assert not ran.exists()


def test_no_chat_template(tmp_path: Path, clips: list[Path]) -> None:
    folder = build("audioflamingo3", tmp_path)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelLoadError, match=r"model tiny: it has no chat template; set model\.template"):
        make(folder)
    assert make(folder, template="{input}:").generate([ask(Text("x"), Audio(clips[0]))])


@pytest.mark.parametrize(
    ("package", "mend"),
    [
        ("torchvision", "mmbench[multimodal]"),
        ("num2words", "mmbench[multimodal]"),
        ("mistral-common", "mistral-common[audio]"),
    ],
)
def test_a_missing_package_is_named(package: str, mend: str) -> None:
    def loader(path: str, **options: Any) -> None:
        raise ImportError(f"This processor requires the {package.replace('-', '_')} library\nbut it was not found")

    with pytest.raises(
        ModelLoadError, match=f"^model m: its processor needs {package}: pip install '{re.escape(mend)}'$"
    ):
        multimodal_weights.load_parts("m", loader, "x", None, None, False)


def test_an_adapter_is_of_the_same_revision_as_its_weights() -> None:
    said: list[Any] = []
    model = SimpleNamespace(load_adapter=lambda *a, **k: said.append((a, k)), set_adapter=said.append)
    load = multimodal_weights._adapted(lambda path, **options: (model, {}), "speech-lora")
    assert load("hub/id", revision="abc") == (model, {})
    where = {"subfolder": "speech-lora", "revision": "abc"}
    assert said == [(("hub/id",), {"adapter_name": "speech-lora", "adapter_kwargs": where}), "speech-lora"]


@pytest.mark.parametrize(
    ("settings", "seconds"), [({}, 30.0), ({"truncation": False}, None), ({"max_length": 160000}, 10.0)]
)
def test_what_a_processor_drops_of_a_clip(settings: dict[str, Any], seconds: float | None) -> None:
    from transformers import WhisperFeatureExtractor

    processor = SimpleNamespace(feature_extractor=WhisperFeatureExtractor(), audio_kwargs=settings)
    assert own_window(processor) == seconds
    assert own_window(SimpleNamespace(audio_processor=object, max_audio_len=600)) == 600.0
    assert own_window(SimpleNamespace()) is None
