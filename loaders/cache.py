"""What loaders make once and keep: unpacked archives and fixtures, complete or not there at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from mmbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def cache_folder() -> Path:
    """Where it is kept: MMBENCH_CACHE, or .cache/mmbench in the home folder."""
    return Path(os.environ.get("MMBENCH_CACHE") or Path.home() / ".cache" / "mmbench")


def kept(home: Path, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills when it is first asked for; of processes that do so at once the first one wins.

    Raises:
        UsageError: it cannot be written.
    """
    part = home.with_name(f"{home.name}.{os.getpid()}")
    if home.is_dir():
        return home
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        make(part)
        part.rename(home)
    except OSError as error:
        if not home.is_dir():  # else another process was quicker
            raise UsageError(f"{home}: cannot be written ({error}); make room or set MMBENCH_CACHE") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return home


def unpacked(archive: Path) -> Path:
    """Folder with the files of a tar or zip archive.

    Raises:
        UsageError: it is damaged or cannot be written.
    """
    info = archive.stat()
    key = hashlib.sha256(f"{archive.resolve()} {info.st_size} {info.st_mtime_ns}".encode()).hexdigest()[:32]
    return kept(cache_folder() / "unpacked" / key, lambda folder: _unpack(archive, folder))


def _unpack(archive: Path, folder: Path) -> None:
    """Names that lead out of the folder are refused by tarfile's filter and left out by zipfile."""
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(folder)
            return
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise UsageError(f"{archive}: damaged ({error}); download it again") from error
