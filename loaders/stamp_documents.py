"""Tux Paint stamps as interleaved documents: the pictures of one folder in turn, each before its description.

Real pictures and texts in about 70 languages, without a network: what `loaders.interleaved` asks about web pages can be
asked of them. The texts are short (mostly one noun phrase), each is about the picture right before it, and the same
pictures stand in every language, so that languages compare. Stamps that a language does not describe, or describes in
English, are left out; of two stamps of a document with the same words the first one stays. A document in a language
with fewer stamps than another is shorter: compare languages where `group["stamps"]` is equal.

The layout is that of `loaders.tuxpaint`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, get_args

from loaders.interleaved.documents import Page
from loaders.interleaved.tasks import TASKS, Options, Task
from loaders.spoken import check, only
from loaders.tuxpaint import TuxPaint
from mmbench.errors import UsageError
from mmbench.media import content_hash
from mmbench.schema import Card, Image, Part, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from loaders.tuxpaint_stamps import Stamp

ENGLISH = "eng_Latn"
FEWEST = 2
"""Stamps that a document has at least."""


@dataclass(kw_only=True)
class StampDocuments:
    """The documents, and what is asked about them.

    Args:
        root: folder with `tuxpaint/stamps` and `doc`; another one where the package was unpacked by `dpkg -x`.
        languages: codes of the languages, any spelling; None is all.
        size: stamps of a document at most; a folder with more makes several.
        seed: of all that is chosen by chance.
        task: one of `loaders.interleaved.tasks.Task`.
        options, longest, shortest, before: see `loaders.interleaved.tasks.Options`.
    """

    root: str = field(default="/usr/share", compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    size: int = 6
    seed: int = 0
    task: Task = "bits"
    options: int = 4
    longest: int = 200
    shortest: int = 2
    before: int = 8

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("task", self.task, get_args(Task))
        if self.size < FEWEST:
            raise UsageError(f"size={self.size}: a document has {FEWEST} stamps at least")

    @cached_property
    def _stamps(self) -> tuple[Stamp, ...]:
        stamps, _, _ = TuxPaint(root=self.root).contents
        return tuple(stamp for stamp in stamps if stamp.image is not None)

    @cached_property
    def _all(self) -> tuple[str, ...]:
        """Languages that have a document."""
        known = sorted({language for stamp in self._stamps for language in stamp.texts})
        return tuple(language for language in known if next(self._pages(language), None) is not None)

    def validate(self) -> None:
        """Check that the package is here and has the languages, or raise a UsageError."""
        only(self.languages, self._all)

    def _pages(self, language: str) -> Iterator[Page]:
        """The documents of a language, by folder."""
        folders: dict[str, list[Stamp]] = defaultdict(list)
        for stamp in self._stamps:
            folders[stamp.name.rpartition("/")[0]].append(stamp)
        for folder, stamps in folders.items():
            # The pieces are those of all stamps, so that a document has the same pictures in every language.
            for number, start in enumerate(range(0, len(stamps), self.size)):
                kept = _described(stamps[start : start + self.size], language)
                if len(kept) >= FEWEST:
                    yield _page(f"{folder}/{number}", folder, kept, language)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples, language by language in the order of tags, sorted by folder."""
        settings = Options(
            seed=self.seed, options=self.options, longest=self.longest, shortest=self.shortest, before=self.before
        )
        for language in only(self.languages, self._all):
            yield from TASKS[self.task](self._pages(language), settings)

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is of all names, descriptions and pictures."""
        base = TuxPaint(root=self.root).card
        total = hashlib.sha256()
        for stamp in self._stamps:
            picture = "" if stamp.image is None else content_hash(Image(stamp.image))
            total.update(f"{stamp.name}\t{picture}\t{sorted(stamp.texts.items())}\n".encode())
        return Card(
            name="stamp_documents",
            revision=base.revision,
            content=total.hexdigest(),
            languages=only(self.languages, self._all),
            licence=base.licence,
            source=base.source,
            citation=base.citation,
        )


def _described(stamps: Sequence[Stamp], language: str) -> list[Stamp]:
    """Stamps with words of the language, each with words of its own."""
    kept: dict[str, Stamp] = {}
    for stamp in stamps:
        words = _plain(stamp.texts, language)
        if words and (language == ENGLISH or words != _plain(stamp.texts, ENGLISH)):
            kept.setdefault(words, stamp)
    return list(kept.values())


def _plain(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language, "").strip(" .").casefold()


def _page(name: str, folder: str, stamps: Sequence[Stamp], language: str) -> Page:
    parts: list[Part] = []
    for stamp in stamps:
        if stamp.image is not None:
            parts += [Image(stamp.image, transcript=stamp.texts.get(ENGLISH)), Text(stamp.texts[language])]
    group = {"document": name, "category": folder.partition("/")[0], "stamps": str(len(stamps))}
    return Page(id=f"{name}/{language}", language=language, parts=tuple(parts), group=group)
