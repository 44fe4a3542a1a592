"""Models of transformers that write about one image without a chat: captions, answers, the text that is in it.

Encoder-decoders (BLIP-2 and InstructBLIP on T5, Florence-2, Donut, Pix2Struct, TrOCR), and language models that go on
from an image and a raw prompt (BLIP-2 on OPT, PaliGemma, Kosmos-2, GIT, GOT-OCR 2). Where the image stands is the
processor's affair. Models with a chat template are `MultimodalLM`s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.identity import weights
from mmbench.media import load_image
from mmbench.models.continuations import continuations, plain_tokens, repeated
from mmbench.models.conversation import moved
from mmbench.models.decoder_choices import DecoderChoices, first_token, is_encoder_decoder
from mmbench.models.generation import GREEDY, check_fits, counted, end_tokens
from mmbench.models.loading import import_torch, load_pretrained, load_processor, pick_device
from mmbench.models.multimodal_weights import load_parts
from mmbench.models.prefix import Prefixes
from mmbench.schema import Image, Output, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Features = dict[str, Any]


@dataclass(kw_only=True)
class ImageToText:
    """A model that writes about an image.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        template: the text that goes with the image, with `{prompt}` for that of the question; None is an image alone.
            One without `{prompt}` is the model's name of a task, such as <OCR>, which replaces the task's own words.
        decoder_prompt: what the decoder of an encoder-decoder begins with, with `{prompt}` like the template.
        end_token: control token that ends an answer, besides the model's own.
        max_new_tokens: limit of an answer.
        share_prefix: whether a question is read once for all its choices, where the model allows that.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
        generation: further arguments of `generate`; the default is greedy.
    """

    name: str
    model: str
    revision: str | None = None
    template: str | None = "{prompt}"
    decoder_prompt: str = ""
    end_token: str | None = None
    max_new_tokens: int = 256
    share_prefix: bool = field(default=True, compare=False)
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    generation: Mapping[str, Any] = field(default_factory=dict)
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _processor: Any = field(default=None, init=False, repr=False, compare=False)
    _ranker: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the templates."""
        for key, text in (("template", self.template or ""), ("decoder_prompt", self.decoder_prompt)):
            if text.replace("{prompt}", "").count("{"):
                raise UsageError(f"model {self.name}: {key}={text!r}: its one field is {{prompt}}")

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load processor and weights."""
        if self._model is not None:
            return
        device = pick_device(self.device)
        from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor
        from transformers.models.auto import modeling_auto

        source, trust = (self.model, self.revision, None), self.trust_remote_code
        config = load_processor(AutoConfig.from_pretrained, *source, trust)
        known = modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
        if config.model_type not in known and "AutoModelForImageTextToText" not in (
            getattr(config, "auto_map", {}) or {}
        ):
            raise ModelLoadError(
                f"model {self.name}: no class makes text of images of the model type {config.model_type}"
            )
        processor = load_parts(self.name, AutoProcessor.from_pretrained, *source, trust)
        if not hasattr(processor, "tokenizer") or not hasattr(processor, "image_processor"):
            raise ModelLoadError(f"model {self.name}: {self.model} is not made for images and texts")
        if processor.tokenizer.pad_token_id is None:
            processor.tokenizer.pad_token = processor.tokenizer.eos_token
        model = load_pretrained(AutoModelForImageTextToText.from_pretrained, *source, self.dtype, device, trust)
        if self.end_token is not None and self.end_token not in processor.tokenizer.get_vocab():
            raise UsageError(f"model {self.name}: end_token={self.end_token!r} is no token of its vocabulary")
        if self.decoder_prompt and not is_encoder_decoder(config):
            raise UsageError(f"model {self.name}: decoder_prompt is for encoder-decoders; put it into template")
        kind = DecoderChoices if is_encoder_decoder(config) else Prefixes
        pad = processor.tokenizer.pad_token_id
        self._ranker = kind(name=self.name, model=model, pad=pad, shares=self.share_prefix)
        self._model, self._processor = model, processor

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Write about each image, greedily unless `generation` says otherwise.

        Only questions with features of one shape share a call: there is no padding that an answer could depend on.
        """
        self.load()
        asked = [(self._features(sample), self._start(sample)) for sample in batch]
        for sample, (features, _) in zip(batch, asked, strict=True):
            self._check(sample, features, self.max_new_tokens)
        calls = [(str({key: value.shape for key, value in own.items()}), start) for own, start in asked]
        outputs: dict[int, Output] = {}
        for call in dict.fromkeys(calls):
            indices = [index for index, own in enumerate(calls) if own == call]
            outputs |= dict(zip(indices, self._answer([asked[i][0] for i in indices], call[1]), strict=True))
        return [outputs[index] for index in range(len(batch))]

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Log-likelihood of each choice as the answer, summed over the choice's own tokens."""
        self.load()
        return [self._rank(sample) for sample in batch]

    @property
    def _decodes(self) -> bool:
        return is_encoder_decoder(self._model.config)

    def _prompt(self, sample: Sample) -> str:
        """The text of a sample, of which no word is a control token."""
        own = "".join(part.text for part in sample.parts if isinstance(part, Text) and not part.instruction)
        tokenizer = self._processor.tokenizer
        control = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
        control |= {str(getattr(self._processor, "image_token", None) or "<image>")}
        control |= set(getattr(self._processor, "tasks_answer_post_processing_type", ()))
        if found := next((token for token in sorted(control) if token in own), None):
            raise SampleError(
                f"sample {sample.id}: its text holds {found}, which {self.name} takes for a control token"
            )
        if own.strip() and "{prompt}" not in (self.template or "") + self.decoder_prompt:
            raise SampleError(f"sample {sample.id} holds text, for which the template of {self.name} has no place")
        return "".join(part.text for part in sample.parts if isinstance(part, Text)).strip()

    def _features(self, sample: Sample) -> Features:
        images = [part for part in sample.parts if isinstance(part, Image)]
        other = next((part for part in sample.parts if not isinstance(part, Text | Image)), None)
        if other is not None or len(images) != 1:
            held = type(other).__name__.lower() if other is not None else f"{len(images)} images"
            raise SampleError(f"sample {sample.id} holds {held}; {self.name} takes one image and text")
        given: dict[str, Any] = {"images": load_image(images[0]), "return_tensors": "pt"}
        prompt = self._prompt(sample)
        if self.template is not None:
            given["text"] = self.template.rstrip(" ").replace("{prompt}", prompt)
        try:
            features = self._processor(**given)
        except (ImportError, IndexError, KeyError, NotImplementedError, TypeError, ValueError) as error:
            detail = " ".join(str(error).split())[:300]
            raise SampleError(f"sample {sample.id}: the processor of {self.name} refuses it: {detail}") from error
        if "input_ids" not in features and not self._decodes:
            raise SampleError(f"sample {sample.id}: {self.name} needs a prompt beside the image; set model.template=''")
        kept = {key: value for key, value in features.items() if key != "labels" and hasattr(value, "shape")}
        return {key: moved(value, self._model) for key, value in kept.items()}

    def _start(self, sample: Sample) -> tuple[int, ...]:
        """What the decoder begins with; nothing where there is none."""
        if not self._decodes:
            return ()
        start = first_token(self._model)
        if start is None:
            raise ModelLoadError(f"model {self.name}: its weights do not say what the decoder begins with")
        text = self.decoder_prompt.replace("{prompt}", self._prompt(sample))
        ids = tuple(self._processor.tokenizer(text, add_special_tokens=False)["input_ids"]) if text else ()
        return ids if ids[:1] == (start,) else (start, *ids)

    def _check(self, sample: Sample, features: Features, answer: int) -> None:
        length = features["input_ids"].shape[1] if "input_ids" in features and not self._decodes else 0
        check_fits(self.name, self._model, sample, length + answer)

    def _ends(self) -> list[int]:
        tokenizer, found = self._processor.tokenizer, self._model.generation_config.eos_token_id
        own = [tokenizer.eos_token_id] if found is None else found if isinstance(found, list) else [found]
        return own if self.end_token is None else [*own, tokenizer.convert_tokens_to_ids(self.end_token)]

    def _answer(self, asked: Sequence[Features], start: tuple[int, ...]) -> list[Output]:
        torch = import_torch()
        tokenizer = self._processor.tokenizer
        features = {key: torch.cat([own[key] for own in asked]) for key in asked[0]}
        options = {**GREEDY, "max_new_tokens": self.max_new_tokens, **self.generation}
        options.setdefault("pad_token_id", tokenizer.pad_token_id)
        options.setdefault("eos_token_id", self._ends())
        if self._decodes and self.decoder_prompt:
            features["decoder_input_ids"] = torch.tensor([start] * len(asked), device=self._model.device)
        with torch.inference_mode():
            sequences = self._model.generate(**features, **options)
        before = len(start) if self._decodes else features["input_ids"].shape[1]
        if not self._decodes and not torch.equal(sequences[:, :before], features["input_ids"]):
            before = 0  # models that embed the prompt themselves give the answer alone
        ends, outputs = end_tokens(self._model, options), []
        for row in sequences[:, before:].tolist():
            count, broken_off = counted(row, ends)
            text = tokenizer.decode(row, skip_special_tokens=True).strip()
            outputs.append(Output(text=text, tokens=count, notes=broken_off))
        return outputs

    def _rank(self, sample: Sample) -> Output:
        if not sample.choices or not all(sample.choices):
            raise SampleError(f"sample {sample.id} has no choices to rank, or an empty one; give each its text")
        features, tokenizer = self._features(sample), self._processor.tokenizer
        if self._decodes:
            tokens = [tuple(plain_tokens(tokenizer, choice)) for choice in sample.choices]
            self._check(sample, features, max(map(len, tokens)))
            scores = self._ranker.scores(features, self._start(sample) + self._forced(), tokens)
        else:
            gap = self.template is not None and languages.spaced(sample.written)
            choices = continuations(tokenizer, features["input_ids"][0].tolist(), sample.choices, gap=gap)
            tokens = [choice.tokens for choice in choices]
            self._check(sample, features, max(map(len, tokens)))
            scores = self._ranker.scores(choices, lambda rows: repeated(features, rows))
        lengths = tuple(map(len, tokens))
        best = sample.choices[max(range(len(scores)), key=scores.__getitem__)]
        return Output(text=best, choice_scores=tuple(scores), choice_lengths=lengths, tokens=sum(lengths))

    def _forced(self) -> tuple[int, ...]:
        """What each answer begins with by the weights' own rule, as BART's do."""
        forced = getattr(self._model.generation_config, "forced_bos_token_id", None)
        return () if forced is None else (int(forced),)
