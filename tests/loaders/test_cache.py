from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from loaders.cache import cache_folder, kept, unpacked
from mmbench.errors import UsageError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_tar(path: Path, names: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, data in names.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
    return path


def test_where_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == home
    monkeypatch.delenv("MMBENCH_CACHE")
    monkeypatch.setenv("HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/.cache/mmbench")


def test_a_folder_is_made_once(home: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "a").write_text("a")

    for _ in range(2):
        assert (kept(home / "x", make) / "a").read_text() == "a"
    assert len(made) == 1 and made[0] != home / "x", "it gets its name when it is complete"
    assert [path.name for path in home.iterdir()] == ["x"]


def test_what_fails_leaves_nothing(home: Path) -> None:
    def broken(folder: Path) -> None:
        (folder / "half").write_text("a")
        raise KeyError("x")

    with pytest.raises(KeyError):
        kept(home / "x", broken)
    assert not list(home.iterdir())
    assert kept(home / "x", lambda folder: None).is_dir(), "and can be tried again"


def test_the_first_process_wins(home: Path) -> None:
    def slower(folder: Path) -> None:
        (home / "x").mkdir()
        (home / "x" / "of the other process").touch()

    found = kept(home / "x", slower)
    assert [path.name for path in found.iterdir()] == ["of the other process"]
    assert [path.name for path in home.iterdir()] == ["x"]


def test_what_cannot_be_written(home: Path) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(
        UsageError, match=r"cache/x: cannot be written .*No space left.*; make room or set MMBENCH_CACHE"
    ):
        kept(home / "x", full)


def test_archives_are_unpacked_once_and_again_when_they_change(tmp_path: Path, home: Path) -> None:
    archive = write_tar(tmp_path / "a.tar.gz", {"test/a.wav": b"1"})
    found = unpacked(archive)
    assert (found / "test" / "a.wav").read_bytes() == b"1" and found == unpacked(archive)
    assert home in found.parents
    write_tar(archive, {"test/a.wav": b"2"})
    os.utime(archive, (1, 1))
    assert (unpacked(archive) / "test" / "a.wav").read_bytes() == b"2"


def test_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("b/c.txt", "c")
        packed.writestr("../../outside.txt", "x")
    found = unpacked(tmp_path / "a.zip")
    assert (found / "b" / "c.txt").read_text() == "c"
    assert not list(tmp_path.rglob("cache/outside.txt")) and not (tmp_path / "outside.txt").exists()


def test_a_name_that_leads_outside_is_refused(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar.gz", {"../outside": b"x"})
    with pytest.raises(UsageError, match=r"a\.tar\.gz: damaged .*; download it again"):
        unpacked(archive)
    assert not list(tmp_path.rglob("outside"))


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_damaged_archives(tmp_path: Path, name: str, home: Path) -> None:
    whole = write_tar(tmp_path / "whole.tar.gz", {"a": os.urandom(9999)}).read_bytes()
    (tmp_path / name).write_bytes(whole[:5000])
    with pytest.raises(UsageError, match="damaged"):
        unpacked(tmp_path / name)
    assert not list((home / "unpacked").iterdir()), "nothing half unpacked stays"
