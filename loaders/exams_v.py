"""EXAMS-V: school exams whose questions, options included, are in the picture; eleven languages and two more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.pictures import picture
from loaders.published import Published, need
from loaders.spoken import check, facts, only, usable, warn
from mmbench.languages import tag
from mmbench.schema import Card, Image, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Kind = Literal["all", "text", "image_text"]
"""Whether the picture shows text alone, or figures, maps and tables as well; `all` asks both."""

LANGUAGES = (
    "Arabic",
    "Bulgarian",
    "Chinese",
    "Croatian",
    "English",
    "French",
    "German",
    "Hungarian",
    "Italian",
    "Polish",
    "Serbian",
    "Slovakian",
    "Spanish",
)
"""Names of the languages; Slovakian and Spanish came after the paper. Releases differ in which of them a split has."""

CHOICES = ("A", "B", "C", "D", "E")
"""The options are in the picture, so that what is chosen from are their letters."""


@dataclass(kw_only=True)
class ExamsV:
    """EXAMS-V: 20,932 questions as pictures, which have to be read in their own language and script.

    - Keys are A to E whatever letters the picture has (Cyrillic, Arabic), so that prompts ask for the place of an
      option; an answer in a letter of another script is read as that place.
    - How many options a question has is not published: five letters are offered, of which most questions use four.
    - The languages are of very different size (439 questions are French, 3,969 Croatian), so that the pool and the mean
      over languages differ by several points; compare means.
    - A question whose key is no letter from A to E is left out, and counted in a warning.
    - All languages share the files: to ask one alone, all are read.
    - Croatian was published as "Croation" at first.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://exams_v.
        revision: commit on the hub.
        languages: codes, any spelling; None for all.
        split: train, validation or test.
        kind: one of `Kind`.

    The layout is that of the hub repository Rocktim/EXAMS-V, as HELM's scenario reads it.
    """

    location: str = field(default="Rocktim/EXAMS-V", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    kind: Kind = "all"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("kind", self.kind, get_args(Kind))
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
        """Yield the questions in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        left_out = Counter[str]()
        for row in self._published.parquet(self._files):
            where = f"{self._files[0]}: sample_id {row.get('sample_id')}"
            language = tag(str(need(row, "language", where)))
            if language not in self._tags or self.kind not in ("all", row.get("type")):
                continue
            key = str(need(row, "answer_key", where)).strip().upper()
            if key in CHOICES:
                yield _sample(row, language, key, where)
            else:
                left_out[f"the key is no letter from {CHOICES[0]} to {CHOICES[-1]}"] += 1
        warn(left_out, self.location)

    def validate(self) -> None:
        """Find the files; rows are read as they are asked for."""
        _ = self._files

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="exams_v",
            revision=self._published.described,
            content=self._published.content(self._files),
            languages=self._tags,
            licence="see the dataset card",
            source="https://huggingface.co/datasets/Rocktim/EXAMS-V",
            citation="Das et al. 2024, EXAMS-V: A Multi-Discipline Multilingual Multimodal Exam Benchmark",
        )


def _sample(row: Mapping[str, Any], language: str, key: str, where: str) -> Sample:
    return Sample(
        id=f"{need(row, 'sample_id', where)}/{language}",
        language=language,
        parts=(Image(picture(row.get("image"), where)),),
        choices=CHOICES,
        answer=CHOICES.index(key),
        group=facts(
            type=row.get("type"),
            subject=row.get("subject"),
            subject_group=row.get("subject_grouped"),
            grade=row.get("grade"),
        ),
    )
