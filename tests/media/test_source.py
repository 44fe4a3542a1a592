"""Opening and hashing: what is wrong with a path is told alike for audio and images, and a hash is of content."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmbench.errors import MediaError
from mmbench.media import audio_seconds, content_hash, load_audio, load_image
from mmbench.media import source as module
from mmbench.schema import Audio, Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from mmbench.schema import Source

READERS: dict[str, Callable[[Source], object]] = {
    "load_audio": lambda source: load_audio(Audio(source), rate=16_000),
    "audio_seconds": lambda source: audio_seconds(Audio(source)),
    "load_image": lambda source: load_image(Image(source)),
}
"""Whatever opens a source."""


def refused(read: Callable[[Source], object], source: Source, *words: str) -> None:
    """Check that reading ends in one line with these words."""
    with pytest.raises(MediaError) as caught:
        read(source)
    message = str(caught.value)
    assert "\n" not in message
    assert "; " in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", READERS)
def test_paths_that_are_no_files(tmp_path: Path, name: str) -> None:
    read = READERS[name]
    refused(read, tmp_path / "no.wav", "no.wav", "No such file")
    refused(read, tmp_path, "directory")
    refused(read, "a\0b", "null")
    refused(read, "new\nline.wav", "new line.wav")


@pytest.mark.parametrize("name", READERS)
def test_no_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.wav").touch()
    refused(READERS[name], tmp_path / "empty.wav", "empty.wav", "0 bytes")
    refused(READERS[name], b"", "<0 bytes>", "empty")


@pytest.mark.parametrize("name", [*READERS, "content_hash"])
def test_files_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF")

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)
    read = READERS.get(name, lambda source: content_hash(Audio(source)))
    refused(read, path, "Permission denied")


def test_hash_is_of_content_and_window(tmp_path: Path) -> None:
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for path in paths:
        path.write_bytes(b"one")
    sources: list[Source] = [b"one", *paths, str(paths[0])]
    same = {content_hash(Audio(source)) for source in sources}
    assert len(same) == 1
    windows: list[Audio | Image] = [
        Audio(b"one"),
        Audio(b"one", start=1),
        Audio(b"one", end=1),
        Audio(b"one", start=1, end=2),
        Audio(b"two"),
        Image(b"one"),
    ]
    assert len({content_hash(window) for window in windows}) == len(windows)
    alike = Audio(b"one", start=1.0, end=2.0, transcript="x")
    assert content_hash(Audio(b"one", start=1, end=2)) == content_hash(alike)
    with pytest.raises(MediaError, match="No such file"):
        content_hash(Image(tmp_path / "no"))


def test_hash_reads_a_file_once_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    before = module._file_digest.cache_info().misses
    first = content_hash(Image(path))
    assert content_hash(Image(str(path))) == first
    assert module._file_digest.cache_info().misses == before + 1
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert content_hash(Image(path)) != first
