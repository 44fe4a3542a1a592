"""Crossmodal-3600: captions in 36 languages for 3,600 photographs, 100 from where each of them is spoken."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.iglue import pair
from loaders.photos import Photos
from loaders.pictures import picture
from loaders.published import Published, need
from loaders.spoken import by_language, check, facts, usable
from mmbench.errors import UsageError
from mmbench.languages import tag as tag_of
from mmbench.schema import Card, Image, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Task = Literal["caption", "retrieval"]
"""Describe the image in the language, or find the image of a caption and the other way round."""

CAPTIONS = "captions.jsonl"
_KEY, _LOCALE = "image/key", "image/locale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """One image with its captions in one language; `code` and `locale` are as published."""

    key: str
    locale: str
    code: str
    tag: str
    captions: tuple[str, ...]
    image: Image


@dataclass(kw_only=True)
class Xm3600:
    """Two or more captions of each image in each language, written by looking at it and not translated.

    - All captions of an image in a language are its references. `caption/tokenized` is cut by rules that nobody
      documented and is not read; where no spaces are written, metrics must cut into characters (`unit: mixed` of the
      scorers) or words. Tools that take a caption in Chinese, Japanese or Thai as one word give it 0.
    - Images are known by their keys of 16 digits and letters as they are. Numbers made of them letter by letter (a = 1,
      b = 2) are the same for different keys.
    - `no` is Bokmål, `quz` Cusco Quechua (here quy_Latn), `fil` Filipino (tgl_Latn), `he` or `iw` Hebrew.
    - The group field `locale` is where an image was taken; `home` says whether that is the caption's own language.
    - An image that has no caption in a language has no sample there.

    Two layouts are read: Parquet with the images in it, data/LANGUAGE-*.parquet, as on the hub; and captions.jsonl of
    captions.zip with the unpacked images.tgz (KEY.jpg). The first comes by language, the second by image.

    Args:
        location: the repository on the hub, a folder with either layout, or fixture://xm3600.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that there are.
        task: one of `Task`.
        home: only the images of the language's own locale, 100 of each.
        images: folder of the images beside captions.jsonl, or elsewhere.

    The layouts are that of the dataset card of floschne/xm3600 and that of google.github.io/crossmodal-3600.
    """

    location: str = field(default="floschne/xm3600", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    task: Task = "caption"
    home: bool = False
    images: str = field(default="images", compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        check("task", self.task, get_args(Task))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _parquet(self) -> dict[str, list[str]]:
        """Parquet files by the language's own code; none where it is the other layout."""
        found: dict[str, list[str]] = {}
        for name in self._published.glob("data/*-*.parquet"):
            found.setdefault(name.removeprefix("data/").partition("-")[0], []).append(name)
        return found

    @cached_property
    def _lines(self) -> str:
        return self._published.find(CAPTIONS, f"*/{CAPTIONS}")[0]

    @cached_property
    def _codes(self) -> tuple[tuple[str, str], ...]:
        """The dataset's own code and the tag of each language, in the order of the tags."""
        if self._parquet:
            known, files = set(self._parquet), "data/*-*.parquet"
        else:
            rows = self._published.lines(self._lines)
            known, files = {code for row in rows for code, value in row.items() if isinstance(value, dict)}, self._lines
        return by_language(known, self.languages, where=f"{self.location}: {files}")

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for row in self._from_parquet() if self._parquet else self._from_lines():
            if not row.captions or (self.home and tag_of(row.locale) != row.tag):
                continue
            yield from self._pairs(row) if self.task == "retrieval" else (self._caption(row),)

    def _from_parquet(self) -> Iterator[Captioned]:
        for code, tag in self._codes:
            for row in self._published.parquet(self._parquet[code]):
                key = str(need(row, "image_id", self._parquet[code][0]))
                where = f"{self._parquet[code][0]}, {key}"
                yield Captioned(
                    key=key,
                    locale=str(need(row, "image_locale", where)),
                    code=code,
                    tag=tag,
                    captions=_texts(need(row, "captions", where), where),
                    image=Image(picture(need(row, "image", where), where)),
                )

    def _from_lines(self) -> Iterator[Captioned]:
        photos = Photos(published=self._published, folder=self.images)
        for row in self._published.lines(self._lines):
            key, locale = (str(need(row, column, self._lines)) for column in (_KEY, _LOCALE))
            for code, tag in self._codes:
                if code not in row:
                    continue
                where = f"{self._lines}, {key}, {code}"
                yield Captioned(
                    key=key,
                    locale=locale,
                    code=code,
                    tag=tag,
                    captions=_texts(need(row[code], "caption", where), where),
                    image=Image(photos.get(f"{key}.jpg", where=where)),
                )

    def _caption(self, row: Captioned) -> Sample:
        return Sample(
            id=f"{row.key}/{row.tag}",
            language=row.tag,
            parts=(row.image,),
            references=row.captions,
            group=facts(image=row.key, code=row.code, locale=row.locale, home=_home(row)),
        )

    def _pairs(self, row: Captioned) -> Iterator[Sample]:
        for number, caption in enumerate(row.captions, 1):
            yield pair(
                f"{row.key}#{number}",
                row.tag,
                caption,
                row.image,
                row.key,
                code=row.code,
                locale=row.locale,
                home=_home(row),
            )

    @property
    def card(self) -> Card:
        """Identity and terms."""
        codes = self._codes
        files = [name for code, _ in codes for name in self._parquet[code]] if self._parquet else [self._lines]
        return Card(
            name="xm3600",
            revision=self._published.described,
            content=self._published.content(files),
            languages=tuple(tag for _, tag in codes),
            licence="CC-BY-4.0 (captions); images of Open Images, see image_attributions.csv",
            source="https://google.github.io/crossmodal-3600",
            citation="Thapliyal et al. 2022, Crossmodal-3600 (arXiv:2205.12522)",
        )


def _home(row: Captioned) -> str:
    return "yes" if tag_of(row.locale) == row.tag else "no"


def _texts(captions: Any, where: str) -> tuple[str, ...]:
    """The captions that have text.

    Raises:
        UsageError: it is no list of texts.
    """
    if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
        raise UsageError(f"{where}: its captions are no list of texts; download it again")
    return tuple(caption for caption in captions if caption.strip())
