"""Speech-MASSIVE: requests to a voice assistant in 12 languages, with intent and slots.

A split of a language is `de-DE/test-*.parquet`. The test sets are in a repository of their own, which asks for
consent (`FBK-MT/Speech-MASSIVE-test`); validation, train_115 and train are in `FBK-MT/Speech-MASSIVE`.

What to know of the data:
- The same `id` is the same request in all languages: `group["item"]`.
- `intent_idx` counts in the order of MASSIVE; the name of the intent is read, never the index.
- A recording is of one speaker in one language; who reported a text as wrong is in `group["reported"]`, and whether
  listeners accepted the recording in `group["validated"]`. All are kept, as in the paper's test sets.
- Slots are written into the text: "stille für [time : zwei stunden]". The slots task asks for that and compares texts.
- The folder `all` has the others' rows again and is not read.

Layout: card and files of FBK-MT/Speech-MASSIVE and FBK-MT/Speech-MASSIVE-test; order of intents: AmazonScience/massive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.published import Published, need, recording
from loaders.spoken import GENDERS, by_folder, by_language, check, classified, facts, transcribed, usable, warn
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mmbench.schema import Sample

Task = Literal["intent", "slots", "asr", "gender"]
"""The intent as a multiple choice, the text with its slots, speech recognition, or the speaker's gender."""

Split = Literal["test", "validation", "train_115", "train"]

INTENTS = tuple(
    """datetime_query iot_hue_lightchange transport_ticket takeaway_query qa_stock general_greet recommendation_events
    music_dislikeness iot_wemo_off cooking_recipe qa_currency transport_traffic general_quirky weather_query
    audio_volume_up email_addcontact takeaway_order email_querycontact iot_hue_lightup recommendation_locations
    play_audiobook lists_createoradd news_query alarm_query iot_wemo_on general_joke qa_definition social_query
    music_settings audio_volume_other calendar_remove iot_hue_lightdim calendar_query email_sendemail iot_cleaning
    audio_volume_down play_radio cooking_query datetime_convert qa_maths iot_hue_lightoff iot_hue_lighton
    transport_query music_likeness email_query play_music audio_volume_mute social_post alarm_set qa_factoid
    calendar_set play_game alarm_remove lists_remove transport_taxi recommendation_movies iot_coffee music_query
    play_podcasts lists_query""".split()
)
"""The 60 intents of MASSIVE in the order of its ClassLabel; those of SLURP, which it translates, are the same."""

CITATION = "Lee et al. 2024, Speech-MASSIVE: A Multilingual Speech Dataset for SLU and Beyond"


@dataclass(kw_only=True)
class SpeechMassive:
    """A split of Speech-MASSIVE.

    Args:
        location: a repository on the hub, a folder with its files, or fixture://speech_massive.
        revision: commit on the hub.
        languages: codes of the languages, any spelling; None for all.
        split: one of `Split`; other than test they need location=FBK-MT/Speech-MASSIVE.
        task: one of `Task`.
        readable: whether choices are written with spaces: "alarm set" for alarm_set.
    """

    location: str = field(default="FBK-MT/Speech-MASSIVE-test", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: Split = "test"
    task: Task = "intent"
    readable: bool = False

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
        pattern = f"*-*/{self.split}-*.parquet"
        found = by_folder(self._published.find(pattern))
        where = f"{self.location}: {pattern}"
        return tuple((tag, found[code]) for code, tag in by_language(found, self.languages, where=where))

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples by language, in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for tag, files in self._files:
            left_out: Counter[str] = Counter()
            for row in self._published.parquet(files):
                if self.task == "gender" and str(row.get("speaker_sex")).lower() not in GENDERS:
                    left_out["speaker_sex is not known"] += 1
                else:
                    yield self._sample(row, tag, files[0])
            warn(left_out, files[0])

    def _sample(self, row: Mapping[str, Any], tag: str, file: str) -> Sample:
        name = str(need(row, "id", file))
        where = f"{file}, id {name}"
        group = group_of(row, name)
        audio = recording(row.get("audio"), where)
        sample = transcribed(name, tag, audio, str(need(row, "utt", where)), group)
        if self.task == "intent":
            return classified(sample, str(need(row, "intent_str", where)), INTENTS, readable=self.readable)
        if self.task == "gender":
            return classified(sample, group["gender"], GENDERS)
        return replace(sample, references=(str(need(row, "annot_utt", where)),)) if self.task == "slots" else sample

    @property
    def card(self) -> Card:
        """Identity and terms; of a folder the content hash is that of the Parquet files."""
        return Card(
            name="speech_massive",
            revision=self._published.described,
            content=self._published.content([name for _, files in self._files for name in files]),
            languages=tuple(tag for tag, _ in self._files),
            licence="CC-BY-NC-SA-4.0",
            source="https://github.com/hlt-mt/Speech-MASSIVE",
            citation=CITATION,
        )


def group_of(row: Mapping[str, Any], name: str) -> dict[str, str]:
    """What a row has to report by."""
    return facts(
        item=name,
        speaker=row.get("speaker_id"),
        gender=str(row.get("speaker_sex") or "").lower(),
        age=row.get("speaker_age"),
        scenario=row.get("scenario_str"),
        intent=row.get("intent_str"),
        reported=row.get("is_transcript_reported"),
        validated=row.get("is_validated"),
    )
