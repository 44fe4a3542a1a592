"""CoMMuTE: which translation of an ambiguous English sentence is right, which only the picture says."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from loaders.photos import Photos
from loaders.published import Published
from loaders.spoken import by_language, check
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Input = Literal["both", "text"]
"""What the model gets: the sentence with its picture, or the sentence alone; ids are the same."""

Split = Literal["test", "dev"]
"""The test sets, or the one of French for development."""

ENGLISH = "eng_Latn"
_FOLDERS = {"test": "en-{}", "dev": "en-{}_dev"}


@dataclass(kw_only=True)
class Commute:
    """Pairs of rows with one sentence, two pictures, and two translations that are right with one of them each.

    Choices stand in the same order in both rows of a pair: the answer is the first in one and the second in the other.
    So whoever does not look at the picture is right in just one of the two, by likelihood or by position.

    - `group["kind"]` says what holds of a pair. "swapped": the texts of one row are those of the other, exchanged, and
      a model that sees no picture gets exactly 50 %. "inexact": a text is written in another way in the other row,
      as in 2 of 154 pairs of French, which may move that by two questions. "identical": both translations are one text,
      as in 1 pair of Arabic and 3 of Russian: nobody can be right, so that at most 98.1 % can be reached in Russian,
      and 49.1 % without the picture.
    - Equal perplexities are wrong, as in evaluate.py: use the scorer `contrastive`.
    - Rows of a pair are not independent: take intervals over `pair`.
    - There are no ids: line n of every file belong together, and the name of the picture is the id. Files with
      different numbers of lines are refused, and so are two rows with different sentences.
    - Spaces around a line, which a third of the Arabic ones has, are taken off.

    Args:
        location: folder of the repository, or fixture://commute.
        languages: codes of the targets, any spelling; None for all that the split has.
        split: one of `Split`.
        input: one of `Input`.
        images: folder of the pictures, in `location` or elsewhere; None for images (images_dev of dev).

    The layout is that of MatthieuFP/CoMMuTE and its README, whose archives of pictures are on a drive of their own.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: Split = "test"
    input: Input = "both"
    images: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("split", self.split, get_args(Split))
        check("input", self.input, get_args(Input))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @cached_property
    def _photos(self) -> Photos:
        named = {"test": "images", "dev": "images_dev"}[self.split]
        return Photos(published=self._published, folder=self.images or named)

    @cached_property
    def _targets(self) -> tuple[tuple[str, str], ...]:
        """Codes and tags of the languages."""
        found = self._published.find(f"{_FOLDERS[self.split].format('??')}/src.en")
        codes = [PurePosixPath(name).parts[0].removeprefix("en-").removesuffix("_dev") for name in found]
        return by_language(codes, self.languages, where=f"{self.location}: {_FOLDERS[self.split].format('LANGUAGE')}")

    def _files(self, code: str) -> tuple[str, ...]:
        """Sentences, right and wrong translations, and pictures."""
        folder = _FOLDERS[self.split].format(code)
        return tuple(f"{folder}/{name}" for name in ("src.en", f"correct.{code}", f"incorrect.{code}", "img.order"))

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        for code, tag in self._targets:
            rows, seen = self._rows(code), set[str]()
            for first, second in zip(rows[::2], rows[1::2], strict=True):
                for row in (first, second):
                    if row.image in seen:
                        raise UsageError(f"{self._files(code)[3]}: {row.image} is there twice; download it again")
                    seen.add(row.image)
                yield from self._pair(tag, first, second)

    def _rows(self, code: str) -> list[_Row]:
        files = self._files(code)
        columns = [self._read(name) for name in files]
        if len({len(lines) for lines in columns}) > 1 or len(columns[0]) % 2:
            found = ", ".join(f"{name} {len(lines)}" for name, lines in zip(files, columns, strict=True))
            raise UsageError(f"{self.location}: pairs of lines that belong together differ in number: {found}")
        rows = [_Row(*fields) for fields in zip(*columns, strict=True)]
        for number, (first, second) in enumerate(zip(rows[::2], rows[1::2], strict=True)):
            if first.source != second.source:
                raise UsageError(f"{files[0]}:{2 * number + 1}: is another sentence than line {2 * number + 2}")
        return rows

    def _read(self, name: str) -> list[str]:
        path = self._published.path(name)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except ValueError as error:
            raise UsageError(f"{path}: cannot be read ({error}); download it again") from None
        lines = [line.strip() for line in text.strip("\n").split("\n")]
        if "" in lines:
            raise UsageError(f"{path}:{lines.index('') + 1}: is empty; download it again")
        return lines

    def _pair(self, tag: str, first: _Row, second: _Row) -> Iterator[Sample]:
        """Both samples; the translation that is right in the row whose own sorts first is the first choice of both."""
        kind = (
            "identical"
            if first.right == first.wrong or second.right == second.wrong
            else "swapped"
            if (first.right, first.wrong) == (second.wrong, second.right)
            else "inexact"
        )
        leads = first.right <= second.right
        for row, leading in ((first, leads), (second, not leads)):
            both = self.input == "both"
            shown = (Image(self._photos.get(row.image, where=f"{row.image}/{tag}")),) if both else ()
            yield Sample(
                id=f"{self.split}/{PurePosixPath(row.image).stem}/{tag}",
                language=tag,
                parts=(*shown, Text(row.source)),
                choices=(row.right, row.wrong) if leading else (row.wrong, row.right),
                answer=0 if leading else 1,
                source_language=ENGLISH,
                group={"pair": PurePosixPath(first.image).stem, "kind": kind, "item": row.image, "split": self.split},
            )

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is of the texts and the lists of pictures."""
        return Card(
            name="commute",
            revision=self._published.described,
            content=self._published.content([name for code, _ in self._targets for name in self._files(code)]),
            languages=tuple(tag for _, tag in self._targets),
            licence="CC-BY-NC-SA-4.0",
            source="https://github.com/MatthieuFP/CoMMuTE",
            citation="Futeral et al. 2023, Tackling Ambiguity with Images: Improved Multimodal Machine Translation and "
            "Contrastive Evaluation (ACL); of Arabic, Chinese, Russian and dev: Futeral et al. 2024 (arXiv:2407.13579)",
        )


@dataclass(frozen=True, slots=True)
class _Row:
    source: str
    right: str
    wrong: str
    image: str
