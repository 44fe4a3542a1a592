"""Opens, checks and hashes encoded media; every complaint about a file is made here and is one line long."""

from __future__ import annotations

import hashlib
import io
import stat
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mmbench.errors import MediaError
from mmbench.identity import digest
from mmbench.schema import Audio, Image, Joined, Source

if TYPE_CHECKING:
    from collections.abc import Iterator


def media_error(source: Source, what: object, mend: str) -> MediaError:
    """One line for whatever is wrong with a source: where, what, and how to mend it."""
    where = f"<{len(source)} bytes>" if isinstance(source, bytes) else str(source)
    if isinstance(source, Joined):
        where = f"<{len(source.sources)} recordings in a row>"
    return MediaError(" ".join(f"{where}: {what}; {mend}".split()))


@contextmanager
def guard(source: Source, mend: str) -> Iterator[None]:
    """Turn what a decoder raises into a MediaError: damaged input raises nearly any class, struct.error to KeyError."""
    try:
        yield
    except MediaError:
        raise
    except Exception as error:
        reason = getattr(error, "error_string", "") or str(error) or type(error).__name__
        raise media_error(source, f"truncated, damaged or of an unknown format ({reason})", mend) from error


def _stat(path: Path, source: Source) -> tuple[int, int]:
    try:
        info = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise media_error(
            source, getattr(error, "strerror", None) or error, "check the path and the data folder"
        ) from error
    if not stat.S_ISREG(info.st_mode):
        raise media_error(source, "is a directory or device, not a file", "give the path of one media file")
    return info.st_size, info.st_mtime_ns


def open_source(source: Source) -> BinaryIO:
    """Open a path or bytes for reading, both as a binary file.

    Raises:
        MediaError: there is no such file, it is none, or it is empty.
    """
    if isinstance(source, bytes) and source:
        return io.BytesIO(source)
    if isinstance(source, Joined):
        raise media_error(source, "cannot be read as one file", "only audio can be joined, and without start or end")
    if isinstance(source, bytes) or _stat(Path(source), source)[0] == 0:
        raise media_error(source, "is empty (0 bytes)", "download or export it again")
    return Path(source).open("rb")


@lru_cache(maxsize=4096)
def _file_digest(path: Path, size: int, mtime_ns: int) -> str:
    """SHA-256 of a file; size and time are there as the cache's key."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def content_hash(source: Audio | Image) -> str:
    """SHA-256, hexadecimal, of the encoded bytes (image), or of their SHA-256, the window and the condition (audio).

    Does not depend on where the bytes are. A file is read once as long as its size and time stay the same.

    Raises:
        MediaError: the file is missing or cannot be read.
    """
    if isinstance(source, Image):
        return _bytes_digest(source.source)
    where = source.source
    if isinstance(where, Joined):
        encoded = " ".join([f"gap {float(where.gap)}", *map(_bytes_digest, where.sources)])
    else:
        encoded = _bytes_digest(where)
    end = source.end if source.end is None else float(source.end)
    heard = "" if source.condition is None else f" {digest(source.condition)} {source.seed}"
    return hashlib.sha256(f"{encoded} {float(source.start)} {end}{heard}".encode()).hexdigest()


def _bytes_digest(where: Source) -> str:
    if isinstance(where, bytes):
        return hashlib.sha256(where).hexdigest()
    with guard(where, "check that it can be read"):
        path = Path(str(where)).absolute()
        return _file_digest(path, *_stat(path, where))
