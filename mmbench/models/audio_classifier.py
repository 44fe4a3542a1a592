"""Speech classifiers as they are published: language, emotion, gender, speaker or keyword of a clip."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.errors import ModelLoadError, SampleError
from mmbench.identity import weights
from mmbench.models.codes import own_code
from mmbench.models.loading import import_torch, load_pretrained, load_processor, pick_device, placed
from mmbench.models.padding import takes_padding
from mmbench.models.parts import LEAST, Heard, LongAudio, hear, pick_window
from mmbench.schema import Output, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_TAG = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")


@dataclass(kw_only=True)
class AudioClassifier:
    """Any checkpoint with a head for classification; `SpeechClassifier` is an encoder with a head trained here.

    A choice is the label of its name, whatever the case; a FLORES tag is also the label with the language's code.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        labels: labels by choice where the names differ: {happiness: hap}.
        window: seconds that a clip may last; None is what the model says of itself.
        long_audio: what becomes of longer clips: refuse, truncate or chunk.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
    """

    name: str
    model: str
    revision: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    window: float | None = None
    long_audio: LongAudio = "refuse"
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _extractor: Any = field(default=None, init=False, repr=False, compare=False)
    _known: tuple[str, ...] = field(default=(), init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load extractor and weights, and refuse `labels` that the model does not have."""
        if self._model is not None:
            return
        import_torch()
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        source, trust = (self.model, self.revision, None), self.trust_remote_code
        self._extractor = load_processor(AutoFeatureExtractor.from_pretrained, *source, trust)
        loader = AutoModelForAudioClassification.from_pretrained
        model = load_pretrained(loader, *source, self.dtype, pick_device(self.device), trust)
        named = model.config.id2label
        self._known = tuple(named[index] for index in range(len(named)))
        for choice, label in self.labels.items():
            if label not in self._known:
                raise ModelLoadError(f"model {self.name}: labels: {choice}: there is no label {label!r}; {self._list}")
        self._model = model

    @property
    def _list(self) -> str:
        more = f" and {len(self._known) - 20} more" if len(self._known) > 20 else ""
        return f"its labels are {', '.join(self._known[:20])}{more}"

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Log-probability, among all labels of the model, of the label that each choice names."""
        self.load()
        named = [[self._label(sample, choice) for choice in sample.choices] for sample in batch]
        outputs = []
        for sample, own, (row, notes) in zip(batch, named, self._logprobs(batch), strict=True):
            if not own:
                raise SampleError(f"sample {sample.id} has no choices to rank; ask for text instead")
            scores = tuple(float(row[index]) for index in own)
            best = max(range(len(scores)), key=scores.__getitem__)
            outputs.append(Output(text=sample.choices[best], choice_scores=scores, notes=notes))
        return outputs

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Name of the most probable label, or of the choice that `labels` has for it."""
        self.load()
        names = {label: choice for choice, label in reversed(list(self.labels.items()))}
        found = [(self._known[int(row.argmax())], notes) for row, notes in self._logprobs(batch)]
        return [Output(text=names.get(label, label), notes=notes) for label, notes in found]

    def _label(self, sample: Sample, choice: str) -> int:
        """Index of the label that a choice names."""
        wanted = self.labels.get(choice, choice)
        if wanted in self._known:
            return self._known.index(wanted)
        alike = [index for index, label in enumerate(self._known) if label.casefold() == wanted.casefold()]
        if len(alike) == 1:
            return alike[0]
        code = own_code(wanted, self._known) if _TAG.fullmatch(wanted) else None
        if code is None:
            raise SampleError(
                f"sample {sample.id}: choice {choice!r} is no label of {self.name}; {self._list}; "
                f"say which one it is: model.labels={{{choice}: LABEL}}"
            )
        return self._known.index(code)

    @property
    def _own_window(self) -> float | None:
        """Seconds after which the extractor cuts a clip off without a word, and to which it pads shorter ones."""
        if seconds := getattr(self._extractor, "chunk_length", None):
            return float(seconds)  # Whisper's
        frames = getattr(self._extractor, "max_length", None)
        return None if frames is None else frames / 100  # AST's, of 10 ms

    def _logprobs(self, batch: Sequence[Sample]) -> list[tuple[NDArray[np.float64], tuple[str, ...]]]:
        """Log-probabilities of all labels, of shape (labels,), and notes; several clips of a sample weigh the same."""
        rate, window = int(self._extractor.sampling_rate), self._own_window
        window = pick_window(self.name, window, self.window, self.long_audio)
        heard = hear(batch, rate, window=window, long_audio=self.long_audio, least=LEAST)
        logits = self._logits(heard)
        found = []
        for index, notes in enumerate(heard.notes):
            own = logits[[clip for clip, owner in enumerate(heard.owners) if owner == index]].mean(0)
            own = own - own.max()
            found.append((own - np.log(np.exp(own).sum()), notes))
        return found

    def _logits(self, heard: Heard) -> NDArray[np.float64]:
        """Scores of shape (clips, labels)."""
        torch = import_torch()
        fixed = self._own_window is not None
        groups = [heard.waves]
        if not fixed and not takes_padding(self._extractor, self._model):
            groups = [[wave] for wave in heard.waves]
        rows = []
        for group in groups:
            options = {} if fixed else {"padding": True}
            features = self._extractor(
                group, sampling_rate=self._extractor.sampling_rate, return_tensors="pt", **options
            )
            inputs = {key: placed(value, self._model) for key, value in features.items()}
            with torch.inference_mode():
                rows.append(self._model(**inputs).logits.double().cpu().numpy())
        scores: NDArray[np.float64] = np.concatenate(rows)
        return scores
