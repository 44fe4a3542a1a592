from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loaders.published import Published
from loaders.recordings import beneath, only
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_only() -> None:
    known = ("spa_Latn", "eng_Latn")
    assert only(None, known) == known
    assert only(["en", "es"], known) == known, "in the order of the dataset"
    assert only("spanish", iter(known)) == ("spa_Latn",)
    with pytest.raises(UsageError, match="languages: fra_Latn not in the dataset, which has spa_Latn, eng_Latn"):
        only(["fr", "es"], known)


def test_the_longest_end_of_a_path_counts(tmp_path: Path) -> None:
    for name in ("a.wav", "audio/a.wav", "audio/b.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
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
