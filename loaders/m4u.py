"""M4U: university questions about pictures from science, engineering and healthcare; English, Chinese and German."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loaders.illustrated import illustrated, options, right
from loaders.pictures import picture
from loaders.published import Published, need, stem
from loaders.spoken import by_language, check, facts, usable
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FIELDS = ("engineering", "healthcare", "science")
"""The fields, in the order in which their questions come."""

MARK = re.compile(r"<image_(\d+)>")


@dataclass(kw_only=True)
class M4u:
    """M4U: the same 2,977 questions in each language, of 64 disciplines; 2 to 6 options.

    - `options` is the text of a Python list. The published program goes through its characters where it looks for the
      content of options, so that its results file and its leaderboard differ.
    - Questions have no id: a question is known by its field and its row, which are the same in all languages (in the
      published answers of GPT-4o the right letters agree in 2,975 of 2,977 rows, all kinds of images and flags do).
    - `<image_2>` is the second of `image_files`; in 220 questions the options are pictures
      (`loaders.illustrated.illustrated`).
    - `cross_lingual` says that the picture itself holds what has to be read, in whatever language it is.
    - Published means are over the three fields: compare by the group field `field`.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://m4u.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that have files.
        fields: some of `FIELDS`; None for all.

    The layout is that of the README and of the programs in M4U-Benchmark/M4U, and of the hub repository of that name.
    """

    location: str = field(default="M4U-Benchmark/M4U", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    fields: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        self.fields = [self.fields] if isinstance(self.fields, str) else self.fields
        for name in self.fields or ():
            check("fields", name, FIELDS)

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, dict[str, list[str]]]:
        """Files by language tag and field: science_en-00000-of-00001.parquet."""
        found: dict[str, dict[str, list[str]]] = {}
        for name in self._published.find("data/*_*-*.parquet"):
            split, _, code = stem(name).split("-")[0].rpartition("_")
            if split in (self.fields or FIELDS):
                found.setdefault(code, {}).setdefault(split, []).append(name)
        pairs = by_language(found, self.languages, where=f"{self.location}: data/FIELD_LANGUAGE-*.parquet")
        return {tag: found[code] for code, tag in pairs}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions language by language, field by field."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for tag, fields in self._files.items():
            for split, names in sorted(fields.items()):
                for number, row in enumerate(self._published.parquet(names)):
                    yield _sample(row, tag, f"{split}-{number:05d}", f"{names[0]}: row {number}")

    def validate(self) -> None:
        """Find the files; rows are read as they are asked for."""
        _ = self._files

    @property
    def card(self) -> Card:
        """Identity and terms."""
        names = [name for fields in self._files.values() for files in fields.values() for name in files]
        return Card(
            name="m4u",
            revision=self._published.described,
            content=self._published.content(names),
            languages=tuple(self._files),
            licence="MIT",
            source="https://huggingface.co/datasets/M4U-Benchmark/M4U",
            citation="Wang et al. 2024, M4U: Evaluating Multilingual Understanding and Reasoning, arXiv:2405.15638",
        )


def _sample(row: Mapping[str, Any], tag: str, item: str, where: str) -> Sample:
    choices = options(need(row, "options", where), where)
    answer = right(need(row, "answer", where), choices, where)
    if (index := row.get("answer_index")) is not None and int(index) != answer:
        raise UsageError(f"{where}: answer {row['answer']} is not answer_index {index}; download it again")
    files = enumerate(row.get("image_files") or (), 1)
    images = {str(n): Image(picture(value, f"{where}, image {n}")) for n, value in files}
    kinds = row.get("image_type") or ()
    return Sample(
        id=f"{item}/{tag}",
        language=tag,
        parts=illustrated(str(need(row, "question", where)), choices, MARK, images, where),
        choices=choices,
        answer=answer,
        group=facts(
            item=item,
            field=row.get("field") or item.rpartition("-")[0],
            subfield=row.get("subfield"),
            discipline=row.get("discipline"),
            cross_lingual=None if (flag := row.get("cross_lingual")) is None else ("yes" if flag else "no"),
            image_type=kinds if isinstance(kinds, str) else ", ".join(kinds),
        ),
    )
