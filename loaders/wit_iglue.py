"""WIT in IGLUE: find the picture of a caption of Wikipedia, in eleven languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from loaders.iglue import Annotations, pair, text_of
from loaders.spoken import usable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmbench.schema import Card, Sample


@dataclass(kw_only=True)
class WitIglue:
    """Captions and pictures of Wikipedia articles: 570 (el) to 1,000 (en, ja) pairs of a language, for retrieval.

    - A picture has up to 20 captions in one language (685 pictures for 1,000 English captions): `wit_ix` says which
      picture it is, and each is in the pool once.
    - `image_idx` does not: one number stands for two pictures in over a hundred cases.
    - The same caption stands under several pictures, so that 100 % cannot be reached.
    - One caption is blank in Greek, and one in Indonesian: they are left out with a warning.
    - Pools differ in size and are small: a mean over languages is not one of equally hard tasks.
    - Addresses of images end in .svg, .tif or .png; the files that were used are JPEG made from them, of which the
      number in `wit_ix` is the row.

    Args:
        location: folder of the repository e-bug/iglue, or of its datasets/wit, or fixture://wit_iglue.
        languages: codes, any spelling; None for all that have files.
        split: test (or val, English alone).
        images: folder of the pictures by `wit_ix` (wit-test_3.jpg, any usual ending), beside the annotations or
            elsewhere.

    The layout is that of datasets/wit in e-bug/iglue; names of pictures are ours, as they are published in a table.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    images: str = field(default="images", compare=False)

    @cached_property
    def _annotations(self) -> Annotations:
        return Annotations(
            location=self.location,
            dataset="wit",
            pattern=f"annotations/{self.split}_*.jsonl",
            languages=self.languages,
            images=self.images,
        )

    def __iter__(self) -> Iterator[Sample]:
        """Yield the pairs language by language, in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for tag, _, file in self._annotations.files:
            for row in self._annotations.published.lines(file):
                where = f"{file}, {row.get('wit_ix')}"
                name = text_of(row, "wit_ix", where)
                page = unquote(text_of(row, "page_url", where).rpartition("/wiki/")[2])
                caption = text_of(row, "caption_reference_description", where)
                yield pair(f"{name}/{page}", tag, caption, self._annotations.image(name, where=where), name)

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return self._annotations.card(
            "wit_iglue",
            licence="see the repository; pictures under the terms of Wikimedia Commons",
            citation="Srinivasan et al. 2021, WIT: Wikipedia-based Image Text Dataset (arXiv:2103.01913)",
        )
