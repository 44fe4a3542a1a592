from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import loaders.fixtures as package
from loaders.fixtures import _speech, fixture, names
from mmbench.errors import UsageError
from mmbench.media import load_audio
from mmbench.schema import Audio

MINE = ("belebele_fleurs", "fleurs", "sib_fleurs")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path))
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_names() -> None:
    assert set(MINE) <= set(names()) and not [name for name in names() if name.startswith("_")]
    with pytest.raises(UsageError, match=r"fixture://no_such is not known; known are .*sib_fleurs"):
        fixture("no_such")


@pytest.mark.parametrize("name", MINE)
def test_a_stand_in_is_small_and_the_same_bytes_each_time(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = contents(fixture(name))
    monkeypatch.setenv("MMBENCH_CACHE", str(home / "elsewhere"))
    assert contents(fixture(name)) == first
    limit = 4 if name == "sib_fleurs" else 1.5
    assert 0 < sum(map(len, first.values())) < limit * 2**20


def test_a_stand_in_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from loaders.fixtures import fleurs

    folder = fixture("fleurs")

    def never(folder: Path) -> None:
        raise AssertionError("it is there")

    monkeypatch.setattr(fleurs, "write", never)
    assert fixture("fleurs") == folder


def test_another_writer_writes_another_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers use each other, so a change of any of them counts."""
    before = fixture("fleurs")
    shutil.copytree(Path(package.__file__).parent, home / "writers")
    monkeypatch.setattr(package, "__file__", str(home / "writers" / "__init__.py"))
    assert package.fixture("fleurs") == before
    (home / "writers" / "_corpora.py").write_text("# changed")
    assert package.fixture("fleurs") != before


def test_prompts_are_parallel_and_about_all_topics() -> None:
    found = _speech.prompts("eng_Latn", "rus_Cyrl", count=8)
    english, russian = found["eng_Latn"], found["rus_Cyrl"]
    assert [prompt.name for prompt in english] == [prompt.name for prompt in russian]
    assert [prompt.text for prompt in english] == [prompt.english for prompt in russian]
    assert {prompt.topic for prompt in english} == {"message", "conference", "password", "wait"}
    assert all(prompt.file.is_file() and prompt.tag == "rus_Cyrl" for prompt in russian)


def test_encoded() -> None:
    (prompt,) = _speech.prompts("eng_Latn", count=1)["eng_Latn"]
    wave = load_audio(Audio(prompt.file), rate=16000)
    data = _speech.encoded(prompt.file, kind="FLAC")
    assert data[:4] == b"fLaC" and len(load_audio(Audio(data), rate=16000)) == len(wave)
