"""Speech-to-text models of transformers: encoder-decoders such as Whisper, and CTC models such as wav2vec 2.0."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError
from mmbench.identity import resolve, weights
from mmbench.models.loading import GREEDY, import_torch, load_pretrained, load_processor, pick_device
from mmbench.models.padding import speech_frames, takes_padding
from mmbench.models.parts import decode, join
from mmbench.models.whisper_weights import (
    MULTILINGUAL_VOCABULARY,
    is_ctranslate2,
    load_ctranslate2,
    load_ctranslate2_processor,
)
from mmbench.schema import Output, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(kw_only=True)
class SpeechToText:
    """An encoder-decoder that turns speech into text, in its language or in English.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER; also a folder of Whisper weights in CTranslate2's format.
        revision: commit, tag or branch on the hub; pin it.
        task: transcribe, or translate into English, where the model can.
        language: force one language for all samples; None forces each sample's own where the model has a choice.
        max_new_tokens: limit of a transcript.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
        generation: further arguments of `generate`; the default is greedy.
    """

    name: str
    model: str
    revision: str | None = None
    task: Literal["transcribe", "translate"] = "transcribe"
    language: str | None = None
    max_new_tokens: int | None = None
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    generation: Mapping[str, Any] = field(default_factory=dict)
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _processor: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load processor and weights."""
        if self._model is not None:
            return
        import_torch()
        from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

        device = pick_device(self.device)
        if is_ctranslate2(Path(resolve(self.model))):
            self._processor = load_ctranslate2_processor(self.model)
            self._model = load_ctranslate2(self.model, self.dtype, device)
        else:
            trust = self.trust_remote_code
            self._processor = load_processor(AutoProcessor.from_pretrained, self.model, self.revision, None, trust)
            loader = AutoModelForSpeechSeq2Seq.from_pretrained
            self._model = load_pretrained(loader, self.model, self.revision, None, self.dtype, device, trust)
        config = self._model.config
        if config.model_type == "whisper" and config.vocab_size >= MULTILINGUAL_VOCABULARY and not self._multilingual:
            raise ModelLoadError(
                f"model {self.name}: the generation_config.json of {self.model} says nothing of languages, so none can "
                "be forced; copy the file of the openai/whisper model that it was tuned from"
            )
        if self.task == "translate" and not self._multilingual:
            raise ModelLoadError(f"model {self.name}: task=translate, but {self.model} knows one language and no tasks")

    @property
    def _multilingual(self) -> bool:
        return bool(getattr(self._model.generation_config, "is_multilingual", False))

    @property
    def _rate(self) -> int:
        return int(self._processor.feature_extractor.sampling_rate)

    @property
    def _window(self) -> float | None:
        """Seconds that the model sees of a clip, where its features have a fixed length (Whisper's 30)."""
        length = getattr(self._processor.feature_extractor, "chunk_length", None)
        return None if length is None else float(length)

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Transcribe or translate the clips of each sample; several clips give one text."""
        self.load()
        waves, owners = decode(batch, self._rate, window=self._window)
        codes = [self._code(batch[owner]) for owner in owners]
        texts = [""] * len(waves)
        tokens = [0] * len(waves)
        # One call forces one language, so that a batch of several languages is answered language by language. Without
        # a fixed window only clips of one length share a call: most such models hear padding.
        lengths = [0 if self._window is not None else len(wave) for wave in waves]
        calls = list(zip(codes, lengths, strict=True))
        for call in dict.fromkeys(calls):
            indices = [index for index, own in enumerate(calls) if own == call]
            answers = self._transcribe([waves[i] for i in indices], call[0])
            for index, (text, count) in zip(indices, answers, strict=True):
                texts[index], tokens[index] = text, count
        counts = [sum(n for n, owner in zip(tokens, owners, strict=True) if owner == i) for i in range(len(batch))]
        return [Output(text=text, tokens=n) for text, n in zip(join(texts, owners, len(batch)), counts, strict=True)]

    def _code(self, sample: Sample) -> str | None:
        """The language that Whisper is told; None for a model that has no choice."""
        if not self._multilingual:
            return None
        tag = languages.tag(self.language) if self.language is not None else sample.spoken
        code = languages.whisper_code(tag)
        if code is None:
            name = languages.language(tag).name
            raise SampleError(f"sample {sample.id}: {self.name} does not know {name}; set model.language to a near one")
        return code

    def _transcribe(self, waves: Sequence[NDArray[np.float32]], code: str | None) -> list[tuple[str, int]]:
        torch = import_torch()
        extractor = self._processor.feature_extractor
        features = extractor(list(waves), sampling_rate=self._rate, return_tensors="pt", return_attention_mask=True)
        inputs = features[extractor.model_input_names[0]].to(self._model.device, self._model.dtype)
        options: dict[str, Any] = {**GREEDY, **self.generation}
        if features.get("attention_mask") is not None:
            options["attention_mask"] = features["attention_mask"].to(self._model.device)
        if self.max_new_tokens is not None:
            options["max_new_tokens"] = self.max_new_tokens
        elif "max_new_tokens" not in options and getattr(self._model.generation_config, "max_length", None) in (
            None,
            20,
        ):
            options["max_new_tokens"] = 256  # without a limit of its own, transformers would stop after 20
        if code is not None:
            options |= {"language": code, "task": self.task}
        with torch.inference_mode():
            sequences = self._model.generate(inputs, **options)
        pad = self._model.generation_config.pad_token_id
        texts = self._processor.batch_decode(sequences, skip_special_tokens=True)
        return [
            (text.strip(), sum(token != pad for token in row))
            for text, row in zip(texts, sequences.tolist(), strict=True)
        ]


@dataclass(kw_only=True)
class CTC:
    """A CTC model: the most probable label of each frame, repeats and blanks removed.

    The arguments are those of `SpeechToText`.
    """

    name: str
    model: str
    revision: str | None = None
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _processor: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load processor and weights."""
        if self._model is not None:
            return
        import_torch()
        from transformers import AutoModelForCTC, AutoProcessor

        source, trust = (self.model, self.revision, None), self.trust_remote_code
        self._processor = load_processor(AutoProcessor.from_pretrained, *source, trust)
        self._model = load_pretrained(
            AutoModelForCTC.from_pretrained, *source, self.dtype, pick_device(self.device), trust
        )

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Transcribe the clips of each sample; several clips give one text."""
        self.load()
        torch = import_torch()
        extractor = self._processor.feature_extractor
        waves, owners = decode(batch, int(extractor.sampling_rate))
        padded = takes_padding(extractor, self._model)
        texts: list[str] = []
        for group in [waves] if padded else [[wave] for wave in waves]:
            features = extractor(group, sampling_rate=extractor.sampling_rate, padding=True, return_tensors="pt")
            # The model's device, and for what is no mask its dtype.
            inputs = {
                key: value.to(self._model.device, self._model.dtype if value.is_floating_point() else None)
                for key, value in features.items()
            }
            with torch.inference_mode():
                labels = self._model(**inputs).logits.argmax(-1)
            if padded:
                speech = speech_frames(self._model, inputs["attention_mask"], labels.shape[1])
                labels = labels.masked_fill(~speech.to(labels.device), self._model.config.pad_token_id)
            texts += self._processor.batch_decode(labels)
        return [Output(text=text) for text in join(texts, owners, len(batch))]
