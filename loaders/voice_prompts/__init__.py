"""The bundled sample: 40 telephone prompts in five languages, 10 for each of four topics, 200 clips of speech.

It is small enough to be in the package and real: the same prompt read by a person in each language, with transcript
and translation, so that every kind of task can be tried without a download. Too small to rank systems.
`scripts/make_voice_prompts.py` makes this folder from Debian packages; ATTRIBUTION.md says who recorded the clips.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.asterisk import LICENCE, Task, make_sample, select
from mmbench.errors import UsageError
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmbench.schema import Sample

REVISION = "1.6.1-1"
"""Version of the Debian packages that the clips are from."""


@dataclass(kw_only=True)
class VoicePrompts:
    """The bundled prompts.

    Args:
        task: speech recognition, translation into English, or topic as a multiple choice.
        languages: codes of the languages, any spelling; None for all five.
        folder: folder with prompts.jsonl and the clips; None for the one in the package.
    """

    task: Task = "asr"
    languages: Sequence[str] | None = field(default=None, compare=False)
    folder: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        select(self.task, self.languages)

    @cached_property
    def _home(self) -> Path:
        return Path(self.folder) if self.folder else Path(str(resources.files(__name__)))

    @cached_property
    def _data(self) -> bytes:
        try:
            return (self._home / "prompts.jsonl").read_bytes()
        except OSError as error:
            raise UsageError(f"folder={self._home}: no prompts.jsonl there ({error.strerror})") from None

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples prompt by prompt; the prompts take turns among the topics."""
        for line in self._data.decode("utf-8").splitlines():
            row: dict[str, Any] = json.loads(line)
            for voice in select(self.task, self.languages):
                file = self._home / row["files"][voice.tag]
                if sample := make_sample(self.task, row["id"], voice, file, row["texts"], row["topic"]):
                    yield sample

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(1 for _ in self)

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is that of prompts.jsonl, which has the hash of every clip."""
        return Card(
            name="voice_prompts",
            revision=f"asterisk-core-sounds {REVISION}",
            content=hashlib.sha256(self._data).hexdigest(),
            languages=tuple(voice.tag for voice in select(self.task, self.languages)),
            licence=LICENCE,
            source="Debian packages asterisk-core-sounds-{en,es,fr,it,ru} and -wav; http://downloads.asterisk.org",
            citation="Asterisk core sounds, recorded by Allison Smith, June Wallack, Carlo Flora and ivrvoice.ru",
        )
