"""Translation models of transformers: NLLB, M2M100, mBART-50, MADLAD-400, Marian. Text in, text out."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.identity import weights
from mmbench.models.codes import need_code
from mmbench.models.generation import GREEDY, counted, end_tokens
from mmbench.models.loading import import_torch, load_pretrained, load_processor, pick_device
from mmbench.models.parts import own_text
from mmbench.schema import Output, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LongText = Literal["refuse", "truncate"]
"""What to do with a text of more tokens than the model has positions: no answer, or its beginning alone."""

_LANGUAGE_TOKEN = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}|[a-z]{2}_[A-Z]{2}")
"""Special tokens that are languages: NLLB's `swh_Latn`, mBART's `sw_KE`."""
_ASKED_FOR = re.compile(r"<2(\w+)>")
"""MADLAD's tokens that ask for a language."""


class _Pair(NamedTuple):
    """Source and target as the model spells them; empty where it is told nothing."""

    source: str
    target: str


@dataclass(kw_only=True)
class Translation:
    """A translation model, alone or as the stage `mt` of a cascade.

    It translates the sample's own text, without the task's instruction, from `Sample.spoken` into `Sample.written`.

    Args:
        name: name of the model's folder in the results.
        model: hub id, folder, or package://NAME/FOLDER.
        revision: commit, tag or branch on the hub; pin it.
        source: language of the input of a model of one pair, if it does not say so itself.
        target: language of the output of such a model.
        languages: codes of the model by tag where they are not found by themselves, or are to be others.
        max_new_tokens: limit of a translation; one that reaches it has a note.
        long_text: what becomes of text with more tokens than the model has positions: refuse or truncate.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:1, mps.
        trust_remote_code: whether code that comes with the weights may run.
        generation: further arguments of `generate`, such as {num_beams: 5}; the default is greedy.
    """

    name: str
    model: str
    revision: str | None = None
    source: str | None = None
    target: str | None = None
    languages: Mapping[str, str] = field(default_factory=dict)
    max_new_tokens: int = 512
    long_text: LongText = "refuse"
    dtype: str = "auto"
    device: str = field(default="auto", compare=False)
    trust_remote_code: bool = False
    generation: Mapping[str, Any] = field(default_factory=dict)
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _tokenizer: Any = field(default=None, init=False, repr=False, compare=False)
    _codes: tuple[str, ...] = field(default=(), init=False, repr=False, compare=False)
    _request: str = field(default="", init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(self.model, self.revision)

    def load(self) -> None:
        """Load tokenizer and weights, and find out how the model is told the languages."""
        if self._model is not None:
            return
        if self.long_text not in get_args(LongText):
            raise UsageError(
                f"model {self.name}: long_text={self.long_text}: known are {', '.join(get_args(LongText))}"
            )
        device = pick_device(self.device)
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        source, trust = (self.model, self.revision, None), self.trust_remote_code
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")  # Marian's tokenizer never uses it
            self._tokenizer = load_processor(AutoTokenizer.from_pretrained, *source, trust)
        self._tokenizer.padding_side = "right"
        self._codes, self._request = _told(self._tokenizer)
        if not self._codes:
            self._fixed()
        loader = AutoModelForSeq2SeqLM.from_pretrained
        self._model = load_pretrained(loader, *source, self.dtype, device, trust)

    def _fixed(self) -> tuple[str, str]:
        """Tags of the one pair of a model that is told no language."""
        pair = []
        for side in ("source", "target"):
            said = getattr(self, side) or getattr(self._tokenizer, f"{side}_lang", None)
            if not said:
                raise ModelLoadError(
                    f"model {self.name}: {self.model} has no tokens for languages; "
                    f"say which pair it translates: model.source, model.target"
                )
            try:
                pair.append(languages.tag(said))
            except UsageError as error:
                raise ModelLoadError(f"model {self.name}: {error}; set model.{side}") from error
        return pair[0], pair[1]

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Translate the text of each sample; empty text stays empty and reaches no model."""
        self.load()
        texts = [own_text(sample) for sample in batch]
        pairs = [self._pair(sample) if text else None for sample, text in zip(batch, texts, strict=True)]
        outputs = [Output(text="", tokens=0)] * len(batch)
        for pair in dict.fromkeys(pairs):
            if pair is None:
                continue
            own = [index for index, other in enumerate(pairs) if other == pair]
            answers = self._translate([batch[i] for i in own], [texts[i] for i in own], pair)
            for index, output in zip(own, answers, strict=True):
                outputs[index] = output
        return outputs

    def _pair(self, sample: Sample) -> _Pair:
        if self._codes:
            # Marian's list is of targets alone.
            source = "" if self._request.startswith(">>") else self._code(sample, sample.spoken)
            return _Pair(source, self._code(sample, sample.written))
        source, target = self._fixed()
        if (sample.spoken, sample.written) != (source, target):
            raise SampleError(
                f"sample {sample.id}: {self.name} translates {source} into {target}, "
                f"not {sample.spoken} into {sample.written}"
            )
        return _Pair("", "")

    def _code(self, sample: Sample, tag: str) -> str:
        return need_code(sample, tag, self._codes, self.languages, self.name)

    @property
    def _limit(self) -> int:
        return int(getattr(self._model.config, "max_position_embeddings", None) or 1 << 30)

    def _translate(self, samples: Sequence[Sample], texts: Sequence[str], pair: _Pair) -> list[Output]:
        """Translate texts of one pair of languages."""
        torch = import_torch()
        encoded, notes = self._encode(samples, texts, pair)
        inputs = self._tokenizer.pad({"input_ids": encoded}, return_tensors="pt").to(self._model.device)
        options = {**GREEDY, "max_new_tokens": min(self.max_new_tokens, self._limit - 1), **self.generation}
        if pair.target and not self._request:
            options["forced_bos_token_id"] = self._token(pair.target)
        with torch.inference_mode():
            sequences = self._model.generate(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], **options
            )
        outputs, ends = [], end_tokens(self._model, options)
        for row, note in zip(sequences[:, 1:].tolist(), notes, strict=True):  # the first token asks for the others
            count, broken_off = counted(row, ends)
            # M2M100's tokenizer counts its languages as words.
            written = [token for token in row if token != options.get("forced_bos_token_id")]
            text = self._tokenizer.decode(written, skip_special_tokens=True).strip()
            outputs.append(Output(text=text, tokens=count, notes=(*note, *broken_off)))
        return outputs

    def _encode(
        self, samples: Sequence[Sample], texts: Sequence[str], pair: _Pair
    ) -> tuple[list[list[int]], list[tuple[str, ...]]]:
        """Tokens of each text with what tells the model the languages, and what was done to it."""
        if pair.source and not self._request:
            self._tokenizer.src_lang = pair.source
        request = self._request.format(pair.target)
        rows, notes = [], []
        for sample, text in zip(samples, texts, strict=True):
            row: list[int] = self._tokenizer(request + text)["input_ids"]
            note: tuple[str, ...] = ()
            if len(row) > self._limit:
                if self.long_text == "refuse":
                    raise SampleError(
                        f"sample {sample.id}: {len(row)} tokens, {self.name} takes {self._limit}; "
                        "cut it, or set model.long_text to truncate"
                    )
                note = (f"truncated {len(row)} tokens to {self._limit}",)
                row = self._tokenizer(request + text, truncation=True, max_length=self._limit)["input_ids"]
            if request and self._token(request.strip()) not in row:
                raise ModelLoadError(f"model {self.name}: its tokenizer splits {request.strip()}; take another version")
            rows.append(row)
            notes.append(note)
        return rows, notes

    def _token(self, code: str) -> int:
        """Id of a language's token."""
        ids: Mapping[str, int] = getattr(self._tokenizer, "lang_code_to_id", {})  # where it is spelled `__sw__`
        return int(ids[code] if code in ids else self._tokenizer.convert_tokens_to_ids(code))


def _told(tokenizer: Any) -> tuple[tuple[str, ...], str]:
    """The codes of the languages that a model can be told, and what is put before a text to ask for one.

    Nothing is put before it where the model is told through its first tokens: NLLB, M2M100, mBART.
    """
    listed = getattr(tokenizer, "lang_code_to_id", None)
    found = tuple(listed or filter(_LANGUAGE_TOKEN.fullmatch, tokenizer.all_special_tokens))
    if found:
        return found, ""
    marian = tuple(code[2:-2] for code in getattr(tokenizer, "supported_language_codes", ()))
    if marian:
        return marian, ">>{}<< "
    # A vocabulary comes in another order each time.
    asked_for = sorted(match[1] for token in tokenizer.get_vocab() if (match := _ASKED_FOR.fullmatch(token)))
    return tuple(asked_for), "<2{}> " if asked_for else ""
