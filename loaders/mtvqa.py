"""MTVQA: questions about the text in photographs, by people, in nine languages; free answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loaders.illustrated import literal
from loaders.pictures import picture
from loaders.published import Published, need
from loaders.spoken import facts, only, usable
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LANGUAGES = ("AR", "DE", "FR", "IT", "JA", "KO", "RU", "TH", "VI")
"""The dataset's codes of its languages."""


@dataclass(kw_only=True)
class Mtvqa:
    """MTVQA: several questions for each picture, in the language of the text in it.

    - `qa_pairs` is the text of a Python list of questions and answers; an answer may be a list of accepted ones.
    - The published program takes the full stops out of the answer, not of the annotation, so that "U.S." is never
      found; `contains` writes both alike. Both find an annotation anywhere in a long answer.
    - The published "Average" is a mean over languages in the repository and a pool of questions in VLMEvalKit; the best
      system differs between the two. The mean over languages is the one to report.
    - All languages share the files: to ask one alone, all are read.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://mtvqa.
        revision: commit on the hub.
        languages: codes, any spelling; None for all.
        split: train or test.

    The layout is that of the hub repository ByteDance/MTVQA; columns as in its copies' cards, read as in lmms-eval.
    """

    location: str = field(default="ByteDance/MTVQA", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        _ = self._tags

    @cached_property
    def _tags(self) -> tuple[str, ...]:
        return only(self.languages, sorted(map(tag, LANGUAGES)))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> tuple[str, ...]:
        return self._published.find(f"data/{self.split}-*.parquet")

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions picture by picture, in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for row in self._published.parquet(self._files):
            where = f"{self._files[0]}: id {need(row, 'id', self._files[0])}"
            language = tag(str(need(row, "lang", where)))
            if language in self._tags:
                yield from _questions(row, language, where)

    def validate(self) -> None:
        """Find the files; rows are read as they are asked for."""
        _ = self._files

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="mtvqa",
            revision=self._published.described,
            content=self._published.content(self._files),
            languages=self._tags,
            licence="CC-BY-NC-4.0",
            source="https://huggingface.co/datasets/ByteDance/MTVQA",
            citation="Tang et al. 2024, MTVQA: Benchmarking Multilingual Text-Centric VQA, arXiv:2405.11985",
        )


def _questions(row: Mapping[str, Any], language: str, where: str) -> Iterator[Sample]:
    image = Image(picture(row.get("image"), where))
    for number, pair in enumerate(literal(need(row, "qa_pairs", where), where)):
        if not isinstance(pair, dict) or not str(pair.get("question") or "").strip():
            raise UsageError(f"{where}: its question {number} has no text; download it again")
        answer = need(pair, "answer", f"{where}, question {number}")
        accepted = answer if isinstance(answer, list) else [answer]
        yield Sample(
            id=f"{row['id']}-{number}/{language}",
            language=language,
            parts=(image, Text(str(pair["question"]).strip())),
            references=tuple(str(each).strip() for each in accepted),
            group=facts(image=f"{row['id']}/{language}", code=row["lang"]),
        )
