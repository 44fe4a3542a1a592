"""SEED-Bench-2: multiple choice about single pictures, several, frames of videos, and interleaved documents."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.pictures import interleaved
from loaders.published import Published, need
from loaders.recordings import present
from loaders.spoken import check, only
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Part, Sample, Text, Video

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

Level = Literal["L1", "L2", "L3"]
"""Images in fixed places and text, images anywhere among text, and images as output."""

ENGLISH = "eng_Latn"
FILE = "SEED-Bench_v2_level1_2_3.json"
CC3M, V2 = "cc3m", "SEED-Bench v2"

DIMENSIONS = (
    "Scene Understanding",
    "Instance Identity",
    "Instance Attributes",
    "Instance Location",
    "Instances Counting",
    "Spatial Relation",
    "Instance Interaction",
    "Visual Reasoning",
    "Text Understanding",
    "Celebrity Recognition",
    "Landmark Recognition",
    "Chart Understanding",
    "Visual Referring Expression",
    "Science Knowledge",
    "Emotion Recognition",
    "Visual Mathematics",
    "Difference Spotting",
    "Meme Comprehension",
    "Global Video Understanding",
    "Action Recognition",
    "Action Prediction",
    "Procedure Understanding",
    "In-Context Captioning",
    "Interleaved Image-Text Analysis",
    "Text-to-Image Generation",
    "Next Image Prediction",
    "Text-Image Creation",
)
"""Names of the dimensions; the first is number 1."""

PARTS = {
    "single_image": range(1, 17),
    "multiple_images": range(17, 19),
    "video": range(19, 23),
    "interleaved": range(23, 25),
}
"""Dimensions of each part that is scored; those above 24 choose between images that a model would have to make."""

_SCORED = range(1, 25)
_VIDEOS = (".avi", ".mkv", ".mov", ".mp4", ".webm")
_MARK, _NUMBERED = re.compile("<img>"), re.compile(r"<img (\d+)>")


@dataclass(kw_only=True)
class SeedBench2:
    """The questions of SEED-Bench_v2_level1_2_3.json with the pictures of its archives, unpacked.

    Choices are the texts of the options and the answer is one of them; the benchmark ranks their likelihoods, divided
    by their numbers of tokens. Pictures come first and in the order of `data_id`, or where the question says `<img>`.

    - Dimensions 25 to 27 choose between images as output: they are left out, and one warning counts them.
    - Keys have stray spaces ("A "), which are taken off.
    - Some options of a question are the same text: they are kept, and one of them is wrong.
    - The n-th `<img>`, counted through the question and then its options, is the n-th `data_id`; the benchmark's own
      interface for Qwen-VL takes the one before. A picture in an option is shown after the question, by a number.
    - Parts are told by the dimension, not by looking for `subpart` within a text, as eval.py does.
    - A video is the eight frames that are published. Where `data_id` names a video file it is a video, whole.
    - Files of SEED-Bench-1 have other dimensions under the same numbers; they are refused, as they say no level.

    Args:
        location: folder with the JSON file and the unpacked archives, or fixture://seed_bench_2.
        cc3m: folder below it of cc3m-image.zip; pictures directly in `location` are found as well.
        images: the same of SEED-Bench-2-image.zip.
        languages: English is the only one.
        parts: of `PARTS`; None for all.
        dimensions: numbers from 1 to 24; None for all.
        levels: of `Level`; None for all.
        up_to: this level and those below, as eval.py understands its level: L2 is L1 and L2.

    The layout is that of DATASET.md and SEED-Bench-2/eval.py in AILab-CVC/SEED-Bench.
    """

    location: str = field(default="AILab-CVC/SEED-Bench-2", compare=False)
    cc3m: str = field(default="cc3m-image", compare=False)
    images: str = field(default="SEED-Bench-2-image", compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    parts: Sequence[str] | None = None
    dimensions: Sequence[int] | None = None
    levels: Sequence[Level] | None = None
    up_to: Level | None = None

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        only(self.languages, (ENGLISH,))
        for name, known in (("parts", tuple(PARTS)), ("levels", get_args(Level))):
            if isinstance(getattr(self, name), str):
                raise UsageError(f"{name}={getattr(self, name)!r}: write a list, as in {name}=[{known[0]}]")
            for value in getattr(self, name) or ():
                check(name, value, known)
        if self.up_to is not None:
            check("up_to", self.up_to, get_args(Level))
        if self.up_to is not None and self.levels is not None:
            raise UsageError(f"up_to={self.up_to} and levels: give one of the two")
        for number in self.dimensions or ():
            if number not in _SCORED:
                raise UsageError(f"dimensions: {number!r} is none of 1 to 24; 25 to 27 have images as output")

    @cached_property
    def _folder(self) -> Path:
        folder = Published(location=self.location).folder
        if folder is None:
            raise UsageError(
                f"location={self.location}: the pictures are in archives of several volumes; download and unpack them "
                "and give the folder with them"
            )
        return folder

    @cached_property
    def _published(self) -> Published:
        return Published(location=str(self._folder))

    @cached_property
    def _file(self) -> str:
        return self._published.find(FILE, "SEED-Bench_v2*.json")[0]

    @cached_property
    def _rows(self) -> list[Mapping[str, Any]]:
        """What is asked for, in the order of the file; what cannot be scored is counted in a warning."""
        rows: list[Mapping[str, Any]] = []
        left_out, seen = Counter[int](), set[str]()
        for index, row in enumerate(_questions(self._published.path(self._file)), 1):
            name = str(need(row, "question_id", f"{self._file}, question {index}"))
            if name in seen:
                raise UsageError(f"{self._file}: question_id {name} is there twice; download it again")
            seen.add(name)
            if not self._levelled(row, name):
                continue
            number = _dimension(row, name)
            if number not in _SCORED:
                left_out[number] += self.parts is None and self.dimensions is None
            elif self._chosen(number):
                rows.append(row)
        if left_out.total():
            counts = ", ".join(f"{n} {DIMENSIONS[n - 1]} {left_out[n]}" for n in sorted(left_out))
            log.warning("%s: unsupported, not scored, for they have images as output: %s", self._file, counts)
        return rows

    def _levelled(self, row: Mapping[str, Any], name: str) -> bool:
        level = str(need(row, "level", name)).strip()
        check(f"{name}: level", level, get_args(Level))
        return (self.up_to is None or level <= self.up_to) and (self.levels is None or level in self.levels)

    def _chosen(self, number: int) -> bool:
        return (self.dimensions is None or number in self.dimensions) and (
            self.parts is None or part_of(number) in self.parts
        )

    def validate(self) -> None:
        """Read the questions, not the pictures.

        Raises:
            UsageError: the file is missing or not as published.
        """
        _ = self._rows

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples in the order of the file."""
        return map(self._sample, self._rows)

    def _sample(self, row: Mapping[str, Any]) -> Sample:
        name = str(row["question_id"])
        number = _dimension(row, name)
        texts = [str(need(row, f"choice_{letter}", name)) for letter in "abcd"]
        answer = str(need(row, "answer", name)).strip()
        if answer not in ("A", "B", "C", "D"):
            raise UsageError(f"{name}: answer {row['answer']!r} is none of A to D; download it again")
        source = str(need(row, "data_source", name))
        parts, choices = asked(str(need(row, "question", name)), texts, self._media(row, name, source), name)
        return Sample(
            id=f"{name}/{ENGLISH}",
            language=ENGLISH,
            parts=parts,
            choices=choices,
            answer="ABCD".index(answer),
            group={
                "dimension": str(number),
                "dimension_name": DIMENSIONS[number - 1],
                "part": part_of(number),
                "level": str(row["level"]).strip(),
                "source": source,
            },
        )

    def _media(self, row: Mapping[str, Any], name: str, source: str) -> list[Image | Video]:
        """Pictures, frames or the video of a question, undecoded, in the order of `data_id`."""
        check(f"{name}: data_source", source, (CC3M, V2))
        given = need(row, "data_id", name)
        below = self.cc3m if source == CC3M else self.images
        found: list[Image | Video] = []
        for file in [given] if isinstance(given, str) else given:
            if (path := present(self._folder, f"{below}/{file}", str(file))) is None:
                raise UsageError(f"{name}: no {file} in {self._folder / below} or beside it, or it is empty; unpack it")
            found.append(Video(path) if path.suffix.lower() in _VIDEOS else Image(path))
        if row.get("segment") is not None and any(isinstance(part, Video) for part in found):
            raise UsageError(f"{name}: a segment of a video file, in seconds or frames; cut it out, or give its frames")
        return found

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self._rows)

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is that of the questions."""
        return Card(
            name="seed_bench_2",
            revision=self._published.described,
            content=self._published.content([self._file]),
            languages=(ENGLISH,),
            licence="Apache-2.0; pictures under the licences of their sources, see README.md of the repository",
            source="https://github.com/AILab-CVC/SEED-Bench",
            citation="Li et al. 2023, SEED-Bench-2: Benchmarking Multimodal Large Language Models (arXiv:2311.17092)",
        )


def part_of(dimension: int) -> str:
    """The part that a dimension from 1 to 24 belongs to."""
    return next(part for part, numbers in PARTS.items() if dimension in numbers)


def asked(
    question: str, choices: Sequence[str], media: Sequence[Image | Video], where: str
) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The parts of a question and its choices, with pictures where it says `<img>`, else before the question.

    A choice is text: its pictures stand after the question as "[image 4]", and so they are named in the choice.

    Raises:
        UsageError: there are marks, but not as many as pictures.
    """
    marks = sum(len(_MARK.findall(text)) for text in (question, *choices))
    if marks == 0:
        return (*media, Text(question)), tuple(choices)
    if marks != len(media) or any(isinstance(part, Video) for part in media):
        raise UsageError(f"{where}: {marks} <img> for {len(media)} pictures (data_id); download it again")
    numbers = count(1)
    images = {str(number): part for number, part in enumerate(media, 1) if isinstance(part, Image)}
    text = _MARK.sub(lambda _: f"<img {next(numbers)}>", question)
    named = tuple(_MARK.sub(lambda _: f"[image {next(numbers)}]", choice) for choice in choices)
    shown = "".join(f"\n[image {n}] <img {n}>" for n in range(len(_MARK.findall(question)) + 1, marks + 1))
    return interleaved(text + shown, _NUMBERED, images, where), named


def _dimension(row: Mapping[str, Any], name: str) -> int:
    number = need(row, "question_type_id", name)
    if number not in range(1, len(DIMENSIONS) + 1):
        raise UsageError(f"{name}: question_type_id {number!r} is none of 1 to {len(DIMENSIONS)}; download it again")
    return int(number)


def _questions(path: Path) -> list[dict[str, Any]]:
    """The rows of the file, which is an object with a list of questions, or that list."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({error}); download it again") from None
    rows = data.get("questions") if isinstance(data, dict) else data
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{path}: has no list of questions; SEED-Bench_v2_level1_2_3.json is needed")
    return rows
