"""MInDS-14: requests to a bank by telephone, 14 intents in 14 language varieties.

Two layouts are read: on the hub `fr-FR/train-*.parquet` with the recordings in it, and the authors' MInDS-14.zip, whose
`text.zip` has `fr-FR.csv` (file, transcript, English, intent) and `audio.zip` the recordings at 8 kHz; also unpacked,
into folders `text` and `audio`.

What to know of the data:
- There is no test set: all of it is called `train`. Published figures are on splits of their own; say that yours are
  on all of it.
- Transcripts and translations come from machines in part (dataset card), so a WER against them says how far two
  systems agree rather than how often one is wrong. Translations are not offered as a task.
- Three varieties are English; `group["locale"]` keeps them apart.
- A file name such as `response_4.wav` is only unique with its folder `fr-FR~ADDRESS`, which names the intent: the id
  of a sample has both, and no model sees it.
- `intent_class` is the index of a published list; where the files have that list, it is read.

Layout: files and card of PolyAI/minds14, and the loading scripts in google/xtreme_s for the archive.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from loaders.published import Published, need, recording
from loaders.recordings import present
from loaders.spoken import by_folder, by_language, check, classified, facts, transcribed, usable
from mmbench.errors import UsageError
from mmbench.schema import Card, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmbench.schema import Sample

Task = Literal["intent", "asr"]
"""The intent as a multiple choice, or speech recognition."""

INTENTS = (
    "abroad",
    "address",
    "app_error",
    "atm_limit",
    "balance",
    "business_loan",
    "card_issues",
    "cash_deposit",
    "direct_debit",
    "freeze",
    "high_value_payment",
    "joint_account",
    "latest_transactions",
    "pay_bill",
)
"""The intents in the order of the published ClassLabel."""

CITATION = "Gerz et al. 2021, Multilingual and Cross-Lingual Intent Detection from Spoken Data"


@dataclass(kw_only=True)
class Minds14:
    """MInDS-14.

    Args:
        location: a repository on the hub, a folder with its files or the authors' archive, or fixture://minds14.
        revision: commit on the hub.
        languages: codes of the languages, any spelling; None for all.
        split: "train", which is all there is.
        task: one of `Task`.
        readable: whether choices are written with spaces: "card issues" for card_issues.
    """

    location: str = field(default="PolyAI/minds14", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: Literal["train"] = "train"
    task: Task = "intent"
    readable: bool = False

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("task", self.task, get_args(Task))
        check("split", self.split, ("train",))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _stored(self) -> dict[str, tuple[str, ...]]:
        """Parquet files by locale; none where the layout is the archive's."""
        return by_folder(self._published.glob("*-*/train-*.parquet", "*-*/train/*.parquet"))

    @cached_property
    def _archive(self) -> tuple[str, Path, Path]:
        """Which file says what the data are, and the folders of the authors' texts and recordings."""
        named = self._published.find("*-*/train-*.parquet", "text", "text.zip", "MInDS-14/text*", "MInDS-14.zip")[-1]
        inner, name = self._published, named
        if name.endswith("MInDS-14.zip"):
            inner = Published(location=str(self._published.unpacked(name)))
            name = inner.find("text.zip", "*/text.zip")[0]
        audio = str(PurePosixPath(name).with_name(PurePosixPath(name).name.replace("text", "audio")))
        return named, inner.unpacked(name), inner.unpacked(audio)

    @cached_property
    def _tables(self) -> dict[str, Path]:
        """Tables of the archive by locale."""
        return {path.stem: path for path in self._archive[1].rglob("??-??.csv")}

    @cached_property
    def _locales(self) -> tuple[tuple[str, str], ...]:
        """Locales and their tags."""
        where = f"{self.location}: LOCALE/train-*.parquet or LOCALE.csv in text.zip"
        return by_language(self._stored or self._tables, self.languages, where=where)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples by language: those of the archive sorted by file, those of the hub in its order."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for locale, tag in self._locales:
            rows = self._rows(locale) if self._stored else self._listed(locale)
            for file, audio, text, intent, labels in rows:
                name = str(PurePosixPath(*PurePosixPath(file).parts[-2:]).with_suffix(""))
                sample = transcribed(name, tag, audio, text, facts(locale=locale, intent=intent))
                yield classified(sample, intent, labels, readable=self.readable) if self.task == "intent" else sample

    def _rows(self, locale: str) -> Iterator[tuple[str, Source, str, str, tuple[str, ...]]]:
        """File, recording, transcript, intent and all intents, from Parquet."""
        files = self._stored[locale]
        labels = self._published.labels(files, "intent_class") or INTENTS
        for row in self._published.parquet(files):
            file, index = str(need(row, "path", files[0])), int(need(row, "intent_class", files[0]))
            if not 0 <= index < len(labels):
                raise UsageError(f"{files[0]}, {file}: intent_class={index}, but there are {len(labels)} intents")
            text = str(need(row, "transcription", f"{files[0]}, {file}"))
            yield file, recording(row.get("audio"), f"{files[0]}, {file}"), text, labels[index], labels

    def _listed(self, locale: str) -> Iterator[tuple[str, Source, str, str, tuple[str, ...]]]:
        """The same from the archive."""
        table, folder = self._tables[locale], self._archive[2]
        try:
            with table.open(encoding="utf-8-sig", newline="") as handle:
                rows = [row for row in csv.reader(handle, skipinitialspace=True) if row][1:]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"{table}: cannot be read ({error}); download it again") from error
        if wrong := [row for row in rows if len(row) != 4]:
            raise UsageError(f"{table}: file, transcript, English and intent are expected, not {wrong[0]}")
        for file, text, _, intent in sorted(rows):
            if (path := present(folder, file, f"audio/{file}")) is None:
                raise UsageError(f"{table}: {file} is not among the recordings or empty; download MInDS-14.zip again")
            yield file, path, text, intent.lower(), INTENTS

    @property
    def card(self) -> Card:
        """Identity and terms; of a folder the content hash is that of Parquet files, tables or the archive."""
        names = [name for locale, _ in self._locales for name in self._stored.get(locale, ())]
        folder = self._published.folder
        if not names:
            named = self._archive[0]
            tables = folder is not None and (folder / named).is_dir()
            names = (
                sorted(p.relative_to(folder).as_posix() for p in self._tables.values())
                if tables and folder
                else [named]
            )
        return Card(
            name="minds14",
            revision=self._published.described,
            content=self._published.content(names),
            languages=tuple(dict.fromkeys(tag for _, tag in self._locales)),
            licence="CC-BY-4.0",
            source="https://huggingface.co/datasets/PolyAI/minds14",
            citation=CITATION,
        )
