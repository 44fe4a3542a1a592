"""Text encoders: one vector for the text of a sample, to find the caption of an image or the translation of a sentence.

Behind a cascade's stage that describes or reads images they embed images through those words. The poolings and prefixes
of a model are on its card; those of the configs here are from the cards of LaBSE, E5, BGE-M3 and all-MiniLM.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from mmbench.errors import SampleError, UsageError
from mmbench.identity import weights
from mmbench.models.loading import gguf_adds_bos, import_torch, load_pretrained, load_processor, pick_device
from mmbench.models.parts import prompt_text
from mmbench.models.vectors import floats, unit
from mmbench.schema import QUERY, Output, Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

Pooling = Literal["mean", "weighted", "cls", "pooler", "last"]
"""Which tokens' states become one vector: their mean; a mean in which later tokens weigh more, for causal models,
whose early tokens have seen little; the first; the first through the layer that BERT has for it; or the last."""
LongText = Literal["refuse", "truncate"]


@dataclass(kw_only=True)
class TextEncoder:
    """Any encoder or causal language model that `AutoModel` loads; of an encoder-decoder the encoder.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        gguf_file: name of a GGUF file in that place, which is dequantised.
        pooling: mean, weighted, cls, pooler or last.
        layer: layer whose states are pooled: 0 is what enters the first, -1 what leaves the last.
        prefix: text before each text, such as "query: ".
        item_prefix: text before the other side of a pair, such as "passage: "; None is `prefix`.
        max_tokens: limit of a text; None is what the model has positions for.
        long_text: what becomes of a longer one: refuse or truncate.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
    """

    name: str
    model: str
    revision: str | None = None
    gguf_file: str | None = None
    pooling: Pooling = "mean"
    layer: int = -1
    prefix: str = ""
    item_prefix: str | None = None
    max_tokens: int | None = None
    long_text: LongText = "refuse"
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _tokenizer: Any = field(default=None, init=False, repr=False, compare=False)
    _start: tuple[int, ...] = field(default=(), init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load tokenizer and weights.

        Raises:
            UsageError: a setting has no such value.
            ModelLoadError: there are no such weights, or they lack the layer that `pooling` asks for.
        """
        if self._model is not None:
            return
        for key, known in (("pooling", Pooling), ("long_text", LongText)):
            if getattr(self, key) not in get_args(known):
                raise UsageError(
                    f"model {self.name}: {key}={getattr(self, key)}: known are {', '.join(get_args(known))}"
                )
        if self.pooling == "pooler" and self.layer != -1:
            raise UsageError(f"model {self.name}: pooling=pooler reads the last layer; leave model.layer out")
        import_torch()
        from transformers import AutoModel, AutoTokenizer

        device = pick_device(self.device)
        source, trust = (self.model, self.revision, self.gguf_file), self.trust_remote_code
        self._tokenizer = load_processor(AutoTokenizer.from_pretrained, *source, trust)
        if self.gguf_file is not None and gguf_adds_bos(self.model, self.revision, self.gguf_file):
            self._start = (self._tokenizer.bos_token_id,)
        loader = _load_with_pooler if self.pooling == "pooler" else AutoModel.from_pretrained
        model = load_pretrained(loader, *source, self.dtype, device, trust)
        self._model = model.get_encoder() if model.config.is_encoder_decoder else model

    def embed(self, batch: Sequence[Sample]) -> list[Output]:
        """A vector of unit length for the text of each sample, the task's instruction included."""
        self.load()
        torch = import_torch()
        rows, notes = zip(*(self._tokens(sample) for sample in batch), strict=True)
        width = max(map(len, rows))
        pad = self._tokenizer.pad_token_id or 0
        ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        ids, mask = ids.to(self._model.device), mask.to(self._model.device)
        with torch.inference_mode():
            said = self._model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
            if self.pooling == "pooler":
                pooled = said.pooler_output
            else:
                # In the list of all states the last ones come without the final norm in a few models.
                states = said.last_hidden_state if self.layer == -1 else said.hidden_states[self.layer]
                pooled = pool(states.float(), mask, self.pooling)
        return [
            Output(text="", vectors={QUERY: vector}, tokens=len(row), notes=note)
            for vector, row, note in zip(floats(unit(pooled)), rows, notes, strict=True)
        ]

    def _tokens(self, sample: Sample) -> tuple[list[int], tuple[str, ...]]:
        """Tokens of a sample's text with its prefix, and a note where some are cut off."""
        item = self.item_prefix is not None and is_item(sample)
        text = f"{self.item_prefix if item else self.prefix}{prompt_text(sample)}"
        row: list[int] = self._tokenizer(text)["input_ids"]
        if row[: len(self._start)] != [*self._start]:
            row = [*self._start, *row]
        if not row:
            raise SampleError(f"sample {sample.id} has no text, and {self.name} has no token that begins one")
        limit = self._limit
        if len(row) <= limit:
            return row, ()
        if self.long_text == "refuse":
            raise SampleError(
                f"sample {sample.id}: {len(row)} tokens, {self.name} takes {limit}; "
                "cut it, or set model.long_text to truncate"
            )
        short: list[int] = self._tokenizer(text, truncation=True, max_length=limit - len(self._start))["input_ids"]
        return [*self._start, *short][:limit], (f"truncated {len(row)} tokens to {limit}",)

    @property
    def _limit(self) -> int:
        positions = int(getattr(self._model.config, "max_position_embeddings", None) or 1 << 30)
        if self._model.config.model_type in _OFFSET:
            positions -= self._model.config.pad_token_id + 1
        return positions if self.max_tokens is None else min(self.max_tokens, positions)


_OFFSET = ("camembert", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl")
"""Models that count positions from behind the number of the padding token."""


def is_item(sample: Sample) -> bool:
    """Whether a sample is the other side of a pair: `mmbench.protocol` leaves it the query as a variant."""
    return QUERY in sample.variants


def pool(states: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """One vector of each row's states of shape (rows, tokens, d), whose padding is on the right and masked by 0."""
    if pooling == "cls":
        return states[:, 0]
    if pooling == "last":
        rows = import_torch().arange(len(states), device=states.device)
        return states[rows, mask.sum(1) - 1]
    shares = mask.float() if pooling == "mean" else mask.float() * mask.cumsum(1)
    return (states * shares[..., None]).sum(1) / shares.sum(1, keepdim=True)


def _load_with_pooler(path: str, **options: Any) -> tuple[Any, Any]:
    """Load a model whose pooler is no chance: transformers fills one that a checkpoint lacks without an error."""
    from transformers import AutoModel

    model, info = AutoModel.from_pretrained(path, **options)
    if getattr(model, "pooler", None) is None or any("pooler" in key for key in info["missing_keys"]):
        raise ValueError("it has no pooler; take model.pooling=cls or mean")
    return model, info
