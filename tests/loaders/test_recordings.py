from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loaders.fixtures._corpora import write_files
from loaders.published import Published
from loaders.recordings import Clips, beneath, present
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_longest_end_of_a_path_counts(tmp_path: Path) -> None:
    for name in ("a.wav", "audio/a.wav", "audio/b.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    published = Published(location=str(tmp_path))
    found = {
        "/corpora/set/audio/a.wav": "audio/a.wav",
        "./audio/b.wav": "audio/b.wav",
        "other/a.wav": "a.wav",
        "../../audio/a.wav": "audio/a.wav",
    }
    for written, name in found.items():
        assert beneath(published, written, where="row 1") == tmp_path / name
    for written in ("audio/c.wav", "", "audio"):
        with pytest.raises(UsageError, match=r"^row 1: no recording "):
            beneath(published, written, where="row 1")


def test_a_file_in_a_folder_and_never_outside_it(tmp_path: Path) -> None:
    write_files(tmp_path, {"set/a.wav": b"1", "set/in/b.wav": b"2", "set/empty.wav": b"", "secret.wav": b"3"})
    folder = tmp_path / "set"
    assert present(folder, "a.wav") == folder / "a.wav"
    assert present(folder, "none.wav", "in/b.wav", "a.wav") == folder / "in/b.wav", "the first that is there"
    for name in ("../secret.wav", "in/../../secret.wav", str(tmp_path / "secret.wav"), str(folder / "a.wav")):
        assert present(folder, name) is None, name
        with pytest.raises(UsageError, match="there is no such file"):
            Published(location=str(folder)).path(name)
    for name in ("empty.wav", "in", "", "x" * 300, "a\0b"):
        assert present(folder, name) is None, name
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    assert present(folder, "link.wav"), "caches are made of links"


def test_a_path_of_another_machine_does_not_lead_out(tmp_path: Path) -> None:
    write_files(tmp_path, {"set/a.wav": b"1", "secret.wav": b"3", "set/empty.wav": b""})
    published = Published(location=str(tmp_path / "set"))
    for written in ("../secret.wav", f"{tmp_path}/secret.wav", "empty.wav"):
        with pytest.raises(UsageError, match=r"row 1: no recording .* or it is empty"):
            beneath(published, written, where="row 1")


def test_archives_are_unpacked_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"a/in/1.wav": b"1", "b/2.wav": b"2", "b/empty.wav": b""})
    opened: list[str] = []
    plain = Published.unpacked

    def counted(self: Published, name: str) -> Path:
        opened.append(name)
        return plain(self, name)

    monkeypatch.setattr(Published, "unpacked", counted)
    clips = Clips(published=Published(location=str(tmp_path)), archives=("a", "b"))
    found = clips.get("1.wav")
    assert found and found.read_bytes() == b"1" and opened == ["a"]
    found = clips.get("2.wav")
    assert found and found.read_bytes() == b"2" and opened == ["a", "b"]
    assert clips.get("3.wav") is None and clips.get("empty.wav") is None and opened == ["a", "b"]
