"""The stamps of Tux Paint as they are in the installed package: descriptions, recordings and images joined by name.

`loaders.tuxpaint` says what is known of the data.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import unicodedata
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mmbench.errors import UsageError
from mmbench.languages import tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ENGLISH = "eng_Latn"
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


def read_stamps(root: Path) -> tuple[tuple[Stamp, ...], dict[str, str], Counter[str]]:
    """All stamps by name, the locale of each language tag, and how many files were left out, by reason.

    Args:
        root: folder with `tuxpaint/stamps`, such as /usr/share.

    Raises:
        UsageError: there are none.
    """
    folder = root / "tuxpaint" / "stamps"
    files = sorted(folder.rglob("*.txt"))
    described = {file: texts for file in files if "en" in (texts := read_descriptions(file))}
    if not described:
        raise UsageError(
            f"no stamps in {folder}: sudo apt-get install tuxpaint-stamps-default (or apt-get download it, "
            "dpkg -x it into a FOLDER and give root=FOLDER/usr/share)"
        )
    locales = pick_locales(locale for texts in described.values() for locale in texts)
    media = {*folder.rglob("*_desc*.ogg"), *folder.rglob("*.png")}
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
        name, png = file.relative_to(folder).with_suffix("").as_posix(), file.with_suffix(".png")
        own = {language: locale for language, locale in locales.items() if locale in texts}
        files_of = {language: speech_file(file, locale) for language, locale in own.items()}
        speech = {language: path for language, path in files_of.items() if path in spoken[own[language]]}
        written = {language: texts[locale] for language, locale in own.items()}
        stamps.append(Stamp(name, written, speech, png if png in media else None))
    skipped["no PNG image"] = sum(stamp.image is None for stamp in stamps)
    return tuple(stamps), locales, skipped


def package_version(root: Path, package: str) -> str:
    """Version of a Debian package as its changelog says; "unknown" where dpkg was told to leave out documentation."""
    path = root / "doc" / package / "changelog.Debian.gz"
    try:
        found = re.match(r"\S+ \(([^)]+)\)", gzip.decompress(path.read_bytes()).decode("utf-8"))
    except (OSError, ValueError, EOFError, zlib.error):
        return "unknown"
    return found[1] if found else "unknown"
