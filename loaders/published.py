"""The published files of a dataset, in a local folder or on the Hugging Face hub: to list, read and identify them.

A local folder has the layout of the hub repository, so a loader says the same names for both. On the hub Parquet is
streamed and other files are downloaded once into the hub's own cache; nothing is decoded here.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from loaders.cache import unpacked
from loaders.recordings import present
from mmbench.errors import UsageError
from mmbench.store import dumps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

log = logging.getLogger(__name__)

FIXTURE = "fixture://"
_ENDS = 1 << 20
_ROWS = 4


@dataclass(frozen=True, kw_only=True)
class Published:
    """A dataset repository.

    Args:
        location: a folder with the repository's layout, its id on the hub, or fixture://NAME for the small stand-in of
            `loaders.fixtures`, which has the same layout and real speech.
        revision: commit, tag or branch on the hub; pin it.
    """

    location: str
    revision: str | None = None

    @cached_property
    def folder(self) -> Path | None:
        """The local folder; None on the hub.

        Raises:
            UsageError: it looks like a folder, and there is none.
        """
        if self.location.startswith(FIXTURE):
            from loaders.fixtures import fixture

            return fixture(self.location.removeprefix(FIXTURE))
        path = Path(self.location).expanduser()
        if path.is_dir():
            return path
        if path.is_absolute() or self.location.startswith((".", "~")) or self.location.count("/") != 1:
            raise UsageError(f"location={self.location}: there is no such folder; give one, or an id on the hub")
        return None

    @cached_property
    def _hub(self) -> Any:
        from huggingface_hub import HfFileSystem

        return HfFileSystem()

    @cached_property
    def commit(self) -> str:
        """The commit on the hub that `revision` means; empty for a folder."""
        if self.folder is not None:
            return ""
        from huggingface_hub import HfApi

        try:
            return str(HfApi().dataset_info(self.location, revision=self.revision).sha)
        except Exception as error:  # the hub's client raises a dozen kinds
            raise UsageError(self._unreachable(error)) from error

    def _unreachable(self, error: Exception) -> str:
        reason = " ".join(str(error).split())[:200]
        return (
            f"location={self.location}: neither a folder nor to be had from the hub ({type(error).__name__}: {reason})"
            "; give a folder with the published files"
        )

    @property
    def _root(self) -> str:
        return f"datasets/{self.location}@{self.commit}/"

    def glob(self, *patterns: str) -> tuple[str, ...]:
        """Names of the files that match the first pattern that any file matches, sorted; empty where none does."""
        for pattern in patterns:
            if self.folder is not None:
                found = [path.relative_to(self.folder).as_posix() for path in self.folder.glob(pattern)]
            else:
                try:
                    found = [str(name).removeprefix(self._root) for name in self._hub.glob(self._root + pattern)]
                except FileNotFoundError:  # the folder that the pattern begins with; another pattern may match
                    found = []
                except OSError as error:
                    raise UsageError(self._unreachable(error)) from error
            if found:
                return tuple(sorted(found))
        return ()

    def find(self, *patterns: str) -> tuple[str, ...]:
        """`glob` that insists.

        Raises:
            UsageError: no file matches any of the patterns.
        """
        if found := self.glob(*patterns):
            return found
        raise UsageError(f"{self.location}: no {' or '.join(patterns)} in it; the dataset's published files are needed")

    def path(self, name: str) -> Path:
        """A file on this machine; one on the hub is downloaded first.

        Raises:
            UsageError: there is no such file, it is empty, or its name leads out of the folder.
        """
        if self.folder is not None:
            if (path := present(self.folder, name)) is None:
                what = "there is no such file, or it is empty"
                raise UsageError(f"{self.folder / name}: {what}; the dataset's published files are needed")
            return path
        from huggingface_hub import hf_hub_download

        try:
            return Path(hf_hub_download(self.location, name, repo_type="dataset", revision=self.commit))
        except Exception as error:  # the hub's client raises a dozen kinds
            raise UsageError(f"{name}: {self._unreachable(error)}") from error

    def unpacked(self, name: str) -> Path:
        """Folder with the files of an archive: the one beside it of the same name, or unpacked into the cache once.

        Raises:
            UsageError: there is neither, or the archive is damaged.
        """
        stem = name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz").removesuffix(".zip")
        if self.folder is not None and (self.folder / stem).is_dir():
            return self.folder / stem
        return unpacked(self.path(name))

    def table(
        self, name: str, *, columns: Sequence[str] | None = None, quoted: bool = False
    ) -> Iterator[dict[str, str]]:
        """Rows of a .tsv or .csv file (also .gz) by the names of its columns, in its order.

        Args:
            name: the file.
            columns: names of the columns of a file without a header.
            quoted: whether quotes around a field are not part of it; always so in .csv.

        Raises:
            UsageError: a row has another number of fields than the header; the message gives file and line.
        """
        path = self.path(name)
        plain = name.removesuffix(".gz")
        comma = plain.endswith(".csv")
        with _text(path) as handle:
            csv.field_size_limit(1 << 30)
            rows = csv.reader(
                handle,
                delimiter="," if comma else "\t",
                quoting=csv.QUOTE_MINIMAL if comma or quoted else csv.QUOTE_NONE,
            )
            try:
                header = list(columns) if columns is not None else next(rows, [])
                for row in rows:
                    if row and len(row) != len(header):
                        what = f"{len(row)} fields where {len(header)} are expected"
                        raise UsageError(f"{path}:{rows.line_num}: {what}; download it again")
                    if row:
                        yield dict(zip(header, row, strict=True))
                if rows.line_num <= (columns is None):
                    log.warning("%s: has no rows", path)
            except (UnicodeDecodeError, csv.Error, EOFError, OSError) as error:
                raise UsageError(f"{path}: cannot be read ({error}); download it again") from error

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Objects of a .jsonl file, or of a .json file that is a list of objects.

        Raises:
            UsageError: a line is no JSON object; the message gives file and line.
        """
        path = self.path(name)
        with _text(path) as handle:
            numbered: Iterator[tuple[int, Any]]
            if name.removesuffix(".gz").endswith(".json"):
                numbered = iter(enumerate(_json(handle.read(), f"{path}"), 1))
            else:
                numbered = ((n, _json(line, f"{path}:{n}")) for n, line in enumerate(handle, 1) if line.strip())
            for number, row in numbered:
                if not isinstance(row, dict):
                    raise UsageError(f"{path}:{number}: not a JSON object; download it again")
                yield row

    def parquet(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Rows of Parquet files in order, streamed; audio and images as {"bytes", "path"}, never decoded.

        Everything happens in this thread: readers that fetch ahead in threads of their own, as `datasets` and Arrow's
        scanner do, hang or abort the process where it ends before they have.
        """
        from pyarrow.parquet import ParquetFile

        for name in names:
            try:
                with self._opened(name) as handle:
                    file = ParquetFile(handle, pre_buffer=False, buffer_size=_ENDS)
                    for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
                        yield from batch.to_pylist()
            except (OSError, ValueError) as error:
                raise UsageError(f"{self.location}: {name}: cannot be read ({error}); download it again") from error

    def labels(self, names: Sequence[str], column: str) -> tuple[str, ...]:
        """Names of the classes of a ClassLabel column; empty where it is none."""
        from pyarrow.parquet import read_schema

        with self._opened(names[0]) as handle:
            metadata = read_schema(handle).metadata or {}
        known = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
        feature = known.get(column)
        return tuple(feature.get("names") or ()) if isinstance(feature, dict) else ()

    def _opened(self, name: str) -> IO[bytes]:
        """A file to read parts of; one on the hub is not downloaded."""
        if self.folder is not None:
            return self.path(name).open("rb")
        handle: IO[bytes] = self._hub.open(self._root + name, "rb", block_size=_ENDS)
        return handle

    def content(self, names: Sequence[str]) -> str:
        """SHA-256 that identifies files: of the commit on the hub, else of names, sizes and both ends of each."""
        total = hashlib.sha256(dumps([self.location, self.commit] if self.folder is None else "").encode())
        for name in names:
            total.update(f"{name}\0".encode())
            if self.folder is not None:
                path = self.path(name)
                size = path.stat().st_size
                total.update(f"{size}\0".encode())
                with path.open("rb") as handle:
                    total.update(handle.read(_ENDS))
                    handle.seek(max(handle.tell(), size - _ENDS))
                    total.update(handle.read())
        return total.hexdigest()

    @property
    def described(self) -> str:
        """Id and commit on the hub, or that it is a local copy: the `revision` of a card."""
        return f"{self.location}@{self.commit}" if self.folder is None else "local folder"


def recording(value: object, where: str) -> bytes:
    """The encoded bytes of an undecoded audio field.

    Raises:
        UsageError: it holds none.
    """
    found = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(found, bytes) or not found:
        raise UsageError(f"{where}: has no audio; download the dataset again, with its recordings")
    return found


def need(row: Mapping[str, Any], column: str, where: str) -> Any:
    """A field that a row must have.

    Raises:
        UsageError: it has not; the message names those that it has.
    """
    if row.get(column) is None:
        raise UsageError(f"{where}: has no {column}; it has {', '.join(map(str, row))}")
    return row[column]


def _text(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where}: not JSON ({error}); download it again") from None


def stem(path: str) -> str:
    """File name without folders and the last ending."""
    return PurePosixPath(path).stem
