"""MMMU: college questions about up to seven pictures, which stand in the text and in the options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.illustrated import illustrated, literal, options, right
from loaders.pictures import picture
from loaders.published import Published, need
from loaders.spoken import check, facts, only, usable
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mmbench.schema import Part

Questions = Literal["all", "multiple-choice", "open"]
"""Which questions are asked: those with options, those with a short answer, or both."""

ENGLISH = "eng_Latn"
MARK = re.compile(r"<image\s*(\d+)>")
DISCIPLINES = {
    "Art and Design": "Art Art_Theory Design Music",
    "Business": "Accounting Economics Finance Manage Marketing",
    "Science": "Biology Chemistry Geography Math Physics",
    "Health and Medicine": (
        "Basic_Medical_Science Clinical_Medicine Diagnostics_and_Laboratory_Medicine Pharmacy Public_Health"
    ),
    "Humanities and Social Science": "History Literature Psychology Sociology",
    "Tech and Engineering": (
        "Agriculture Architecture_and_Engineering Computer_Science Electronics Energy_and_Power Materials "
        "Mechanical_Engineering"
    ),
}
"""The 30 subjects by discipline, parted by spaces."""

_DISCIPLINE = {subject: name for name, subjects in DISCIPLINES.items() for subject in subjects.split()}
_COLUMN = re.compile(r"image_(\d+)")
_CITATION = "Yue et al. 2024, MMMU: A Massive Multi-discipline Multimodal Understanding and Reasoning Benchmark"


def pictures(row: Mapping[str, Any], where: str) -> dict[str, Image]:
    """The images of a row by their number, of columns image_1, image_2 ... that hold one."""
    numbers = sorted(int(found[1]) for column in row if (found := _COLUMN.fullmatch(column)))
    held = [number for number in numbers if row[f"image_{number}"] is not None]
    return {str(number): Image(picture(row[f"image_{number}"], f"{where}, image_{number}")) for number in held}


def references(answer: str, where: str) -> tuple[str, ...]:
    """The accepted short answers: one, or several in the text of a list."""
    return tuple(map(str, literal(answer, where))) if answer.strip().startswith("[") else (answer,)


def make_sample(row: Mapping[str, Any], tag: str, where: str, *, seen: bool = False) -> Sample:
    """The sample of one row.

    Args:
        row: of the published table.
        tag: language of the row.
        where: file, for messages.
        seen: whether the question is in the picture (`vision` of MMMU-Pro).

    Raises:
        UsageError: a field or an image is missing, or the answer is withheld or none of the options.
    """
    name = str(need(row, "id", where))
    where = f"{where}: {name}"
    answer, kind = str(need(row, "answer", where)), str(row.get("question_type") or "multiple-choice")
    if answer.strip() in ("", "?"):
        raise UsageError(f"{where}: its answer is not published; use split=validation")
    choices = options(need(row, "options", where), where) if kind == "multiple-choice" else ()
    subject = str(row.get("subject") or "_".join(name.split("_")[1:-1]))
    parts: tuple[Part, ...] = (Image(picture(row.get("image"), where)),) if seen else ()
    return Sample(
        id=f"{name}/{tag}",
        language=tag,
        parts=parts or illustrated(str(need(row, "question", where)), choices, MARK, pictures(row, where), where),
        references=() if choices else references(answer, where),
        choices=choices,
        answer=right(answer, choices, where) if choices else None,
        group=facts(
            item=name,
            subject=subject,
            discipline=_DISCIPLINE.get(subject),
            subfield=row.get("subfield"),
            difficulty=row.get("topic_difficulty"),
            question_type=kind,
        ),
    )


@dataclass(kw_only=True)
class Mmmu:
    """MMMU: 11,500 questions of 30 subjects, English; of its 900 for validation 847 are multiple choice.

    - The column `options` is the text of a Python list; it is parsed, never executed.
    - Pictures are looked up by the number in their mark, in the question and in the options, never by the order of
      columns (MMMU issue #70); for those of options see `loaders.illustrated.illustrated`.
    - The answer of an open question may be several accepted ones, again the text of a list.
    - The published program picks a random option where it finds none, so that its figures depend on the order of
      questions; `conf/scorer/mmmu.yaml` has its rules without that.
    - The answers of `test` are withheld.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://mmmu.
        revision: commit on the hub.
        languages: only English is there.
        split: dev, validation or test.
        questions: one of `Questions`.
        subjects: names as in `DISCIPLINES`; None for all.

    The layout is that of the dataset cards of MMMU/MMMU and its copies, and of MMMU-Benchmark/MMMU.
    """

    location: str = field(default="MMMU/MMMU", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "validation"
    questions: Questions = "multiple-choice"
    subjects: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("questions", self.questions, get_args(Questions))
        only(self.languages, [ENGLISH])
        self.subjects = [self.subjects] if isinstance(self.subjects, str) else self.subjects
        for subject in self.subjects or ():
            check("subjects", subject, tuple(_DISCIPLINE))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> tuple[str, ...]:
        found = self._published.find(f"*/{self.split}-*.parquet")
        wanted = self.subjects or ()
        return tuple(name for name in found if not wanted or PurePosixPath(name).parts[0] in (*wanted, "data"))

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions in the order of the files, which is that of the subjects."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for name in self._files:
            for row in self._published.parquet([name]):
                kind = row.get("question_type") or "multiple-choice"
                if self.questions in ("all", kind):
                    sample = make_sample(row, ENGLISH, name)
                    if not self.subjects or sample.group["subject"] in self.subjects:
                        yield sample

    def validate(self) -> None:
        """Find the files; rows are read as they are asked for."""
        _ = self._files

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="mmmu",
            revision=self._published.described,
            content=self._published.content(self._files),
            languages=(ENGLISH,),
            licence="Apache-2.0",
            source="https://huggingface.co/datasets/MMMU/MMMU",
            citation=_CITATION,
        )
