"""Language models of transformers that hear and see: text, audio and images in, text or likelihoods out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError
from mmbench.identity import weights
from mmbench.models import frames
from mmbench.models.continuations import continuations, is_mistral
from mmbench.models.conversation import Conversation, converse, fixed_window, moved, processed, read_by
from mmbench.models.document_images import Sight
from mmbench.models.document_likelihood import Documents, pick_context
from mmbench.models.generation import GREEDY, check_fits, counted, end_tokens, positions
from mmbench.models.loading import import_torch, load_pretrained, load_processor, pick_device
from mmbench.models.multimodal_weights import load_parts, pick_loader
from mmbench.models.prefix import Prefixes
from mmbench.models.vectors import last_states
from mmbench.schema import QUERY, Output, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mmbench.models.parts import LongAudio


@dataclass(kw_only=True)
class MultimodalLM:
    """A decoder-only language model with encoders for other media, asked through its chat template or a raw one.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        system: system message, with the chat template.
        template: text around the question for a model without a chat template. `{input}` is all parts in order;
            else `{prompt}` is its text, `{audio}` its clips and `{image}` its images, each in the model's placeholders.
        around_audio: with a template, what each clip's placeholder `{audio}` stands in, and which a question
            without audio lacks.
        audio_or_text: whether a question is either spoken or written; one that is both, or neither, is refused.
        state_tokens: tokens by which a model says what it heard; the one that begins an answer becomes a note.
        adapter: subfolder of the weights with an adapter (LoRA) to lay over them; needs peft.
        window: seconds of a clip that the model is given; None is what its processor hears.
        long_audio: what becomes of longer clips: refuse, truncate, or chunk (several clips in a row).
        max_new_tokens: limit of an answer.
        stop: text that ends an answer.
        context: tokens of a document that are read; None is what the model takes.
        share_prefix: whether a prompt is read once for all its choices, where the model allows that.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
        generation: further arguments of `generate`; the default is greedy.
    """

    name: str
    model: str
    revision: str | None = None
    system: str | None = None
    template: str | None = None
    around_audio: str = "{audio}"
    audio_or_text: bool = False
    state_tokens: Sequence[str] = ()
    adapter: str | None = None
    window: float | None = None
    long_audio: LongAudio = "refuse"
    max_new_tokens: int = 256
    stop: str | None = None
    context: int | None = None
    share_prefix: bool = field(default=True, compare=False)
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    generation: Mapping[str, Any] = field(default_factory=dict)
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _processor: Any = field(default=None, init=False, repr=False, compare=False)
    _reader: Any = field(default=None, init=False, repr=False, compare=False)
    _frames: Any = field(default=None, init=False, repr=False, compare=False)
    _documents: Any = field(default=None, init=False, repr=False, compare=False)
    _prefixes: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what can be checked before weights are loaded."""
        frames.check_frame(self.name, self.template, self.around_audio, self.system)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load processor and weights."""
        if self._model is not None:
            return
        device = pick_device(self.device)
        from transformers import AutoConfig, AutoProcessor

        source, trust = (self.model, self.revision, None), self.trust_remote_code
        config = load_processor(AutoConfig.from_pretrained, *source, trust)
        loader = pick_loader(self.name, config, trust=trust, adapter=self.adapter)
        processor = load_parts(self.name, AutoProcessor.from_pretrained, *source, trust)
        if not hasattr(processor, "tokenizer"):
            raise ModelLoadError(f"model {self.name}: {self.model} reads text alone; use model=causal_lm")
        processor.tokenizer.padding_side = "left"
        if processor.tokenizer.pad_token_id is None:
            processor.tokenizer.pad_token = processor.tokenizer.eos_token
        self._frames = self._framed(processor)
        frames.count_placeholders_of_frame(processor)
        model = load_pretrained(loader, *source, self.dtype, device, trust)
        reader = read_by(self.name, model, processor, self.window, self.long_audio)
        self._reader = replace(reader, system=self.system)
        pad = processor.tokenizer.pad_token_id
        self._prefixes = Prefixes(name=self.name, model=model, pad=pad, shares=self.share_prefix)
        context = pick_context(self.name, positions(model), self.context)
        self._documents = Documents(
            name=self.name,
            model=model,
            tokenizer=processor.tokenizer,
            context=context,
            placeholders=frames.placeholders(processor),
        )
        self._model, self._processor = model, processor

    def _framed(self, processor: Any) -> tuple[str, str]:
        """The frame of a question that is answered, and of one whose choices are scored."""
        if is_mistral(processor.tokenizer):
            if self.template is not None:
                raise ModelLoadError(f"model {self.name}: mistral-common has its own frame; leave out model.template")
            return "", ""
        if self.template is None:
            own = frames.begun(processor, frames.own_frame(self.name, processor))
            return own, own
        # A space between prompt and choice belongs to the choice's first token in nearly every vocabulary.
        raw = (self.template, self.template.rstrip(" "))
        free, scored = (frames.begun(processor, frames.frame(each, self.around_audio, processor)) for each in raw)
        return free, scored

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Answer each sample, greedily unless `generation` says otherwise."""
        self.load()
        return self._alike(batch, self._answer)

    def embed(self, batch: Sequence[Sample]) -> list[Output]:
        """The state of each prompt's last token after the last layer, of unit length, as NoteLLM-2 takes it.

        The prompt should end where one word would follow that says it all. NoteLLM-2: arXiv 2405.16789.
        """
        self.load()
        return self._alike(batch, self._embed)

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Log-likelihood of each choice as the answer, summed over the choice's own tokens."""
        self.load()
        return [self._score(sample) for sample in batch]

    def document_loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Log-likelihood of each text of each document as it is, without a chat template, after the images before it.

        A model that takes no images reads the text alone.
        """
        self.load()
        sees = "image" in self._reader.kinds
        sight = Sight(reader=self._reader, processor=self._processor, features=self._features) if sees else None
        return [self._documents.read(sample, sight) for sample in batch]

    def _alike(
        self, batch: Sequence[Sample], answer: Callable[[list[Sample], list[Conversation]], list[Output]]
    ) -> list[Output]:
        """Ask in calls that hold as many clips and images of each sample, as an answer must not depend on others.

        Where a processor pads clips to the longest, which a model may hear, those of a call are of one length.
        """
        asked = [self._ask(sample) for sample in batch]
        fixed = fixed_window(self._processor)
        calls = [(len(each.clips) if fixed else each.clips, each.images) for each in asked]
        outputs: dict[int, Output] = {}
        for call in dict.fromkeys(calls):
            indices = [index for index, own in enumerate(calls) if own == call]
            answers = answer([batch[i] for i in indices], [asked[i] for i in indices])
            outputs |= dict(zip(indices, answers, strict=True))
        return [outputs[index] for index in range(len(batch))]

    def _ask(self, sample: Sample) -> Conversation:
        asked = converse(sample, self._reader)
        if kind := frames.unframed(self.template, asked):
            raise SampleError(f"sample {sample.id} holds {kind}, for which the template of {self.name} has no place")
        written = any(isinstance(part, Text) and part.text.strip() for part in sample.parts)
        if self.audio_or_text and written == bool(asked.clips):
            found = "both audio and text" if written else "neither audio nor text"
            raise SampleError(f"sample {sample.id} holds {found}, {self.name} takes one of them; correct task.prompt")
        return asked

    def _features(self, sample: Sample, asked: Sequence[Conversation], chat_template: str) -> dict[str, Any]:
        """What the model is given, on its device; floating-point tensors in its dtype."""
        features = processed(sample, asked, chat_template, self._processor, self._reader)
        return {key: moved(value, self._model) for key, value in features.items()}

    def _adapt(self, asked: Conversation) -> None:
        """Switch the adapters of a model on for media and off for text, as their authors do."""
        if getattr(self._model, "_hf_peft_config_loaded", False):
            switch = self._model.enable_adapters if asked.clips or asked.images else self._model.disable_adapters
            switch()

    def _answer(self, samples: Sequence[Sample], asked: Sequence[Conversation]) -> list[Output]:
        torch = import_torch()
        tokenizer = self._processor.tokenizer
        features = self._features(samples[0], asked, self._frames[0])
        for sample, length in zip(samples, features["attention_mask"].sum(1).tolist(), strict=True):
            check_fits(self.name, self._model, sample, length + self.max_new_tokens)
        options = {**GREEDY, "max_new_tokens": self.max_new_tokens, **self.generation}
        options.setdefault("pad_token_id", tokenizer.pad_token_id)
        if self._model.generation_config.eos_token_id is None:
            options.setdefault("eos_token_id", tokenizer.eos_token_id)
        if self.stop is not None:
            options |= {"stop_strings": [self.stop], "tokenizer": tokenizer}
        self._adapt(asked[0])
        with torch.inference_mode():
            sequences = self._model.generate(**features, **options)
        rows = sequences[:, features["input_ids"].shape[1] :].tolist()
        ends = end_tokens(self._model, options)
        return [self._output(row, ends, each.notes) for row, each in zip(rows, asked, strict=True)]

    def _embed(self, samples: Sequence[Sample], asked: Sequence[Conversation]) -> list[Output]:
        features = self._features(samples[0], asked, self._frames[0])
        for sample, length in zip(samples, features["attention_mask"].sum(1).tolist(), strict=True):
            check_fits(self.name, self._model, sample, length)
        self._adapt(asked[0])
        vectors = last_states(self._model, features)
        return [
            Output(text="", vectors={QUERY: vector}, notes=each.notes)
            for vector, each in zip(vectors, asked, strict=True)
        ]

    def _output(self, row: Sequence[int], ends: frozenset[int], notes: tuple[str, ...]) -> Output:
        tokenizer = self._processor.tokenizer
        text = tokenizer.decode(row, skip_special_tokens=True).strip()
        raw = tokenizer.decode(row).lstrip()  # a state token may be a special one
        if state := next((token for token in self.state_tokens if raw.startswith(token)), None):
            text, notes = text.removeprefix(state), (*notes, f"state {state}")
        count, broken_off = counted(row, ends)
        if self.stop is not None and self.stop in text:
            text, broken_off = text.partition(self.stop)[0], ()
        return Output(text=text.strip(), tokens=count, notes=(*notes, *broken_off))

    def _score(self, sample: Sample) -> Output:
        if not sample.choices or not all(sample.choices):
            raise SampleError(f"sample {sample.id} has no choices to rank, or an empty one; give each its text")
        asked = self._ask(sample)
        alone = self._features(sample, [asked], self._frames[1])
        tokenizer, gap = self._processor.tokenizer, self.template is not None and languages.spaced(sample.written)
        choices = continuations(tokenizer, alone["input_ids"][0].tolist(), sample.choices, gap=gap)
        check_fits(self.name, self._model, sample, max(kept + len(tokens) for kept, tokens in choices))
        self._adapt(asked)
        scores = self._prefixes.scores(
            choices,
            lambda rows: alone if rows == 1 else self._features(sample, [asked] * rows, self._frames[1]),
            (bool(asked.clips), bool(asked.images)),
        )
        lengths = tuple(len(tokens) for _, tokens in choices)
        best = sample.choices[max(range(len(scores)), key=scores.__getitem__)]
        return Output(
            text=best, choice_scores=tuple(scores), choice_lengths=lengths, tokens=sum(lengths), notes=asked.notes
        )
