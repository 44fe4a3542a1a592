"""CMMMU: college questions about pictures in Chinese; multiple choice, true or false, and blanks to fill in."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.illustrated import columns, illustrated, right
from loaders.pictures import picture
from loaders.published import Published, need
from loaders.spoken import check, facts, only, usable, warn
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Questions = Literal["all", "choice", "judgement", "blank"]
"""Which questions are asked: with options, true or false, with a blank, or all of them."""

CHINESE = "zho_Hans"
TYPES = {"选择": "choice", "判断": "judgement", "填空": "blank"}
"""The published types of questions."""

JUDGEMENTS = ("对", "错")
"""The choices of true or false, as the published answers have them."""

MARK = re.compile(r"""<img=["']([^"']+)["']\s*/?>""")

_FILE = re.compile(r"image_(\d+)_filename")


@dataclass(kw_only=True)
class Cmmmu:
    """CMMMU: 12,000 questions of 30 subjects in six disciplines; of its 900 for validation 590 have options.

    - A picture is marked by the name of its file, <img="12.jpg">, and looked up by it in image_1_filename and so on.
    - Questions with several right options ("ABCD") are no multiple choice: they are left out, and counted in a warning.
    - The answers of `test` are withheld.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://cmmmu.
        revision: commit on the hub.
        languages: only Chinese is there.
        split: dev, val or test.
        questions: one of `Questions`; `all` has choices for two types and a reference for the third.

    The layout is that of m-a-p/CMMMU and lmms-lab/CMMMU on the hub, as lmms-eval and other public code read them.
    """

    location: str = field(default="m-a-p/CMMMU", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "val"
    questions: Questions = "choice"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("questions", self.questions, get_args(Questions))
        only(self.languages, [CHINESE])

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> tuple[str, ...]:
        return self._published.find(f"*/{self.split}-*.parquet")

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions in the order of the files.

        Raises:
            UsageError: a field or a picture is missing, or the answers are withheld.
        """
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        left_out = Counter[str]()
        for name in self._files:
            for row in self._published.parquet([name]):
                where = f"{name}: id {need(row, 'id', name)}"
                kind = TYPES.get(str(row.get("type")))
                if kind is None:
                    raise UsageError(f"{where}: type {row.get('type')!r} is none of {', '.join(TYPES)}")
                answer = str(row.get("answer") or "").strip()
                if answer in ("", "?"):
                    raise UsageError(f"{where}: its answer is not published; use split=val")
                if self.questions not in ("all", kind):
                    continue
                if kind == "choice" and len(answer) > 1:
                    left_out["several options are right"] += 1
                else:
                    yield _sample(row, kind, answer, where)
        warn(left_out, self.location)

    def validate(self) -> None:
        """Find the files; rows are read as they are asked for."""
        _ = self._files

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="cmmmu",
            revision=self._published.described,
            content=self._published.content(self._files),
            languages=(CHINESE,),
            licence="see the dataset card",
            source="https://huggingface.co/datasets/m-a-p/CMMMU",
            citation="Zhang et al. 2024, CMMMU: A Chinese Massive Multi-discipline Multimodal Understanding Benchmark",
        )


def _sample(row: Mapping[str, Any], kind: str, answer: str, where: str) -> Sample:
    choices: tuple[str, ...] = ()
    if kind == "choice":
        given = [str(row[f"option{n}"] or "") for n in range(1, 10) if f"option{n}" in row]
        choices = columns(given, where, empty=("", "-"))
    elif kind == "judgement":
        choices = JUDGEMENTS
    if kind == "judgement" and answer not in JUDGEMENTS:
        raise UsageError(f"{where}: the answer {answer[:20]!r} is none of {', '.join(JUDGEMENTS)}; download it again")
    marked = () if kind == "judgement" else choices
    return Sample(
        id=f"{row['id']}/{CHINESE}",
        language=CHINESE,
        parts=illustrated(str(need(row, "question", where)), marked, MARK, _pictures(row, where), where),
        references=() if choices else (answer,),
        choices=choices,
        answer=JUDGEMENTS.index(answer) if kind == "judgement" else right(answer, choices, where) if choices else None,
        group=facts(
            question_type=kind,
            discipline=row.get("category"),
            subject=row.get("subcategory"),
            difficulty=row.get("difficulty_level"),
        ),
    )


def _pictures(row: Mapping[str, Any], where: str) -> dict[str, Image]:
    """The images of a row by the names of their files."""
    numbers = sorted(int(found[1]) for column in row if (found := _FILE.fullmatch(column)))
    held = [n for n in numbers if row.get(f"image_{n}") is not None and row[f"image_{n}_filename"]]
    return {str(row[f"image_{n}_filename"]): Image(picture(row[f"image_{n}"], f"{where}, image_{n}")) for n in held}
