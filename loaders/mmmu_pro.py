"""MMMU-Pro: questions of MMMU with up to ten options, or as a screenshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from loaders.mmmu import ENGLISH, make_sample
from loaders.published import Published
from loaders.spoken import check, only, usable
from mmbench.schema import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmbench.schema import Sample

Setting = Literal["standard (10 options)", "standard (4 options)", "vision"]
"""Configurations of MMMU-Pro; of `vision` the picture is all there is."""


@dataclass(kw_only=True)
class MmmuPro:
    """MMMU-Pro: 1,730 questions of MMMU with up to ten options, or in a screenshot; English.

    - "10 options" are 1 to 12: 1,214 questions have ten, one has twelve. One, `validation_Accounting_29`, has a list in
      its list, and counts as one option in the published program; here it has the three that it is about.
    - Options were shuffled, so that the first may be "<image 3>": pictures are looked up by number.
    - The published program skips the files of "standard (10 options)", whose name its pattern does not match.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://mmmu_pro.
        revision: commit on the hub.
        languages: only English is there.
        split: test is all there is.
        setting: one of `Setting`.

    The layout is that of the hub repository MMMU/MMMU_Pro and of mmmu-pro/ in MMMU-Benchmark/MMMU.
    """

    location: str = field(default="MMMU/MMMU_Pro", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    setting: Setting = "standard (10 options)"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("setting", self.setting, get_args(Setting))
        only(self.languages, [ENGLISH])

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> tuple[str, ...]:
        return self._published.find(f"{self.setting}/{self.split}-*.parquet")

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions in the order of the files."""
        seen = self.setting == "vision"
        rows = self._published.parquet(self._files)
        return usable((make_sample(row, ENGLISH, self._files[0], seen=seen) for row in rows), self.location)

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name=f"mmmu_pro_{self.setting}",
            revision=self._published.described,
            content=self._published.content(self._files),
            languages=(ENGLISH,),
            licence="Apache-2.0",
            source="https://huggingface.co/datasets/MMMU/MMMU_Pro",
            citation="Yue et al. 2024, MMMU-Pro: A More Robust Multi-discipline Multimodal Understanding Benchmark",
        )
