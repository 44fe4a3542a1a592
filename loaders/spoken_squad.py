"""Spoken-SQuAD: written questions about passages that are read aloud sentence by sentence; English.

Layout: repository Chia-Hsuan-Lee/Spoken-SQuAD (spoken_{train,test}-v1.1.json, WER44 and WER54 with added noise), and
beside it the unpacked Spoken-SQuAD_audio.zip with train_wav and dev_wav; the README says how recordings are named.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from loaders.published import Published, stem
from loaders.spoken import check, only, usable
from mmbench.errors import UsageError
from mmbench.schema import Audio, Card, Joined, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ENGLISH = "eng_Latn"

_AUDIO = {"test": "dev_wav", "train": "train_wav"}
_NOISY = ("_WER44", "_WER54")
_NAME = re.compile(r"(\d+)_(\d+)_(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with the text that its file has for the passage; `place` counts topics, and paragraphs in a topic."""

    id: str
    text: str
    answers: tuple[str, ...]
    context: str
    title: str
    place: tuple[int, int]


@dataclass(kw_only=True)
class SpokenSquad:
    """Spoken-SQuAD.

    - A passage is many recordings, `TOPIC_PARAGRAPH_SENTENCE.wav`, each number from 0; they are joined in the order of
      the numbers (2 before 10). The same names stand for other passages in train_wav and dev_wav.
    - The text that the JSON calls context is what CMU Sphinx heard, not what is said: it is a hypothesis (`sphinx`;
      `sphinx_wer44` and `sphinx_wer54` with noise). What is said is in SQuAD itself: with dev-v1.1.json (or
      train-v1.1.json) in the folder, the clips have a transcript, joined by the question's id.
    - Accepted answers are spans of what Sphinx heard, so numbers are words and all is lower case.
    - How many sentences a passage has is written nowhere: a missing one is found where a later one is there.

    Args:
        location: folder with the JSON files and the unpacked archive.
        languages: only English is there.
        split: "test" (SQuAD's dev) or "train".
        gap: seconds of silence between the sentences.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    gap: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        only(self.languages, [ENGLISH])
        check("split", self.split, tuple(_AUDIO))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @property
    def _file(self) -> str:
        return self._published.find(f"spoken_{self.split}-v1.1.json")[0]

    def _questions(self, name: str) -> list[Question]:
        """Questions of a file in its order."""
        path = self._published.path(name)
        try:
            topics = json.loads(path.read_text(encoding="utf-8"))["data"]
            return [
                Question(
                    id=str(question["id"]),
                    text=str(question["question"]).strip(),
                    answers=tuple(dict.fromkeys(answer["text"] for answer in question["answers"])),
                    context=str(part["context"]),
                    title=str(topic["title"]),
                    place=(number, index),
                )
                for number, topic in enumerate(topics)
                for index, part in enumerate(topic["paragraphs"])
                for question in part["qas"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: not a file of SQuAD ({error!r}); download it again") from None

    def _contexts(self, name: str) -> dict[str, str]:
        """Passages by question id; empty where there is no such file."""
        return {each.id: each.context for each in self._questions(name)} if self._published.glob(name) else {}

    @cached_property
    def _recordings(self) -> dict[tuple[int, int], dict[int, Path]]:
        """Files by topic and paragraph, then by sentence."""
        folder, published = _AUDIO[self.split], self._published
        names = published.glob(f"{folder}/*.wav", f"*/{folder}/*.wav")
        paths = [published.path(name) for name in names]
        if not paths and (zipped := published.glob(f"{folder}.zip", f"*/{folder}.zip")):
            paths = sorted(published.unpacked(zipped[0]).rglob("*.wav"))
        if not paths:
            raise UsageError(
                f"{self.location}: no {folder}/*.wav in it; unpack Spoken-SQuAD_audio.zip beside the JSON files"
            )
        found: dict[tuple[int, int], dict[int, Path]] = {}
        for path in paths:
            if numbers := _NAME.fullmatch(stem(path.name)):
                topic, paragraph, sentence = map(int, numbers.groups())
                found.setdefault((topic, paragraph), {})[sentence] = path
        return found

    def _passage(self, topic: int, paragraph: int) -> Joined:
        sentences = self._recordings.get((topic, paragraph), {})
        missing = sorted(set(range(max(sentences, default=0) + 1)) - set(sentences))
        if missing:
            name = f"{topic}_{paragraph}_{missing[0]}.wav"
            raise UsageError(f"{self.location}: no recording {_AUDIO[self.split]}/{name}; unpack the archive again")
        return Joined(tuple(path for _, path in sorted(sentences.items())), gap=self.gap)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions in the order of the file.

        Raises:
            UsageError: a file or a recording is missing, or two questions have one id.
        """
        return usable(self._samples(), f"{self.location}: {self._file}")

    def _samples(self) -> Iterator[Sample]:
        said = self._contexts("dev-v1.1.json" if self.split == "test" else "train-v1.1.json")
        noisy = {suffix: self._contexts(f"spoken_{self.split}-v1.1{suffix}.json") for suffix in _NOISY}
        for question in self._questions(self._file):
            heard = [("sphinx", question.context)]
            heard += [(f"sphinx{key.lower()}", rows[question.id]) for key, rows in noisy.items() if question.id in rows]
            passage, transcript = self._passage(*question.place), said.get(question.id)
            yield Sample(
                id=f"{question.id}/{ENGLISH}",
                language=ENGLISH,
                parts=(
                    Audio(passage, transcript=transcript, hypotheses=tuple(heard)),
                    Text(f"\n{question.text}"),
                ),
                references=question.answers or ("",),  # without an answer it is left out
                group={"title": question.title, "document": "_".join(map(str, question.place))},
            )

    def validate(self) -> None:
        """Find all files; the UsageError names what is missing."""
        for _ in self:
            pass

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="spoken_squad",
            revision=self._published.described,
            content=self._published.content([self._file]),
            languages=(ENGLISH,),
            licence="see the dataset's repository, which names none",
            source="https://github.com/Chia-Hsuan-Lee/Spoken-SQuAD",
            citation="Lee et al. 2018, Spoken SQuAD, Interspeech, arXiv:1804.00320",
        )
