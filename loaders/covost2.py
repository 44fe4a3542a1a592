r"""CoVoST 2: speech translation of Common Voice 4, from 21 languages into English and from English into 15.

Two layouts are read. On the hub (fixie-ai/covost2) a pair is `de_en/test-*.parquet` with the recordings in it. As
published by its authors it is `covost_v2.de_en.tsv` (or that in a .tar.gz), which has no recordings and no
transcripts: both are from release 4 of Common Voice, `de/validated.tsv` and `de/clips`.

What to know of the data:
- The tables have no quoting, but a backslash before a quote, as the authors' script reads them; it is taken away.
- Clips were taken out of Common Voice after CoVoST was made. The authors' script drops such rows without a word, so
  that test sets differ in size; here it is an error, or counted with `missing=leave_out`.
- One English clip has up to 15 translations: `group["item"]` is the same in all of them.
- Out of English a result is reported under the target language; the recordings are English.
- `sv-SE` and `zh-CN` are locales in the names of pairs: `en_sv-SE`.

Layout: get_covost_splits.py of facebookresearch/covost, and the files of fixie-ai/covost2.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from loaders.common_voice import Missing, clips, locale_tag
from loaders.published import Published, need, recording, stem
from loaders.spoken import by_folder, by_language, check, facts, transcribed, usable, warn
from mmbench.errors import UsageError
from mmbench.schema import Card, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mmbench.schema import Sample

Task = Literal["translation", "asr"]
"""Speech translation, or recognition of the languages that are translated into English."""

Direction = Literal["into_english", "out_of_english"]

ENGLISH = "eng_Latn"
CITATION = "Wang et al. 2020, CoVoST 2: A Massively Multilingual Speech-to-Text Translation Corpus"

# as the authors' script takes them from the tables
_SPLITS = {"test": ("test",), "validation": ("dev",), "train": ("train", "train_covost")}
_TABLES = ("covost_v2.*.tsv*", "*/covost_v2.*.tsv*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is known of one clip; `audio` is None where it is missing."""

    clip: str
    speaker: str
    sentence: str
    translation: str
    audio: Source | None


@dataclass(kw_only=True)
class Covost2:
    """A split of CoVoST 2.

    Args:
        location: a repository on the hub, a folder with its files or with the authors' tables, or fixture://covost2.
        revision: commit on the hub.
        languages: codes of the languages other than English, any spelling; None for all.
        split: test, validation or train.
        task: one of `Task`.
        direction: one of `Direction`.
        common_voice: folder of release 4 of Common Voice, for the authors' tables; None is `location`.
        missing: what a row without a clip is: "error", or "leave_out" with a warning that counts them.
    """

    location: str = field(default="fixie-ai/covost2", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    task: Task = "translation"
    direction: Direction = "into_english"
    common_voice: str | None = field(default=None, compare=False)
    missing: Missing = "error"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("task", self.task, get_args(Task))
        check("direction", self.direction, get_args(Direction))
        check("missing", self.missing, get_args(Missing))
        check("split", self.split, tuple(_SPLITS))
        if self.task == "asr" and self.direction != "into_english":
            raise UsageError("task=asr needs direction=into_english; English itself is in Common Voice")

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, tuple[str, ...]]:
        """Files by pair: Parquet where there is any, else the one table."""
        found = by_folder(self._published.glob(f"*/{self.split}-*.parquet", f"*/{self.split}/*.parquet"))
        if found:
            return found
        for name in self._published.find(f"*/{self.split}-*.parquet", *_TABLES):
            # the authors' script puts its own tables, such as covost_v2.de_en.test.tsv, beside these
            if known := re.fullmatch(r"covost_v2\.([\w-]+)\.tsv(\.tar\.gz)?", PurePosixPath(name).name):
                found.setdefault(known[1], (name,))
        return found

    @cached_property
    def _pairs(self) -> tuple[tuple[str, str], ...]:
        """Pair and tag of the language that is not English."""
        into = self.direction == "into_english"
        ends = {
            source if into else target: f"{source}_{target}"
            for source, target in (pair.split("_", 1) for pair in self._files)
            if (target if into else source) == "en"
        }
        where = f"{self.location}: {'*_en' if into else 'en_*'}, {self.split}"
        chosen = by_language(ends, self.languages, where=where, tag=locale_tag)
        if not chosen:
            raise UsageError(f"{where}: there are no such files; download them, or choose another direction")
        return tuple((ends[code], name) for code, name in chosen)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples by language: those of tables sorted by the name of the clip."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for pair, tag in self._pairs:
            left_out: Counter[str] = Counter()
            for line in self._lines(pair):
                if line.audio is None and self.missing == "error":
                    raise UsageError(
                        f"{pair}: clip {line.clip} is not in Common Voice; take release 4 (cv-corpus-4-2019-12-10), or "
                        "leave such rows out with task.loader.missing=leave_out"
                    )
                wanted = line.translation if self.task == "translation" else line.sentence
                if line.audio is None or not wanted.strip():
                    left_out["no clip" if line.audio is None else "no text"] += 1
                else:
                    yield self._sample(line, line.audio, tag)
            warn(left_out, f"{self.location}: {pair}")

    def _sample(self, line: Line, audio: Source, tag: str) -> Sample:
        group = facts(speaker=line.speaker, item=line.clip)
        sample = transcribed(line.clip, tag, audio, line.sentence, group)
        if self.task == "asr":
            return sample
        if self.direction == "into_english":
            return replace(sample, references=(line.translation,), target_language=ENGLISH)
        return replace(sample, references=(line.translation,), source_language=ENGLISH)

    def _lines(self, pair: str) -> Iterator[Line]:
        files = self._files[pair]
        if not files[0].endswith(".parquet"):
            yield from self._joined(pair, files[0])
            return
        for row in self._published.parquet(files):
            clip = stem(str(need(row, "id", files[0])))
            audio = row.get("audio")
            empty = not (audio.get("bytes") if isinstance(audio, dict) else audio)
            yield Line(
                clip=clip,
                speaker=str(row.get("client_id") or ""),
                sentence=str(need(row, "sentence", f"{pair} {clip}")),
                translation=str(need(row, "translation", f"{pair} {clip}")),
                audio=None if empty else recording(audio, f"{pair} {clip}"),
            )

    def _joined(self, pair: str, name: str) -> Iterator[Line]:
        """Rows of the authors' table of this split with those of Common Voice, by the name of the clip."""
        source = pair.split("_", 1)[0]
        voices = Published(location=self.common_voice or self.location)
        table = voices.find(f"{source}/validated.tsv", f"cv-corpus-4*/{source}/validated.tsv")[0]
        splits = _SPLITS[self.split]
        rows = by_clip((row for row in self._table(pair, name) if need(row, "split", name) in splits), name)
        spoken = by_clip((row for row in voices.table(table) if need(row, "path", table) in rows), table)
        find = clips(voices, table)
        for clip in sorted(rows):
            said = spoken.get(clip, {})
            yield Line(
                clip=stem(clip),
                speaker=said.get("client_id", ""),
                sentence=unescaped(said.get("sentence", "")),
                translation=unescaped(need(rows[clip], "translation", f"{name} {clip}")),
                audio=find(clip) if said else None,
            )

    def _table(self, pair: str, name: str) -> Iterator[dict[str, str]]:
        if name.endswith(".tsv"):
            return self._published.table(name)
        return Published(location=str(self._published.unpacked(name))).table(f"covost_v2.{pair}.tsv")

    @property
    def card(self) -> Card:
        """Identity and terms; of a folder the content hash is that of the files of the pairs."""
        return Card(
            name="covost2",
            revision=self._published.described,
            content=self._published.content([name for pair, _ in self._pairs for name in self._files[pair]]),
            languages=tuple(tag for _, tag in self._pairs),
            licence="CC0",
            source="https://github.com/facebookresearch/covost",
            citation=CITATION,
        )


def by_clip(rows: Iterable[dict[str, str]], where: str) -> dict[str, dict[str, str]]:
    """Rows of a table by the name of the clip.

    Raises:
        UsageError: a clip is there twice.
    """
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if found.setdefault(need(row, "path", where), row) is not row:
            raise UsageError(f"{where}: {row['path']} is there twice; download it again")
    return found


def unescaped(text: str) -> str:
    """A field of the authors' tables, in which a backslash only guards the character after it."""
    return re.sub(r"\\(.)", r"\1", text)
