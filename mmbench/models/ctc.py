"""CTC models of transformers: wav2vec 2.0, HuBERT, WavLM, MMS with an adapter for each language, Parakeet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mmbench.errors import ModelLoadError
from mmbench.identity import weights
from mmbench.models.codes import need_code
from mmbench.models.loading import cannot_load, import_torch, load_pretrained, load_processor, pick_device, placed
from mmbench.models.ngram import word_decoder
from mmbench.models.padding import speech_frames, takes_padding
from mmbench.models.parts import LEAST, LongAudio, hear, pick_window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample


@dataclass(kw_only=True)
class CTC:
    """A CTC model: the most probable label of each frame, repeats and blanks removed, or beams and an n-gram.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        adapters: whether each language has its own adapter and alphabet, as in MMS.
        languages: with adapters, codes of the model by tag where they are not found by themselves, or are to be others.
        ngram: KenLM file (.arpa or binary) that rescores words; None takes the most probable labels.
        beam_width: with an n-gram, hypotheses that are kept.
        alpha: with an n-gram, its weight.
        beta: with an n-gram, the bonus for each word.
        window: seconds that a clip may last; None is without limit.
        long_audio: what becomes of longer clips: refuse, truncate or chunk.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
    """

    name: str
    model: str
    revision: str | None = None
    adapters: bool = False
    languages: Mapping[str, str] = field(default_factory=dict)
    ngram: str | None = None
    beam_width: int = 100
    alpha: float = 0.5
    beta: float = 1.5
    window: float | None = None
    long_audio: LongAudio = "refuse"
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _processor: Any = field(default=None, init=False, repr=False, compare=False)
    _decoders: dict[str | None, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def transcribes(self) -> bool:
        """Whether it answers in the language that is spoken, whatever a task asks for."""
        return True

    @property
    def content(self) -> str:
        """Identity of the weights and of the n-gram."""
        return weights(self.model, self.revision) + ("" if self.ngram is None else f"+{weights(self.ngram)}")

    def load(self) -> None:
        """Load processor, weights and n-gram."""
        if self._model is not None:
            return
        pick_window(self.name, None, self.window, self.long_audio)
        import_torch()
        from transformers import AutoModelForCTC, AutoProcessor

        source, trust = (self.model, self.revision, None), self.trust_remote_code
        self._processor = load_processor(AutoProcessor.from_pretrained, *source, trust)
        loader = _with_adapters if self.adapters else AutoModelForCTC.from_pretrained
        model = load_pretrained(loader, *source, self.dtype, pick_device(self.device), trust)
        nested = all(isinstance(own, dict) for own in getattr(self._processor.tokenizer, "vocab", {"": ""}).values())
        if self.adapters and (getattr(model.config, "adapter_attn_dim", None) is None or not nested):
            raise ModelLoadError(f"model {self.name}: adapters=true, but {self.model} has none; leave it out")
        self._model = model
        if not self.adapters and self.ngram is not None:
            self._decoder(None)

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Transcribe the clips of each sample; several clips give one text."""
        self.load()
        rate = int(self._processor.feature_extractor.sampling_rate)
        codes = [self._code(sample) for sample in batch]
        heard = hear(batch, rate, window=self.window, long_audio=self.long_audio, least=LEAST)
        texts = [""] * len(heard.waves)
        # The adapter that is in place goes first: a batch of its language alone switches nothing.
        for code in sorted(set(codes), key=lambda code: (code != self._adapter, code or "")):
            own = [index for index, owner in enumerate(heard.owners) if codes[owner] == code]
            self._switch(code)
            for index, text in zip(own, self._transcribe([heard.waves[i] for i in own], code), strict=True):
                texts[index] = text
        return heard.outputs(texts)

    def _code(self, sample: Sample) -> str | None:
        """The adapter that a sample's language needs; None for a model that has none."""
        if not self.adapters:
            return None
        return need_code(sample, sample.spoken, self._processor.tokenizer.vocab, self.languages, self.name)

    @property
    def _adapter(self) -> str | None:
        """The adapter in place. The model says, not this object: another one may share its weights."""
        found: str | None = getattr(self._model, "target_lang", None)
        return found

    def _switch(self, code: str | None) -> None:
        if code is None:
            return
        if self._processor.tokenizer.target_lang != code:
            self._processor.tokenizer.set_target_lang(code)
        if self._adapter == code:
            return
        try:
            self._model.load_adapter(code, revision=self.revision)
        except Exception as error:  # transformers raises almost anything here
            raise ModelLoadError(cannot_load(f"{self.model}, adapter {code}", error)) from error

    def _transcribe(self, waves: Sequence[NDArray[np.float32]], code: str | None) -> list[str]:
        torch = import_torch()
        extractor = self._processor.feature_extractor
        padded = takes_padding(extractor, self._model)
        texts: list[str] = []
        for group in [list(waves)] if padded else [[wave] for wave in waves]:
            features = extractor(group, sampling_rate=extractor.sampling_rate, padding=True, return_tensors="pt")
            inputs = {key: placed(value, self._model) for key, value in features.items()}
            with torch.inference_mode():
                logits = self._model(**inputs).logits
                speech = torch.ones(logits.shape[:2], dtype=torch.bool, device=logits.device)
                if padded:
                    speech = speech_frames(self._model, inputs["attention_mask"], logits.shape[1]).to(logits.device)
            texts += self._read(logits, speech, code)
        return texts

    def _read(self, logits: Any, speech: Any, code: str | None) -> list[str]:
        """Texts from scores of shape (clips, frames, labels), of the frames that are speech."""
        if self.ngram is None:
            labels = logits.argmax(-1).masked_fill(~speech, self._model.config.pad_token_id)
            texts: list[str] = self._processor.tokenizer.batch_decode(labels)
            return texts
        decoder = self._decoder(code)
        frames = [row[own].float().log_softmax(-1).cpu().numpy() for row, own in zip(logits, speech, strict=True)]
        return [decoder.decode(clip, beam_width=self.beam_width) for clip in frames]

    def _decoder(self, code: str | None) -> Any:
        """The beam search over the alphabet that is in place."""
        if code not in self._decoders:
            tokenizer, config = self._processor.tokenizer, self._model.config
            labels = tokenizer.convert_ids_to_tokens(list(range(config.vocab_size)))
            self._decoders[code] = word_decoder(
                labels,
                blank=labels[config.pad_token_id],
                space=getattr(tokenizer, "word_delimiter_token", None),
                path=str(self.ngram),
                alpha=self.alpha,
                beta=self.beta,
            )
        return self._decoders[code]


def _with_adapters(path: str, **options: Any) -> Any:
    """A model whose adapter is switched: in the cache of weights it stands apart from one that is used as it is."""
    from transformers import AutoModelForCTC

    return AutoModelForCTC.from_pretrained(path, **options)
