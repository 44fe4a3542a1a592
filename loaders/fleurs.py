"""FLEURS: read FLORES sentences in 102 languages; recognition, translation, language and gender of the speaker."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from loaders.published import Published, stem
from loaders.recordings import present
from loaders.sib_fleurs import Input
from loaders.spoken import by_language, check, usable
from mmbench import languages as codes
from mmbench.errors import UsageError
from mmbench.schema import Audio, Card, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

Task = Literal["asr", "translation", "language", "gender"]
"""Speech recognition, translation into English, which language is spoken, and the speaker's gender as recorded."""

Written = Literal["raw", "normalized"]
"""Which of the two published texts: as FLORES has it, or in small letters without punctuation."""

Missing = Literal["error", "leave_out"]
"""What becomes of a row without recording, or in translation without English sentence."""

SPLITS = ("train", "dev", "test")
GENDERS = ("male", "female", "other")
"""Choices of the gender task, in the published order."""

ENGLISH, ENGLISH_CONFIG = "eng_Latn", "en_us"
COLUMNS = ("id", "file_name", "raw_transcription", "transcription", "characters", "num_samples", "gender")
"""Columns of the .tsv files, which have no header."""


@dataclass(kw_only=True)
class Fleurs:
    """Recordings of FLORES sentences, up to three speakers a sentence, n-way parallel by `id`.

    Every recording is a sample; the group field `sentence` is the published id, which parallel sentences share, and
    `task.cluster=sentence` makes intervals over sentences. Traps:

    - A sentence's id is not unique, the name of the file is; both are in the sample's id.
    - There is quoting in none of the .tsv files: a quotation mark is text.
    - `raw_transcription` has case, punctuation and digits as FLORES has them, whatever the reader made of them: choose
      a normaliser for it. `transcription` is in small letters without punctuation.
    - English lacks some sentences that other languages have: translation stops there, or says how many it left out.
    - Whisper, SeamlessM4T and MMS are often fine-tuned on `train`; a sentence may stand in two splits.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://fleurs.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that have files.
        split: train, dev or test.
        task: one of `Task`.
        input: speech, or text for the transcript in its place (translation and language); ids are the same for both.
        text: one of `Written`, of transcripts and references.
        missing: one of `Missing`.

    The layout is that of fleurs.py, the loading script of google/fleurs (version 2.0.0).
    """

    location: str = field(default="google/fleurs", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    task: Task = "asr"
    input: Input = "speech"
    text: Written = "raw"
    missing: Missing = "error"

    def __post_init__(self) -> None:
        """Check the settings."""
        check("task", self.task, get_args(Task))
        check("input", self.input, get_args(Input))
        check("text", self.text, get_args(Written))
        check("missing", self.missing, get_args(Missing))
        check("split", self.split, ("train", "dev", "test"))
        if self.input == "text" and self.task in ("asr", "gender"):
            raise UsageError(
                f"input=text: a transcript cannot be asked for task={self.task}; use translation or language"
            )

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _configs(self) -> dict[str, str]:
        """Published config names by language tag, in the order of the tags."""
        pattern = f"data/*/{self.split}.tsv"
        names = [PurePosixPath(name).parent.name for name in self._published.find(pattern)]
        found = by_language(names, self.languages, where=f"{self.location}: {pattern}")
        return {tag: name for name, tag in found}

    def rows(self, config: str) -> list[dict[str, str]]:
        """Rows of a config, sorted by id and file.

        Raises:
            UsageError: a file name is there twice, or an id is no number.
        """
        name = f"data/{config}/{self.split}.tsv"
        found: dict[str, dict[str, str]] = {}
        for row in self._published.table(name, columns=COLUMNS):
            file = row["file_name"]
            if not row["id"].isdecimal():
                raise UsageError(f"{name}: id {row['id']!r} is no number; download it again")
            if file in found:
                raise UsageError(f"{name}: {file} is there twice; download it again")
            found[file] = row
        return sorted(found.values(), key=lambda row: (int(row["id"]), row["file_name"]))

    @property
    def _column(self) -> str:
        return "raw_transcription" if self.text == "raw" else "transcription"

    @cached_property
    def _english(self) -> dict[str, tuple[str, ...]]:
        """English sentences by id; several only where speakers' texts differ."""
        found: dict[str, tuple[str, ...]] = {}
        for row in self.rows(ENGLISH_CONFIG):
            known = found.get(row["id"], ())
            found[row["id"]] = known if row[self._column] in known else (*known, row[self._column])
        return found

    def _file(self, config: str, folder: Path, name: str) -> Path | None:
        """A recording; the archive has its files in a folder named after the split, an unpacked copy may not."""
        found = present(folder, f"{self.split}/{name}", name)
        if found is None and self.missing == "error":
            archive = f"data/{config}/audio/{self.split}.tar.gz"
            mend = "download it again, or set task.loader.missing=leave_out"
            raise UsageError(f"{archive}: {name} is not in it or empty; {mend}")
        return found

    def _usable(self, tag: str, config: str) -> Iterator[tuple[dict[str, str], Path]]:
        """Rows that can be asked and their recordings; what is left out is counted in the log."""
        rows, translated = self.rows(config), self._english if self.task == "translation" else None
        folder = self._published.unpacked(f"data/{config}/audio/{self.split}.tar.gz")
        paired = [row for row in rows if translated is None or row["id"] in translated]
        if len(paired) < len(rows) and self.missing == "error":
            first = next(row["id"] for row in rows if row not in paired)
            raise UsageError(
                f"data/{config}/{self.split}.tsv: {len(rows) - len(paired)} of {len(rows)} rows have no English "
                f"sentence, such as id {first}; set task.loader.missing=leave_out to go without them"
            )
        found = [(row, self._file(config, folder, row["file_name"])) for row in paired]
        usable = [(row, path) for row, path in found if path is not None]
        if len(usable) < len(rows):
            log.warning(
                "fleurs: %s: %d of %d rows are left out: %d without English sentence, %d without recording",
                *(tag, len(rows) - len(usable), len(rows), len(rows) - len(paired), len(found) - len(usable)),
            )
        yield from usable

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of ids."""
        return usable(self._samples(), f"{self.location}: {self.split}")

    def _samples(self) -> Iterator[Sample]:
        for tag, config in self._configs.items():
            if self.task == "translation" and tag == ENGLISH:
                continue
            for row, path in self._usable(tag, config):
                yield self._sample(tag, row, path)

    def _sample(self, tag: str, row: Mapping[str, str], path: Path) -> Sample:
        said, gender = row[self._column], row["gender"].lower()
        sample = Sample(
            id=f"{row['id']}/{tag}/{stem(row['file_name'])}",
            language=tag,
            parts=(Audio(path, transcript=said) if self.input == "speech" else Text(said),),
            group={"sentence": row["id"], "gender": gender, "split": self.split, "recording": row["file_name"]},
        )
        if self.task == "asr":
            return replace(sample, references=(said,))
        if self.task == "translation":
            return replace(sample, references=self._english[row["id"]], target_language=ENGLISH)
        if self.task == "language":
            tags = [known.tag for known in codes.fleurs_languages()]
            names = tuple(known.name for known in codes.fleurs_languages())
            return replace(sample, choices=names, answer=tags.index(tag))
        if gender not in GENDERS:
            raise UsageError(
                f"{row['file_name']}: gender {gender!r} is none of {', '.join(GENDERS)}; download it again"
            )
        return replace(sample, choices=GENDERS, answer=GENDERS.index(gender))

    @property
    def card(self) -> Card:
        """Identity and terms; of a folder by the tables, which name every recording and its number of samples."""
        english = {ENGLISH_CONFIG} if self.task == "translation" else set()
        configs = sorted({*self._configs.values(), *english})
        return Card(
            name="fleurs",
            revision=self._published.described,
            content=self._published.content([f"data/{config}/{self.split}.tsv" for config in configs]),
            languages=tuple(self._configs),
            licence="CC-BY-4.0",
            source="https://huggingface.co/datasets/google/fleurs",
            citation="Conneau et al. 2022, FLEURS: Few-shot Learning Evaluation of Universal Representations of Speech "
            "(arXiv:2205.12446)",
        )
