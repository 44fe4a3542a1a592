"""Answers as questions to a judge: each answer of a predictions file becomes a prompt that asks what it is worth.

So judging is a run like any other: it resumes, it is locked, and the judge's raw text stays in its predictions.jsonl,
from which `mmbench score` makes the scores again without the judge. `docs/judges.md` shows how.
"""

from __future__ import annotations

import hashlib
import json
import string
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mmbench import languages
from mmbench.errors import UsageError
from mmbench.schema import Card, Sample, Text
from mmbench.score import read_records
from mmbench.task import lettered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mmbench.records import Record

_ALONE, _PAIR = ("answer",), ("first", "second")
_FIELDS = ("question", "reference", "choices", "language", "mark")
_OWN = ("failed", "pair", "order")


@dataclass(kw_only=True)
class Judgements:
    """The answers of a predictions file, ours or made elsewhere, as prompts for a judge.

    Fields of the template; an answer that lacks what the template asks for is a mistake:

    - `{answer}`: what the judged system said. Against another system instead `{first}` and `{second}`.
    - `{question}`: the transcript of the media and the text of the question; see `question`.
    - `{reference}`: the accepted answers, one a line, or the right choice. `{choices}`: the options, one a line.
    - `{language}`: English name of the language of the answer.
    - `{mark}`: eight characters made from all these texts, so that no answer can hold them. Put around an answer they
      show the judge where it ends, whatever it says; they do not keep a judge from believing what it says.

    Braces in the texts mean nothing. Each sample keeps the group fields of its answer. One whose system failed has the
    group field `failed` ("yes"; of a pair "a", "b" or "both") and an empty text in the prompt.

    Args:
        path: predictions file, see `mmbench.records`.
        template: the prompt.
        against: predictions file of another system on the same samples. Then each sample is asked twice, with the ids
            "ID#ab" (the judged system first) and "ID#ba", and the group fields `pair` (the ID) and `order`.
        question: fields that make the question, those of an answer joined by line ends: `transcript`, `question` (the
            text of the prompt without the task's own words), or group fields.
        system: which system, where `path` has several; likewise `against_system`.
        name: name of the dataset.

    Raises:
        UsageError: the template is wrong.
    """

    path: str = field(compare=False)
    template: str
    against: str | None = field(default=None, compare=False)
    question: Sequence[str] = ("transcript", "question")
    system: str | None = None
    against_system: str | None = None
    name: str = "judgements"

    def __post_init__(self) -> None:
        """Check what can be checked without the files."""
        needed = _ALONE if self.against is None else _PAIR
        try:
            parsed = list(string.Formatter().parse(self.template))
        except ValueError as error:
            raise UsageError(f"loader.template: {error}; write a literal brace as {{{{ or }}}}") from error
        found = [name for _, name, _, _ in parsed if name is not None]
        known = (*needed, *_FIELDS)
        for _, name, form, conversion in parsed:
            if name is not None and (name not in known or form or conversion):
                raise UsageError(f"loader.template: unknown field {{{name}}}; known are {', '.join(known)}")
        for name in needed:
            if found.count(name) != 1:
                raise UsageError(f"loader.template: must hold {{{name}}} once, which is where an answer goes")
        self.question = [self.question] if isinstance(self.question, str) else list(self.question)

    @cached_property
    def _samples(self) -> list[Sample]:
        answers = _answers(self.path, self.system, "system")
        if self.against is None:
            return [self._asked(record) for record in answers.values()]
        others = _answers(self.against, self.against_system, "against_system")
        for there, missing, here in ((others, self.against, answers), (answers, self.path, others)):
            lacking = sorted(here.keys() - there.keys())
            if lacking:
                raise UsageError(
                    f"{missing}: lacks {len(lacking)} of {len(here)} samples that the other file has, such as "
                    f"{lacking[0]!r}; both systems must have answered the same samples"
                )
        pairs = ((record, others[name]) for name, record in answers.items())
        return [self._asked(a, b, order) for a, b in pairs for order in ("ab", "ba")]

    def _asked(self, judged: Record, other: Record | None = None, order: str = "") -> Sample:
        sample, where = judged.sample, f"{self.path}: sample {judged.sample.id!r}"
        taken = [name for name in (_OWN[:1] if other is None else _OWN) if name in sample.group]
        if taken:
            raise UsageError(f"{where}: has a group field {taken[0]!r}, which the loader writes; give it another name")
        if other is None:
            texts, group = {"answer": _said(judged)}, {"failed": "yes"} if judged.prediction.error else {}
        else:
            if other.sample.language != sample.language:
                raise UsageError(f"{where}: is {sample.language} here and {other.sample.language} in {self.against}")
            ordered = (judged, other) if order == "ab" else (other, judged)
            texts = dict(zip(_PAIR, map(_said, ordered), strict=True))
            names = [name for name, record in (("a", judged), ("b", other)) if record.prediction.error]
            failed = {"failed": "both" if len(names) > 1 else names[0]} if names else {}
            group = {"pair": sample.id, "order": order, **failed}
        return Sample(
            id=sample.id if other is None else f"{sample.id}#{order}",
            language=sample.language,
            parts=(Text(self._filled(sample, texts, where)),),
            group={**sample.group, **group},
        )

    def _filled(self, sample: Sample, answers: Mapping[str, str], where: str) -> str:
        right = () if sample.answer is None else (sample.choices[sample.answer],)
        known = {
            **answers,
            "question": self._question(sample),
            "reference": "\n".join(sample.references or right),
            "choices": lettered(sample.choices) if "{choices}" in self.template else "",
            "language": languages.language(sample.written).name,
        }
        known["mark"] = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:8]
        text = ""
        for literal, name, _, _ in string.Formatter().parse(self.template):
            text += literal
            if name in _FIELDS and not known[name]:
                raise UsageError(
                    f"{where}: has no {name}, which loader.template asks for; "
                    + ("set loader.question to the fields that hold it" if name == "question" else "leave it out")
                )
            text += known[name] if name is not None else ""
        return text

    def _question(self, sample: Sample) -> str:
        written = "\n".join(part.text for part in sample.parts if isinstance(part, Text))
        fields = {**sample.group, "transcript": sample.transcript, "question": written}
        return "\n".join(filter(None, (fields.get(name) for name in self.question)))

    @cached_property
    def card(self) -> Card:
        """Identity of the prompts: the same answers in another order or place have the same one."""
        total = hashlib.sha256()
        for sample in sorted(self._samples, key=lambda sample: sample.id):
            row = (sample.id, sample.language, sample.group.get("failed"), [str(part) for part in sample.parts])
            total.update(json.dumps(row).encode() + b"\n")
        return Card(
            name=self.name,
            revision=f"sha256:{total.hexdigest()[:12]}",
            content=total.hexdigest(),
            languages=tuple(sorted({sample.language for sample in self._samples})),
            licence="that of the judged data",
            source="answers of models",
        )

    def validate(self) -> None:
        """Read and check the files and make all prompts; the UsageError names file, sample and how to mend it."""
        _ = self.card

    @property
    def count(self) -> int:
        """Number of prompts."""
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the prompts in the order of the file."""
        return iter(self._samples)


def _said(record: Record) -> str:
    return "" if record.prediction.output is None else record.prediction.output.text


def _answers(path: str, system: str | None, setting: str) -> dict[str, Record]:
    """Records of one system by sample id."""
    found = read_records(Path(path).expanduser(), strict=True)
    systems = sorted({name or "" for name, *_ in found})
    if system is None and len(systems) > 1:
        raise UsageError(f"{path}: holds {len(systems)} systems ({', '.join(systems[:5])}); choose: loader.{setting}=")
    chosen = [record for (made, *_), record in found.items() if system is None or made == system]
    kept = {record.sample.id: record for record in chosen}
    if len(kept) < len(chosen):
        raise UsageError(f"{path}: one sample_id stands for samples of several languages; a judge needs unique ones")
    if not kept:
        what = f"no answer of {system!r}; it has {', '.join(systems[:5])}" if found else "no rows; nothing to judge"
        raise UsageError(f"{path}: has {what}")
    return kept
