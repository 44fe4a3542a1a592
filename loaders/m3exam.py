"""M3Exam: official school exams of nine languages, with pictures anywhere in a question."""

# ruff: noqa: RUF001 (letters of many scripts look like those of another)

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.illustrated import illustrated, keys
from loaders.published import Published, need, stem
from loaders.spoken import by_language, check, facts, usable, warn
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Images = Literal["only", "none", "all"]
"""Which questions are asked: those that need pictures, those of text alone, or both."""

MARK = re.compile(r"(?:\(image\)\s*)?\[(image-[\w.-]+\.(?:jpe?g|png|gif))\]", re.IGNORECASE)
"""Where a picture stands; its key is the name of the file."""

# "1.5" is a number, not the first option.
_LABEL = re.compile(r"\s*[(（]?\s*(\w)(?:\s*[)）]|[.．、:：](?!(?<=\d.)\d))\s*")
_FILES = {"only": ("multimodal-question*/*-questions-image.json",), "none": ("text-question*/*-questions-{}.json",)}


@dataclass(kw_only=True)
class M3exam:
    """M3Exam: 12,317 questions for the ends of primary, middle and high school; about 23 % need pictures.

    - A picture is marked by the name of its file, (image)[image-12.jpg], in background, question and options, and is
      looked up by that name. A missing one is an error, never a question without it.
    - Options carry their letters or numbers, "(1) ...", "A. ...", which are taken off; `answer_text` is one of them.
      Where it is none of them, or options have none, the question is left out and counted in a warning.
    - The published scorer compares the first character of an answer, so that "The answer is 2" is wrong.
    - Questions with pictures have no split of their own: `split` is about those of text alone.
    - Questions have no id: one is known by file and row.

    Args:
        location: the unpacked folder of the published archive, with multimodal-questions in it or in data/ in it, or
            fixture://m3exam.
        revision: commit, if a copy is on the hub.
        languages: codes, any spelling; None for all that have files.
        images: one of `Images`.
        split: of the questions of text alone, dev or test.

    The layout is that of the README and of main.py in DAMO-NLP-SG/M3Exam; marks are as the dataset card of
    floschne/multimodal-m3exam shows them.
    """

    location: str = field(default="m3exam", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    images: Images = "only"
    split: str = "test"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("images", self.images, get_args(Images))
        check("split", self.split, ("dev", "test"))
        if self.split == "dev" and self.images != "none":
            raise UsageError(f"split=dev: questions with pictures have none; with images={self.images} take split=test")

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, list[tuple[str, str]]]:
        """Kind and name of the files by language tag."""
        kinds = ("only", "none") if self.images == "all" else (self.images,)
        found: dict[str, list[tuple[str, str]]] = {}
        for kind in kinds:
            (pattern,) = (each.format(self.split) for each in _FILES[kind])
            for name in self._published.find(pattern, f"data/{pattern}"):
                found.setdefault(stem(name).split("-")[0], []).append((kind, name))
        pairs = by_language(found, self.languages, where=f"{self.location}: LANGUAGE-questions-*.json")
        return {tag: found[code] for code, tag in pairs}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions language by language, those with pictures first.

        Raises:
            UsageError: a field or a picture is missing.
        """
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        left_out = Counter[str]()
        for tag, files in self._files.items():
            for kind, name in files:
                item = "image" if kind == "only" else self.split
                for number, row in enumerate(self._published.lines(name)):
                    sample = self._sample(row, tag, f"{item}-{number:05d}", name, f"{name}: question {number}")
                    if sample is None:
                        left_out["no option is the answer"] += 1
                    else:
                        yield sample
        warn(left_out, self.location)

    def _sample(self, row: Mapping[str, Any], tag: str, item: str, name: str, where: str) -> Sample | None:
        options = [str(option) for option in need(row, "options", where)]
        choices, answer = answered(options, str(need(row, "answer_text", where)))
        if answer is None:
            return None
        background = row.get("background_description") or ()
        texts = [background] if isinstance(background, str) else [str(text) for text in background]
        question = "\n".join([*texts, str(need(row, "question_text", where))]).strip()
        images = {key: self._image(key, name, where) for key in keys([question, *choices], MARK)}
        return Sample(
            id=f"{item}/{tag}",
            language=tag,
            parts=illustrated(question, choices, MARK, images, where),
            choices=choices,
            answer=answer,
            group=facts(
                level=row.get("level"),
                subject=row.get("subject"),
                subject_category=row.get("subject_category"),
                year=row.get("year"),
                need_image=row.get("need_image"),
            ),
        )

    def _image(self, key: str, name: str, where: str) -> Image:
        """A picture beside the questions: images-LANGUAGE/image-12.jpg, or iamges-LANGUAGE as the README has it."""
        folder, code = PurePosixPath(name).parent, stem(name).split("-")[0]
        if found := self._published.glob(*(f"{folder}/{start}-{code}/{key}" for start in ("images", "iamges"))):
            return Image(self._published.path(found[0]))
        raise UsageError(f"{where}: {key} is not in {folder}/images-{code}; unpack the published archive again")

    def validate(self) -> None:
        """Find the files; questions are read as they are asked for."""
        _ = self._files

    @property
    def card(self) -> Card:
        """Identity and terms; the content is of the questions, which name the pictures."""
        return Card(
            name="m3exam",
            revision=self._published.described,
            content=self._published.content([name for files in self._files.values() for _, name in files]),
            languages=tuple(self._files),
            licence="CC-BY-NC-SA-4.0, as SEACrowd has it; see the repository",
            source="https://github.com/DAMO-NLP-SG/M3Exam",
            citation="Zhang et al. 2023, M3Exam: A Multilingual, Multimodal, Multilevel Benchmark, arXiv:2306.05179",
        )


def answered(options: Sequence[str], answer: str) -> tuple[tuple[str, ...], int | None]:
    """Options without their letters, and the index of the one that has the letter `answer`; None where none has.

    Letters count only where each option has one of its own.
    """
    found = [_LABEL.match(option) for option in options]
    labels = [match[1].upper() for match in found if match]
    if len(set(labels)) < len(options) or (given := answer.strip().strip("()").rstrip(").").upper()) not in labels:
        return tuple(options), None
    bare = tuple(option[match.end() :].strip() for option, match in zip(options, found, strict=True) if match)
    return bare, labels.index(given)
