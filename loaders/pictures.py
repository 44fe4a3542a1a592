"""Pictures of published benchmarks: bytes out of a table, and the marks in a text that say where each one stands."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from mmbench.errors import UsageError
from mmbench.schema import Image, Text

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from mmbench.schema import Part

MAX_BASE64 = 256 << 20
"""Longest picture in base64, in characters; a longer one is not decoded."""

_DATA_URL = "base64,"


def picture(value: object, where: str) -> bytes:
    """The encoded bytes of an undecoded image field: {"bytes", "path"}, bytes, or base64 (also as a data: URL).

    Raises:
        UsageError: it holds none.
    """
    found = value.get("bytes") if isinstance(value, dict) else value
    if isinstance(found, str) and found:
        return _from_base64(found, where)
    if not isinstance(found, bytes) or not found:
        raise UsageError(f"{where}: has no image; download the dataset again, with its images")
    return found


def _from_base64(text: str, where: str) -> bytes:
    if len(text) > MAX_BASE64:
        raise UsageError(f"{where}: an image of {len(text)} characters in base64; {MAX_BASE64} are read")
    start = text[:100].find(_DATA_URL)
    try:
        found = base64.b64decode(text[start + len(_DATA_URL) if start >= 0 else 0 :], validate=True)
    except ValueError as error:
        raise UsageError(f"{where}: its image is not base64 ({error}); download it again") from None
    if not found:
        raise UsageError(f"{where}: has no image; download the dataset again, with its images")
    return found


def interleaved(text: str, mark: re.Pattern[str], images: Mapping[str, Image], where: str) -> tuple[Part, ...]:
    """A text with its images where their marks stand, in the order of the text.

    The first group of the mark (the whole of it, where it has none) is the key of the image: it is looked up, never
    counted, so that a mark that is left out, doubled or out of order shifts no other image.

    Args:
        text: with the marks.
        mark: matches one mark, such as `<image ([0-9]+)>`.
        images: by key.
        where: of the row, for messages.

    Raises:
        UsageError: a mark has no image.
    """
    parts: list[Part] = []
    end = 0
    for found in mark.finditer(text):
        key = found[1] if mark.groups else found[0]
        if key not in images:
            raise UsageError(f"{where}: {found[0]} has no image; it has {', '.join(images) or 'none'}")
        parts += [Text(text[end : found.start()]), images[key]]
        end = found.end()
    parts.append(Text(text[end:]))
    return tuple(part for part in parts if not isinstance(part, Text) or part.text.strip())
