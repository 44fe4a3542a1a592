"""Any causal language model of transformers, from a hub, a folder or a GGUF file: text in, text or likelihoods out."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError
from mmbench.identity import weights
from mmbench.models.continuations import shared
from mmbench.models.document_likelihood import Documents, pick_context
from mmbench.models.generation import GREEDY, check_fits, counted, end_tokens, on_one_day, positions
from mmbench.models.loading import gguf_adds_bos, import_torch, load_pretrained, load_processor, pick_device
from mmbench.models.parts import prompt_text
from mmbench.schema import Output, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

log = logging.getLogger(__name__)


class _Choice(NamedTuple):
    """One choice of one sample as tokens: the prompt's, then the choice's own."""

    sample: int
    context: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(kw_only=True)
class CausalLM:
    """A causal language model.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        gguf_file: name of a GGUF file in that place, which is dequantised.
        chat: whether the prompt goes through the chat template; None asks the tokenizer whether it has one.
        system: system message, with chat.
        max_new_tokens: limit of an answer.
        stop: text that ends an answer.
        context: tokens of a document that are read; None is what the model takes.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
        generation: further arguments of `generate`; the default is greedy.
    """

    name: str
    model: str
    revision: str | None = None
    gguf_file: str | None = None
    chat: bool | None = None
    system: str | None = None
    max_new_tokens: int = 64
    stop: str | None = None
    context: int | None = None
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    generation: Mapping[str, Any] = field(default_factory=dict)
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _tokenizer: Any = field(default=None, init=False, repr=False, compare=False)
    _adds_bos: bool = field(default=False, init=False, repr=False, compare=False)
    _documents: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load tokenizer and weights."""
        if self._model is not None:
            return
        import_torch()
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = pick_device(self.device)
        source = (self.model, self.revision, self.gguf_file)
        self._tokenizer = load_processor(AutoTokenizer.from_pretrained, *source, self.trust_remote_code)
        if self.chat and not self._tokenizer.chat_template:
            raise ModelLoadError(
                f"model {self.name}: chat=true, but {self.model} has no chat template; take chat=false"
            )
        self._adds_bos = self.gguf_file is not None and gguf_adds_bos(self.model, self.revision, self.gguf_file)
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        loader = AutoModelForCausalLM.from_pretrained
        model = load_pretrained(loader, *source, self.dtype, device, self.trust_remote_code)
        context = pick_context(self.name, positions(model), self.context)
        self._documents = Documents(name=self.name, model=model, tokenizer=self._tokenizer, context=context)
        self._model = model

    @property
    def _chats(self) -> bool:
        return bool(self._tokenizer.chat_template) if self.chat is None else self.chat

    def _prompt(self, sample: Sample) -> str:
        text = prompt_text(sample)
        if not self._chats:
            return text
        messages = [{"role": "user", "content": text}]
        if self.system is not None:
            messages.insert(0, {"role": "system", "content": self.system})
        options = {"tokenize": False, "add_generation_prompt": True}
        template = on_one_day(self._tokenizer.get_chat_template())
        return str(self._tokenizer.apply_chat_template(messages, chat_template=template, **options))

    def _encode(self, text: str) -> list[int]:
        # A chat template writes the special tokens itself; a base model's tokenizer adds them.
        ids: list[int] = self._tokenizer(text, add_special_tokens=not self._chats)["input_ids"]
        start = self._tokenizer.bos_token_id
        return [start, *ids] if self._adds_bos and not self._chats and ids[:1] != [start] else ids

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Continue each prompt, greedily unless `generation` says otherwise."""
        self.load()
        torch = import_torch()
        prompts = [self._encode(self._prompt(sample)) for sample in batch]
        for sample, prompt in zip(batch, prompts, strict=True):
            check_fits(self.name, self._model, sample, len(prompt) + self.max_new_tokens)
        ids, mask = self._pad(prompts, left=True)
        options = {**GREEDY, "max_new_tokens": self.max_new_tokens, **self.generation}
        options.setdefault("pad_token_id", self._tokenizer.pad_token_id)
        if self._model.generation_config.eos_token_id is None:
            options.setdefault("eos_token_id", self._tokenizer.eos_token_id)
        if self.stop is not None:
            options |= {"stop_strings": [self.stop], "tokenizer": self._tokenizer}
        with torch.inference_mode():
            sequences = self._model.generate(input_ids=ids, attention_mask=mask, **options)
        outputs, ends = [], end_tokens(self._model, options)
        for row in sequences[:, ids.shape[1] :].tolist():
            count, notes = counted(row, ends)
            text = self._tokenizer.decode(row, skip_special_tokens=True)
            if self.stop is not None and self.stop in text:
                text, notes = text.partition(self.stop)[0], ()
            outputs.append(Output(text=text.strip(), tokens=count, notes=notes))
        return outputs

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Log-likelihood of each choice as the continuation of the prompt, summed over the choice's tokens.

        Choices of one sample share a forward pass as far as they share tokens; choices of one token cost one pass.
        """
        self.load()
        choices = [choice for index, sample in enumerate(batch) for choice in self._choices(index, sample)]
        # All tokens but the last are read, and the last one's probability is where they end: rows that agree are one.
        rows = sorted({(*choice.context, *choice.continuation[:-1]) for choice in choices}, key=len)
        position = {row: index for index, row in enumerate(rows)}
        start = min(len(choice.context) for choice in choices) - 1
        logprobs = self._logprobs([list(row) for row in rows], start)
        scores: list[list[float]] = [[] for _ in batch]
        lengths: list[list[int]] = [[] for _ in batch]
        for choice in choices:
            row = logprobs[position[(*choice.context, *choice.continuation[:-1])]]
            begin = len(choice.context) - 1 - start
            total = sum(row[begin + offset, token].item() for offset, token in enumerate(choice.continuation))
            scores[choice.sample].append(total)
            lengths[choice.sample].append(len(choice.continuation))
        return [
            Output(
                text=sample.choices[max(range(len(own)), key=own.__getitem__)],
                choice_scores=tuple(own),
                choice_lengths=tuple(count),
                tokens=sum(count),
            )
            for sample, own, count in zip(batch, scores, lengths, strict=True)
        ]

    def document_loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Log-likelihood of each text of each document as it is, without a chat template; images are left out."""
        self.load()
        return [self._documents.read(sample) for sample in batch]

    def _choices(self, index: int, sample: Sample) -> list[_Choice]:
        """Tokens of prompt and choices, split where the tokens of the prompt alone end."""
        if not sample.choices or not all(sample.choices):
            raise SampleError(f"sample {sample.id} has no choices to rank, or an empty one; give each its text")
        # A space between prompt and choice belongs to the choice's first token in nearly every vocabulary.
        prompt = self._prompt(sample)
        stripped = prompt if self._chats else prompt.rstrip(" ")
        apart = languages.spaced(sample.written) and stripped[-1:] not in ("\n", "(", "[", "{", "“", "«", "¿", "¡")
        gap = " " if apart and not self._chats else ""
        context = self._encode(stripped)
        wholes = [tuple(self._encode(stripped + gap + choice)) for choice in sample.choices]
        check_fits(self.name, self._model, sample, max(map(len, wholes)))
        kept = shared(context, wholes)
        if not kept:
            raise SampleError(f"sample {sample.id}: the prompt has no token, so a choice has nothing to follow")
        return [_Choice(index, whole[:kept], whole[kept:]) for whole in wholes]

    def _pad(self, rows: Sequence[Sequence[int]], *, left: bool) -> tuple[Tensor, Tensor]:
        torch = import_torch()
        width = max(len(row) for row in rows)
        ids = torch.full((len(rows), width), self._tokenizer.pad_token_id, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for index, row in enumerate(rows):
            place = slice(width - len(row), width) if left else slice(0, len(row))
            ids[index, place] = torch.tensor(row)
            mask[index, place] = 1
        return ids.to(self._model.device), mask.to(self._model.device)

    def _logprobs(self, rows: Sequence[Sequence[int]], start: int) -> Tensor:
        """Log probabilities of what follows each position from `start` on: (rows, positions, vocabulary)."""
        torch = import_torch()
        ids, mask = self._pad(rows, left=False)
        with torch.inference_mode():
            kept = ids.shape[1] - start
            logits = self._model(input_ids=ids, attention_mask=mask, logits_to_keep=kept).logits
        logprobs: Tensor = logits[:, -kept:].float().log_softmax(-1)
        return logprobs
