"""VoxPopuli: speeches in the European Parliament in 16 languages, and English with 15 accents.

A split of a language is `data/de/asr_test.tsv` with the recordings in `data/de/test/test_part_*.tar.gz`.
`data/en_accented` has a test set alone; `accented=true` reads it and nothing else.

What to know of the data:
- `normalized_text` is lower-case without punctuation, numbers as words; `raw_text` is as written down and not always
  there. They are two benchmarks: `text` chooses, and the card and the settings of a run say which it was.
- Some rows have an empty text; they are left out and counted in a warning. `group["gold"]` says whether a transcript
  was checked.
- The tables have quotes around fields that hold quotes, unlike those of Common Voice.
- An unknown accent or speaker is written "None".

Layout: files of facebook/voxpopuli and the loading script that it had.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from loaders.published import Published, need
from loaders.recordings import Clips
from loaders.spoken import GENDERS, by_language, check, classified, facts, transcribed, usable, warn
from mmbench.errors import UsageError
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mmbench.schema import Sample

Task = Literal["asr", "gender"]
"""Speech recognition, or the speaker's gender as a multiple choice."""

TextColumn = Literal["normalized_text", "raw_text"]
Split = Literal["test", "dev", "train"]

ACCENTED = "en_accented"
CITATION = (
    "Wang et al. 2021, VoxPopuli: A Large-Scale Multilingual Speech Corpus for Representation Learning, "
    "Semi-Supervised Learning and Interpretation"
)


@dataclass(kw_only=True)
class VoxPopuli:
    """A split of VoxPopuli.

    Args:
        location: a repository on the hub, a folder with its files, or fixture://voxpopuli.
        revision: commit on the hub.
        languages: codes of the languages, any spelling; None for all.
        split: one of `Split`.
        task: one of `Task`.
        text: which column is the reference.
        accented: read `en_accented` alone, which `languages` calls English like `en`.
    """

    location: str = field(default="facebook/voxpopuli", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: Split = "test"
    task: Task = "asr"
    text: TextColumn = "normalized_text"
    accented: bool = False

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("task", self.task, get_args(Task))
        check("text", self.text, get_args(TextColumn))
        check("split", self.split, get_args(Split))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _tables(self) -> tuple[tuple[str, str], ...]:
        """Folder of each language and its tag."""
        pattern = f"data/*/asr_{self.split}.tsv"
        found = [PurePosixPath(name).parts[1] for name in self._published.find(pattern)]
        where = f"{self.location}: {pattern}"
        return by_language([code for code in found if (code == ACCENTED) == self.accented], self.languages, where=where)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples by language, sorted by id."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for code, tag in self._tables:
            left_out: Counter[str] = Counter()
            table, home = f"data/{code}/asr_{self.split}.tsv", f"data/{code}/{self.split}"
            clips = Clips(published=self._published, archives=self._published.find(f"{home}/*.tar.gz", f"{home}/*/"))
            rows = self._published.table(table, quoted=True)
            for row in sorted(rows, key=lambda row: row.get("id", "")):
                path = clips.get(f"{need(row, 'id', table)}.wav")
                if path is None:
                    raise UsageError(f"{table}: {row['id']}.wav is in no archive of {home}; download them again")
                if reason := self._unfit(row, table):
                    left_out[reason] += 1
                else:
                    yield self._sample(row, tag, path)
            warn(left_out, table)

    def _unfit(self, row: Mapping[str, str], table: str) -> str:
        """Why a row cannot be asked about; empty where it can."""
        if self.task == "gender":
            return "" if row.get("gender") in GENDERS else "no gender"
        return "" if need(row, self.text, table).strip() else f"no {self.text}"

    def _sample(self, row: Mapping[str, str], tag: str, path: Path) -> Sample:
        group = facts(
            speaker=row.get("speaker_id"),
            gender=row.get("gender"),
            accent=row.get("accent"),
            gold=row.get("is_gold_transcript"),
        )
        sample = transcribed(row["id"], tag, path, row[self.text], group)
        return classified(sample, row["gender"], GENDERS) if self.task == "gender" else sample

    @property
    def card(self) -> Card:
        """Identity and terms; of a folder the content hash is that of the tables."""
        return Card(
            name="voxpopuli",
            revision=self._published.described,
            content=self._published.content([f"data/{code}/asr_{self.split}.tsv" for code, _ in self._tables]),
            languages=tuple(tag for _, tag in self._tables),
            licence="CC0; the European Parliament's legal notice for the raw data",
            source="https://github.com/facebookresearch/voxpopuli",
            citation=CITATION,
        )
