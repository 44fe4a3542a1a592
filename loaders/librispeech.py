"""LibriSpeech: read English audiobooks, in a clean and a harder part.

Two layouts are read: on the hub `all/test.clean/*.parquet` with the recordings in it, and from OpenSLR 12
`test-clean/SPEAKER/CHAPTER/*.flac` with `*.trans.txt` beside them, below `LibriSpeech` or not, or `test-clean.tar.gz`.

What to know of the data:
- Texts are upper-case without punctuation, numbers and titles as words (MISTER); a normaliser has to fold case.
- Clean and other are two benchmarks with one name; a split here is always one of them.
- Systems are often trained on it: `train` has 960 hours.

Layout: files of openslr/librispeech_asr, and OpenSLR's archives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from loaders.published import Published, need, recording
from loaders.recordings import present
from loaders.spoken import by_language, check, facts, transcribed, usable
from mmbench.errors import UsageError
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mmbench.schema import Sample

Task = Literal["asr"]
Split = Literal["test.clean", "test.other", "validation.clean", "validation.other"]

ENGLISH = "eng_Latn"
CITATION = "Panayotov et al. 2015, Librispeech: an ASR corpus based on public domain audio books"


@dataclass(kw_only=True)
class LibriSpeech:
    """A split of LibriSpeech.

    Args:
        location: a repository on the hub, a folder with its files or with OpenSLR's, or fixture://librispeech.
        revision: commit on the hub.
        languages: None or English.
        split: one of `Split`; OpenSLR's `dev` is `validation`.
        task: "asr".
    """

    location: str = field(default="openslr/librispeech_asr", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: Split = "test.clean"
    task: Task = "asr"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("task", self.task, get_args(Task))
        check("split", self.split, get_args(Split))
        by_language(["en"], self.languages, where="LibriSpeech")

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _openslr(self) -> tuple[str, ...]:
        """The names that the split can have as OpenSLR has it, a folder or an archive."""
        name = self.split.replace("validation", "dev").replace(".", "-")
        return tuple(f"{root}{name}{end}" for end in ("", ".tar.gz") for root in ("", "LibriSpeech/"))

    @cached_property
    def _files(self) -> tuple[str, ...]:
        """Parquet files, else the one folder or archive."""
        return self._published.find(f"all/{self.split}/*.parquet", *self._openslr)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples: those of OpenSLR sorted by chapter and id, those of the hub in its order."""
        return usable(self._stored() if self._files[0].endswith(".parquet") else self._listed(), self.location)

    def _stored(self) -> Iterator[Sample]:
        """Samples of Parquet files."""
        for row in self._published.parquet(self._files):
            name = str(need(row, "id", self._files[0]))
            text = str(need(row, "text", f"{self._files[0]}, {name}"))
            audio = recording(row.get("audio"), f"{self._files[0]}, {name}")
            yield transcribed(name, ENGLISH, audio, text, self._group(name))

    def _listed(self) -> Iterator[Sample]:
        """Samples of the files of OpenSLR."""
        root = self._published.unpacked(self._files[0])
        lists = sorted(root.rglob("*.trans.txt"), key=lambda path: path.name)
        if not lists:
            raise UsageError(f"{root}: no *.trans.txt in it; download {self._openslr[0]}.tar.gz again")
        for path in lists:
            for name, text in _lines(path):
                if (file := present(path.parent, f"{name}.flac")) is None:
                    raise UsageError(
                        f"{path.parent}/{name}.flac: is not there or empty, but {path.name} has its text; "
                        "download it again"
                    )
                yield transcribed(name, ENGLISH, file, text, self._group(name))

    def _group(self, name: str) -> dict[str, str]:
        """Speaker and chapter, which an id such as 1089-134686-0000 begins with, and which part it is."""
        speaker, chapter, *_ = (*name.split("-"), "", "")
        return facts(speaker=speaker, chapter=chapter, part=self.split.split(".")[1])

    @property
    def card(self) -> Card:
        """Identity and terms; of a folder the content hash is that of Parquet files, transcripts or the archive."""
        names, folder = self._files, self._published.folder
        if folder is not None and (folder / names[0]).is_dir():
            names = tuple(
                sorted(path.relative_to(folder).as_posix() for path in (folder / names[0]).rglob("*.trans.txt"))
            )
        return Card(
            name="librispeech",
            revision=self._published.described,
            content=self._published.content(names),
            languages=(ENGLISH,),
            licence="CC-BY-4.0",
            source="https://www.openslr.org/12",
            citation=CITATION,
        )


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Ids and texts of a .trans.txt."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); download it again") from error
    for line in lines:
        if line.strip():
            name, _, text = line.partition(" ")
            yield name, text
