"""Speech-to-text models of transformers: encoder-decoders such as Whisper, and models of language that listen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError
from mmbench.identity import resolve, weights
from mmbench.models.generation import GREEDY, counted, end_tokens
from mmbench.models.loading import import_torch, load_pretrained, load_processor, pick_device, placed
from mmbench.models.parts import LEAST, LongAudio, hear, pick_window
from mmbench.models.speech_families import FAMILIES, NOT_ASKED, PLAIN, Family, Request, Task, extractor_of, into_english
from mmbench.models.whisper_weights import (
    MULTILINGUAL_VOCABULARY,
    is_ctranslate2,
    load_ctranslate2,
    load_ctranslate2_processor,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample


@dataclass(kw_only=True)
class SpeechToText:
    """A model that turns speech into text, in the language spoken or in another.

    What AutoModelForSpeechSeq2Seq maps; what each family is told, see `speech_families`. A clip of silence is answered
    like any other, with no text or with what the model imagines; a clip shorter than 0.1 s gets silence to that length.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER; also a folder of Whisper weights in CTranslate2's format.
        revision: commit, tag or branch on the hub; pin it.
        task: transcribe, or translate into the language that a sample asks for, where the model can.
        language: force one spoken language for all samples; None tells the model each sample's own.
        window: seconds that the model may be given at once; None is its own limit, where it has one.
        long_audio: what becomes of longer clips: refuse them, truncate them to the window, or chunk them into windows
            that are cut where it is quiet, and join the texts. `Output.notes` says what was done.
        max_new_tokens: limit of a transcript, or of that of each window.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
        generation: further arguments of `generate`; the default is greedy.
    """

    name: str
    model: str
    revision: str | None = None
    task: Task = "transcribe"
    language: str | None = None
    window: float | None = None
    long_audio: LongAudio = "refuse"
    max_new_tokens: int | None = None
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    generation: Mapping[str, Any] = field(default_factory=dict)
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _processor: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def transcribes(self) -> bool:
        """Whether it answers in the language that is spoken, whatever a task asks for."""
        return self.task == "transcribe"

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
            processor = load_ctranslate2_processor(self.model)
            model = load_ctranslate2(self.model, self.dtype, device)
        else:
            trust = self.trust_remote_code
            processor = load_processor(AutoProcessor.from_pretrained, self.model, self.revision, None, trust)
            loader = AutoModelForSpeechSeq2Seq.from_pretrained
            model = load_pretrained(loader, self.model, self.revision, None, self.dtype, device, trust)
        self._check(processor, model)
        self._processor, self._model = processor, model

    def _check(self, processor: Any, model: Any) -> None:
        """Refuse settings that the model cannot meet."""
        config, family = model.config, _family(model)
        if config.model_type in NOT_ASKED:
            raise ModelLoadError(
                f"model {self.name}: {self.model} is a {config.model_type} model, which this wrapper cannot ask; "
                "take one of another type"
            )
        if getattr(config, "has_lora_adapter", False) and not getattr(model, "_hf_peft_config_loaded", False):
            raise ModelLoadError(
                f"model {self.name}: the adapter of {self.model}, without which it cannot listen, was not loaded; "
                "pip install 'mmbench[multimodal]'"
            )
        choice = family.choice(processor, model)
        if config.model_type == "whisper" and config.vocab_size >= MULTILINGUAL_VOCABULARY and not choice:
            raise ModelLoadError(
                f"model {self.name}: the generation_config.json of {self.model} says nothing of languages, so none can "
                "be forced; copy the file of the openai/whisper model that it was tuned from"
            )
        if self.task == "translate" and not (choice and family.into != "nothing"):
            raise ModelLoadError(f"model {self.name}: task=translate, but {self.model} only transcribes")
        self._held_to(processor, model)

    def _held_to(self, processor: Any, model: Any) -> float | None:
        """Seconds that clips are held to."""
        family = _family(model)
        own = family.window(processor, model)
        picked = pick_window(self.name, own if family.fixed else None, self.window, self.long_audio)
        return own if picked is None else picked

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Transcribe or translate the clips of each sample; several clips give one text."""
        self.load()
        rate, family = int(extractor_of(self._processor).sampling_rate), _family(self._model)
        window = self._held_to(self._processor, self._model)
        heard = hear(batch, rate, window=window, long_audio=self.long_audio, least=LEAST)
        requests = [self._request(batch[owner]) for owner in heard.owners]
        limits = [self._limit(len(wave) / rate) for wave in heard.waves]
        # One call makes one request and has one limit, so that a batch of several languages is answered language by
        # language. Most models hear padding: then only clips of one length share a call.
        lengths = [0 if family.padded else len(wave) for wave in heard.waves]
        calls = list(zip(requests, limits, lengths, strict=True))
        texts, tokens = [""] * len(calls), [0] * len(calls)
        for call in dict.fromkeys(calls):
            indices = [index for index, own in enumerate(calls) if own == call]
            answers = self._answer([heard.waves[i] for i in indices], *call[:2])
            for index, (text, count, notes) in zip(indices, answers, strict=True):
                texts[index], tokens[index] = text, count
                heard.notes[heard.owners[index]] += notes
        return heard.outputs(texts, tokens)

    def _request(self, sample: Sample) -> Request:
        """What the model is asked of a sample's clips."""
        family = _family(self._model)
        if not family.choice(self._processor, self._model):
            return Request(self.task)
        spoken = languages.tag(self.language) if self.language is not None else sample.spoken
        if self.task == "translate" and family.into == "English":
            into_english(sample, self.name)
        written = sample.written if self.task == "translate" else spoken
        tags = {"spoken": spoken, "written": written}
        told = family.tells[self.task == "translate"]
        return Request(self.task, **{role: self._code(sample, role, tags[role]) for role in told})

    def _code(self, sample: Sample, role: str, tag: str) -> str:
        """The model's own name of a language that is spoken or to be written."""
        code = _family(self._model).code(self._processor, self._model, tag)
        if code is None:
            target = role == "written" and self.task == "translate"
            mend = "take a model that writes it" if target else "set model.language to a near one"
            name = languages.language(tag).name
            raise SampleError(f"sample {sample.id}: {self.name} does not know {name}; {mend}")
        return code

    def _limit(self, seconds: float) -> int | None:
        """Tokens that a clip may be answered with; None leaves it to the checkpoint."""
        if self.max_new_tokens is not None or "max_new_tokens" in self.generation:
            return self.max_new_tokens or int(self.generation["max_new_tokens"])
        found, own = _family(self._model).limit(self._model.config, seconds), self._model.generation_config
        # Without a limit of its own, transformers would stop after 20.
        unlimited = own.max_length in (None, 20) and own.max_new_tokens is None
        return 256 if found is None and unlimited else found

    def _answer(
        self, waves: Sequence[NDArray[np.float32]], request: Request, limit: int | None
    ) -> list[tuple[str, int, tuple[str, ...]]]:
        """Text and number of tokens of each waveform, and a note where its text was broken off."""
        torch = import_torch()
        model, family = self._model, _family(self._model)
        options: dict[str, Any] = {**GREEDY, **self.generation}
        if limit is not None:
            options["max_new_tokens"] = limit
        for name, value in family.inputs(self._processor, waves, request).items():
            options[name] = placed(value, model) if isinstance(value, torch.Tensor) else value
        features = [options.pop("inputs")] if "inputs" in options else []
        with torch.inference_mode():
            sequences = model.generate(*features, **options)
        if not model.config.is_encoder_decoder:
            sequences = sequences[:, options["input_ids"].shape[1] :]
        decode = self._processor.decode if family.decoding else self._processor.batch_decode
        texts = decode(sequences, skip_special_tokens=True, **family.decoding)
        begun, told = family.begins(model.config), options.get("decoder_input_ids")
        if told is not None:  # transformers puts a start before it where it has none
            begun = told.shape[1] + int(sequences[0, 0] != told[0, 0])
        ends = end_tokens(model, options)
        rows = [self._ended(row, limit, min(ends)) for row in sequences[:, begun:].tolist()]
        return [(text.strip(), *counted(row, ends)) for text, row in zip(texts, rows, strict=True)]

    def _ended(self, row: list[int], limit: int | None, end: int) -> list[int]:
        """The tokens of an answer with its end, which Whisper leaves out of those that it gives back."""
        own = self._model.generation_config
        if self._model.config.model_type != "whisper":
            return row
        # Its own limit counts what it is told too: at most the start, a language, a task and "no timestamps".
        most = limit or min(own.max_length or 448, self._model.config.max_target_positions - 4)
        return [*row, end] if len(row) < most else row


def _family(model: Any) -> Family:
    return FAMILIES.get(model.config.model_type, PLAIN)
