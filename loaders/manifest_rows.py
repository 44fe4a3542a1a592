"""What a row of a manifest may hold: each value is checked, and a mistake names its field and how to mend it."""

from __future__ import annotations

import difflib
import json
import re
import reprlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Audio, Image, Part, Source, Text, Video

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_LINE = 16 * 2**20
"""Longest line in bytes; a longer one is a file without line ends, or media pasted into JSON."""

_WINDOW = ("start", "end", "transcript")
_PARTS = {"text": (), "audio": _WINDOW, "image": ("transcript",), "video": _WINDOW}
_SHORT = ("audio", *_WINDOW, "image", "text")
LANGUAGES = ("language", "source_language", "target_language")
"""Fields that hold a language; only the first is required."""
FIELDS = ("id", *LANGUAGES, "parts", *_SHORT, "reference", "references", "choices", "answer", "group")
"""All fields of a row."""
_SURROGATE = re.compile("[\ud800-\udfff]")
brief = reprlib.Repr()
"""Shows a value in a message, however long it is."""
brief.maxstring = 80


def mistake(field: str, what: str, mend: str) -> UsageError:
    """The error to raise for a field: what is wrong with it and what to do."""
    return UsageError(f"field {field!r}: {what}; {mend}")


def parse(row: object) -> Mapping[str, Any]:
    """The object that a line of JSON, or a row that is decoded already, holds; UsageError if it is none."""
    if isinstance(row, bytes):
        if len(row) > MAX_LINE:
            raise UsageError(f"is longer than {MAX_LINE} bytes; write one object a line, with media as paths")
        try:
            row = json.loads(row.decode(), object_pairs_hook=_unique)
        except UnicodeDecodeError as error:
            raise UsageError(f"is not UTF-8 ({error.reason} at byte {error.start}); save the file as UTF-8") from error
        except (ValueError, RecursionError) as error:
            why = f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else error
            raise UsageError(f"is not JSON ({why}); write one object a line") from error
    if not isinstance(row, dict):
        raise UsageError(f"is a {type(row).__name__}, not an object; write one object a line")
    return row


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(row := dict(pairs)) < len(pairs):  # json keeps the last one and says nothing
        raise mistake(Counter(name for name, _ in pairs).most_common(1)[0][0], "stands twice", "give it once")
    return row


def check_fields(row: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    """Refuse fields that are not in `names`; `where` is what their own names begin with, "" for the row itself."""
    for name in row:
        if name not in names and (where or not name.startswith("_")):
            near = difflib.get_close_matches(name[:80].lower(), names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
            raise mistake(f"{where}{name}", "is not known", hint)


def text(value: object, field: str) -> str:
    """A value that has to be a string."""
    if value is None:
        raise mistake(field, "is missing", "give it a value")
    if not isinstance(value, str):
        raise mistake(field, f"is {brief.repr(value)}, not a string", "put it in quotes")
    if _SURROGATE.search(value):
        raise mistake(field, "has half a character (a lone surrogate)", "write characters as UTF-8")
    return value


def _list(value: object, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise mistake(field, f"is {brief.repr(value)}, not a list", "put it in brackets")
    return value


def texts(value: object, field: str) -> tuple[str, ...]:
    """A value that has to be a list of strings."""
    return tuple(text(item, f"{field}[{index}]") for index, item in enumerate(_list(value, field)))


def language(value: object, field: str) -> str:
    """The tag of a value that has to be a language, in any code."""
    code = text(value, field)
    try:
        return tag(code)
    except UsageError as error:
        raise UsageError(f"field {field!r}: {error}") from error


def prompt(row: Mapping[str, Any]) -> list[tuple[str, object]]:
    """The parts that the row has or that its shorthand stands for, each with what its fields' names begin with."""
    short = [key for key in _SHORT if key in row]
    found: list[tuple[str, object]] = []
    if "parts" in row:
        if short:
            raise mistake(short[0], "stands beside parts", "put it into parts, or leave parts out")
        found = [(f"parts[{index}].", item) for index, item in enumerate(_list(row["parts"], "parts"))]
    elif "audio" in row:
        found.append(("", {key: row[key] for key in ("audio", *_WINDOW) if key in row}))
    elif short and short[0] in _WINDOW:
        raise mistake(short[0], "there is no audio that it is of", "give audio, or write parts")
    image = row.get("image", [])
    found += [("", {"image": path}) for path in (image if isinstance(image, list) else [image])]
    found += [("", {"text": row["text"]})] if "text" in row else []
    if not found:
        raise mistake("parts", "there is no audio, image or text either, or it is empty", "give the row a prompt")
    return found


def part(value: object, where: str, media: Callable[[object, str], Source]) -> Part:
    """One part of a prompt; `media` turns the value of a field that names media, and its name, into a source."""
    part = {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else {}
    kinds = [kind for kind in _PARTS if kind in part]
    if len(kinds) != 1:
        what = f"has {' and '.join(kinds) or 'none'} of {', '.join(_PARTS)}"
        raise mistake(where.rstrip("."), what, "write each part as an object with one of them")
    kind = kinds[0]
    check_fields(part, (kind, *_PARTS[kind]), where)
    if kind == "text":
        return Text(text(part["text"], f"{where}text"))
    source = media(part[kind], f"{where}{kind}")
    transcript = text(part["transcript"], f"{where}transcript") if "transcript" in part else None
    if kind == "image":
        return Image(source, transcript=transcript)
    for key in ("start", "end"):
        time = part.get(key, 0)
        if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time < 1e9:
            raise mistake(where + key, f"is {brief.repr(time)}, no time", "give a finite number of seconds from 0 on")
    start, end = float(part.get("start", 0)), float(part["end"]) if "end" in part else None
    if end is not None and end <= start:
        raise mistake(f"{where}end", f"{end} is not after start, {start}", "give times in seconds")
    return (Audio if kind == "audio" else Video)(source, start=start, end=end, transcript=transcript)


def answer(value: object, choices: Sequence[str]) -> int:
    """Index of the right choice; a letter that is also the text of another choice means nothing."""
    found = {index for index, choice in enumerate(choices) if choice == value}
    if isinstance(value, str) and len(value) == 1 and 0 <= ord(value) - ord("A") < min(26, len(choices)):
        found.add(ord(value) - ord("A"))
    if not isinstance(value, bool) and isinstance(value, int | float) and value in range(len(choices)):
        found = {int(value)}  # pandas makes a column of integers with gaps one of floats
    if len(found) != 1:
        what = f"is {brief.repr(value)}, which names {len(found) or 'none'} of {len(choices)} choices"
        raise mistake("answer", what, "give the 0-based index")
    return found.pop()


def group(value: object) -> dict[str, str]:
    """Fields to report by, as strings; those that are null are left out."""
    if not isinstance(value, dict):
        raise mistake("group", f"is {brief.repr(value)}, not an object", 'write it as {"topic": "news"}')
    found = {
        name: item if isinstance(item, dict | list | bytes) else str(item)
        for name, item in value.items()
        if item is not None
    }
    return {name: text(item, f"group.{name}") for name, item in found.items()}
