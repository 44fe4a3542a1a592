"""Recordings that tables name: in a folder, in archives, or by a path of the machine that the table was made on.

A name is data: one that leads out of the dataset's folder (`../..`, `/etc`) is no recording. Symbolic links are
followed, as caches of downloads are made of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mmbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from loaders.published import Published


def present(folder: Path, *names: str) -> Path | None:
    """The first of these files in a folder that has something in it; None where none has."""
    for name in names:
        written = PurePosixPath(name)
        if not written.is_absolute() and ".." not in written.parts and _filled(folder / written):
            return folder / written
    return None


def _filled(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:  # a name that is too long for a file
        return False


def beneath(published: Published, written: str, *, where: str) -> Path:
    """The file that a table names by a path of the machine it was made on: the longest end of it that is there.

    Raises:
        UsageError: no end of the path is a file; the message begins with `where` and names the path.
    """
    parts = [part for part in PurePosixPath(written).parts if part not in ("/", ".", "..")]
    if published.folder is None:
        return published.path("/".join(parts))
    if found := present(published.folder, *("/".join(parts[first:]) for first in range(len(parts)))):
        return found
    raise UsageError(
        f"{where}: no recording {written or '(empty)'} in {published.folder}, or it is empty; "
        "download it into the folder"
    )


@dataclass(kw_only=True)
class Clips:
    """Recordings by file name; an archive is unpacked when a name is in none before it.

    Args:
        published: the dataset.
        archives: names of its tar files, or of folders.
    """

    published: Published
    archives: Sequence[str]
    _paths: dict[str, Path] = field(default_factory=dict, init=False, repr=False)
    _used: int = field(default=0, init=False, repr=False)

    def get(self, name: str) -> Path | None:
        """Path of a recording; None where no archive has it or it is empty."""
        while name not in self._paths and self._used < len(self.archives):
            folder = self.published.unpacked(self.archives[self._used])
            self._used += 1
            self._paths.update((path.name, path) for path in sorted(folder.rglob("*.*")))
        path = self._paths.get(name)
        return None if path is None else present(path.parent, path.name)
