"""Multiple choice with pictures: lists that tables hold as text, letters of answers, and where each picture goes."""

from __future__ import annotations

import ast
import string
from typing import TYPE_CHECKING, Any

from loaders.pictures import interleaved
from mmbench.errors import UsageError
from mmbench.schema import Text

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence

    from mmbench.schema import Image, Part

MAX_LIST = 200_000
"""Longest text of a list that is read, in characters."""


def literal(value: object, where: str) -> list[Any]:
    """A list that a table holds as such, or as the text of a Python list; nothing in it is executed.

    Raises:
        UsageError: it is none.
    """
    if isinstance(value, list | tuple):
        return list(value)
    text = str(value).strip()
    try:
        found = ast.literal_eval(text) if len(text) <= MAX_LIST else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list | tuple):
        raise UsageError(f"{where}: {text[:60]!r} is not the text of a list; download it again")
    return list(found)


def options(value: object, where: str) -> tuple[str, ...]:
    """The options of a question, without blanks around them.

    A list in a list of one is that list: so are those of `validation_Accounting_29` in MMMU-Pro.

    Raises:
        UsageError: it is no list of texts or numbers.
    """
    found = literal(value, where)
    if len(found) == 1 and isinstance(found[0], list | tuple):
        found = list(found[0])
    if odd := [each for each in found if not isinstance(each, str | int | float)]:
        raise UsageError(f"{where}: the option {str(odd[0])[:60]!r} is neither text nor number; download it again")
    return tuple(str(each).strip() for each in found)


def columns(given: Sequence[str], where: str, *, empty: Sequence[str] = ("",)) -> tuple[str, ...]:
    """The options of a question that has a column for each, without blanks around them and without those it lacks.

    Only at the end may columns be empty: to leave one out before others would give these another letter.

    Args:
        given: contents of the columns.
        where: of the row, for messages.
        empty: what stands in the columns that are too many.

    Raises:
        UsageError: there are less than two options, or an empty one before another.
    """
    found = [option.strip() for option in given]
    while found and found[-1] in empty:
        found.pop()
    if len(found) < 2 or not all(found):
        raise UsageError(f"{where}: has an empty option before another, or less than two; download it again")
    return tuple(found)


def right(letter: object, choices: Sequence[str], where: str) -> int:
    """0-based index of the option that a letter names.

    Raises:
        UsageError: it names none of them.
    """
    given = str(letter).strip().upper()
    index = string.ascii_uppercase.find(given) if len(given) == 1 else -1
    if not 0 <= index < len(choices):
        raise UsageError(f"{where}: the answer {given[:20]!r} is none of its {len(choices)} options; download it again")
    return index


def keys(texts: Sequence[str], mark: re.Pattern[str]) -> dict[str, str]:
    """The marks in texts by the key that each has (its first group), in their order."""
    return {found[1]: found[0] for text in texts for found in mark.finditer(text)}


def illustrated(
    question: str, choices: Sequence[str], mark: re.Pattern[str], images: Mapping[str, Image], where: str
) -> tuple[Part, ...]:
    """A question whose text, and the options of which, have pictures.

    In the question a picture takes the place of its mark. Options are text, so a mark in one stays there, and the
    picture stands after the question with the mark before it, in the order of the options: "<image 2>: " and the
    picture. If the question has it too, it is shown there alone, with the mark. What no mark names comes first, in the
    order of the keys, so that no picture is lost.

    Args:
        question: with marks.
        choices: with marks.
        mark: its first group is the key of the image.
        images: by key, in the order of the keys.
        where: of the row, for messages.

    Raises:
        UsageError: a mark has no image.
    """
    shown, named = keys([question], mark), keys(choices, mark)
    parts: list[Part] = [image for key, image in images.items() if key not in shown and key not in named]
    labels = {id(images.get(key)): f"{written}: " for key, written in named.items() if key in shown}
    for part in interleaved(question, mark, images, where):
        parts += [Text(labels[id(part)]), part] if id(part) in labels else [part]
    for key, written in named.items():
        if key not in shown:
            parts += [Text(f"\n{written}: "), *interleaved(written, mark, images, where)]
    return tuple(parts)
