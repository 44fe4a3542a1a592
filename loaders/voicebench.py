"""VoiceBench: spoken questions to voice assistants, English, with nine kinds of task.

Layout: dataset card of hlt-lab/voicebench (SUBSET/SPLIT-*.parquet), columns as MatthewCYM/VoiceBench reads them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.published import Published, need, recording
from loaders.spoken import check, only
from loaders.wavllm import split_options
from mmbench.errors import UsageError
from mmbench.schema import Audio, Card, Sample
from mmbench.scorers.instructions import GROUP_FIELD, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Subset = Literal[
    "alpacaeval",
    "alpacaeval_full",
    "commoneval",
    "wildvoice",
    "sd-qa",
    "openbookqa",
    "mmsu",
    "bbh",
    "ifeval",
    "advbench",
]
"""The subsets. `mtbench` has several turns and `alpacaeval_speaker` many voices for one text; neither is here."""

ENGLISH = "eng_Latn"

_LETTERED = ("openbookqa", "mmsu")
_SHARD = re.compile(r"(.+)-\d+-of-\d+")


@dataclass(kw_only=True)
class VoiceBench:
    """One subset of VoiceBench. All that is asked is in the audio; the column `prompt` is its transcript.

    - `alpacaeval`, `commoneval` and `wildvoice` have no reference: a judge reads the answer (docs/judges.md).
    - `openbookqa` and `mmsu` are multiple choice whose options are spoken. The published program guesses, without a
      seed, where it finds no letter; here such an answer is unparsed and wrong.
    - `bbh` is yes or no, or (a) or (b); the published program reads "is not plausible" as plausible.
    - `advbench` is right where the model declines; the published program counts an empty answer as safe.
    - `sd-qa` asks the same questions in eleven accents (splits), which share the group field `item`.
    - Rows of most subsets have no id: it is split and number of the row, and the published `key` or `id` where there is
      one; that it names one row only is not documented.

    Args:
        location: folder or hub repository.
        revision: of the hub repository.
        languages: only English is there.
        subset: which one.
        splits: names of splits, such as accents of sd-qa or domains of mmsu; None for all of them.
    """

    location: str = field(default="hlt-lab/voicebench", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    subset: Subset = "commoneval"
    splits: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("subset", self.subset, get_args(Subset))
        only(self.languages, [ENGLISH])
        self.splits = [self.splits] if isinstance(self.splits, str) else self.splits

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, list[str]]:
        """Files of each split."""
        found: dict[str, list[str]] = {}
        for name in self._published.find(f"{self.subset}/*.parquet"):
            shard = PurePosixPath(name).stem
            match = _SHARD.fullmatch(shard)
            found.setdefault(match[1] if match else shard, []).append(name)
        wanted = list(found) if self.splits is None else self.splits
        if unknown := [split for split in wanted if split not in found]:
            raise UsageError(f"splits: {unknown[0]!r} not in {self.subset}, which has {', '.join(found)}")
        return {split: files for split, files in found.items() if split in wanted}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the rows split by split, streamed.

        Raises:
            UsageError: a column or a recording is missing, or a row has no right choice.
        """
        for split, files in self._files.items():
            for number, row in enumerate(self._published.parquet(files)):
                yield self._sample(row, split, number)

    def _sample(self, row: dict[str, Any], split: str, number: int) -> Sample:
        where = f"{self.location}: {self.subset}/{split}: row {number}"
        prompt = str(need(row, "prompt", where))
        own = next((str(row[column]) for column in ("id", "key") if row.get(column) is not None), None)
        group = {"subset": self.subset, "split": split, "item": hashlib.sha256(prompt.encode()).hexdigest()[:12]}
        choices, answer, references = self._expected(row, prompt, where)
        if self.subset == "ifeval":
            ids, given = (need(row, column, where) for column in ("instruction_id_list", "kwargs"))
            group[GROUP_FIELD] = encode(list(ids), list(given), prompt=prompt)
        if self.subset == "bbh" and own is not None:
            group["task"] = re.sub(r"[\W_]*\d+$", "", own)
        name = f"{number:05d}" if own is None else f"{number:05d}-{own}"
        return Sample(
            id=f"{self.subset}/{split}/{name}/{ENGLISH}",
            language=ENGLISH,
            parts=(Audio(recording(row.get("audio"), where), transcript=prompt),),
            references=references,
            choices=choices,
            answer=answer,
            group=group,
        )

    def _expected(
        self, row: Mapping[str, Any], prompt: str, where: str
    ) -> tuple[tuple[str, ...], int | None, tuple[str, ...]]:
        """Choices, the right one, and accepted answers of a row."""
        if self.subset not in (*_LETTERED, "bbh", "sd-qa"):
            return (), None, ()
        reference = str(need(row, "reference", where)).strip()
        if self.subset == "sd-qa":
            return (), None, (reference,)
        folded = reference.strip("()").casefold()
        if folded in ("yes", "no"):
            return ("Yes", "No"), ("yes", "no").index(folded), ()
        letters = "ab" if self.subset == "bbh" else "abcd"
        if len(folded) != 1 or folded not in letters:
            raise UsageError(f"{where}: the reference {reference!r} is no option; download the dataset again")
        _, spoken = split_options(prompt)
        choices = spoken if len(spoken) == len(letters) else tuple(letters.upper())
        return choices, letters.index(folded), ()

    def validate(self) -> None:
        """Find the files; rows are read as they are asked for."""
        _ = self._files

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name=f"voicebench_{self.subset}",
            revision=self._published.described,
            content=self._published.content([name for files in self._files.values() for name in files]),
            languages=(ENGLISH,),
            licence="Apache-2.0",
            source="https://huggingface.co/datasets/hlt-lab/voicebench",
            citation="Chen et al. 2024, VoiceBench: Benchmarking LLM-Based Voice Assistants, arXiv:2410.17196",
        )
