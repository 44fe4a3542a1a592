"""What the datasets of IGLUE share: where the repository keeps their annotations, and how rows become samples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loaders.photos import Photos
from loaders.published import Published
from loaders.spoken import by_language, facts
from mmbench.errors import UsageError
from mmbench.schema import ITEM, Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CITATION = "Bugliarello et al. 2022, IGLUE (arXiv:2201.11732)"
SOURCE = "https://github.com/e-bug/iglue"


@dataclass(kw_only=True)
class Annotations:
    """The annotation files of one dataset; `location` is its folder, that of all datasets, or the whole repository.

    Args:
        location: the folder, or fixture://NAME.
        dataset: name of the dataset's folder in the repository.
        pattern: of the files below that folder; one `*` stands for the code of the language.
        languages: codes, any spelling; None for all that have a file.
        images: folder of the images, beside the annotations or elsewhere.
    """

    location: str
    dataset: str
    pattern: str
    languages: Sequence[str] | None
    images: str

    @cached_property
    def published(self) -> Published:
        """The files."""
        return Published(location=self.location)

    @cached_property
    def _found(self) -> tuple[str, tuple[str, ...]]:
        """Where the dataset's folder is, as a beginning of names, and the names of its annotation files."""
        for start in ("", f"{self.dataset}/", f"datasets/{self.dataset}/"):
            if names := self.published.glob(start + self.pattern):
                return start, names
        return "", self.published.find(self.pattern)

    @cached_property
    def files(self) -> tuple[tuple[str, str, str], ...]:
        """Tag, the dataset's own code and file of each language, in the order of the tags.

        Raises:
            UsageError: there are none, or none of a language that is asked for.
        """
        start, names = self._found
        before, _, after = (re.escape(part) for part in (start + self.pattern).partition("*"))
        found = {match[1]: name for name in names if (match := re.fullmatch(f"{before}([a-z]+){after}", name))}
        where = f"{self.location}: {self.pattern}"
        return tuple((tag, code, found[code]) for code, tag in by_language(found, self.languages, where=where))

    @cached_property
    def _photos(self) -> Photos:
        return Photos(published=self.published, folder=self.images, beside=self._found[0])

    def image(self, name: str, *, where: str) -> Image:
        """An image by its file name, not decoded.

        Raises:
            UsageError: it is missing or empty.
        """
        return Image(self.path(name, where=where))

    def path(self, name: str, *, where: str) -> Path:
        """File of an image.

        Raises:
            UsageError: it is missing or empty.
        """
        return self._photos.get(name, where=where)

    def card(self, name: str, *, licence: str, citation: str) -> Card:
        """Identity and terms."""
        return Card(
            name=name,
            revision=self.published.described,
            content=self.published.content([file for _, _, file in self.files]),
            languages=tuple(tag for tag, _, _ in self.files),
            licence=licence,
            source=SOURCE,
            citation=f"{citation}; {CITATION}",
        )


def text_of(row: Mapping[str, Any], column: str, where: str) -> str:
    """A field of text, which may be empty.

    Raises:
        UsageError: there is none.
    """
    if not isinstance(row.get(column), str):
        raise UsageError(f"{where}: has no text {column}; it has {', '.join(map(str, row))}")
    return str(row[column])


def pair(name: str, tag: str, caption: str, image: Image, item: str, **group: object) -> Sample:
    """A pair for retrieval: the caption asks, the image is its other side; the pool is that of the language.

    Args:
        name: of the pair; the id is `name/tag`.
        tag: language of the caption.
        caption: the text.
        image: what it says something of.
        item: name of the image, the same for all its captions.
        group: further fields to report by.
    """
    return Sample(
        id=f"{name}/{tag}",
        language=tag,
        parts=(Text(caption),),
        references=(caption,),
        variants={ITEM: (image,)},
        group=facts(image=item, **group),
    )
