"""Images on this machine, by the SHA-512 of their bytes, and where on the web they were found.

A store is a folder: `sha512/ab/HASH` holds an image (an ending such as `.jpg` is allowed), `index.jsonl` says of each
URL what became of it, one object a line, the last line of a URL counts: {"url", "state", "sha512", "reason"}, where
the state is "stored", "changed" (it gives another image than the one that is wanted) or "failed". Files that a corpus
names may lie in it too.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmbench.errors import CellError
from mmbench.store import dumps, read_jsonl

INDEX = "index.jsonl"
_HASH = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True)
class ImageStore:
    """A store; its folder need not exist yet."""

    folder: Path

    @cached_property
    def index(self) -> Mapping[str, Mapping[str, Any]]:
        """The last row of each URL, as it was when first asked for."""
        path, rows = self.folder / INDEX, dict[str, Mapping[str, Any]]()
        if path.is_file():
            for _, row in read_jsonl(path, strict=False):
                if isinstance(row, dict) and isinstance(row.get("url"), str):
                    rows[row["url"]] = row
        return rows

    def path(self, sha512: str) -> Path | None:
        """The file with this hash, whether or not its content has it; None where there is none."""
        name = sha512.lower()
        if not _HASH.fullmatch(name):  # a hash is data of a corpus, and no part of a path
            return None
        plain = self.folder / "sha512" / name[:2] / name
        if plain.is_file():
            return plain
        return next((path for path in sorted(plain.parent.glob(f"{name}.*")) if path.is_file()), None)

    def hash_of(self, url: str) -> str | None:
        """Hash of the image that a URL gave; None where it gave none."""
        row = self.index.get(url, {})
        return str(row["sha512"]) if row.get("state") == "stored" and row.get("sha512") else None

    def why_not(self, url: str) -> str:
        """Why an image is not here, in a few words."""
        row = self.index.get(url)
        if row is None or row.get("state") == "stored":
            return "not fetched"
        return "changed since" if row.get("state") == "changed" else str(row.get("reason") or "failed")

    def add(self, data: bytes) -> str:
        """Store an image and return its hash; a reader sees it whole or not at all.

        Raises:
            CellError: it cannot be written (a full disk).
        """
        name = hashlib.sha512(data).hexdigest()
        path = self.folder / "sha512" / name[:2] / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=path.parent, prefix=".")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(handle)  # or after a power cut the index knows of an image that is empty
                Path(part).chmod(0o644)
                Path(part).replace(path)
            finally:
                Path(part).unlink(missing_ok=True)
        except OSError as error:
            raise CellError(f"{path}: cannot be written ({error.strerror}); make room and run again") from error
        return name

    @cached_property
    def content(self) -> str:
        """SHA-256 of names and sizes of all images and of the URLs that gave one.

        Attempts that gave none do not change it; an image that is added does, also one that a corpus does not want:
        give each corpus a store of its own.
        """
        total = hashlib.sha256()
        for folder, _, files in sorted(os.walk(self.folder)):
            for file in sorted(files):
                path = Path(folder) / file
                if not file.startswith(".") and file not in (INDEX, "lock") and path.is_file():
                    total.update(f"{path.relative_to(self.folder).as_posix()}\0{path.stat().st_size}\0".encode())
        total.update(dumps(sorted((url, found) for url in self.index if (found := self.hash_of(url)))).encode())
        return total.hexdigest()
