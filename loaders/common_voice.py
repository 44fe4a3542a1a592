"""Common Voice: sentences read by volunteers in over a hundred languages, from a release or a repository on the hub.

A release is `cv-corpus-*/LOCALE/test.tsv` with `clips/*.mp3` beside it; on the hub the tables are
`transcript/LOCALE/test.tsv` and the clips `audio/LOCALE/test/*.tar`. Mozilla's own repositories on the hub are empty
since 2025; the default is a copy with the same layout.

What to know of the data:
- The tables have no quoting: a quote in a sentence is a quote. Many sentences stand in quotes as a whole; they stay,
  and a normaliser that drops punctuation makes nothing of them.
- Speakers (`client_id`) of test and dev are not in train as published; `validate` checks that where train is there.
  Never cut a split of your own by rows.
- `zh-HK` and `yue` are both Cantonese, `zh-TW` is Mandarin in traditional characters; `rm-sursilv` and `rm-vallader`
  are one language. `group["locale"]` keeps them apart.
- Genders are `male`, `female`, `other` up to release 16 and `male_masculine`, `female_feminine` and others since;
  many are empty. The gender task leaves rows without one out.

Layout: tables and archives of fsicoli/common_voice_17_0, and the loading scripts of mozilla-foundation/common_voice_*.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from loaders.published import Published, need, stem
from loaders.recordings import Clips, present
from loaders.spoken import by_language, check, classified, facts, transcribed, usable, warn
from mmbench import languages as codes
from mmbench.errors import UsageError
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mmbench.schema import Sample

Task = Literal["asr", "gender"]
"""Speech recognition, or the speaker's gender as a multiple choice."""

Missing = Literal["error", "leave_out"]
"""What a row without a recording is: an error, or left out and counted in a warning."""

GENDERS = ("male", "female", "other")
"""The choices of the gender task."""

CITATION = "Ardila et al. 2020, Common Voice: A Massively-Multilingual Speech Corpus"

_GENDERS = {
    "male": "male",
    "male_masculine": "male",
    "female": "female",
    "female_feminine": "female",
    "other": "other",
    "transgender": "other",
    "non-binary": "other",
}
# Locales whose code alone says something else, or nothing of the script.
_LOCALES = {"zh-hk": "yue_Hant", "nan-tw": "nan_Hant", "cnh": "cnh_Latn"}


def locale_tag(code: str) -> str:
    """Tag of a locale of Common Voice.

    Raises:
        UsageError: it is none that mmbench knows.
    """
    return _LOCALES.get(re.sub("_", "-", code).casefold()) or codes.tag(code)


def clips(published: Published, table: str) -> Callable[[str], Path | None]:
    """How the clip of a name in a table is found, in either layout; it gives None where there is none."""
    home, split = PurePosixPath(table).parent, stem(table)
    if home.parts[:1] == ("transcript",):
        at = f"audio/{home.name}/{split}"
        return Clips(published=published, archives=published.glob(f"{at}/*.tar", f"{at}/*/")).get
    if published.folder is None:
        return lambda name: published.path(f"{home}/clips/{name}")
    folder = published.folder / home / "clips"
    return lambda name: present(folder, name)


@dataclass(kw_only=True)
class CommonVoice:
    """A split of Common Voice.

    Args:
        location: a release's folder or the one that it is in, a repository on the hub, or fixture://common_voice.
        revision: commit on the hub.
        languages: codes of the languages, any spelling and the locales of Common Voice; None for all.
        split: name of a table, such as test, dev, train or other.
        task: one of `Task`.
        missing: one of `Missing`.
    """

    location: str = field(default="fsicoli/common_voice_17_0", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    task: Task = "asr"
    missing: Missing = "error"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("task", self.task, get_args(Task))
        check("missing", self.missing, get_args(Missing))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _tables(self) -> tuple[tuple[str, str], ...]:
        """Table and tag of each locale."""
        patterns = [f"{home}{self.split}.tsv" for home in ("transcript/*/", "*/", "cv-corpus-*/*/")]
        names = {PurePosixPath(name).parent.name: name for name in self._published.find(*patterns)}
        where = f"{self.location}: {' or '.join(patterns)}"
        return tuple(
            (names[code], name) for code, name in by_language(names, self.languages, where=where, tag=locale_tag)
        )

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples by language, sorted by the name of the clip."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for table, tag in self._tables:
            left_out: Counter[str] = Counter()
            find = clips(self._published, table)
            for row in sorted(self._published.table(table), key=lambda row: row.get("path", "")):
                path = find(need(row, "path", table))
                if path is None and self.missing == "error":
                    raise UsageError(
                        f"{table}: clip {row['path']} is not there; download it again, or leave such rows out with "
                        "task.loader.missing=leave_out"
                    )
                reason = "no clip" if path is None else self._unfit(row, table)
                if path is None or reason:
                    left_out[reason] += 1
                else:
                    yield self._sample(row, tag, path, PurePosixPath(table).parent.name)
            warn(left_out, table)

    def _unfit(self, row: Mapping[str, str], table: str) -> str:
        """Why a row cannot be asked about; empty where it can."""
        if not need(row, "sentence", table).strip():
            return "no sentence"
        return "no gender" if self.task == "gender" and row.get("gender") not in _GENDERS else ""

    def _sample(self, row: Mapping[str, str], tag: str, path: Path, locale: str) -> Sample:
        gender = _GENDERS.get(row.get("gender", ""))
        group = facts(
            speaker=row.get("client_id"),
            gender=gender,
            age=row.get("age"),
            accent=row.get("accents") or row.get("accent"),
            variant=row.get("variant"),
            domain=row.get("sentence_domain"),
            locale=locale,
        )
        sample = transcribed(stem(row["path"]), tag, path, row["sentence"], group)
        return classified(sample, gender or "", GENDERS) if self.task == "gender" else sample

    def validate(self) -> None:
        """Check that no speaker of the split is in train too, where the table of that is in the folder.

        Raises:
            UsageError: some are; or there are no tables.
        """
        for table, _ in self._tables:
            train = f"{PurePosixPath(table).parent}/train.tsv"
            folder = self._published.folder
            if self.split not in ("test", "dev") or folder is None or not (folder / train).is_file():
                continue
            speakers = {row.get("client_id") for row in self._published.table(table)}
            if both := {row.get("client_id") for row in self._published.table(train)} & speakers:
                raise UsageError(
                    f"{table}: {len(both)} of its speakers are in train.tsv too; take the tables of the release"
                )

    @property
    def card(self) -> Card:
        """Identity and terms; of a folder the content hash is that of the tables."""
        return Card(
            name="common_voice",
            revision=self._published.described,
            content=self._published.content([table for table, _ in self._tables]),
            languages=tuple(dict.fromkeys(tag for _, tag in self._tables)),
            licence="CC0-1.0",
            source="https://commonvoice.mozilla.org",
            citation=CITATION,
        )
