from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from loaders.fixtures._corpora import write_tar
from loaders.voxpopuli import VoxPopuli
from mmbench.errors import UsageError
from tests.loaders.corpus_files import copy, says

if TYPE_CHECKING:
    from pathlib import Path

FIXTURE = "fixture://voxpopuli"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "voxpopuli"))


def test_asr(caplog: pytest.LogCaptureFixture) -> None:
    samples = list(VoxPopuli(location=FIXTURE))
    assert [sample.language for sample in samples[::2]] == ["eng_Latn", "fra_Latn", "ita_Latn", "spa_Latn"]
    assert "data/en/asr_test.tsv: 1 left out: no normalized_text" in caplog.text, "an empty text is no reference"
    second = samples[1]
    assert second.id == "20200101-0900-PLENARY-9-en_20200101-09:00:00_0/eng_Latn"
    assert second.references == ("press 7 to delete this message",)
    assert second.group == {"speaker": "1122", "gender": "female", "gold": "True"}, '"None" is no accent'
    assert says(samples[1], 0) and says(samples[0], 1)


def test_raw_text_is_another_reference() -> None:
    samples = list(VoxPopuli(location=FIXTURE, text="raw_text", languages=["en"]))
    assert len(samples) == 3
    assert samples[2].references == ('He said "Press 7 to delete this message."',), "quoting is undone"


def test_accented_english_is_read_alone() -> None:
    samples = list(VoxPopuli(location=FIXTURE, accented=True))
    assert {sample.language for sample in samples} == {"eng_Latn"}, "and nothing in place of the other languages"
    assert [s.id for s in VoxPopuli(location=FIXTURE, accented=True, languages=["English"])] == [s.id for s in samples]
    assert len(samples) == 2 and {sample.group["accent"] for sample in samples} == {"en_us"}
    assert says(samples[1], 3)


def test_gender() -> None:
    samples = list(VoxPopuli(location=FIXTURE, task="gender"))
    assert len(samples) == 12, "a text is not needed"
    assert {(s.language, s.choices[s.answer or 0]) for s in samples} == {
        ("eng_Latn", "female"),
        ("fra_Latn", "female"),
        ("spa_Latn", "female"),
        ("ita_Latn", "male"),
    }


def test_several_archives_unpacked_or_not(tmp_path: Path) -> None:
    home = copy("voxpopuli", tmp_path)
    wanted = [sample.id for sample in VoxPopuli(location=str(home), languages=["fr"])]
    audio = home / "data/fr/test"
    shutil.unpack_archive(audio / "test_part_0.tar.gz", audio)
    (audio / "test_part_0.tar.gz").unlink()
    assert [sample.id for sample in VoxPopuli(location=str(home), languages=["fr"])] == wanted
    one, *others = sorted((audio / "test_part_0").iterdir())
    write_tar(audio / "test_part_1.tar.gz", {f"test_part_1/{one.name}": one.read_bytes()})
    write_tar(audio / "test_part_0.tar.gz", {f"test_part_0/{path.name}": path.read_bytes() for path in others})
    shutil.rmtree(audio / "test_part_0")
    assert [sample.id for sample in VoxPopuli(location=str(home), languages=["fr"])] == wanted


def test_errors(tmp_path: Path) -> None:
    home = copy("voxpopuli", tmp_path)
    table = home / "data/it/asr_test.tsv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join([*lines, lines[2]]), encoding="utf-8")
    with pytest.raises(UsageError, match="PLENARY-8-it_20200101-09:00:00_1/ita_Latn is there twice"):
        list(VoxPopuli(location=str(home), languages=["it"]))
    table.write_text("".join([lines[0], lines[1].replace("PLENARY-9", "PLENARY-5")]), encoding="utf-8")
    with pytest.raises(UsageError, match=r"PLENARY-5-it.*\.wav is in no archive of data/it/test"):
        list(VoxPopuli(location=str(home), languages=["it"]))
    table.write_text(lines[0] + "too\tfew\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"asr_test\.tsv:2: 2 fields where 8 are expected"):
        list(VoxPopuli(location=str(home), languages=["it"]))
    with pytest.raises(UsageError, match="no files of swh_Latn"):
        list(VoxPopuli(location=FIXTURE, languages=["sw"]))
    with pytest.raises(UsageError, match="text='sentence' is not known"):
        VoxPopuli(text="sentence")  # type: ignore[arg-type]


def test_card() -> None:
    card = VoxPopuli(location=FIXTURE).card
    assert card.languages == ("eng_Latn", "fra_Latn", "ita_Latn", "spa_Latn") and card.licence.startswith("CC0")
    assert VoxPopuli(text="raw_text") != VoxPopuli(), "the column is part of the settings"
