"""Stamps of the children's drawing program Tux Paint: images with written and spoken descriptions, from Debian.

952 stamps, 785 with a PNG image, are described in writing in 77 locales and in 7,289 recordings, most by volunteers, in
twelve languages: triples of image, speech and text. A description is mostly one noun phrase ("A penguin."), now and
then a sentence or two, and is about the same stamp in every language.

What to know of the data: nobody has checked that every recording says its text, which may have been revised since, and
some voices may be synthetic; who speaks is not known. English recordings say "penguin" where the text has "A penguin."
(two recognisers of different makers heard no article in any of 60), so that recognition accepts both. `NAME.ogg` beside
a stamp is a sound effect, not speech, and is never read. A language has one locale: of several with one tag
(`en en_AU en_GB`, `pt pt_BR`, `ca ca@valencia`) the one with the shortest name in the package, which is the plain one;
the others are left out. Recordings that are the same file byte for byte count once, and not at all where their texts
differ. `contents` counts what was left out. A wrong choice of `naming` can be near the truth ("our moon" for the full
moon). SVG drawings cannot be decoded and have no image here. Stamps share descriptions (785 images have 644 in English:
"A dog."), and two share an image. `caption` asks for all of them, and several images have one reference. `retrieval`
keeps the first of them by name and drops the later ones, so that no text and no image is there twice and every query
has one right answer. Texts are compared without case and punctuation, in the language and in English: what English
calls the same nobody can tell apart by another language's synonyms, and the pools of languages stay near each other.

The layout was read from the files and the changelog of the package.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import accumulate, groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from loaders.tuxpaint_stamps import ENGLISH, Stamp, package_version, plain, read_stamps, said
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import ITEM, Audio, Card, Image, Part, Sample, Text

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Sequence

Task = Literal["asr", "naming", "translation", "caption", "retrieval"]
"""Speech recognition, which of four descriptions is right, speech translation into English, describing an image, or
finding the image of a description and the description of an image."""
Input = Literal["image", "speech", "both", "text"]
"""What `naming` shows: the image, the spoken description, both, or the English description in writing."""

OPTIONS = 4


def neighbours(stamp: Stamp, stamps: Iterable[Stamp]) -> list[Stamp]:
    """The other stamps, those with which it shares most folders first, then by a hash of both names."""
    folders = [f"{folder}/" for folder in accumulate(stamp.name.split("/")[:-1], "{}/{}".format)]

    def order(other: Stamp) -> tuple[int, bytes]:
        shared = sum(other.name.startswith(folder) for folder in folders)
        return -shared, hashlib.sha256(f"{stamp.name}\n{other.name}".encode()).digest()

    return sorted((other for other in stamps if other.name != stamp.name), key=order)


def options(stamp: Stamp, near: Sequence[Stamp], language: str) -> list[Stamp]:
    """The stamp and three others from the front of its neighbours, in the order in which they are choices.

    Which they are and their order depend on the names of stamps alone, so that a question is the same in every
    language that has these texts. What says the same as another in the language or in English is left out.
    """
    chosen, taken = [stamp], {plain(stamp.texts[language]), plain(stamp.texts[ENGLISH])}
    for other in near:
        keys = {plain(other.texts[name]) for name in (language, ENGLISH) if name in other.texts}
        if language in other.texts and not keys & taken:
            chosen.append(other)
            taken |= keys
        if len(chosen) == OPTIONS:
            break
    return sorted(chosen, key=lambda one: hashlib.sha256(f"{one.name}\n{stamp.name}".encode()).digest())


@cache
def _digest(image: Path | None) -> str:
    return "" if image is None else hashlib.sha256(image.read_bytes()).hexdigest()


@dataclass(kw_only=True)
class TuxPaint:
    """The stamps.

    Args:
        root: folder with `tuxpaint/stamps` and `doc`; another one where the package was unpacked by `dpkg -x`.
        languages: codes of the languages, any spelling; None for all that the task has data in.
        task: one of `Task`.
        input: one of `Input`, for task=naming.

    `naming` with the image or the speech needs them, with "text" it leaves out English. A description that is the
    English one unchanged is never asked for. In a cascade the gold caption of an image is its English description. Of
    `retrieval` the query is the description and the item the image, whose name is the group field `stamp`.
    """

    root: str = field(default="/usr/share", compare=False)
    languages: Sequence[str] | None = None
    task: Task = "asr"
    input: Input = "image"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        for name, known in (("task", get_args(Task)), ("input", get_args(Input))):
            if getattr(self, name) not in known:
                raise UsageError(f"{name}={getattr(self, name)!r} is not known: give one of {', '.join(known)}")
        if isinstance(self.languages, str):
            self.languages = [self.languages]
        self._wanted = None if self.languages is None else {tag(code) for code in self.languages}

    def validate(self) -> None:
        """Check that the package is here and has the languages, or raise a UsageError."""
        found = {name for stamp in self.contents[0] for name in stamp.texts if self._asked(stamp, name)}
        if unknown := ", ".join(sorted((self._wanted or set()) - found)):
            raise UsageError(f"languages: task={self.task} has no {unknown}, only {', '.join(sorted(found))}")

    @cached_property
    def contents(self) -> tuple[tuple[Stamp, ...], dict[str, str], Counter[str]]:
        """All stamps by name, the locale of each language tag, and how many files were left out, by reason."""
        return read_stamps(Path(self.root))

    def _candidates(self) -> Iterator[tuple[Stamp, str]]:
        """Stamp and language of what the task may ask for, sorted."""
        for stamp in self.contents[0]:
            for language in sorted(stamp.texts):
                if (self._wanted is None or language in self._wanted) and self._asked(stamp, language):
                    yield stamp, language

    def _questions(self) -> Iterator[tuple[Stamp, str]]:
        """Stamp and language of each sample; `retrieval` drops those that say or show the same as an earlier one."""
        taken: dict[str, set[str]] = defaultdict(set)
        for stamp, language in self._candidates():
            if self.task == "retrieval":
                texts = {plain(stamp.texts[name]) for name in (language, ENGLISH)}
                keys = {*texts, _digest(stamp.image)}
                if keys & taken[language]:
                    continue
                taken[language] |= keys
            yield stamp, language

    def _asked(self, stamp: Stamp, language: str) -> bool:
        """Whether the task has a sample of a stamp in a language."""
        if self.task in ("asr", "translation"):
            return language in stamp.speech and (self.task == "asr" or language != ENGLISH)
        if language != ENGLISH and plain(stamp.texts[language]) == plain(stamp.texts[ENGLISH]):
            return False
        if self.task != "naming":
            return stamp.image is not None
        if language == ENGLISH and self.input == "text":
            return False
        heard = self.input in ("image", "text") or language in stamp.speech
        return heard and (self.input in ("speech", "text") or stamp.image is not None)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples, sorted by stamp and language."""
        stamps, locales, _ = self.contents
        for stamp, questions in groupby(self._questions(), key=itemgetter(0)):
            near = neighbours(stamp, stamps) if self.task == "naming" else []
            for _, language in questions:
                yield self._sample(stamp, language, locales[language], near)

    def _sample(self, stamp: Stamp, language: str, locale: str, near: Sequence[Stamp]) -> Sample:
        name, text, english = f"{stamp.name}/{language}", stamp.texts[language], stamp.texts[ENGLISH]
        group = {"stamp": stamp.name, "category": stamp.name.partition("/")[0], "locale": locale}
        sample = Sample(id=name, language=language, parts=self._parts(stamp, language), group=group)
        if self.task == "asr":
            return replace(sample, references=tuple(dict.fromkeys((said(text, language), text))))
        if self.task == "translation":
            return replace(sample, references=(english,), target_language=ENGLISH)
        if self.task == "caption":
            return replace(sample, references=(text,))
        if self.task == "retrieval":
            return replace(sample, parts=(Text(text),), variants={ITEM: sample.parts})
        shown = options(stamp, near, language)
        source = ENGLISH if self.input == "text" else None
        choices = tuple(option.texts[language] for option in shown)
        return replace(sample, choices=choices, answer=shown.index(stamp), source_language=source)

    def _parts(self, stamp: Stamp, language: str) -> tuple[Part, ...]:
        shown = {"naming": self.input, "caption": "image", "retrieval": "image"}.get(self.task, "speech")
        parts: list[Part] = []
        if shown in ("image", "both") and stamp.image is not None:
            parts.append(Image(stamp.image, transcript=stamp.texts[ENGLISH]))
        if shown in ("speech", "both"):
            parts.append(Audio(stamp.speech[language], transcript=said(stamp.texts[language], language)))
        return tuple(parts) or (Text(stamp.texts[ENGLISH]),)

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(1 for _ in self._questions())

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is of ids, descriptions and file sizes."""
        total, names = hashlib.sha256(), set()
        for stamp, name in self._questions():
            sizes = [file.stat().st_size for file in (stamp.image, stamp.speech.get(name)) if file is not None]
            total.update(f"{stamp.name}/{name}\t{stamp.texts[name]}\t{stamp.texts[ENGLISH]}\t{sizes}\n".encode())
            names.add(name)
        return Card(
            name="tuxpaint",
            revision=f"tuxpaint-stamps-default {package_version(Path(self.root), 'tuxpaint-stamps-default')}",
            content=total.hexdigest(),
            languages=tuple(sorted(names)),
            licence="GPL-2",
            source="Debian package tuxpaint-stamps-default; https://tuxpaint.org",
            citation="Bill Kendrick and contributors: Tux Paint stamps",
        )
