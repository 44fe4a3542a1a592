"""Tables of MMBench's format in six languages: MMMB and multilingual MMBench, pictures in base64."""

from __future__ import annotations

import logging
import string
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from loaders.illustrated import columns, right
from loaders.pictures import picture
from loaders.published import Published, stem
from loaders.spoken import by_language, check, facts, usable, warn
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

log = logging.getLogger(__name__)

Benchmark = Literal["mmmb", "mmbench"]
"""MMMB, or the development split of MMBench as it was translated."""

ROTATION = 1_000_000
"""Rows whose index is at least this are rotations of the row whose index is the rest of the division by it."""

LONGEST_INDEX = 64
"""An image of at most so many characters is the index of the row that holds it."""

_FILES = {"mmmb": "mmmb/mmmb_*.tsv", "mmbench": "mmbench/mmbench_dev_*.tsv"}
_NAMES = {"mmmb": "mmmb", "mmbench": "mmbench_multilingual"}


@dataclass(kw_only=True)
class MmbenchTsv:
    """MMMB (2,000 questions of 15 categories in each of six languages), or the development split of MMBench in them.

    - A row may give the index of another row in place of its picture.
    - MMBench's tables hold each question several times with its options rotated (CircularEval). Only the originals are
      read, so that `circular: true` in a task does not rotate what is rotated already: a question is asked once for
      each of its options, whichever rotations a table has.
    - Options such as "None" and "NA" are text. Readers of tables that take them for a missing value lose an option.
    - The code of Chinese is `cn`. The instructions of the published program are English in all languages.
    - The hint, where there is one, stands before the question.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://mmbench_tsv.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that have files.
        benchmark: one of `Benchmark`.

    The layout is that of the hub repository AIDC-AI/Parrot-dataset, read as in open-compass/VLMEvalKit.
    """

    location: str = field(default="AIDC-AI/Parrot-dataset", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    benchmark: Benchmark = "mmmb"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("benchmark", self.benchmark, get_args(Benchmark))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, tuple[str, str]]:
        """The dataset's own code and the file of each language tag."""
        pattern = _FILES[self.benchmark]
        found = {stem(name).rpartition("_")[2]: name for name in self._published.find(pattern)}
        pairs = by_language(found, self.languages, where=f"{self.location}: {pattern}")
        return {tag: (code, found[code]) for code, tag in pairs}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the originals language by language, in the order of the files.

        Raises:
            UsageError: a field or a picture is missing, or a rotation has no original.
        """
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for tag, (code, name) in self._files.items():
            images = _Images(self._published, name)
            originals, rotated, left_out = set[int](), set[int](), Counter[str]()
            for row in self._published.table(name, quoted=True):
                index = _index(row, name)
                if index >= ROTATION:
                    rotated.add(index % ROTATION)
                    left_out["rotated options, which task.circular makes anew"] += 1
                else:
                    originals.add(index)
                    yield _sample(row, tag, code, images, f"{name}: index {index}")
            if lost := rotated - originals:
                raise UsageError(f"{name}: index {min(lost)} is there with rotated options alone; download it again")
            warn(left_out, name)

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name=_NAMES[self.benchmark],
            revision=self._published.described,
            content=self._published.content([name for _, name in self._files.values()]),
            languages=tuple(self._files),
            licence="CC-BY-NC-SA-4.0",
            source="https://huggingface.co/datasets/AIDC-AI/Parrot-dataset",
            citation="Sun et al. 2025, Parrot: Multilingual Visual Instruction Tuning, arXiv:2406.02539",
        )


class _Images:
    """The pictures that originals refer to by index; the table is read twice more, once the first of them does."""

    def __init__(self, published: Published, name: str) -> None:
        self._published, self._name = published, name

    @cached_property
    def _referred(self) -> dict[str, str]:
        asked = (row for row in self._published.table(self._name, quoted=True) if _index(row, self._name) < ROTATION)
        wanted = {row["image"] for row in asked if len(row["image"]) <= LONGEST_INDEX}
        held = ((str(_index(row, self._name)), row["image"]) for row in self._published.table(self._name, quoted=True))
        return {index: image for index, image in held if index in wanted}

    def get(self, value: str, where: str) -> Image:
        """The picture of a row, its own or that of the row that it names."""
        if value and len(value) <= LONGEST_INDEX:
            found = self._referred.get(value)
            if found is None or len(found) <= LONGEST_INDEX:
                raise UsageError(f"{where}: its image is that of index {value}, which has none; download it again")
            value = found
        return Image(picture(value, where))


def _index(row: Mapping[str, str], name: str) -> int:
    if "index" not in row or "image" not in row:
        raise UsageError(f"{name}: columns index and image are needed; it has {', '.join(row)}")
    if not row["index"].isdecimal():
        raise UsageError(f"{name}: the index {row['index']!r} is no number; download it again")
    return int(row["index"])


def _sample(row: Mapping[str, str], tag: str, code: str, images: _Images, where: str) -> Sample:
    choices = columns([row[letter] for letter in string.ascii_uppercase if letter in row], where)
    texts = [text for text in (row.get("hint", ""), row.get("question", "")) if text.strip()]
    return Sample(
        id=f"{row['index']}/{tag}",
        language=tag,
        parts=(images.get(row["image"], where), Text("\n".join(texts))),
        choices=choices,
        answer=right(row.get("answer", ""), choices, where),
        group=facts(
            item=row["index"],
            code=code,
            category=row.get("category"),
            l2_category=row.get("l2-category"),
            split=row.get("split"),
        ),
    )
