"""End-to-end speech classification: a speech encoder, the mean of its states, one linear layer.

This is the end-to-end side of Fleurs-SLU (arXiv 2501.06117). The layer is trained by `scripts/train_topic_head.py`
and lies in a safetensors file whose metadata say what it was trained on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.errors import ModelLoadError, SampleError
from mmbench.identity import resolve, weights
from mmbench.models.loading import import_torch, load_pretrained, load_processor, pick_device
from mmbench.models.padding import speech_frames, takes_padding
from mmbench.models.parts import LEAST, hear
from mmbench.models.whisper_weights import is_ctranslate2, load_ctranslate2, load_ctranslate2_processor
from mmbench.schema import Output, Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer over pooled states.

    Args:
        weight: (labels, dimensions).
        bias: (labels,).
        labels: names of the classes.
        layer: index into the encoder's states; 0 is what enters the first layer, -1 what leaves the last.
        encoder: identity of the encoder's weights that it was trained on.
        training: what it was trained on, for people.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    labels: tuple[str, ...]
    layer: int
    encoder: str
    training: str

    def save(self, path: Path) -> None:
        """Write a safetensors file; equal heads give equal bytes."""
        from safetensors.numpy import save

        metadata = {"labels": json.dumps(self.labels), "layer": str(self.layer), "encoder": self.encoder}
        data = save({"weight": self.weight, "bias": self.bias}, metadata={**metadata, "training": self.training})
        # safetensors writes the metadata in another order each time: sort its header, which is JSON after its length.
        end = 8 + int.from_bytes(data[:8], "little")
        header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 8)
        path.write_bytes(len(header).to_bytes(8, "little") + header + data[end:])

    @staticmethod
    def load(path: Path) -> Head:
        """Read a head.

        Raises:
            ModelLoadError: the file is not there or is not a head.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="np") as file:
                meta = file.metadata() or {}
                return Head(
                    weight=file.get_tensor("weight"),
                    bias=file.get_tensor("bias"),
                    labels=tuple(json.loads(meta["labels"])),
                    layer=int(meta["layer"]),
                    encoder=meta["encoder"],
                    training=meta["training"],
                )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ModelLoadError(
                f"{path}: not a classifier head ({error}); train one with scripts/train_topic_head.py"
            ) from error


@dataclass(kw_only=True)
class SpeechClassifier:
    """A speech encoder with a linear head.

    Args:
        name: name of the model's folder in the results.
        model: encoder: hub id, folder (also of Whisper in CTranslate2's format), or package://NAME/FOLDER.
        head: path of the head's safetensors file; None for an encoder that is only asked for its states.
        revision: commit, tag or branch on the hub; pin it.
        layer: layer whose states are pooled where there is no head to say so.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
    """

    name: str
    model: str
    head: str | None = None
    revision: str | None = None
    layer: int = -1
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    _encoder: Any = field(default=None, init=False, repr=False, compare=False)
    _extractor: Any = field(default=None, init=False, repr=False, compare=False)
    _head: Head | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights of encoder and head."""
        head = "" if self.head is None else f"+{weights(self.head)}"
        return weights(self.model, self.revision) + head

    def load(self) -> None:
        """Load head and encoder, and refuse a head that was trained on another encoder."""
        if self._encoder is not None:
            return
        if self.head is not None:
            self._head = Head.load(Path(resolve(self.head)))
            found = weights(self.model, self.revision)
            if self._head.encoder != found:
                raise ModelLoadError(
                    f"{self.head}: was trained on encoder {self._head.encoder}, not on {found}; train it anew"
                )
        import_torch()
        from transformers import AutoFeatureExtractor, AutoModel

        device = pick_device(self.device)
        if is_ctranslate2(Path(resolve(self.model))):
            self._extractor = load_ctranslate2_processor(self.model).feature_extractor
            model = load_ctranslate2(self.model, self.dtype, device)
        else:
            source, trust = (self.model, self.revision, None), self.trust_remote_code
            self._extractor = load_processor(AutoFeatureExtractor.from_pretrained, *source, trust)
            model = load_pretrained(AutoModel.from_pretrained, *source, self.dtype, device, trust)
        self._encoder = model.get_encoder() if model.config.is_encoder_decoder else model

    def hidden_states(self, batch: Sequence[Sample]) -> NDArray[np.float32]:
        """Mean over time of the encoder's states of each sample: (samples, dimensions)."""
        states: NDArray[np.float32] = self.layer_states(batch, [self._layer])[0]
        return states

    @property
    def _layer(self) -> int:
        return self.layer if self._head is None else self._head.layer

    def layer_states(self, batch: Sequence[Sample], layers: Sequence[int]) -> NDArray[np.float32]:
        """The same for several layers: (layers, samples, dimensions).

        Padding is left out; several clips of a sample weigh the same.
        """
        self.load()
        rate = int(self._extractor.sampling_rate)
        heard = hear(batch, rate, window=getattr(self._extractor, "chunk_length", None), least=LEAST)
        together = self._fixed or takes_padding(self._extractor, self._encoder)
        groups = [heard.waves] if together else [[wave] for wave in heard.waves]
        pooled = np.concatenate([self._pool(group, layers) for group in groups], axis=1)
        clips_of = [[clip for clip, owner in enumerate(heard.owners) if owner == index] for index in range(len(batch))]
        means: NDArray[np.float32] = np.stack([pooled[:, own].mean(1) for own in clips_of], axis=1).astype(np.float32)
        return means

    def _pool(self, waves: Sequence[NDArray[np.float32]], layers: Sequence[int]) -> NDArray[np.float32]:
        """Mean over time of each clip's states at these layers: (layers, clips, dimensions)."""
        torch = import_torch()
        features = self._extractor(
            list(waves),
            sampling_rate=self._extractor.sampling_rate,
            return_tensors="pt",
            return_attention_mask=True,
            padding="max_length" if self._fixed else "longest",
        )
        inputs = features[self._extractor.model_input_names[0]].to(self._encoder.device, self._encoder.dtype)
        mask = features["attention_mask"].to(self._encoder.device)
        with torch.inference_mode():
            options = {} if self._fixed else {"attention_mask": mask}
            found = self._encoder(inputs, output_hidden_states=True, **options).hidden_states
            states = torch.stack([found[layer] for layer in layers]).float()  # (layers, clips, frames, dimensions)
            keep = speech_frames(self._encoder, mask, states.shape[2])[..., None]
            means: NDArray[np.float32] = ((states * keep).sum(2) / keep.sum(1)).cpu().numpy()
        return means

    @property
    def _fixed(self) -> bool:
        """Whisper's encoder wants its 30 seconds and takes no mask; the others take the longest clip and a mask."""
        return bool(getattr(self._extractor, "chunk_length", None))

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Log-probability of the class that each choice names."""
        outputs = []
        for sample, row in zip(batch, self._logprobs(batch), strict=True):
            unknown = [choice for choice in sample.choices if choice not in row]
            if unknown or not sample.choices:
                raise SampleError(
                    f"sample {sample.id}: choice {unknown[:1]} is no class of {self.name}, which knows {', '.join(row)}"
                )
            scores = tuple(row[choice] for choice in sample.choices)
            best = max(range(len(scores)), key=scores.__getitem__)
            outputs.append(Output(text=sample.choices[best], choice_scores=scores))
        return outputs

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Name of the most probable class."""
        return [Output(text=max(row, key=row.__getitem__)) for row in self._logprobs(batch)]

    def _logprobs(self, batch: Sequence[Sample]) -> list[dict[str, float]]:
        self.load()
        if self._head is None:
            raise ModelLoadError(
                f"model {self.name} has no head; set model.head to a file of scripts/train_topic_head.py"
            )
        logits = self.hidden_states(batch).astype(np.float64) @ self._head.weight.T.astype(np.float64) + self._head.bias
        logits -= logits.max(1, keepdims=True)
        logprobs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        return [dict(zip(self._head.labels, row.tolist(), strict=True)) for row in logprobs]
