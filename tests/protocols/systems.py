"""The systems of the coverage table as configs of models, from tiny random weights that are built once a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.models import tiny_multimodal
from tests.models.tiny_ctc import classifier
from tests.models.tiny_speech import seamless
from tests.models.tiny_text import nllb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LANGUAGES = ["eng_Latn", "fra_Latn"]
GENDERS = ["female", "male"]
Config = dict[str, Any]
_WRAPPERS = {
    "multimodal": "multimodal.MultimodalLM",
    "causal": "causal_lm.CausalLM",
    "speech": "speech_to_text.SpeechToText",
    "ctc": "ctc.CTC",
    "text": "translation.Translation",
    "classifier": "audio_classifier.AudioClassifier",
    "cascade": "cascade.Cascade",
}
CPU = {"dtype": "float32", "device": "cpu"}
SHORT = {"max_new_tokens": 6, **CPU}


def wrapped(kind: str, name: str, **settings: Any) -> Config:
    """Config of a model of one of the wrappers."""
    return {"_target_": f"mmbench.models.{_WRAPPERS[kind]}", "name": name, **settings}


class Weights:
    """Folders of tiny weights, built when they are first asked for."""

    def __init__(self, root: Path, **made: Callable[[], Path]) -> None:
        self._root, self._made = root, made
        self._built: dict[str, Path] = {}

    def __call__(self, name: str) -> str:
        """Folder of the weights of an architecture."""
        if name not in self._built:
            self._built[name] = self._made[name]() if name in self._made else self._build(name)
        return str(self._built[name])

    def _build(self, name: str) -> Path:
        folder = self._root / name
        if name == "classifier":
            return classifier(folder, GENDERS)
        folder.mkdir()
        if name == "seamless":
            return seamless(folder, 2)
        return nllb(folder, LANGUAGES, positions=2048) if name == "nllb" else tiny_multimodal.build(name, folder)


def system(name: str, weights: Weights, *, translates: bool = False) -> Config:
    """Config of a system of the table; `translates` is for those that are told whether to."""
    if name in ("whisper", "seamless"):
        told = {"task": "translate"} if translates else {}
        return wrapped("speech", name, model=weights(name), long_audio="truncate", **SHORT, **told)
    if name == "wav2vec2":
        return wrapped("ctc", name, model=weights(name), **CPU)
    if name == "nllb":
        return wrapped("text", name, model=weights(name), **SHORT)
    if name == "classifier":
        return wrapped("classifier", name, model=weights(name), **CPU)
    if name == "llama":
        return wrapped("causal", name, model=weights(name), **SHORT)
    if name == "whisper+nllb+llama":
        stages = {"asr": system("whisper", weights), "mt": system("nllb", weights)}
        return wrapped("cascade", name, llm=system("llama", weights), **stages)
    if name == "seamless+llama":
        return wrapped("cascade", name, llm=system("llama", weights), s2tt=system("seamless", weights, translates=True))
    # What is cut into windows comes in many lengths, which a batch must keep apart.
    fits = "chunk" if name == "qwen2_5_omni_thinker" else "truncate"
    return wrapped("multimodal", name, model=weights(name), long_audio=fits, **SHORT)
