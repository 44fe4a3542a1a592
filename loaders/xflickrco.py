"""xFlickr&CO: captions that people wrote in eight languages for 1,000 images of Flickr30K and 1,000 of COCO."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.iglue import CITATION, SOURCE, Annotations, pair, text_of
from loaders.pictures import picture
from loaders.published import Published, need
from loaders.spoken import by_language, check, facts, usable
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Task = Literal["retrieval", "caption"]
"""Find the image of a caption and the other way round, or describe the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """One image with its caption in one language."""

    name: str
    tag: str
    caption: str
    image: Image
    source: str


@dataclass(kw_only=True)
class XFlickrCo:
    """One caption of each of 2,000 images in each language, written by looking at the image.

    - One caption is empty in German, and one in Indonesian. They are left out with a warning: those pools have 1,999.
    - The 1,000 Japanese captions of Flickr30K images still have the digits of the entities that their source marks
      ("1男が、3メガネをかけて"); they are kept as published.
    - Ids are numbers for COCO and text for Flickr30K; here they are text, and no two are the same.
    - The pool is that of one language: both halves together, as in the published tables.

    Two layouts are read: Parquet with the images in it, data/LANGUAGE-*.parquet, as on the hub; and IGLUE's
    annotations, annotations/LANGUAGE/test.jsonl, with a folder of images (both halves in it or in folders below it).

    Args:
        location: the repository on the hub, a folder with its files, that of e-bug/iglue, or fixture://xflickrco.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that have files.
        split: test, or the name of a few-shot file of IGLUE such as train_5.
        task: one of `Task`.
        images: folder of the images, where annotations have none.

    The layouts are that of the dataset card of floschne/xflickrco and that of datasets/xFlickrCO in e-bug/iglue.
    """

    location: str = field(default="floschne/xflickrco", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    task: Task = "retrieval"
    images: str = field(default="images", compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        check("task", self.task, get_args(Task))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _annotations(self) -> Annotations:
        return Annotations(
            location=self.location,
            dataset="xFlickrCO",
            pattern=f"annotations/*/{self.split}.jsonl",
            languages=self.languages,
            images=self.images,
        )

    @cached_property
    def _parquet(self) -> dict[str, list[str]]:
        """Parquet files by language tag; none where it is the other layout."""
        found: dict[str, list[str]] = {}
        for name in self._published.glob("data/*-*.parquet"):
            found.setdefault(name.removeprefix("data/").partition("-")[0], []).append(name)
        if not found:
            return {}
        if self.split != "test":
            raise UsageError(f"split={self.split!r}: the Parquet files have test alone; use IGLUE's annotations")
        where = f"{self.location}: data/*-*.parquet"
        return {tag: found[code] for code, tag in by_language(found, self.languages, where=where)}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        return usable(map(self._sample, self._rows()), self.location)

    def _rows(self) -> Iterable[Captioned]:
        return self._from_parquet() if self._parquet else self._from_annotations()

    def _from_parquet(self) -> Iterator[Captioned]:
        for tag, files in self._parquet.items():
            for row in self._published.parquet(files):
                where = f"{files[0]}, {row.get('id')}"
                image = Image(picture(need(row, "image", where), where))
                yield _captioned(row, tag, _caption(row, where), image, where)

    def _from_annotations(self) -> Iterator[Captioned]:
        for tag, _, file in self._annotations.files:
            for row in self._annotations.published.lines(file):
                where = f"{file}, {row.get('id')}"
                image = self._annotations.image(text_of(row, "img_path", where), where=where)
                yield _captioned(row, tag, _caption(row, where), image, where)

    def _sample(self, row: Captioned) -> Sample:
        if self.task == "retrieval":
            return pair(row.name, row.tag, row.caption, row.image, row.name, source=row.source)
        return Sample(
            id=f"{row.name}/{row.tag}",
            language=row.tag,
            parts=(row.image,),
            references=(row.caption,),
            group=facts(image=row.name, source=row.source),
        )

    @property
    def card(self) -> Card:
        """Identity and terms."""
        if not self._parquet:
            return self._annotations.card(
                "xflickrco", licence="see the repository; images under the terms of Flickr30K and COCO", citation=PAPERS
            )
        return Card(
            name="xflickrco",
            revision=self._published.described,
            content=self._published.content([name for names in self._parquet.values() for name in names]),
            languages=tuple(self._parquet),
            licence="CC-BY-4.0",
            source=f"https://huggingface.co/datasets/floschne/xflickrco, a copy of {SOURCE}",
            citation=f"{PAPERS}; {CITATION}",
        )


PAPERS = "Young et al. 2014, Flickr30K; Lin et al. 2014, COCO (arXiv:1405.0312)"


def _captioned(row: Mapping[str, Any], tag: str, caption: str, image: Image, where: str) -> Captioned:
    """The row; COCO's ids have at most six digits and are not Flickr's, whose shortest have seven."""
    name = str(need(row, "id", where))
    coco = str(row.get("img_path", "")).startswith("COCO") if "img_path" in row else len(name) < 7
    return Captioned(name=name, tag=tag, caption=caption, image=image, source="coco" if coco else "flickr30k")


def _caption(row: Mapping[str, Any], where: str) -> str:
    """The one caption of a row, which is text in Parquet and a list of one in IGLUE's annotations."""
    found = need(row, "sentences", where)
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list) or len(texts) != 1 or not isinstance(texts[0], str):
        raise UsageError(f"{where}: sentences {found!r} is not one caption; download it again")
    return texts[0]
