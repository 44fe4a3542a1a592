"""AVMuST-TED: English TED talks, the speaker's face and voice, translated into four languages.

The recordings are .avi of 25 frames a second and .wav of 16 kHz (README of Exgc/AVMuST-TED). How the release lists them
is not documented, so this reads a table of one's own: PAIR/SPLIT.tsv, such as en-es/test.tsv, see `AvmustTed`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from loaders.published import Published, need
from loaders.recordings import beneath
from loaders.spoken import check, only, usable
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Audio, Card, Sample, Video

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Modality = Literal["audio", "video", "both"]
"""What a model gets: the voice, the face without a sound, or both."""

ENGLISH = "eng_Latn"

_PAIRS = {tag(code): f"en-{code}" for code in ("es", "fr", "it", "pt")}


@dataclass(kw_only=True)
class AvmustTed:
    """Clips of talks with their translation.

    The table has a header and at least the columns `id` and `translation`; `video` and `audio`, paths in the folder,
    as the modality needs them; `transcript` where it is known. Quotes mean nothing in it.

    - Noise is not in the data: it is the condition of a run. The published tables add it at -20, -10, 0, 10 and
      20 dB, and their "Avg." is the mean of these five and leaves the clean one out.
    - A clip may be in several tables, as it was translated into several languages; `asr` has it once.
    - For "both" the clip's transcript is that of the audio; the video has an empty one, so that it is not said twice.

    Args:
        location: folder with the tables and recordings.
        languages: target languages: Spanish, French, Italian, Portuguese; None for those that have a table.
        split: name of the table.
        modality: "audio", "video" or "both".
        task: "translation", or "asr" (lip reading, for video) into English.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    modality: Modality = "audio"
    task: Literal["translation", "asr"] = "translation"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("modality", self.modality, get_args(Modality))
        check("task", self.task, ("translation", "asr"))
        self._named()

    def _named(self) -> tuple[str, ...] | None:
        """Target languages that are asked for; None for those that have a table (English, as of `asr`, is in all)."""
        wanted = only(self.languages, (ENGLISH, *_PAIRS) if self.task == "asr" else _PAIRS)
        return None if self.languages is None or ENGLISH in wanted else wanted

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @cached_property
    def _tables(self) -> dict[str, str]:
        """Table of each target language."""
        named = self._named()
        found = {name: f"{_PAIRS[name]}/{self.split}.tsv" for name in (_PAIRS if named is None else named)}
        there = {name: file for name, file in found.items() if self._published.glob(file)}
        missing = [file for name, file in found.items() if name not in there]
        if missing and (named is not None or not there):
            raise UsageError(f"{self.location}: no {missing[0]} in it; write one (columns: see loaders/avmust_ted.py)")
        return there

    def __iter__(self) -> Iterator[Sample]:
        """Yield the clips of one target language after the other.

        Raises:
            UsageError: a table, a column or a recording is missing, or two rows have one id.
        """
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        spoken: dict[str, str] = {}
        for target, table in self._tables.items():
            seen = set[str]()
            for row in self._published.table(table):
                name = need(row, "id", f"{self.location}: {table}")
                where = f"{self.location}: {table}: row {name}"
                if name in seen:
                    raise UsageError(f"{where}: the id is there twice; one row must be one clip")
                seen.add(name)
                if self.task == "asr":
                    said = need(row, "transcript", where)
                    if name in spoken and spoken[name] != said:
                        raise UsageError(f"{where}: has another transcript than in another table; correct one of them")
                    if name in spoken:
                        continue  # the clip was translated into another language too
                    spoken[name] = said
                yield self._sample(row, target, where)

    def _sample(self, row: dict[str, str], target: str, where: str) -> Sample:
        said, name, parts = row.get("transcript") or None, row["id"], list[Audio | Video]()
        if self.modality != "video":
            path = beneath(self._published, need(row, "audio", where), where=where)
            parts.append(Audio(path, transcript=said))
        if self.modality != "audio":
            path = beneath(self._published, need(row, "video", where), where=where)
            parts.append(Video(path, transcript="" if self.modality == "both" and said else said))
        asr = self.task == "asr"
        return Sample(
            id=f"{name}/{ENGLISH if asr else target}",
            language=ENGLISH if asr else target,
            source_language=None if asr else ENGLISH,
            parts=tuple(parts),
            references=(need(row, "transcript" if asr else "translation", where),),
            group={"modality": self.modality, "talk": name.split("/")[0], "item": name},
        )

    def validate(self) -> None:
        """Read the tables and find all recordings; the UsageError names what is wrong."""
        for _ in self:
            pass

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="avmust_ted",
            revision=self._published.described,
            content=self._published.content(list(self._tables.values())),
            languages=(ENGLISH,) if self.task == "asr" else tuple(self._tables),
            licence="CC-BY-NC-4.0",
            source="https://github.com/Exgc/AVMuST-TED",
            citation="Cheng et al. 2023, MixSpeech: Cross-Modality Self-Learning with Audio-Visual Stream Mixup for "
            "Visual Speech Translation and Recognition, arXiv:2303.05309",
        )
