"""A model made of models: stages rewrite parts of the sample to text, the last model answers.

`[asr, llm]`, `[asr, mt, llm]`, `[s2tt, llm]` and `[ocr, llm]` are configurations of one class; with the gold model in
a stage's place the same class is the topline that shows what the stage costs. Stages and end-to-end models are
picked from one group of configs, and every stage's words stay in `Output.steps`, where the scorers find them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmbench.errors import UsageError
from mmbench.identity import digest
from mmbench.media import content_hash
from mmbench.models.loading import load, precision
from mmbench.models.stage_cache import StageCache, key
from mmbench.schema import Audio, Generator, Image, Method, Output, Part, Sample, Step, Text
from mmbench.task import fill_template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_READS: Mapping[str, type[Any]] = {"asr": Audio, "s2tt": Audio, "ocr": Image, "caption": Image, "mt": Text}
"""The stages in the order in which they work, and the kind of part that each of them rewrites."""
_KEPT = "text and notes"
"""What the cache keeps of an answer, as a list in JSON; part of the key, so that no other form of it is read."""


class _Said(NamedTuple):
    """What the stages said of a sample, and what was done to it so that they could."""

    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Cascade:
    """Stages and the model that answers.

    Args:
        name: name of the model's folder in the results.
        llm: the model that answers, from text alone or from what the stages leave (an image, for instance).
        asr: turns audio into its transcript.
        s2tt: turns audio into English text.
        ocr: turns images into the text on them.
        caption: turns images into descriptions.
        mt: turns text (a stage's or the sample's, never the task's instruction) into `pivot`'s language.
        pivot: language that `mt` translates into.
        prompts: by stage, a template around what it is given, as in `Task.prompt`; a language model that translates
            needs one, a translation model does not.
        cache: file that keeps what the stages said; None keeps nothing.
    """

    name: str
    llm: Any
    asr: Generator | None = None
    s2tt: Generator | None = None
    ocr: Generator | None = None
    caption: Generator | None = None
    mt: Generator | None = None
    pivot: str = "eng_Latn"
    prompts: Mapping[str, str] = field(default_factory=dict)
    cache: str | None = field(default=None, compare=False)
    _cache: StageCache | None = field(default=None, init=False, repr=False, compare=False)
    _digests: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a cascade without stages, or with two for one kind of part."""
        if not self._stages:
            raise UsageError(f"model {self.name}: a cascade needs a stage: one of {', '.join(_READS)}")
        for one, other in (("asr", "s2tt"), ("ocr", "caption"), ("s2tt", "mt")):
            if one in self._stages and other in self._stages:
                raise UsageError(f"model {self.name}: {one} and {other} do the same work; keep one of them")

    @property
    def _stages(self) -> dict[str, Generator]:
        return {stage: model for stage in _READS if (model := getattr(self, stage)) is not None}

    def offers(self, method: Method) -> bool:
        """Whether the model that answers can do what a task asks for."""
        offers = getattr(self.llm, "offers", lambda method: hasattr(self.llm, method))
        return bool(offers(method))

    def load(self) -> None:
        """Load the model that answers, and open the cache; a stage is loaded when it has something to do."""
        self.llm.load()
        self._digests = {stage: digest([_KEPT, model, precision(model)]) for stage, model in self._stages.items()}
        if self.cache is not None and self._cache is None:
            self._cache = StageCache(Path(self.cache))

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Answer with text, through all stages."""
        rewritten, said = self._run(batch)
        return self._keep(self.llm.generate(rewritten), said)

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Score choices, through all stages."""
        rewritten, said = self._run(batch)
        return self._keep(self.llm.loglikelihood(rewritten), said)

    def document_loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Read documents whose images are what a stage says of them; those words are given, and not scored."""
        rewritten, said = self._run(batch, given=True)
        return self._keep(self.llm.document_loglikelihood(rewritten), said)

    def embed(self, batch: Sequence[Sample]) -> list[Output]:
        """Embed what the stages leave."""
        rewritten, said = self._run(batch)
        return self._keep(self.llm.embed(rewritten), said)

    @staticmethod
    def _keep(outputs: Sequence[Output], said: Sequence[_Said]) -> list[Output]:
        return [
            replace(output, steps=own.steps + output.steps, notes=own.notes + output.notes)
            for output, own in zip(outputs, said, strict=True)
        ]

    def _run(self, batch: Sequence[Sample], *, given: bool = False) -> tuple[list[Sample], list[_Said]]:
        """The samples with every part rewritten that a stage reads, and what the stages said."""
        if not self._digests:
            self.load()
        samples = list(batch)
        said = [_Said()] * len(batch)
        for stage, model in self._stages.items():
            pieces = [
                (index, part)
                for index, sample in enumerate(samples)
                if stage != "mt" or sample.spoken != self.pivot
                for part in readable(sample, stage)
            ]
            questions = [self._question(samples[index], part, stage) for index, part in pieces]
            answers = self._ask(stage, model, questions)
            for index, sample in enumerate(samples):
                own = {part: answer for (i, part), answer in zip(pieces, answers, strict=True) if i == index}
                texts = {part: answer.text for part, answer in own.items()}
                samples[index] = fill(sample, texts, given=given)
                said[index] = _Said(
                    said[index].steps + tuple(Step(stage, part, answer.text) for part, answer in own.items()),
                    said[index].notes + tuple(f"{stage}: {note}" for answer in own.values() for note in answer.notes),
                )
        return samples, said

    def _question(self, sample: Sample, part: int, stage: str) -> Sample:
        """One part as a sample of its own: a stage sees nothing else, least of all the references."""
        target = self.pivot if stage in ("mt", "s2tt") else None
        question = Sample(
            id=f"{sample.id}#{part}",
            language=sample.spoken,
            parts=(sample.parts[part],),
            target_language=target,
        )
        template = self.prompts.get(stage)
        return question if template is None else replace(question, parts=tuple(fill_template(template, question)))

    def _ask(self, stage: str, model: Generator, questions: Sequence[Sample]) -> list[Output]:
        if not questions:
            return []
        if self._cache is None:
            load(model)  # what fails here ends the cell, because no sample is to blame
            return model.generate(questions)
        keys = [key(self._digests[stage], "".join(map(_content, q.parts)), q.spoken, q.written) for q in questions]
        known = self._cache.get(keys)
        missing = {k: q for k, q in zip(keys, questions, strict=True) if k not in known}
        if missing:
            load(model)
            outputs = model.generate(list(missing.values()))
            fresh = {k: json.dumps([o.text, *o.notes]) for k, o in zip(missing, outputs, strict=True)}
            self._cache.put(fresh)
            known |= fresh
        kept = {k: json.loads(text) for k, text in known.items()}
        return [Output(text=kept[k][0], notes=tuple(kept[k][1:])) for k in keys]


def readable(sample: Sample, stage: str) -> list[int]:
    """Indices of the parts of a sample that a stage rewrites."""
    kind = _READS[stage]
    return [
        index
        for index, part in enumerate(sample.parts)
        if isinstance(part, kind) and not (isinstance(part, Text) and part.instruction)
    ]


def fill(sample: Sample, texts: Mapping[int, str], *, given: bool = False) -> Sample:
    """The sample with the parts at these indices replaced by text; `given` text is no part of a document's own."""
    parts: list[Part] = [
        Text(texts[i] + ("\n" if given else ""), instruction=given) if i in texts else part
        for i, part in enumerate(sample.parts)
    ]
    return replace(sample, parts=tuple(parts))


def _content(part: Part) -> str:
    """Identity of what a stage is given; the reference transcript counts, because the gold stage reads it."""
    if isinstance(part, Text):
        return hashlib.sha256(part.text.encode()).hexdigest()
    if isinstance(part, Audio | Image):
        said = f":{part.hypotheses}" if isinstance(part, Audio) and part.hypotheses else ""
        return f"{content_hash(part)}:{part.transcript}{said}"
    raise UsageError("a cascade cannot read video yet; give its frames as images and its sound as audio")
