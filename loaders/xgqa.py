"""xGQA: questions about photographs in eight languages, whose answers are English words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loaders.iglue import Annotations, text_of
from loaders.spoken import facts, usable
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

ENGLISH = "eng_Latn"
TESTDEV = "testdev"
"""The split of the published tables: all balanced test-dev questions, of 398 images."""


@dataclass(kw_only=True)
class Xgqa:
    """GQA's balanced test-dev questions, translated by people; exact match of a word or two.

    - Answers are English in all languages: the language of the answer is English, and prompts must ask for it.
    - The id of a question is the key of the JSON object, and the same in each language (group field `item`).
    - Questions of one image are not independent: `image` is the cluster of the tasks.
    - The few-shot files (`split` of dev, test, train_1, train_5, ...) part the same images: their test is a part of
      `testdev`, and figures of the two do not compare.

    Args:
        location: folder of the repository e-bug/iglue, or of its datasets/xGQA, or fixture://xgqa.
        languages: codes, any spelling; None for all that have files.
        split: testdev, or the name of a few-shot file.
        images: folder of GQA's images (n161313.jpg), beside the annotations or elsewhere.

    The layout is that of datasets/xGQA in e-bug/iglue.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = TESTDEV
    images: str = field(default="images", compare=False)

    @cached_property
    def _annotations(self) -> Annotations:
        name = "zero_shot/testdev_balanced_questions_*" if self.split == TESTDEV else f"few_shot/*/{self.split}"
        return Annotations(
            location=self.location,
            dataset="xGQA",
            pattern=f"annotations/{name}.json",
            languages=self.languages,
            images=self.images,
        )

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for tag, _, file in self._annotations.files:
            path = self._annotations.published.path(file)
            for name, row in questions(path).items():
                yield self._sample(name, tag, row, f"{path}, question {name}")

    def _sample(self, name: str, tag: str, row: Mapping[str, Any], where: str) -> Sample:
        image = text_of(row, "imageId", where)
        kinds = row.get("types") or {}
        return Sample(
            id=f"{name}/{tag}",
            language=tag,
            parts=(Image(self._annotations.path(image, where=where)), Text(text_of(row, "question", where))),
            references=(text_of(row, "answer", where),),
            target_language=None if tag == ENGLISH else ENGLISH,
            group=facts(
                item=name,
                image=image,
                split=self.split,
                structural=kinds.get("structural"),
                semantic=kinds.get("semantic"),
            ),
        )

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return self._annotations.card(
            "xgqa",
            licence="see the repository; images of Visual Genome",
            citation="Pfeiffer et al. 2022, xGQA (arXiv:2109.06082); Hudson and Manning 2019, GQA (arXiv:1902.09506)",
        )


def questions(path: Path) -> dict[str, dict[str, Any]]:
    """Questions of a file by their ids.

    Raises:
        UsageError: it is no JSON object of objects, or has an id twice.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except ValueError as error:
        raise UsageError(f"{path}: not JSON, or a question twice ({error}); download it again") from None
    if not isinstance(found, dict) or not all(isinstance(row, dict) for row in found.values()):
        raise UsageError(f"{path}: not a JSON object of questions by their ids; download it again")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is there twice")
    return found
