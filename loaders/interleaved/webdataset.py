"""Documents in tar files of WebDataset: neighbouring members whose names are equal up to the first point are one.

Which node stands where:

- `KEY.json` with `texts` and `images`, two lists of one length (as MINT-1T and OmniCorpus write them): an image is
  the rest of a member's name ("1.jpg") or the whole of it ("KEY.1.jpg"). One that is no member is missing.
- Otherwise members stand by their number, no number is 0, and of one number the image stands before the text:
  `KEY.jpg KEY.txt KEY.1.jpg KEY.1.txt` is image, text, image, text. Numbers are numbers: 10 comes after 9.

`url` of the JSON is the document's. Archives are read from front to back and never unpacked, so that names of members
lead nowhere. The convention of names: WebDataset's documentation.
"""

from __future__ import annotations

import json
import re
import tarfile
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from loaders.interleaved.documents import Picture
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from loaders.interleaved.documents import Node

MAX_BYTES = 256 << 20
"""Largest member that is read."""

_IMAGES = frozenset(("avif", "bmp", "gif", "jpeg", "jpg", "jp2", "png", "tif", "tiff", "webp"))
_NUMBER = re.compile(r"(?:(\d{1,18})\.)?(\w+)")


def documents(path: Path) -> Iterator[tuple[str, str, list[Node]]]:
    """Key, URL and nodes of each document of an archive, in its order.

    Raises:
        UsageError: the archive is damaged, a member is there twice, those of a document are no neighbours, or a JSON
            member is none.
    """
    seen: set[str] = set()
    try:
        with tarfile.open(path, "r|*") as archive:
            for key, members in groupby(_members(archive, path), key=lambda member: member[0]):
                if key in seen:
                    raise UsageError(f"{path}: members of {key} stand apart; pack it again, sorted by name")
                seen.add(key)
                found: dict[str, bytes] = {}
                for _, ending, data in members:
                    if ending in found:
                        raise UsageError(f"{path}: {key}.{ending} is there twice; pack it again")
                    found[ending] = data
                yield key, *_document(key, found, f"{path}: {key}")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UsageError(f"{path}: damaged ({error}); download it again") from error


def _members(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Key, rest of the name and content of each file; folders, links and devices are no files."""
    for member in archive:
        name = PurePosixPath(member.name)
        stem, point, ending = name.name.partition(".")
        if not member.isfile() or not point or not stem:
            continue
        if member.size > MAX_BYTES:
            raise UsageError(f"{path}: {member.name} has {member.size} bytes, {MAX_BYTES} are read; pack it smaller")
        file = archive.extractfile(member)
        yield (name.parent / stem).as_posix(), ending.lower(), b"" if file is None else file.read()


def _document(key: str, found: Mapping[str, bytes], where: str) -> tuple[str, list[Node]]:
    about = _json(found["json"], where) if "json" in found else {}
    url = str(about.get("url") or "")
    if isinstance(about.get("texts"), list) and isinstance(about.get("images"), list):
        return url, _listed(PurePosixPath(key).name, about["texts"], about["images"], found, where)
    numbered: list[tuple[int, bool, Node]] = []
    for ending, data in found.items():
        match = _NUMBER.fullmatch(ending)
        if match and match[2] in _IMAGES:
            numbered.append((int(match[1] or 0), False, Picture(name=ending, data=data)))
        elif match and match[2] == "txt":
            numbered.append((int(match[1] or 0), True, _text(data, f"{where}.{ending}")))
    return url, [node for _, _, node in sorted(numbered, key=lambda each: each[:2])]


def _listed(stem: str, texts: list[Any], images: list[Any], found: Mapping[str, bytes], where: str) -> list[Node]:
    if len(texts) != len(images):
        raise UsageError(f"{where}: {len(texts)} texts, but {len(images)} images; pack it again")
    nodes: list[Node] = []
    for text, image in zip(texts, images, strict=True):
        if text is not None and image is not None:
            raise UsageError(f"{where}: text and image at one place; pack it again")
        ending = str(image or "").removeprefix(f"{stem}.").lower()
        if text is not None:
            nodes.append(str(text))
        elif ending in found:
            nodes.append(Picture(name=str(image), data=found[ending]))
        else:  # without its name, which may be that of a file in the store that has nothing to do with it
            nodes.append(Picture())
    return nodes


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 ({error}); pack it again") from None


def _json(data: bytes, where: str) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}.json: not JSON ({error}); pack it again") from None
    if not isinstance(value, dict):
        raise UsageError(f"{where}.json: not a JSON object; pack it again")
    return value
