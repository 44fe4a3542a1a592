"""Dual encoders of images and texts, such as CLIP: vectors, and choices ranked by their nearness to an image.

Through AutoModel of transformers: CLIP, MetaCLIP 2, SigLIP, SigLIP 2, ALIGN, AltCLIP, Chinese-CLIP and
VisionTextDualEncoder. NLLB-SigLIP is open_clip's alone, and M-CLIP has a package of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.identity import weights
from mmbench.media import load_image
from mmbench.models.loading import import_torch, load_pretrained, load_processor, pick_device, placed
from mmbench.models.vectors import floats, unit
from mmbench.schema import QUERY, Image, Output, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class _Told(NamedTuple):
    """The text of a sample, its images, and what became of them."""

    text: str
    images: tuple[Image, ...]


@dataclass(kw_only=True)
class DualEncoder:
    """An encoder of images and one of texts into one space.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        prompt: what a text stands in, such as "a photo of {text}".
        lower: whether texts are put into lower case, as SigLIP 2 was trained.
        context: tokens of a text that are read; None is what the model takes. A longer text is cut, with a note.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
    """

    name: str
    model: str
    revision: str | None = None
    prompt: str = "{text}"
    lower: bool = False
    context: int | None = None
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _processor: Any = field(default=None, init=False, repr=False, compare=False)
    _limit: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the prompt."""
        if self.prompt.count("{text}") != 1:
            raise UsageError(f"model {self.name}: prompt={self.prompt!r} must hold {{text}} once")

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load processor and weights."""
        if self._model is not None:
            return
        device = pick_device(self.device)
        from transformers import AutoModel, AutoProcessor

        source, trust = (self.model, self.revision, None), self.trust_remote_code
        processor = load_processor(AutoProcessor.from_pretrained, *source, trust)
        if not hasattr(processor, "tokenizer") or not hasattr(processor, "image_processor"):
            raise ModelLoadError(f"model {self.name}: {self.model} is not made for images and texts")
        model = load_pretrained(AutoModel.from_pretrained, *source, self.dtype, device, trust)
        if not hasattr(model, "get_text_features") or not hasattr(model, "get_image_features"):
            raise ModelLoadError(f"model {self.name}: {type(model).__name__} is no dual encoder; use model=multimodal")
        processor.tokenizer.padding_side = "right"  # SigLIP 2 has a class whose default is another side
        self._limit = self._pick_context(model, processor)
        self._model, self._processor = model, processor

    def _pick_context(self, model: Any, processor: Any) -> int:
        text = getattr(model.config, "text_config", model.config)
        positions = int(getattr(text, "max_position_embeddings", None) or 1 << 30)
        if getattr(text, "model_type", "") in ("altclip_text_model", "xlm-roberta", "roberta"):
            positions -= int(text.pad_token_id) + 1  # they count from the padding token on
        own = min(positions, int(processor.tokenizer.model_max_length))
        if self.context is not None and not 2 < self.context <= own:
            raise UsageError(f"model {self.name}: context={self.context}, but the model takes 3 to {own} tokens")
        return self.context or own

    def embed(self, batch: Sequence[Sample]) -> list[Output]:
        """A vector of unit length for each sample: of its text, or its image.

        A sample with several of them has the mean of their vectors, each of unit length: one of all its text, and one
        of each image. The task's own words (instructions) are left out.
        """
        self.load()
        told = [self._told(sample) for sample in batch]
        for sample, (text, images) in zip(batch, told, strict=True):
            if not text and not images:
                raise SampleError(f"sample {sample.id} has neither text nor image to embed")
        vectors, notes = self._texts([each.text for each in told if each.text])
        texts = iter(zip(vectors, notes, strict=True))
        pictures = iter(self._images([image for each in told for image in each.images]))
        outputs = []
        for text, images in told:
            own, said = next(texts) if text else (None, ())
            rows = ([] if own is None else [own]) + [next(pictures) for _ in images]
            vector = unit(import_torch().stack(rows).mean(0, keepdim=True))
            outputs.append(Output(text="", vectors={QUERY: floats(vector)[0]}, notes=said))
        return outputs

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """How well each choice fits the image of a sample, contrastively.

        Of CLIP it is the logarithm of the softmax over the sample's choices, of SigLIP that of the sigmoid of each
        alone. It is no likelihood of a text, and the prompt's text is not read.
        """
        self.load()
        return [self._rank(sample) for sample in batch]

    def _rank(self, sample: Sample) -> Output:
        if not sample.choices or not all(sample.choices):
            raise SampleError(f"sample {sample.id} has no choices to rank, or an empty one; give each its text")
        text, images = self._told(sample)
        if not images:
            raise SampleError(f"sample {sample.id} has no image, and {self.name} ranks choices by an image alone")
        image = unit(self._images(images).mean(0, keepdim=True))
        choices, notes = self._texts(sample.choices)
        scores = self._scores((choices @ image.T)[:, 0])
        best = sample.choices[max(range(len(scores)), key=scores.__getitem__)]
        unread = ["the text beside the image is not read"] if text else []
        unread += [f"ranked by the mean of {len(images)} images"] if len(images) > 1 else []
        cut = tuple(dict.fromkeys(f"choice {note}" for own in notes for note in own))
        return Output(text=best, choice_scores=scores, choice_lengths=(1,) * len(scores), notes=(*unread, *cut))

    def _scores(self, cosines: Tensor) -> tuple[float, ...]:
        if hasattr(self._model, "logit_scale"):
            scale = self._model.logit_scale.float().exp()
        elif hasattr(self._model, "temperature"):
            scale = 1 / self._model.temperature.float()
        else:
            raise ModelLoadError(f"model {self.name}: {type(self._model).__name__} has no scale to rank choices by")
        with import_torch().inference_mode():
            logits = cosines * scale.to(cosines.device)
            if hasattr(self._model, "logit_bias"):
                logits = logits + self._model.logit_bias.float()
                return tuple(import_torch().nn.functional.logsigmoid(logits).tolist())
            return tuple(logits.log_softmax(0).tolist())

    def _told(self, sample: Sample) -> _Told:
        for part in sample.parts:
            if not isinstance(part, Text | Image):
                kind = type(part).__name__.lower()
                raise SampleError(f"sample {sample.id} holds {kind}, which {self.name} does not take")
        texts = [part.text for part in sample.parts if isinstance(part, Text) and not part.instruction]
        images = tuple(part for part in sample.parts if isinstance(part, Image))
        return _Told("".join(texts).strip(), images)

    def _texts(self, texts: Sequence[str]) -> tuple[Any, list[tuple[str, ...]]]:
        """Vectors of unit length of texts, (n, d), and notes of those that were cut."""
        if not texts:
            return (), []
        tokenizer = self._processor.tokenizer
        asked = [self.prompt.replace("{text}", text.lower() if self.lower else text) for text in texts]
        lengths = [len(ids) for ids in tokenizer(asked)["input_ids"]]
        # SigLIP was trained on texts of one length, padding included, without a mask.
        fixed = self._model.config.model_type.startswith("siglip")
        inputs = tokenizer(
            asked,
            padding="max_length" if fixed else True,
            truncation=True,
            max_length=self._limit,
            return_tensors="pt",
        )
        if fixed:
            inputs.pop("attention_mask", None)
        with import_torch().inference_mode():
            found = self._model.get_text_features(**{key: placed(value, self._model) for key, value in inputs.items()})
        notes: list[tuple[str, ...]] = [
            (f"cut from {n} to {self._limit} tokens",) if n > self._limit else () for n in lengths
        ]
        return unit(getattr(found, "pooler_output", found)), notes

    def _images(self, images: Sequence[Image]) -> Any:
        """Vectors of unit length of images, (n, d)."""
        if not images:
            return ()
        inputs = self._processor.image_processor(images=[load_image(each) for each in images], return_tensors="pt")
        with import_torch().inference_mode():
            found = self._model.get_image_features(**{key: placed(value, self._model) for key, value in inputs.items()})
        return unit(getattr(found, "pooler_output", found))
