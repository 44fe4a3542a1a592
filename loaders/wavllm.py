"""The test sets of WavLLM: recognition, translation, emotion, speakers and English listening comprehension (gaokao).

Layout: repository microsoft/SpeechT5, WavLLM/wavllm/test_data (tables SET.tsv, recordings in audio/).
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from loaders.published import Published, need
from loaders.recordings import beneath
from loaders.spoken import check, only, usable
from mmbench.errors import UsageError
from mmbench.schema import Audio, Card, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Subset = Literal["asr", "en2de", "emo", "sv", "SQA", "gaokao", "SQQA", "II-task", "CoT-task", "CoT-task-story"]
"""Names of the tables."""

ENGLISH, GERMAN = "eng_Latn", "deu_Latn"

LABELS = {"emo": ("angry", "happy", "neutral", "sad"), "sv": ("Yes", "No")}
"""Choices of the sets that classify; those of `emo` are the four of IEMOCAP that WavLLM was trained with."""

_TO_GERMAN = ("en2de", "CoT-task", "CoT-task-story")
_LISTENING = ("SQA", "gaokao")
_ABBREVIATION = re.compile(r"(?:\b[^\W\d]\.){2,}$")


def split_options(text: str) -> tuple[str, tuple[str, ...]]:
    """A question and its options, "... ? A. one; B. two; C. three."; no options where there are not two in a row.

    A semicolon or comma after an option goes, and so does a full stop, which in most questions only the last one has;
    that of an abbreviation stays ("Washington, D.C.").
    """
    marks: list[re.Match[str]] = []
    for letter in string.ascii_uppercase:
        found = re.compile(rf"(?<![\w.]){letter}[.):\uff0e]\s").search(text, marks[-1].end() if marks else 0)
        if found is None:
            break
        marks.append(found)
    if len(marks) < 2:
        return text.strip(), ()
    # the question itself may end a sentence in "A.": the last one in front of B counts
    *_, marks[0] = re.finditer(r"(?<![\w.])A[.):\uff0e]\s", text[: marks[1].start()])
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    options = tuple(_bare(text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True))
    return text[: marks[0].start()].strip(), options


def _bare(option: str) -> str:
    option = option.strip().rstrip(",;\uff1b").strip()
    return option if _ABBREVIATION.search(option) else option.removesuffix(".")


@dataclass(kw_only=True)
class WavLLM:
    """One test set of WavLLM. The prompt of a row follows the recording as it is published.

    - The order of the columns differs from table to table; they are read by name, and quotes mean nothing.
    - `n_frames` is a dummy (111111) in most rows and is not read.
    - The options of listening questions stand in the prompt, with semicolons, full stops or nothing between them; they
      become choices, and the prompt keeps the question.
    - Paths are of the authors' machine: the longest end of one that is in the folder counts.
    - `II-task` has no answers, only the kinds of what is asked (group field `kinds`): for a judge.
    - The example recordings of the repository are one a set; that of emotion is IEMOCAP, under its own terms.
    - WavLLM decodes by sampling (temperature 0.5), so its published answers vary from run to run.

    Args:
        location: folder with the tables and the recordings.
        languages: English, or German for `en2de` and `CoT-task`.
        subset: which table.
        file: its name where it is not SUBSET.tsv.
        labels: the choices of `emo`, where the table has others.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    subset: Subset = "gaokao"
    file: str | None = field(default=None, compare=False)
    labels: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("subset", self.subset, get_args(Subset))
        only(self.languages, [self._language])
        self.labels = None if self.labels is None else tuple(self.labels)

    @property
    def _language(self) -> str:
        return GERMAN if self.subset in _TO_GERMAN else ENGLISH

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @property
    def _table(self) -> str:
        name = self.file or f"{self.subset}.tsv"
        return self._published.find(name, f"**/test_data/{name}")[0]

    def __iter__(self) -> Iterator[Sample]:
        """Yield the rows in their order.

        Raises:
            UsageError: the table or a recording is missing, two rows have one id, or a row has no right choice.
        """
        table = f"{self.location}: {self._table}"
        rows = self._published.table(self._table)
        return usable((self._sample(row, f"{table}: row {need(row, 'id', table)}") for row in rows), table)

    def _sample(self, row: dict[str, str], where: str) -> Sample:
        prompt, target = (need(row, column, where).strip() for column in ("prompt", "tgt_text"))
        asked, choices = split_options(prompt) if self.subset in _LISTENING else (prompt, ())
        if self.subset in LABELS:
            choices = tuple(self.labels or LABELS[self.subset]) if self.subset == "emo" else LABELS[self.subset]
        group = {"subset": self.subset}
        if self.subset == "II-task":
            group["kinds"] = target
        classified = self.subset in (*LABELS, *_LISTENING)
        return Sample(
            id=f"{self.subset}/{row['id']}/{self._language}",
            language=self._language,
            source_language=ENGLISH if self._language != ENGLISH else None,
            parts=(*self._heard(row, target, where), *((Text(f"\n{asked}"),) if asked else ())),
            references=() if classified or self.subset == "II-task" else (target,),
            choices=choices,
            answer=_index(target, choices, where) if classified else None,
            group=group,
        )

    def _heard(self, row: dict[str, str], target: str, where: str) -> tuple[Audio, ...]:
        if row.get("with_speech", "True").strip().lower() == "false":
            return ()
        path = beneath(self._published, need(row, "audio", where), where=where)
        said = target if self.subset == "asr" else row.get("orig_story") or None
        return (Audio(path, transcript=said),)

    def validate(self) -> None:
        """Read the table and find all recordings; the UsageError names what is wrong."""
        for _ in self:
            pass

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name=f"wavllm_{self.subset}",
            revision=self._published.described,
            content=self._published.content([self._table]),
            languages=(self._language,),
            licence="MIT (repository); the recordings have terms of their own",
            source="https://github.com/microsoft/SpeechT5/tree/main/WavLLM",
            citation="Hu et al. 2024, WavLLM, arXiv:2404.00656",
        )


def _index(target: str, choices: tuple[str, ...], where: str) -> int:
    """Index of the right choice, which a row names by its letter or its text."""
    letters = string.ascii_uppercase[: len(choices)]
    if len(target) == 1 and target in letters:
        return letters.index(target)
    folded = [choice.casefold() for choice in choices]
    if target.casefold() in folded:
        return folded.index(target.casefold())
    raise UsageError(f"{where}: tgt_text {target!r} is none of the choices {list(choices)}; correct the row")
