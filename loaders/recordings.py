"""What loaders of published data have in common: languages that are asked for, and recordings by a path in a table."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mmbench.errors import UsageError
from mmbench.languages import tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from loaders.published import Published


def only(languages: Sequence[str] | None, known: Iterable[str]) -> tuple[str, ...]:
    """Those of the `known` tags that are asked for, in the order of `known`; all for None.

    Raises:
        UsageError: one that is asked for is not known; the message names those that are.
    """
    known = tuple(known)
    if languages is None:
        return known
    wanted = {tag(code) for code in ([languages] if isinstance(languages, str) else languages)}
    if unknown := sorted(wanted - set(known)):
        raise UsageError(f"languages: {', '.join(unknown)} not in the dataset, which has {', '.join(known)}")
    return tuple(name for name in known if name in wanted)


def beneath(published: Published, written: str, *, where: str) -> Path:
    """The file that a table names by a path of the machine it was made on: the longest end of it that is there.

    Raises:
        UsageError: no end of the path is a file; the message begins with `where` and names the path.
    """
    parts = [part for part in PurePosixPath(written).parts if part not in ("/", ".", "..")]
    names = ["/".join(parts[first:]) for first in range(len(parts))]
    if published.folder is None:
        return published.path(written.lstrip("./"))
    for name in names:
        if (path := published.folder / name).is_file():
            return path
    raise UsageError(f"{where}: no recording {written or '(empty)'} in {published.folder}; download it into the folder")
