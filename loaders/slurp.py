"""SLURP: English requests to a voice assistant, each recorded by several people at near and far microphones.

The repository has `dataset/slurp/test.jsonl`; its script puts the recordings of Zenodo into `audio/slurp_real`. Also
read are `slurp/test.jsonl` and `slurp_real` beside each other, and slurp_real.tar.gz.

What to know of the data:
- The intent that the authors score is scenario and action, `iot_hue_lightup`; the field `intent` lacks the scenario
  in some rows (37 of 2,974 sentences of test) and is not read.
- Test has 2,974 sentences and 13,078 recordings. The authors score every recording (`recordings=all`); a sentence with
  more of them counts more. `first` takes one of each sentence, near the mouth where there is one; `headset` takes all
  near ones, and leaves out the sentences without (208 of test) with a warning.
- Samples of one sentence are not independent: `group["sentence"]`.
- The published `wer` of a recording says how well some system heard it; nothing is left out for it.
- Speaker and gender are in `metadata.json`, which the gender task needs.
- Synthetic recordings are training data alone and are not read.

Layout: README, data and script of pswietojanski/slurp; counts were made on its files.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.published import Published, need, stem
from loaders.recordings import Clips
from loaders.speech_massive import INTENTS
from loaders.spoken import GENDERS, by_language, check, classified, facts, transcribed, usable, warn
from mmbench.errors import UsageError
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mmbench.schema import Sample

Task = Literal["intent", "slots", "asr", "gender"]
"""The intent as a multiple choice, the sentence with its slots, speech recognition, or the speaker's gender."""

Recordings = Literal["all", "headset", "first"]
"""Which recordings of a sentence are asked about."""

Split = Literal["test", "devel", "train"]

ENGLISH = "eng_Latn"
CITATION = "Bastianelli et al. 2020, SLURP: A Spoken Language Understanding Resource Package"

_SEX = {"F": "female", "M": "male"}
_AUDIO = tuple(f"{root}slurp_real{end}" for end in ("", ".tar.gz") for root in ("audio/", "", "scripts/audio/"))


@dataclass(kw_only=True)
class Slurp:
    """A split of SLURP.

    Args:
        location: a folder with the repository's files and the recordings, or fixture://slurp; it is not on the hub.
        revision: commit, for a copy on the hub.
        languages: None or English.
        split: one of `Split`.
        task: one of `Task`.
        recordings: one of `Recordings`.
        readable: whether choices are written with spaces: "alarm set" for alarm_set.
    """

    location: str = field(default="slurp", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: Split = "test"
    task: Task = "intent"
    recordings: Recordings = "all"
    readable: bool = False

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("task", self.task, get_args(Task))
        check("recordings", self.recordings, get_args(Recordings))
        check("split", self.split, get_args(Split))
        by_language(["en"], self.languages, where="SLURP")

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _file(self) -> str:
        return self._published.find(*(f"{home}{self.split}.jsonl" for home in ("dataset/slurp/", "slurp/", "")))[0]

    @cached_property
    def _speakers(self) -> dict[str, str]:
        """Speakers by recording, such as FO-488: woman, first language other than English; none without metadata."""
        names = self._published.glob(str(PurePosixPath(self._file).with_name("metadata.json")))
        if not names:
            return {}
        path = self._published.path(names[0])
        try:
            entries = json.loads(path.read_text(encoding="utf-8")).values()
            return {file: str(one["usrid"]) for entry in entries for file, one in entry["recordings"].items()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise UsageError(f"{path}: not the metadata of SLURP ({error}); download it again") from error

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples in the order of the file, and of the recordings in a row."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        if self.task == "gender" and not self._speakers:
            raise UsageError(f"{self.location}: task=gender needs metadata.json beside {self._file}; download it")
        clips = Clips(published=self._published, archives=self._published.find(*_AUDIO)[:1])
        left_out: Counter[str] = Counter()
        for row in self._published.lines(self._file):
            files = self._chosen([str(need(each, "file", self._file)) for each in need(row, "recordings", self._file)])
            left_out["sentences without such a recording"] += not files
            for file in files:
                path = clips.get(file)
                if path is None:
                    raise UsageError(f"{self._file}: {file} is not in {clips.archives[0]} or empty; download it again")
                if self.task == "gender" and self._gender(file) is None:
                    left_out["recordings by a speaker of unknown gender"] += 1
                else:
                    yield self._sample(row, file, path)
        warn(+left_out, self._file)

    def _chosen(self, files: list[str]) -> list[str]:
        """Those of a sentence's recordings that are asked about."""
        near = [file for file in files if file.endswith("-headset.flac")]
        if self.recordings == "headset":
            return near
        return files if self.recordings == "all" else (near or files)[:1]

    def _gender(self, file: str) -> str | None:
        return _SEX.get(self._speakers.get(file, "")[:1])

    def _sample(self, row: Mapping[str, Any], file: str, path: Path) -> Sample:
        name, where = stem(file), f"{self._file}, {file}"
        scenario, gender = str(need(row, "scenario", where)), self._gender(file)
        intent = f"{scenario}_{need(row, 'action', where)}"
        group = facts(
            sentence=need(row, "slurp_id", where),
            microphone="headset" if name.endswith("-headset") else "distant",
            speaker=self._speakers.get(file),
            gender=gender,
            scenario=scenario,
            intent=intent,
        )
        sample = transcribed(name, ENGLISH, path, str(need(row, "sentence", where)), group)
        if self.task == "intent":
            return classified(sample, intent, INTENTS, readable=self.readable)
        if self.task == "gender":
            return classified(sample, gender or "", GENDERS)
        wanted = row["sentence"] if self.task == "asr" else need(row, "sentence_annotation", where)
        return replace(sample, references=(str(wanted),))

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is that of the sentences' file."""
        return Card(
            name="slurp",
            revision=self._published.described,
            content=self._published.content([self._file]),
            languages=(ENGLISH,),
            licence="CC-BY-4.0 (text), CC-BY-NC-4.0 (audio)",
            source="https://github.com/pswietojanski/slurp",
            citation=CITATION,
        )
