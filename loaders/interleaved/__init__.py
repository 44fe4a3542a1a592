"""Interleaved documents as evaluation input: mOSCAR, OBELICS, MMC4 and tar files of WebDataset.

The corpora name images by URL. They are read from a store on this machine (`mmbench.image_store`), which
`mmbench fetch-images` fills beforehand; nothing is ever fetched during evaluation.

What to know of the data, and what is done about it:

- Order is by key: node numbers of mOSCAR have gaps, and counting them off would shift images.
- An image is present, missing (its URL is dead, it was never fetched, it has changed since) or failed (it is there, but
  damaged, of another hash, too small, too long). All three are counted by language (`counts`), and `missing` says what
  is done; it is part of the fingerprint. What is in the store is part of the dataset's content hash.
- Documents without text, and those whose images are all missing, exist. They are left out and counted.
- A text may hold `<image>` or the control tokens of a chat. It is kept as it is; models' wrappers read it as text.
- No corpus has ids: a document's is a hash of its URL and nodes, and of equal documents the first one is used.
- What pages say of other pages is not known: text that follows an image need not be about it. OBELICS advises to ask
  Spawning's API which documents have been withdrawn since; its files without those known in July 2023 come first here.

Layouts: documentation of mOSCAR (oscar-project/documentation, mOSCAR.md), dataset card of OBELICS, README of MMC4.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from loaders.cache import cache_folder
from loaders.interleaved.documents import Document, Picture, identity
from loaders.interleaved.formats import ABOUT, PATTERNS, Placement, parsed, rows
from loaders.interleaved.images import Images, Limits
from loaders.interleaved.pages import Policy, Rules, usable
from loaders.interleaved.tally import Tally
from loaders.interleaved.tasks import TASKS, Options, Task
from loaders.interleaved.webdataset import documents as packed
from loaders.published import Published
from loaders.spoken import by_language, check
from mmbench.errors import UsageError
from mmbench.fetch import Wanted
from mmbench.image_store import ImageStore
from mmbench.schema import Card
from mmbench.store import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from loaders.interleaved.documents import Node, Page
    from mmbench.corpus_counts import CorpusCount
    from mmbench.schema import Sample

Format = Literal["moscar", "obelics", "mmc4", "webdataset"]
"""Layouts of corpora."""

_CODE = re.compile(r"[a-z]{2,3}[_-][A-Z][a-z]{3}")


@dataclass(kw_only=True)
class InterleavedDocuments:
    """A corpus of documents, and what is asked about them.

    Args:
        location: folder with the published files, id on the hub, or fixture://interleaved.
        revision: commit on the hub; pin it.
        format: layout; a folder of this name in the location is looked into first.
        files: which files, as a pattern such as `data/train-0000*.parquet`; None for where the corpus publishes them.
        language: of files whose path has no code such as `fra_Latn` in it.
        languages: to keep, in any spelling; None is all.
        images: folder of the store; None is `images` in the location, or for a corpus on the hub the cache.
        missing: what is done about an image that is missing or failed: one of `Policy`.
        placeholder: text for missing="placeholder"; it is read and not scored.
        placement: of an image of MMC4, before or after its sentence.
        min_side, max_aspect: images that count as failed because models cannot take them (`Limits`).
        min_images, min_texts: documents with fewer are left out.
        max_images, max_nodes: documents with more lose nodes from their end.
        share: of the documents, by a hash of their ids and the seed.
        at_most: documents of each language, the first of that share, whether or not they can be used.
        seed: of all that is chosen by chance.
        task: one of `Task`; the others are settings of theirs (`tasks.Options`).
        options, longest, shortest, before: see `tasks.Options`.
    """

    location: str = field(default="oscar-corpus/mOSCAR", compare=False)
    revision: str | None = field(default=None, compare=False)
    format: Format = "moscar"
    files: str | None = None
    language: str | None = None
    languages: Sequence[str] | None = field(default=None, compare=False)
    images: str | None = field(default=None, compare=False)
    missing: Policy = "drop_image"
    placeholder: str = "[image]"
    placement: Placement = "before"
    min_side: int = 28
    max_aspect: float = 100.0
    min_images: int = 1
    min_texts: int = 1
    max_images: int | None = None
    max_nodes: int | None = None
    share: float = 1.0
    at_most: int | None = None
    seed: int = 0
    task: Task = "bits"
    options: int = 4
    longest: int = 200
    shortest: int = 20
    before: int = 8

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        known = {"format": Format, "missing": Policy, "placement": Placement, "task": Task}
        for name, values in known.items():
            check(name, getattr(self, name), get_args(values))
        if not 0 < self.share <= 1:
            raise UsageError(f"share={self.share}: give a part of the documents, above 0 and at most 1")
        for name in ("at_most", "max_nodes"):
            if (most := getattr(self, name)) is not None and most < 1:
                raise UsageError(f"{name}={most}: give a number from 1, or leave it out for all")
        if self.options < 2:
            raise UsageError(f"options={self.options}: a choice needs two at least")
        self._published = Published(location=self.location, revision=self.revision)

    @cached_property
    def _prefix(self) -> str:
        folder = self._published.folder
        return f"{self.format}/" if folder is not None and (folder / self.format).is_dir() else ""

    @cached_property
    def _files(self) -> Mapping[str, Sequence[str]]:
        """Files by the code of their language."""
        found: dict[str, list[str]] = {}
        for name in self._published.find(*(self._prefix + each for each in self._patterns)):
            path = PurePosixPath(name.removeprefix(self._prefix))
            if path.parts[0] == "images" or path.name == "index.jsonl":
                continue  # of the store
            parts = (*path.parts[:-1], path.name.partition(".")[0])
            code = next((part for part in parts if _CODE.fullmatch(part)), self.language)
            if code is None:
                raise UsageError(f"{self.location}: {name}: no language in its path; say language=, as in eng_Latn")
            found.setdefault(code, []).append(name)
        return found

    @property
    def _patterns(self) -> Sequence[str]:
        return (self.files,) if self.files else PATTERNS[self.format]

    @cached_property
    def _codes(self) -> tuple[tuple[str, str], ...]:
        return by_language(self._files, self.languages, where=f"{self.location}: {self._patterns[0]}")

    @cached_property
    def store(self) -> ImageStore:
        """The store that images are read from."""
        if self.images is not None:
            return ImageStore(Path(self.images).expanduser())
        folder = self._published.folder
        if folder is None:
            return ImageStore(cache_folder() / "images" / self.format)
        own = folder / self._prefix / "images"
        return ImageStore(own if own.is_dir() else folder / "images")

    def validate(self) -> None:
        """Check that there are files of the languages, and a store, or raise a UsageError."""
        _ = self._codes
        if self.format != "webdataset" and self.min_images > 0 and not self.store.folder.is_dir():
            what = "there is no store of images"
            raise UsageError(f"{self.store.folder}: {what}; fill it by mmbench fetch-images, or say images=FOLDER")

    def documents(self, tally: Tally, code: str, tag: str) -> Iterator[Document]:
        """The documents of a language as they are published, without empty texts."""
        seen: set[str] = set()
        for name, url, nodes in self._raw(code):
            kept = tuple(node for node in nodes if not isinstance(node, str) or node.strip())
            name = name or identity(url, kept)
            if self._drawn(name):
                if name in seen:
                    tally.leave_out("repeated")
                    continue
                seen.add(name)
                yield Document(id=name, language=tag, nodes=kept, url=url, code=code)
                if self.at_most is not None and len(seen) >= self.at_most:
                    return

    def _raw(self, code: str) -> Iterator[tuple[str, str, list[Node]]]:
        """Id (empty where there is none), URL and nodes of each document."""
        for name in self._files[code]:
            if self.format == "webdataset":
                path = PurePosixPath(name.removeprefix(self._prefix))
                stem = path.with_name(path.name.partition(".")[0])  # with its folders: shards of two may have one name
                for key, url, nodes in packed(self._published.path(name)):
                    yield escaped(f"{stem}/{key}"), url, nodes
                continue
            for where, row in rows(self._published, name):
                yield "", *parsed(self.format, row, where, self.placement)

    def _drawn(self, name: str) -> bool:
        number = int.from_bytes(hashlib.sha256(f"{self.seed} {name}".encode()).digest()[:8])
        return number < self.share * 2**64

    def pages(self, tally: Tally, code: str, tag: str) -> Iterator[Page]:
        """The documents of a language that can be asked about, with their images."""
        images = Images(store=self.store, limits=Limits(min_side=self.min_side, max_aspect=self.max_aspect))
        rules = Rules(
            missing=self.missing,
            placeholder=self.placeholder,
            min_images=self.min_images,
            min_texts=self.min_texts,
            max_images=self.max_images,
            max_nodes=self.max_nodes,
        )
        return usable(self.documents(tally, code, tag), images, rules, tally)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples, language by language in the order of tags, documents in the order of the files."""
        settings = Options(
            seed=self.seed, options=self.options, longest=self.longest, shortest=self.shortest, before=self.before
        )
        counts: list[CorpusCount] = []
        asked = 0
        for code, tag in self._codes:
            tally = Tally(tag)
            for sample in TASKS[self.task](self.pages(tally, code, tag), settings):
                asked += 1
                yield sample
            counts.append(tally.counts)
        Tally.report(counts, self.location, asked)

    @property
    def counts(self) -> list[CorpusCount]:
        """How much of the corpus is used, by language: documents, texts, images by state; reads all of it."""
        found = []
        for code, tag in self._codes:
            tally = Tally(tag)
            for _ in self.pages(tally, code, tag):
                pass
            found.append(tally.counts)
        return found

    def wanted_images(self) -> Iterator[Wanted]:
        """The images of all documents that may be asked about, for `mmbench fetch-images`."""
        for code, tag in self._codes:
            for document in self.documents(Tally(tag), code, tag):
                for node in document.nodes:
                    if isinstance(node, Picture) and node.url:
                        yield Wanted(node.url, node.sha512 or None)

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is of the files and of what the store has."""
        licence, source, citation = ABOUT[self.format]
        names = [name for found in self._files.values() for name in found]
        content = self._published.content(names)
        if self.format != "webdataset":
            content = hashlib.sha256(f"{content} {self.store.content}".encode()).hexdigest()
        return Card(
            name=self.format,
            revision=self._published.described,
            content=content,
            languages=tuple(tag for _, tag in self._codes),
            licence=licence,
            source=source,
            citation=citation,
        )
