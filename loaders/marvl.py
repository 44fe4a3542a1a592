"""MaRVL: is a statement about two photographs true? Concepts and photographs of five cultures, in their languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loaders.iglue import Annotations, text_of
from loaders.spoken import facts, usable
from mmbench.errors import UsageError
from mmbench.schema import Card, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CHOICES = ("True", "False")
"""In this order; labels are JSON's true and false."""


@dataclass(kw_only=True)
class Marvl:
    """A statement about a left and a right image, true or false: 1,128 of them in Indonesian, 1,012 in Chinese.

    - The left image stands first; statements speak of "left" and "right", so that a swap changes answers.
    - Images are `LANGUAGE/images/CONCEPT/FILE`, and names of concepts have accents in another Unicode form than the
      files of some archives: they are looked for in every form.
    - Each statement is asked of about four pairs of images: `statement` is the cluster of the tasks.
    - Scorers that look for "no" in an answer read "nothing" as false; ours look for whole words.

    Args:
        location: folder of the repository e-bug/iglue, or of its datasets/marvl, or fixture://marvl.
        languages: codes, any spelling; None for all that have files.
        split: test, or the name of a few-shot file such as train5.
        images: folder of the images with one folder for each language, beside the annotations or elsewhere.

    The layout is that of datasets/marvl in e-bug/iglue; of the images that which gregor-ge/mBLIP reads.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    images: str = field(default="images", compare=False)

    @cached_property
    def _annotations(self) -> Annotations:
        few = "zero_shot/annotations/marvl-*" if self.split == "test" else f"few_shot/annotations/marvl-*_{self.split}"
        return Annotations(
            location=self.location,
            dataset="marvl",
            pattern=f"{few}.jsonl",
            languages=self.languages,
            images=self.images,
        )

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for tag, code, file in self._annotations.files:
            statements: dict[str, str] = {}
            for row in self._annotations.published.lines(file):
                where = f"{file}, {row.get('id')}"
                caption = text_of(row, "caption", where)
                statement = statements.setdefault(caption, f"{code}-statement-{len(statements)}")
                yield self._sample(tag, code, row, statement, where)

    def _sample(self, tag: str, code: str, row: Mapping[str, Any], statement: str, where: str) -> Sample:
        if not isinstance(row.get("label"), bool):
            raise UsageError(f"{where}: label {row.get('label')!r} is neither true nor false; download it again")
        concept = text_of(row, "concept", where)
        return Sample(
            id=f"{text_of(row, 'id', where)}/{tag}",
            language=tag,
            parts=(
                self._annotations.image(self._name(code, concept, row, "left_img", where), where=where),
                self._annotations.image(self._name(code, concept, row, "right_img", where), where=where),
                Text(text_of(row, "caption", where)),
            ),
            choices=CHOICES,
            answer=CHOICES.index(str(row["label"])),
            group=facts(concept=concept, chapter=row.get("chapter"), statement=statement, split=self.split),
        )

    def _name(self, code: str, concept: str, row: Mapping[str, Any], side: str, where: str) -> str:
        """Name of an image's file; the few-shot files write the folder of the concept before it."""
        name = text_of(row, side, where)
        return f"{code}/images/{name}" if "/" in name else f"{code}/images/{concept}/{name}"

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return self._annotations.card(
            "marvl",
            licence="see https://marvl-challenge.github.io",
            citation="Liu et al. 2021, Visually Grounded Reasoning across Languages and Cultures (arXiv:2109.13238)",
        )
