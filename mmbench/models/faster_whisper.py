"""Whisper on CTranslate2 through faster-whisper: quick on CPUs, and it takes clips of any length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError
from mmbench.identity import resolve, weights
from mmbench.models.loading import cannot_load
from mmbench.models.parts import Heard, LongAudio, hear, pick_window
from mmbench.models.speech_families import into_english

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.schema import Output, Sample

_RATE = 16000


@dataclass(kw_only=True)
class FasterWhisper:
    """Whisper weights in CTranslate2's format.

    Args:
        name: name of the model's folder in the results.
        model: size or hub id that faster-whisper knows, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        task: transcribe, or translate into English, where the model can.
        language: force one language for all samples; None forces each sample's own where the model has a choice.
        window: seconds that the model is given at once where `long_audio` is set; None is its own 30.
        long_audio: what becomes of longer clips: refuse, truncate or chunk as in `SpeechToText`; None leaves them to
            the engine, which reads them in windows of 30 s wherever those end. `Output.notes` says what was done.
        beam_size: width of the beam; 1 is greedy.
        compute_type: CTranslate2's number format, such as float32, int8 or float16.
        device: auto, cpu or cuda.
        transcription: further arguments of `WhisperModel.transcribe`.

    The temperature stays at 0: faster-whisper's default of sampling again where a transcript looks unlikely gives
    other answers at every run.
    """

    name: str
    model: str
    revision: str | None = None
    task: Literal["transcribe", "translate"] = "transcribe"
    language: str | None = None
    window: float | None = None
    long_audio: LongAudio | None = None
    beam_size: int = 1
    compute_type: str = "float32"
    device: str = field(default="auto", compare=False)
    transcription: Mapping[str, Any] = field(default_factory=dict)
    _model: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def transcribes(self) -> bool:
        """Whether it answers in the language that is spoken, whatever a task asks for."""
        return self.task == "transcribe"

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load the weights."""
        if self._model is not None:
            return
        try:
            from ctranslate2 import get_cuda_device_count
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise ModelLoadError(
                f"model {self.name} needs faster-whisper ({error}); pip install 'mmbench[faster-whisper]'"
            ) from error
        if self.device == "cuda" and not get_cuda_device_count():
            raise ModelLoadError(f"device={self.device}: CTranslate2 finds no such device here; take device=auto")
        options = {} if self.revision is None else {"revision": self.revision}
        try:
            self._model = WhisperModel(
                resolve(self.model), device=self.device, compute_type=self.compute_type, **options
            )
        except ModelLoadError:
            raise
        except Exception as error:  # ctranslate2 raises plain RuntimeError, the hub client a dozen kinds
            raise ModelLoadError(cannot_load(self.model, error)) from error
        if self.task == "translate" and not self._model.model.is_multilingual:
            raise ModelLoadError(f"model {self.name}: task=translate, but {self.model} knows one language and no tasks")

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Transcribe or translate the clips of each sample; several clips give one text."""
        self.load()
        heard = self._hear(batch)
        options = {
            "beam_size": self.beam_size,
            "temperature": 0.0,
            "condition_on_previous_text": False,
            "without_timestamps": True,
            **self.transcription,
        }
        texts = []
        for wave, owner in zip(heard.waves, heard.owners, strict=True):
            code = self._code(batch[owner])
            segments, _ = self._model.transcribe(wave, language=code, task=self.task, **options)
            texts.append(" ".join(segment.text.strip() for segment in segments))
        return heard.outputs(texts)

    def _hear(self, batch: Sequence[Sample]) -> Heard:
        """The clips of a batch, and what is done to the long ones."""
        policy = self.long_audio or "refuse"
        window = pick_window(self.name, float(self._model.feature_extractor.chunk_length), self.window, policy)
        if self.long_audio is not None:
            return hear(batch, _RATE, window=window, long_audio=policy)
        heard = hear(batch, _RATE)
        for wave, owner in zip(heard.waves, heard.owners, strict=True):
            if window is not None and len(wave) > window * _RATE:
                heard.notes[owner] += (f"the engine read {len(wave) / _RATE:.1f} s in windows of {window:g} s",)
        return heard

    def _code(self, sample: Sample) -> str:
        if self.task == "translate":
            into_english(sample, self.name)
        if not self._model.model.is_multilingual:
            return "en"
        tag = languages.tag(self.language) if self.language is not None else sample.spoken
        code = languages.whisper_code(tag)
        if code is None:
            name = languages.language(tag).name
            raise SampleError(f"sample {sample.id}: {self.name} does not know {name}; set model.language to a near one")
        return code
