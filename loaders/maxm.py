"""MaXM: open questions about the photographs of Crossmodal-3600, in seven languages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.photos import Photos
from loaders.published import Published, need
from loaders.spoken import by_language, check, facts, usable
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Answers = Literal["processed", "raw"]
"""Which answers are right: the published list of spellings that the paper scores with, or the annotators' own."""


@dataclass(kw_only=True)
class Maxm:
    """A few hundred questions each in en, fr, hi, iw, ro, th and zh; a short answer is one of several spellings.

    - The code of Hebrew is `iw`.
    - The published flag `is_collection` is the group field `collection`.
    - Answers in Hindi and Thai differ by marks above and below letters. Scorers that delete what is no letter take
      another word for the right one, and some take an empty answer for right; ours do neither.
    - Several questions are about one image: `image` is the cluster of the tasks.

    Args:
        location: folder with the files maxm_v1_LANGUAGE.json, or fixture://maxm.
        languages: codes, any spelling; None for all that have files.
        answers: one of `Answers`.
        images: folder of the images of Crossmodal-3600 (KEY.jpg), beside the files or elsewhere.

    The layout is that of the README of google-research-datasets/maxm, with the file names that gregor-ge/mBLIP reads.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    answers: Answers = "processed"
    images: str = field(default="images", compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        check("answers", self.answers, get_args(Answers))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @cached_property
    def _photos(self) -> Photos:
        return Photos(published=self._published, folder=self.images)

    @cached_property
    def _files(self) -> tuple[tuple[str, str, str], ...]:
        """The dataset's own code, tag and file of each language, in the order of the tags."""
        names = self._published.find("maxm_v1_*.json", "*/maxm_v1_*.json")
        by_code = {match[1]: name for name in names if (match := re.search(r"maxm_v1_([a-z]+)\.json$", name))}
        pairs = by_language(by_code, self.languages, where=f"{self.location}: maxm_v1_*.json")
        return tuple((code, tag, by_code[code]) for code, tag in pairs)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for code, tag, file in self._files:
            for annotation in self._annotations(file):
                image = str(need(annotation, "image_id", file))
                for row in need(annotation, "qa_pairs", f"{file}, {image}"):
                    yield self._sample(code, tag, image, row, file)

    def _annotations(self, file: str) -> Sequence[Mapping[str, Any]]:
        path = self._published.path(file)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))["annotations"]
        except (ValueError, KeyError, TypeError) as error:
            what = f"not JSON with annotations ({type(error).__name__}: {error})"
            raise UsageError(f"{path}: {what}; download it again") from None
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise UsageError(f"{path}: annotations are no list of objects; download it again")
        return found

    def _sample(self, code: str, tag: str, image: str, row: Mapping[str, Any], file: str) -> Sample:
        name = str(need(row, "question_id", f"{file}, {image}"))
        where = f"{file}, question {name}"
        column = "processed_answers" if self.answers == "processed" else "answers"
        answers = need(row, column, where)
        if not isinstance(answers, list) or not any(str(answer).strip() for answer in answers):
            raise UsageError(f"{where}: {column} has no answer; download it again")
        return Sample(
            id=f"{name}/{tag}",
            language=tag,
            parts=(
                Image(self._photos.get(f"{PurePosixPath(image).stem}.jpg", where=where)),
                Text(str(need(row, "question", where))),
            ),
            references=tuple(str(answer) for answer in answers if str(answer).strip()),
            group=facts(image=image, code=code, collection="yes" if _true(row.get("is_collection")) else "no"),
        )

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="maxm",
            revision=self._published.described,
            content=self._published.content([file for _, _, file in self._files]),
            languages=tuple(tag for _, tag, _ in self._files),
            licence="see the repository",
            source="https://github.com/google-research-datasets/maxm",
            citation="Changpinyo et al. 2023, MaXM (arXiv:2209.05401)",
        )


def _true(value: object) -> bool:
    """A boolean, which the README describes as "true" and "false"."""
    return value is True or str(value).lower() == "true"
