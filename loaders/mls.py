"""Multilingual LibriSpeech: read audiobooks in seven languages other than English, and English from OpenSLR.

Two layouts are read: on the hub `german/test-*.parquet` with the recordings in it, and from OpenSLR 94
`mls_german/test/transcripts.txt` with `audio/SPEAKER/CHAPTER/ID.flac` (or `mls_german_opus` with .opus).

What to know of the data:
- Texts are lower-case, without punctuation and with apostrophes; a system that writes any needs a normaliser, and one
  that writes digits loses on them.
- Test and dev have few speakers; samples of one are not independent (`group["speaker"]`, `group["chapter"]`).
- English is not in the repository on the hub.

Layout: files of facebook/multilingual_librispeech, and its loading script in huggingface/datasets for OpenSLR's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from loaders.published import Published, need, recording
from loaders.recordings import present
from loaders.spoken import by_folder, by_language, check, facts, transcribed, usable
from mmbench.errors import UsageError
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmbench.schema import Sample

Task = Literal["asr"]
Split = Literal["test", "dev", "train"]

CITATION = "Pratap et al. 2020, MLS: A Large-Scale Multilingual Dataset for Speech Research"


@dataclass(kw_only=True)
class Mls:
    """A split of Multilingual LibriSpeech.

    Args:
        location: a repository on the hub, a folder with its files or with OpenSLR's, or fixture://mls.
        revision: commit on the hub.
        languages: codes of the languages, any spelling; None for all.
        split: one of `Split`.
        task: "asr".
    """

    location: str = field(default="facebook/multilingual_librispeech", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: Split = "test"
    task: Task = "asr"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("task", self.task, get_args(Task))
        check("split", self.split, get_args(Split))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Tag and files of each language."""
        patterns = (f"*/{self.split}-*.parquet", f"mls_*/{self.split}/transcripts.txt")
        folders = by_folder(self._published.find(*patterns))
        found = {name.removeprefix("mls_").removesuffix("_opus"): files for name, files in folders.items()}
        where = f"{self.location}: {' or '.join(patterns)}"
        return tuple((tag, found[code]) for code, tag in by_language(found, self.languages, where=where))

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples by language: those of OpenSLR sorted by id, those of the hub in its order."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for tag, files in self._files:
            yield from self._stored(files, tag) if files[0].endswith(".parquet") else self._listed(files[0], tag)

    def _stored(self, files: tuple[str, ...], tag: str) -> Iterator[Sample]:
        """Samples of Parquet files."""
        for row in self._published.parquet(files):
            name = str(need(row, "id", files[0]))
            text = str(need(row, "transcript", f"{files[0]}, {name}"))
            yield transcribed(name, tag, recording(row.get("audio"), f"{files[0]}, {name}"), text, group_of(name))

    def _listed(self, table: str, tag: str) -> Iterator[Sample]:
        """Samples of the files of OpenSLR."""
        home = self._published.path(table).parent
        ending = "opus" if table.split("/")[0].endswith("_opus") else "flac"
        for row in sorted(self._published.table(table, columns=("id", "text")), key=lambda row: row["id"]):
            file = "/".join(("audio", *group_of(row["id"]).values(), f"{row['id']}.{ending}"))
            if (path := present(home, file)) is None:
                raise UsageError(f"{home / file}: is not there or empty, but {table} has its text; download it again")
            yield transcribed(row["id"], tag, path, row["text"], group_of(row["id"]))

    @property
    def card(self) -> Card:
        """Identity and terms; of a folder the content hash is that of Parquet files or transcripts."""
        return Card(
            name="mls",
            revision=self._published.described,
            content=self._published.content([name for _, files in self._files for name in files]),
            languages=tuple(tag for tag, _ in self._files),
            licence="CC-BY-4.0",
            source="https://www.openslr.org/94",
            citation=CITATION,
        )


def group_of(name: str) -> dict[str, str]:
    """Speaker and chapter, which an id such as 4800_10003_000000 begins with."""
    speaker, chapter, *_ = (*name.split("_"), "", "")
    return facts(speaker=speaker, chapter=chapter)
