from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from loaders.fixtures.librispeech import write_openslr
from loaders.librispeech import LibriSpeech
from mmbench.errors import UsageError
from tests.loaders.corpus_files import clip, copy, edit, says

FIXTURE = "fixture://librispeech"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "librispeech"))


def test_clean_and_other_are_two_benchmarks() -> None:
    clean, other = (list(LibriSpeech(location=FIXTURE, split=split)) for split in ("test.clean", "test.other"))
    assert [sample.id for sample in clean] == [f"1089-134686-{n:04d}/eng_Latn" for n in range(4)]
    assert clean[0].references == ("PRESS 7 TO DELETE THIS MESSAGE",), "upper-case as it is"
    assert clean[0].group == {"speaker": "1089", "chapter": "134686", "part": "clean"}
    assert {sample.group["part"] for sample in other} == {"other"} and not {s.id for s in clean} & {s.id for s in other}
    assert all(says(sample, n, kind="FLAC") for n, sample in enumerate([*clean, *other]))


def test_openslr_has_the_same(tmp_path: Path) -> None:
    write_openslr(tmp_path)
    hub = list(LibriSpeech(location=FIXTURE))
    for folder in (tmp_path, tmp_path / "LibriSpeech"):
        here = list(LibriSpeech(location=str(folder)))
        assert [(s.id, s.references, s.group) for s in here] == [(s.id, s.references, s.group) for s in hub]
        assert [Path(str(clip(s).source)).read_bytes() for s in here] == [clip(s).source for s in hub]


def test_archive(tmp_path: Path) -> None:
    write_openslr(tmp_path)
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / "test-clean.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "LibriSpeech", "LibriSpeech")
    loader = LibriSpeech(location=str(tmp_path / "packed"))
    assert [sample.id for sample in loader] == [sample.id for sample in LibriSpeech(location=FIXTURE)]
    assert loader.card.content != LibriSpeech(location=str(tmp_path)).card.content


def test_missing_and_duplicate(tmp_path: Path) -> None:
    write_openslr(tmp_path)
    home = tmp_path / "LibriSpeech/test-clean/1089/134686"
    (home / "1089-134686-0002.flac").unlink()
    with pytest.raises(UsageError, match=r"1089-134686-0002\.flac: is not there or empty"):
        list(LibriSpeech(location=str(tmp_path)))
    (home / "1089-134686.trans.txt").unlink()
    with pytest.raises(UsageError, match=r"no \*\.trans\.txt in it; download test-clean\.tar\.gz again"):
        list(LibriSpeech(location=str(tmp_path)))
    stored = copy("librispeech", tmp_path)
    edit(stored / "all/test.clean/0000.parquet", lambda rows: rows[1].update(id=rows[0]["id"]))
    with pytest.raises(UsageError, match="1089-134686-0000/eng_Latn is there twice"):
        list(LibriSpeech(location=str(stored)))
    edit(stored / "all/test.clean/0000.parquet", lambda rows: rows[0]["audio"].update(bytes=b""))
    with pytest.raises(UsageError, match="1089-134686-0000: has no audio"):
        list(LibriSpeech(location=str(stored)))


def test_settings_and_card() -> None:
    with pytest.raises(UsageError, match=r"split='test' is not known: give one of test\.clean, test\.other"):
        LibriSpeech(split="test")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="LibriSpeech: no files of deu_Latn"):
        LibriSpeech(languages=["de"])
    with pytest.raises(UsageError, match=r"no all/validation\.other/\*\.parquet or dev-other"):
        list(LibriSpeech(location=FIXTURE, split="validation.other"))
    card = LibriSpeech(location=FIXTURE).card
    assert card.languages == ("eng_Latn",) and card.licence == "CC-BY-4.0"
    assert card.content != LibriSpeech(location=FIXTURE, split="test.other").card.content


def test_lists_of_texts_that_were_edited(tmp_path: Path) -> None:
    write_openslr(tmp_path)
    wanted = [(sample.id, sample.references) for sample in LibriSpeech(location=str(tmp_path))]
    texts = next(tmp_path.rglob("*.trans.txt"))
    plain = texts.read_bytes()
    texts.write_bytes(b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n") + b"\r\n")
    assert [(sample.id, sample.references) for sample in LibriSpeech(location=str(tmp_path))] == wanted
    for line, message in ((b"\xff\n", r"trans\.txt: cannot be read"), (b"../../1 A\n", "is not there or empty")):
        texts.write_bytes(plain + line)
        with pytest.raises(UsageError, match=message):
            list(LibriSpeech(location=str(tmp_path)))


def test_chapters_are_in_order_whatever_the_folders_are(tmp_path: Path) -> None:
    write_openslr(tmp_path)
    first = tmp_path / "LibriSpeech/test-clean/1089/134686"
    before = tmp_path / "LibriSpeech/test-clean/z/1"
    before.mkdir(parents=True)
    (before / "1088-1-0000.flac").write_bytes(b"x")
    (before / "1088-1.trans.txt").write_text("1088-1-0000 A\n", encoding="utf-8")
    ids = [sample.id for sample in LibriSpeech(location=str(tmp_path))]
    assert ids[0] == "1088-1-0000/eng_Latn" and len(ids) == 1 + len(list(first.glob("*.flac")))
