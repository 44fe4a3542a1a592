"""Photographs that annotations name: files in a folder beside them, as most licences want it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.recordings import present
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from loaders.published import Published

KINDS = ("jpg", "jpeg", "png", "JPG", "JPEG", "PNG", "webp", "gif", "tif", "tiff")
"""Endings that are tried, in this order, where annotations give none."""


@dataclass(frozen=True, kw_only=True)
class Photos:
    """A folder of images; what is not in it is looked for in the folders that it holds (val2014, flickr30k-images).

    Args:
        published: the annotations; a relative folder is in theirs.
        folder: name or path of the folder.
        beside: folder of the annotations that it is in, unless it begins with "/", "~" or ".".
    """

    published: Published
    folder: str
    beside: str = ""

    @cached_property
    def _folders(self) -> tuple[Path, ...]:
        root = self.published.folder
        if root is None:
            raise UsageError(
                f"location={self.published.location}: the annotations are read from a folder, with images={self.folder}"
                " beside them; download both"
            )
        elsewhere = self.folder.startswith(("/", "~", "."))
        top = root / ("" if elsewhere else self.beside) / Path(self.folder).expanduser()
        if not top.is_dir():
            raise UsageError(f"{top}: there is no such folder; put the images there, or say where with images=FOLDER")
        return (top, *sorted(path for path in top.iterdir() if path.is_dir()))

    def get(self, name: str, *, where: str) -> Path:
        """File of an image; a name without an ending is tried with each of `KINDS`.

        Letters with accents are looked for in every Unicode form: archives were packed on systems that differ in it.

        Raises:
            UsageError: it is not there or empty; the message begins with `where` and names it.
        """
        names = [name] if Path(name).suffix.lstrip(".") in KINDS else [f"{name}.{kind}" for kind in KINDS]
        forms = [unicodedata.normalize(form, each) for each in names for form in ("NFC", "NFD", "NFKD")]
        for folder in self._folders:
            if found := present(folder, *names, *dict.fromkeys(forms)):
                return found
        raise UsageError(
            f"{where}: no image {names[0]} in {self._folders[0]}, or it is empty; download it into the folder"
        )
