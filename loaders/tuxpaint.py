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
moon). SVG drawings cannot be decoded and have no image here.

The layout was read from the files and the changelog of the package.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import unicodedata
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import accumulate, groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Audio, Card, Image, Part, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Task = Literal["asr", "naming", "translation"]
"""Speech recognition, which of four descriptions is right, or speech translation into English."""
Input = Literal["image", "speech", "both", "text"]
"""What `naming` shows: the image, the spoken description, both, or the English description in writing."""

ENGLISH = "eng_Latn"
OPTIONS = 4
# Locales that are no language codes, or are codes whose script mmbench does not know.
_TAGS = {"sr@latin": "srp_Latn", "son": "son_Latn", "shs": "shs_Latn"}
_LINE = re.compile(r"([A-Za-z_@]+)\.utf8=(.*)")


@dataclass(frozen=True, slots=True)
class Stamp:
    """One stamp: `name` is its path without extension, such as `animals/birds/penguin`; keys are language tags."""

    name: str
    texts: Mapping[str, str]
    speech: Mapping[str, Path]
    image: Path | None


def locale_tag(locale: str) -> str:
    """Language tag of a locale in the package, such as `zh_TW`, `sr@latin` or `ca@valencia`."""
    return _TAGS.get(locale) or tag(locale.partition("@")[0])


def read_descriptions(path: Path) -> dict[str, str]:
    """Descriptions by locale: the first line is English, the others are `LOCALE.utf8=TEXT`; blank ones are left out.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        first, *lines = path.read_text(encoding="utf-8-sig").splitlines() or [""]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}); install its package again") from None
    found = {"en": first}
    for line in lines:
        if match := _LINE.fullmatch(line):
            found.setdefault(match[1], match[2])
    return {locale: words for locale, text in found.items() if (words := " ".join(text.split()))}


def speech_file(description: Path, locale: str) -> Path:
    """Where the recording of a description is; that of English has no locale in its name."""
    return description.with_name(f"{description.stem}_desc{'' if locale == 'en' else '_' + locale}.ogg")


def pick_locales(locales: Iterable[str]) -> dict[str, str]:
    """For each language tag the locale that stands for it: the one with the shortest name, then the first."""
    picked: dict[str, str] = {}
    for locale in sorted(locales, key=lambda name: (len(name), name)):
        picked.setdefault(locale_tag(locale), locale)
    return picked


def said(text: str, language: str) -> str:
    """What the recording of a description says: in English the noun without its article."""
    return re.sub(r"^(an?|the) ", "", text, flags=re.IGNORECASE) if language == ENGLISH else text


@cache
def plain(text: str) -> str:
    """A text without case and punctuation, to tell whether two descriptions say the same."""
    return " ".join("".join(c for c in text if unicodedata.category(c)[0] != "P").casefold().split())


def repeated(recordings: Mapping[Path, str]) -> dict[Path, str]:
    """Why recordings that are the same bytes as another cannot be used, by file; their texts are given.

    The first of several with one text stays. Of several with different texts none does, because at most one is right.
    """
    same: dict[bytes, list[Path]] = defaultdict(list)
    for path in sorted(recordings):
        same[hashlib.sha256(path.read_bytes()).digest()].append(path)
    reasons: dict[Path, str] = {}
    for paths in same.values():
        clash = len({plain(recordings[path]) for path in paths}) > 1
        reasons |= dict.fromkeys(paths if clash else paths[1:], "one recording, several texts" if clash else "repeated")
    return reasons


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


@dataclass(kw_only=True)
class TuxPaint:
    """The stamps.

    Args:
        root: folder with `tuxpaint/stamps` and `doc`; another one where the package was unpacked by `dpkg -x`.
        languages: codes of the languages, any spelling; None for all that the task has data in.
        task: one of `Task`.
        input: one of `Input`, for task=naming.

    `naming` with the image or the speech needs them, with "text" it leaves out English, and a description that is the
    English one unchanged is never asked for. In a cascade the gold caption of an image is its English description.
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
        root = Path(self.root) / "tuxpaint" / "stamps"
        files = sorted(root.rglob("*.txt"))
        described = {file: texts for file in files if "en" in (texts := read_descriptions(file))}
        if not described:
            raise UsageError(
                f"no stamps in {root}: sudo apt-get install tuxpaint-stamps-default (or apt-get download it, "
                "dpkg -x it into a FOLDER and give root=FOLDER/usr/share)"
            )
        locales = pick_locales(locale for texts in described.values() for locale in texts)
        media = {*root.rglob("*_desc*.ogg"), *root.rglob("*.png")}
        spoken: dict[str, dict[Path, str]] = {locale: {} for locale in locales.values()}
        for file, texts in described.items():
            for locale in texts.keys() & spoken.keys():
                if (path := speech_file(file, locale)) in media:
                    spoken[locale][path] = texts[locale]
        total = sum(file.suffix == ".ogg" for file in media)
        skipped = Counter({"recording without text": total - sum(map(len, spoken.values()))})
        for known in spoken.values():
            for path, reason in repeated(known).items():
                skipped[reason] += 1
                del known[path]
        stamps = []
        for file, texts in described.items():
            name, png = file.relative_to(root).with_suffix("").as_posix(), file.with_suffix(".png")
            own = {language: locale for language, locale in locales.items() if locale in texts}
            said = {language: speech_file(file, locale) for language, locale in own.items()}
            speech = {language: path for language, path in said.items() if path in spoken[own[language]]}
            written = {language: texts[locale] for language, locale in own.items()}
            stamps.append(Stamp(name, written, speech, png if png in media else None))
        skipped["no PNG image"] = sum(stamp.image is None for stamp in stamps)
        return tuple(stamps), locales, skipped

    def _questions(self) -> Iterator[tuple[Stamp, str]]:
        """Stamp and language of each sample, sorted."""
        for stamp in self.contents[0]:
            for language in sorted(stamp.texts):
                if (self._wanted is None or language in self._wanted) and self._asked(stamp, language):
                    yield stamp, language

    def _asked(self, stamp: Stamp, language: str) -> bool:
        """Whether the task has a sample of a stamp in a language."""
        if self.task != "naming":
            return language in stamp.speech and (self.task == "asr" or language != ENGLISH)
        if language == ENGLISH and self.input == "text":
            return False
        if language != ENGLISH and plain(stamp.texts[language]) == plain(stamp.texts[ENGLISH]):
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
        shown = options(stamp, near, language)
        source = ENGLISH if self.input == "text" else None
        choices = tuple(option.texts[language] for option in shown)
        return replace(sample, choices=choices, answer=shown.index(stamp), source_language=source)

    def _parts(self, stamp: Stamp, language: str) -> tuple[Part, ...]:
        shown = self.input if self.task == "naming" else "speech"
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


def package_version(root: Path, package: str) -> str:
    """Version of a Debian package as its changelog says; "unknown" where dpkg was told to leave out documentation."""
    path = root / "doc" / package / "changelog.Debian.gz"
    try:
        found = re.match(r"\S+ \(([^)]+)\)", gzip.decompress(path.read_bytes()).decode("utf-8"))
    except (OSError, ValueError, EOFError, zlib.error):
        return "unknown"
    return found[1] if found else "unknown"
