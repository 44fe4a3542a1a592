"""xMMMU: questions of MMMU in seven languages, from PangeaBench."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, get_args

from loaders.mmmu import Questions, make_sample
from loaders.published import Published, stem
from loaders.spoken import by_language, check, usable
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmbench.schema import Sample


@dataclass(kw_only=True)
class Xmmmu:
    """xMMMU of PangeaBench: questions of MMMU's validation split in English and translated into six languages.

    The languages do not have the same questions: 300 were translated, of which Arabic has 298. Compare languages over
    the items that all of them have; `item` is the id that they share.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://xmmmu.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that have files.
        questions: one of `Questions`.

    The layout is that of the hub repository neulab/PangeaBench-xmmmu.
    """

    location: str = field(default="neulab/PangeaBench-xmmmu", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    questions: Questions = "multiple-choice"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("questions", self.questions, get_args(Questions))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, str]:
        """Files by language tag: en.parquet, translated_..._Arabic.parquet."""
        found = {stem(name).rpartition("_")[2]: name for name in self._published.find("data/*.parquet")}
        where = f"{self.location}: data/*.parquet"
        return {tag: found[code] for code, tag in by_language(found, self.languages, where=where)}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions language by language."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for tag, name in self._files.items():
            for row in self._published.parquet([name]):
                if self.questions in ("all", row.get("question_type") or "multiple-choice"):
                    yield make_sample(row, tag, name)

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="xmmmu",
            revision=self._published.described,
            content=self._published.content(list(self._files.values())),
            languages=tuple(self._files),
            licence="MIT",
            source="https://huggingface.co/datasets/neulab/PangeaBench-xmmmu",
            citation="Yue et al. 2024, Pangea: A Fully Open Multilingual Multimodal LLM for 39 Languages",
        )
