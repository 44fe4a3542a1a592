"""Multi30K: translate English captions of photographs into German, French and Czech, with or without the photograph."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from loaders.photos import Photos
from loaders.published import Published
from loaders.spoken import by_language, check, facts, usable
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Part, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Input = Literal["both", "text", "image"]
"""What the model gets: the caption with its image, the caption alone, or the image alone; ids are the same."""

SOURCE = "en"
ENGLISH = "eng_Latn"


@dataclass(kw_only=True)
class Multi30k:
    """The translation task of Multi30K; what an image adds is the paired difference of input=both and input=text.

    - Texts have no ids: line n of each text and of the list of images belong together. Files that differ in their
      number of lines are refused, as one line too few shifts all that follow.
    - Sizes: 1,000 sentences in test_2016_flickr and test_2017_flickr, 461 in test_2017_mscoco, 1,071 in
      test_2018_flickr. Czech has no 2017.
    - test_2017_mscoco is chosen for verbs that need the image; its list is `FILE#CAPTION`.
    - Old papers print BLEU of lower-cased tokens (the files in tok/), which does not compare with that of raw text.

    Args:
        location: folder of the repository multi30k/dataset, or of its data/task1, or fixture://multi30k.
        languages: codes of the targets, any spelling; None for all that the split has.
        split: name of the files, such as test_2017_mscoco.
        input: one of `Input`.
        images: folder of the images (or of folders of them), beside raw/ or elsewhere.

    The layout is that of data/task1 in multi30k/dataset.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test_2016_flickr"
    input: Input = "both"
    images: str = field(default="images", compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        check("input", self.input, get_args(Input))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @cached_property
    def _texts(self) -> dict[str, str]:
        """Files of the split by the code of the language."""
        pattern = f"raw/{self.split}.*"
        names = self._published.find(pattern, f"data/task1/{pattern}")
        ends = rf"{re.escape(self.split)}\.([a-z]{{2}})(\.gz)?"
        found = {m[1]: name for name in names if (m := re.fullmatch(ends, PurePosixPath(name).name))}
        if SOURCE not in found:
            raise UsageError(f"{self.location}: {pattern} has no English; the published files are needed")
        return found

    @cached_property
    def _top(self) -> PurePosixPath:
        """Folder that raw/ is in."""
        return PurePosixPath(self._texts[SOURCE]).parent.parent

    @cached_property
    def _targets(self) -> tuple[tuple[str, str], ...]:
        known = [code for code in self._texts if code != SOURCE]
        return by_language(known, self.languages, where=f"{self.location}: raw/{self.split}.*")

    @property
    def _list(self) -> str:
        return str(self._top / "image_splits" / f"{self.split}.txt")

    @cached_property
    def _photos(self) -> Photos:
        return Photos(published=self._published, folder=self.images, beside=str(self._top))

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        names, english = self._read(self._list), self._read(self._texts[SOURCE])
        for code, tag in self._targets:
            target = self._read(self._texts[code])
            counts = {self._list: len(names), self._texts[SOURCE]: len(english), self._texts[code]: len(target)}
            if len(set(counts.values())) > 1:
                found = ", ".join(f"{name} {count}" for name, count in counts.items())
                raise UsageError(f"{self.location}: lines that belong together differ in number: {found}")
            for name, source, reference in zip(names, english, target, strict=True):
                yield self._sample(tag, name, source, reference)

    def _sample(self, tag: str, name: str, source: str, reference: str) -> Sample:
        file = name.partition("#")[0]
        parts: list[Part] = []
        if self.input != "text":
            parts.append(Image(self._photos.get(file, where=f"{self._list}, {name}")))
        if self.input != "image":
            parts.append(Text(source))
        return Sample(
            id=f"{self.split}/{name.replace('.jpg', '')}/{tag}",
            language=tag,
            parts=tuple(parts),
            references=(reference,),
            source_language=None if self.input == "image" else ENGLISH,
            group=facts(image=file, item=f"{self.split}/{name}", split=self.split),
        )

    def _read(self, name: str) -> list[str]:
        path = self._published.path(name)
        data = path.read_bytes()
        try:
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
        except (OSError, EOFError, ValueError) as error:
            raise UsageError(f"{path}: cannot be read ({error}); download it again") from None
        # Not splitlines: a caption may hold characters that Python takes for the end of a line.
        return [line.strip() for line in text.removesuffix("\n").split("\n")]

    @property
    def card(self) -> Card:
        """Identity and terms."""
        files = [self._list, self._texts[SOURCE], *(self._texts[code] for code, _ in self._targets)]
        return Card(
            name="multi30k",
            revision=self._published.described,
            content=self._published.content(files),
            languages=tuple(tag for _, tag in self._targets),
            licence="for non-commercial research and education; images under the terms of Flickr30K and COCO",
            source="https://github.com/multi30k/dataset",
            citation="Elliott et al. 2016 (W16-3210); Elliott et al. 2017 (W17-4718); Barrault et al. 2018 (WMT18)",
        )
