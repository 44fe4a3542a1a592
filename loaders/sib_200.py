"""SIB-200: the topic of a written sentence of FLORES, the same sentences in 205 languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from loaders.published import Published, need
from loaders.spoken import by_language, check
from mmbench.errors import UsageError
from mmbench.schema import Card, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LABELS = ("science/technology", "travel", "politics", "sports", "health", "entertainment", "geography")
"""The topics in the order of the published labels.txt, which is the same in every language."""

SPLITS = ("train", "dev", "test")


@dataclass(kw_only=True)
class Sib200:
    """The sentences of a split: 204 in `test`, 99 in `dev`, 701 in `train`, with the same ids in every language.

    An id is `index_id/TAG`, as in SIB-Fleurs, whose recordings are of some of the same sentences. Traps:

    - Fields with quotation marks are quoted as in CSV, which the file's ending does not say: read plainly, a fifth of
      the sentences would begin with a mark that nobody wrote.
    - Splits are SIB-200's own. Those of SIB-Fleurs are of FLEURS: do not compare results across the two.
    - A fourth of the questions is about science/technology, so that one constant answer gets 25 %, guessing 14 %.

    Args:
        location: the repository on the hub, a folder with its files (`data/TAG/SPLIT.tsv`) or with those of the GitHub
            repository (`data/annotated/TAG/SPLIT.tsv`), or fixture://sib_200.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that have files.
        split: train, dev or test.

    The layout was read from dadelani/sib-200 593cea8, and for the hub from its page of files (Davlan/sib200).
    """

    location: str = field(default="Davlan/sib200", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"

    def __post_init__(self) -> None:
        """Check the settings."""
        check("split", self.split, SPLITS)

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, str]:
        """File of each language tag, in the order of the tags."""
        patterns = [f"data/annotated/*/{self.split}.tsv", f"data/*/{self.split}.tsv", f"*/{self.split}.tsv"]
        found = {PurePosixPath(name).parts[-2]: name for name in self._published.find(*patterns)}
        pairs = by_language(found, self.languages, where=f"{self.location}: {patterns[1]}")
        return {tag: found[config] for config, tag in pairs}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of their ids.

        The files are sorted by topic: the first ten of a language would all be of one.
        """
        for tag, name in self._files.items():
            seen: set[str] = set()
            for row in sorted(self._published.table(name, quoted=True), key=_place):
                sentence = str(need(row, "index_id", name))
                where = f"{name}, index_id {sentence}"
                if sentence in seen:
                    raise UsageError(f"{where} is there twice; download it again")
                seen.add(sentence)
                label = need(row, "category", where)
                if label not in LABELS:
                    raise UsageError(f"{where}: category {label!r} is none of {', '.join(LABELS)}; download it again")
                yield Sample(
                    id=f"{sentence}/{tag}",
                    language=tag,
                    parts=(Text(str(need(row, "text", where))),),
                    choices=LABELS,
                    answer=LABELS.index(label),
                    group={"sentence": sentence, "category": label},
                )

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="sib_200",
            revision=self._published.described,
            content=self._published.content(list(self._files.values())),
            languages=tuple(self._files),
            licence="annotations Apache-2.0; sentences from FLORES-200, CC-BY-SA-4.0",
            source="https://github.com/dadelani/sib-200; https://huggingface.co/datasets/Davlan/sib200",
            citation="Adelani et al. 2024, SIB-200: A Simple, Inclusive, and Big Evaluation Dataset for Topic "
            "Classification in 200+ Languages and Dialects (arXiv:2309.07445)",
        )


def _place(row: Mapping[str, str]) -> tuple[int, str]:
    """Where a row belongs: ids are numbers, and what is none comes first."""
    sentence = row.get("index_id", "")
    return int(sentence) if sentence.isdecimal() else -1, sentence
