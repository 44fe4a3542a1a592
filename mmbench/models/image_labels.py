"""Image classifiers: the names of what they see stand for a caption, or one of them is the answer.

As the stage `caption` of a cascade it is the smallest real thing that turns an image into words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.identity import resolve, weights
from mmbench.media import load_image
from mmbench.models.efficientnet_lite import is_lite0, lite0_processor, load_lite0
from mmbench.models.loading import import_torch, load_pretrained, load_processor, pick_device, placed
from mmbench.models.pictures import pictures
from mmbench.schema import Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Sample

_ALL = "{labels}"


@dataclass(kw_only=True)
class ImageLabels:
    """Any checkpoint that `AutoModelForImageClassification` loads, and EfficientNet-lite0 from its package.

    A label is said by its first name: ImageNet's "tench, Tinca tinca" is "tench". A choice is the label that has its
    name among all of its names, whatever the case.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        best: number of labels that are said of an image, the most probable first.
        least_probability: those below it are left out, except for the first.
        text: what is said, with `{labels}` in it.
        labels: labels by choice where the names differ: {puppy: dog}.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
    """

    name: str
    model: str
    revision: str | None = None
    best: int = 5
    least_probability: float = 0.0
    text: str = _ALL
    labels: Mapping[str, str] = field(default_factory=dict)
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _processor: Any = field(default=None, init=False, repr=False, compare=False)
    _names: tuple[tuple[str, ...], ...] = field(default=(), init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load processor and weights.

        Raises:
            UsageError: `text` has no place for the labels, or `best` is none.
            ModelLoadError: there are no such weights, or no such label as `labels` says.
        """
        if self._model is not None:
            return
        if _ALL not in self.text or self.best < 1:
            raise UsageError(f"model {self.name}: text={self.text!r}, best={self.best}: it says {_ALL}, one or more")
        device = pick_device(self.device)
        if is_lite0(resolve(self.model)):
            self._processor, model = lite0_processor(), load_lite0(self.model, self.dtype, device)
        else:
            from transformers import AutoImageProcessor, AutoModelForImageClassification

            source, trust = (self.model, self.revision, None), self.trust_remote_code
            self._processor = load_processor(AutoImageProcessor.from_pretrained, *source, trust)
            loader = AutoModelForImageClassification.from_pretrained
            model = load_pretrained(loader, *source, self.dtype, device, trust)
        named = model.config.id2label
        self._names = tuple(tuple(map(str.strip, named[index].split(","))) for index in range(len(named)))
        for choice, label in self.labels.items():
            if len(self._named(label)) != 1:
                raise ModelLoadError(f"model {self.name}: labels: {choice}: {label!r} is not the name of one label")
        self._model = model

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Name the labels of each image; what is said of several images stands on a line each."""
        self.load()
        found = self._logprobs(batch)
        return [Output(text="\n".join(map(self._say, rows))) for rows in found]

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Log-probability, among all labels, of the label that each choice names; several images weigh the same."""
        self.load()
        named = [[self._label(sample, choice) for choice in sample.choices] for sample in batch]
        outputs = []
        for sample, own, rows in zip(batch, named, self._logprobs(batch), strict=True):
            if not own:
                raise SampleError(f"sample {sample.id} has no choices to rank; ask for text instead")
            mean = _normal(rows.mean(0))
            scores = tuple(float(mean[index]) for index in own)
            best = max(range(len(scores)), key=scores.__getitem__)
            outputs.append(Output(text=sample.choices[best], choice_scores=scores))
        return outputs

    def _say(self, row: NDArray[np.float64]) -> str:
        order = np.argsort(-row, kind="stable")[: self.best]
        kept = [index for index in order[1:] if np.exp(row[index]) >= self.least_probability]
        return self.text.replace(_ALL, ", ".join(self._names[index][0] for index in [order[0], *kept]))

    def _label(self, sample: Sample, choice: str) -> int:
        """Index of the label that a choice names."""
        found = self._named(self.labels.get(choice, choice))
        if len(found) == 1:
            return found[0]
        what = f"is none of {len(self._names)} labels of {self.name}"
        if found:
            what = f"is several labels of {self.name}: {' and '.join(', '.join(self._names[index]) for index in found)}"
        raise SampleError(
            f"sample {sample.id}: choice {choice!r} {what}; say which one it is: model.labels={{{choice}: LABEL}}"
        )

    def _named(self, wanted: str) -> list[int]:
        """Indices of the labels of a name: those that are it, else that begin with it, else that have it."""
        name = wanted.casefold().strip()
        known = [[other.casefold() for other in names] for names in self._names]
        whole = [index for index, names in enumerate(known) if ", ".join(names) == name]
        first = [index for index, names in enumerate(known) if names[0] == name]
        return whole or first or [index for index, names in enumerate(known) if name in names]

    def _logprobs(self, batch: Sequence[Sample]) -> list[NDArray[np.float64]]:
        """Log-probabilities of all labels for each image of each sample: (images, labels)."""
        torch = import_torch()
        counts = [len(pictures(sample)) for sample in batch]
        images = [load_image(image) for sample in batch for image in pictures(sample)]
        features = self._processor(images, return_tensors="pt")
        inputs = {key: placed(value, self._model) for key, value in features.items()}
        with torch.inference_mode():
            logits: NDArray[np.float64] = self._model(**inputs).logits.double().cpu().numpy()
        return np.split(_normal(logits), np.cumsum(counts)[:-1])


def _normal(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities of scores of shape (..., labels)."""
    scores = scores - scores.max(-1, keepdims=True)
    normal: NDArray[np.float64] = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    return normal
