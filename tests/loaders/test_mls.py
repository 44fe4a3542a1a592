from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from loaders.fixtures.mls import write_openslr
from loaders.mls import Mls
from mmbench.errors import UsageError
from tests.loaders.corpus_files import clip, copy, edit, rows_read, says

FIXTURE = "fixture://mls"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "mls"))


def test_hub() -> None:
    samples = list(Mls(location=FIXTURE))
    assert [sample.language for sample in samples[::4]] == ["fra_Latn", "ita_Latn", "spa_Latn"]
    first = samples[0]
    assert first.id == "4000_10_000009/fra_Latn"
    assert first.references == ("pour effacer ce message appuyez sur 7",) == (first.transcript,), "lower-case as it is"
    assert first.group == {"speaker": "4000", "chapter": "10"}
    assert all(says(samples[n], n, kind="FLAC") for n in range(4))


def test_openslr_has_the_same(tmp_path: Path) -> None:
    write_openslr(tmp_path)
    here = list(Mls(location=str(tmp_path)))
    hub = {sample.id: sample for sample in Mls(location=FIXTURE)}
    assert [sample.id for sample in here[:4]] == [f"4000_10_{n:06d}/fra_Latn" for n in (6, 7, 8, 9)]
    for sample in here:
        assert sample.references == hub[sample.id].references and sample.group == hub[sample.id].group
        assert Path(str(clip(sample).source)).read_bytes() == clip(hub[sample.id]).source


def test_opus_and_a_recording_that_is_missing(tmp_path: Path) -> None:
    write_openslr(tmp_path)
    (tmp_path / "mls_italian").rename(tmp_path / "mls_italian_opus")
    with pytest.raises(UsageError, match=r"4001_10_000006\.opus: is not there or empty, but mls_italian_opus/test"):
        list(Mls(location=str(tmp_path), languages=["it"]))
    for path in list((tmp_path / "mls_italian_opus").rglob("*.flac")):
        path.rename(path.with_suffix(".opus"))
    assert len(list(Mls(location=str(tmp_path), languages=["it"]))) == 4


def test_edited_parquet(tmp_path: Path) -> None:
    home = copy("mls", tmp_path)
    path = home / "italian/test-00000-of-00001.parquet"
    edit(path, lambda rows: rows[2]["audio"].update(bytes=None))
    with pytest.raises(UsageError, match="4001_10_000007: has no audio"):
        list(Mls(location=str(home), languages=["ita"]))
    edit(path, lambda rows: rows[1].update(id=rows[0]["id"]))
    with pytest.raises(UsageError, match="4001_10_000009/ita_Latn is there twice"):
        list(Mls(location=str(home), languages=["ita"]))


def test_a_first_sample_comes_without_reading_on(monkeypatch: pytest.MonkeyPatch) -> None:
    read = rows_read(monkeypatch)
    assert len(list(islice(Mls(location=FIXTURE), 2))) == len(read) == 2


def test_errors_and_card(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no files of eng_Latn; there are fra_Latn, ita_Latn, spa_Latn"):
        list(Mls(location=FIXTURE, languages=["en"]))
    with pytest.raises(UsageError, match=r"no \*/dev-\*\.parquet or mls_\*/dev/transcripts\.txt"):
        list(Mls(location=str(tmp_path), split="dev"))
    with pytest.raises(UsageError, match="split='validation' is not known"):
        Mls(split="validation")  # type: ignore[arg-type]
    card = Mls(location=FIXTURE).card
    assert card.languages == ("fra_Latn", "ita_Latn", "spa_Latn") and card.licence == "CC-BY-4.0"


@pytest.mark.parametrize("name", ["4001", "../.._../.._x", "4001_10_" + "0" * 300])
def test_an_id_that_names_no_recording(tmp_path: Path, name: str) -> None:
    write_openslr(tmp_path)
    texts = tmp_path / "mls_italian/test/transcripts.txt"
    texts.write_text(f"{name}\tciao\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is not there or empty, but mls_italian/test"):
        list(Mls(location=str(tmp_path), languages=["it"]))
