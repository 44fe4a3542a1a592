"""ADU-Bench: spoken questions that want a free answer, in four sets, for a judge.

Layout: file list of KuofengGao/ADU-Bench on the hub (input/SET/NAME.jsonl, SET/NAME/*), fields as its evaluation.py
reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast, get_args

from loaders.published import Published, need, stem
from loaders.spoken import only, usable
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Audio, Card, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Set = Literal["general", "skill", "multilingual", "ambiguity"]
"""The four sets of questions."""

Judge = Literal["score", "exact"]
"""How an answer is judged: 0 to 10, or 10 where it means what the reference means and else 0."""

_FOLDERS = {name: f"ADU-{name.capitalize()}" for name in get_args(Set)}
_EXACT = ("pause", "intonation")  # parts of file names


@dataclass(kw_only=True)
class AduBench:
    """ADU-Bench: what is asked is in the audio alone, no text goes with it. The references are for a judge.

    - Rows have no id: the path of the recording is it, and a path that comes twice is an error, as the published
      program would pair answers and questions by the number of their line.
    - The category is the name of the file (group field `category`), as in the published tables; what the row itself
      calls category and source are the fields `topic` and `source`.
    - Where pauses or intonation decide what is meant, an answer is right or wrong: `judge` is "exact" for these files.
    - The published program for them cannot run (its prompt has other fields than it fills), and takes any first
      number for the score; here a judge is a run of its own (docs/judges.md).

    Args:
        location: folder or hub repository.
        revision: of the hub repository.
        languages: codes of the languages; only the multilingual set has others than English.
        sets: which of the four.
        judge: leaves only the files that are judged in this way.
    """

    location: str = field(default="KuofengGao/ADU-Bench", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    sets: Sequence[Set] = ("general", "skill", "multilingual", "ambiguity")
    judge: Judge | None = None

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        self.sets = cast("list[Set]", [self.sets] if isinstance(self.sets, str) else list(self.sets))
        if unknown := [name for name in self.sets if name not in _FOLDERS]:
            raise UsageError(f"sets: {unknown[0]!r} is not known: give some of {', '.join(_FOLDERS)}")
        if self.judge is not None and self.judge not in get_args(Judge):
            raise UsageError(f"judge={self.judge!r} is not known: give score, exact or null")

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, str]:
        """Language of each table."""
        tables = [
            (folder, name)
            for folder in map(_FOLDERS.__getitem__, self.sets)
            for name in self._published.find(f"input/{folder}/*.jsonl")
            if self.judge in (None, _judge(stem(name)))
        ]
        found = {name: tag(stem(name)) if "Multi" in folder else "eng_Latn" for folder, name in tables}
        if not found:
            raise UsageError(f"judge={self.judge}: no file of the sets {', '.join(self.sets)} is judged so")
        wanted = only(self.languages, sorted(set(found.values())))
        return {name: language for name, language in found.items() if language in wanted}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples table by table, each in its order.

        Raises:
            UsageError: a table or a recording is missing, a row is not complete, or a recording comes twice.
        """
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for name, language in self._files.items():
            for number, row in enumerate(self._published.lines(name), 1):
                where = f"{self.location}: {name}:{number}"
                texts = {key: str(need(row, key, where)) for key in ("audio", "question", "answer")}
                audio = _relative(texts["audio"], name)
                rest = {"topic": row.get("category"), "source": row.get("source")}
                category = stem(name)
                yield Sample(
                    id=audio,
                    language=language,
                    parts=(Audio(self._published.path(audio), transcript=texts["question"]),),
                    references=(texts["answer"],),
                    group={
                        "set": name.split("/")[1],
                        "category": category,
                        "judge": _judge(category),
                        **{key: str(value) for key, value in rest.items() if value},
                    },
                )

    def validate(self) -> None:
        """Read the tables, and find the recordings of a local folder; the UsageError names what is missing."""
        if self._published.folder is None:
            _ = self._files
            return
        for _sample in self:
            pass

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="adu_bench",
            revision=self._published.described,
            content=self._published.content(list(self._files)),
            languages=tuple(sorted(set(self._files.values()))),
            licence="see the dataset card, which names none",
            source="https://huggingface.co/datasets/KuofengGao/ADU-Bench",
            citation="Gao et al. 2024, Benchmarking Open-ended Audio Dialogue Understanding for Large Audio-Language "
            "Models, arXiv:2412.05167",
        )


def _judge(category: str) -> Judge:
    return "exact" if any(word in category for word in _EXACT) else "score"


def _relative(audio: str, table: str) -> str:
    """Path in the repository of what a row calls its recording: from the folder of the set on, which is the table's."""
    folder = table.split("/")[1]
    _, found, rest = audio.replace("\\", "/").rpartition(f"{folder}/")
    return f"{folder}/{rest}" if found else f"{folder}/{stem(table)}/{audio.rsplit('/', 1)[-1]}"
