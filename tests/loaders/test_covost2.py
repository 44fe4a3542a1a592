from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from loaders.covost2 import Covost2, unescaped
from loaders.fixtures.covost2 import write_tables
from mmbench.errors import UsageError
from tests.loaders.corpus_files import clip, copy, edit, rows_read, says

FIXTURE = "fixture://covost2"
ES = "es_en/test-00000-of-00001.parquet"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "covost2"))


def test_into_english() -> None:
    samples = list(Covost2(location=FIXTURE))
    assert list(dict.fromkeys(s.language for s in samples)) == ["fra_Latn", "ita_Latn", "rus_Cyrl", "spa_Latn"]
    first = samples[0]
    assert (first.id, first.spoken, first.written) == ("common_voice_fr_19/fra_Latn", "fra_Latn", "eng_Latn")
    assert first.references == ("Press 7 to delete this message.",)
    assert first.transcript == "Pour effacer ce message, appuyez sur 7."
    assert first.group == {"speaker": "speaker-fr", "item": "common_voice_fr_19"}
    assert all(says(samples[n], n, kind="MP3") for n in range(3))


def test_out_of_english() -> None:
    samples = list(Covost2(location=FIXTURE, direction="out_of_english"))
    assert len({sample.id for sample in samples}) == len(samples) == 6
    french = samples[0]
    assert (french.language, french.spoken, french.written) == ("fra_Latn", "eng_Latn", "fra_Latn")
    assert french.references == ("Pour effacer ce message, appuyez sur 7.",)
    assert french.transcript == "Press 7 to delete this message."
    items = {tag: [s.group["item"] for s in samples if s.language == tag] for tag in ("fra_Latn", "spa_Latn")}
    assert items["fra_Latn"] == items["spa_Latn"], "one clip, several translations"
    assert says(french, 0, kind="MP3")


def test_asr() -> None:
    first = next(iter(Covost2(location=FIXTURE, task="asr", languages=["Italian"])))
    assert first.references == (first.transcript,) and first.written == first.language == "ita_Latn"
    with pytest.raises(UsageError, match="task=asr needs direction=into_english"):
        Covost2(task="asr", direction="out_of_english")


def test_tables_of_the_authors(tmp_path: Path) -> None:
    write_tables(tmp_path)
    (tmp_path / "covost_v2.es_en.test.tsv").write_text("path\tsentence\ttranslation\tclient_id\n", encoding="utf-8")
    here = list(Covost2(location=str(tmp_path)))
    hub = {sample.id: sample for sample in Covost2(location=FIXTURE, languages=["es"])}
    assert [sample.id for sample in here] == [f"common_voice_es_{n}/spa_Latn" for n in (17, 18, 19)]
    assert here[-1].references == ('"Press 7 to delete this message."',), "the backslashes are not of the text"
    for sample in here:
        assert sample.transcript == hub[sample.id].transcript and sample.group == hub[sample.id].group
        assert Path(str(clip(sample).source)).read_bytes() == clip(hub[sample.id]).source
    archived = list(Covost2(location=str(tmp_path), direction="out_of_english"))
    assert [sample.id for sample in archived] == [f"common_voice_en_{n}/fra_Latn" for n in (17, 18, 19)]


def test_common_voice_elsewhere(tmp_path: Path) -> None:
    write_tables(tmp_path / "tables")
    (tmp_path / "voices").mkdir()
    (tmp_path / "tables" / "es").rename(tmp_path / "voices" / "es")
    with pytest.raises(UsageError, match=r"no es/validated\.tsv"):
        list(Covost2(location=str(tmp_path / "tables")))
    assert len(list(Covost2(location=str(tmp_path / "tables"), common_voice=str(tmp_path / "voices")))) == 3


@pytest.mark.parametrize("what", ["clip", "row"])
def test_clip_that_is_no_longer_in_common_voice(tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    write_tables(tmp_path)
    if what == "clip":
        (tmp_path / "es/clips/common_voice_es_18.mp3").unlink()
    else:
        table = tmp_path / "es/validated.tsv"
        lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
        table.write_text("".join(line for line in lines if "es_18" not in line), encoding="utf-8")
    with pytest.raises(UsageError, match=r"es_en: clip common_voice_es_18 is not in Common Voice; take release 4"):
        list(Covost2(location=str(tmp_path)))
    assert len(list(Covost2(location=str(tmp_path), missing="leave_out"))) == 2
    assert "es_en: 1 left out: no clip" in caplog.text


def test_edited_parquet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = copy("covost2", tmp_path)
    edit(home / ES, lambda rows: rows[1].update(translation=" "))
    assert len(list(Covost2(location=str(home), languages=["es"]))) == 2
    assert "1 left out: no text" in caplog.text
    edit(home / ES, lambda rows: rows[1].update(id=rows[0]["id"], translation="x"))
    with pytest.raises(UsageError, match="common_voice_es_19/spa_Latn is there twice"):
        list(Covost2(location=str(home), languages=["es"]))
    edit(home / ES, lambda rows: rows[0]["audio"].update(bytes=b""))
    with pytest.raises(UsageError, match="es_en: clip common_voice_es_19 is not in Common Voice"):
        list(Covost2(location=str(home), languages=["es"]))


def test_a_first_sample_comes_without_reading_on(monkeypatch: pytest.MonkeyPatch) -> None:
    read = rows_read(monkeypatch)
    assert len(list(islice(Covost2(location=FIXTURE), 2))) == len(read) == 2


def test_errors_and_card(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\*_en, test: no files of jpn_Jpan; there are fra_Latn"):
        list(Covost2(location=FIXTURE, languages=["ja"]))
    with pytest.raises(UsageError, match="split='dev' is not known: give one of test, validation, train"):
        Covost2(split="dev")
    with pytest.raises(UsageError, match=r"no \*/test-\*\.parquet or covost_v2"):
        list(Covost2(location=str(tmp_path)))
    card = Covost2(location=FIXTURE, languages=["es", "fr"]).card
    assert card.languages == ("fra_Latn", "spa_Latn") and card.licence == "CC0"


def test_unescaped() -> None:
    assert unescaped(r"\"a\\b\" c") == r'"a\b" c'


@pytest.mark.parametrize("table", ["covost_v2.es_en.tsv", "es/validated.tsv"])
def test_a_clip_that_is_in_a_table_twice(tmp_path: Path, table: str) -> None:
    write_tables(tmp_path)
    lines = (tmp_path / table).read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / table).write_text("".join([*lines, lines[1]]), encoding="utf-8")
    with pytest.raises(UsageError, match=rf"{table}: common_voice_es_\d+\.mp3 is there twice"):
        list(Covost2(location=str(tmp_path), languages=["es"]))


def test_train_is_both_parts_of_it(tmp_path: Path) -> None:
    write_tables(tmp_path)
    table = tmp_path / "covost_v2.es_en.tsv"
    lines = table.read_text(encoding="utf-8").splitlines()
    named = ["train", "train_covost", "dev"]
    rows = [line.removesuffix("test") + split for line, split in zip(lines[1:4], named, strict=True)]
    table.write_text("\n".join([lines[0], *rows]) + "\n", encoding="utf-8")
    counts = {
        split: len(list(Covost2(location=str(tmp_path), languages=["es"], split=split)))
        for split in ("train", "validation", "test")
    }
    assert counts == {"train": 2, "validation": 1, "test": 0}
