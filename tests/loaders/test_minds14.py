from __future__ import annotations

import shutil
import zipfile
from itertools import islice
from pathlib import Path

import pytest

from loaders.fixtures._speech import write_parquet
from loaders.fixtures.minds14 import rows_of, write_archive
from loaders.minds14 import INTENTS, Minds14
from mmbench.errors import UsageError
from tests.loaders.corpus_files import clip, copy, edit, rows_read, says

FIXTURE = "fixture://minds14"
FRENCH = "fr-FR/train-00000-of-00001.parquet"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "minds14"))


def test_intent() -> None:
    samples = list(Minds14(location=FIXTURE))
    french = [sample for sample in samples if sample.language == "fra_Latn"]
    assert french[0].id == "fr-FR~PAY_BILL/response_4/fra_Latn", "the folder is part of the id: file names repeat"
    assert french[0].choices == INTENTS and french[0].answer == 13
    assert french[2].choices[french[2].answer or 0] == "joint_account"
    assert french[0].transcript == "Pour effacer ce message, appuyez sur 7."
    assert [sample.group["locale"] for sample in samples[:6]] == ["en-GB"] * 3 + ["en-US"] * 3
    assert len({sample.id for sample in samples}) == 18
    assert all(says(sample, n, rate=8000) for n, sample in enumerate(french))
    assert says(samples[0], 3, rate=8000) and says(samples[3], 0, rate=8000)


def test_readable_choices_and_asr() -> None:
    first = next(iter(Minds14(location=FIXTURE, languages=["fr"], readable=True)))
    assert first.choices[-1] == "pay bill" and first.choices[10] == "high value payment"
    spoken = next(iter(Minds14(location=FIXTURE, languages=["fr"], task="asr")))
    assert spoken.references == (spoken.transcript,) and not spoken.choices


def test_the_published_list_decides_what_an_index_means(tmp_path: Path) -> None:
    from datasets import Audio, ClassLabel, Features, Value

    text, reversed_ = Value("string"), list(reversed(INTENTS))
    features = Features(
        {
            "path": text,
            "audio": Audio(sampling_rate=8000),
            "transcription": text,
            "english_transcription": text,
            "intent_class": ClassLabel(names=reversed_),
            "lang_id": Value("int64"),
        }
    )
    write_parquet(tmp_path / FRENCH, rows_of("fr-FR"), features)
    first = next(iter(Minds14(location=str(tmp_path))))
    assert first.choices == tuple(reversed_) and first.choices[first.answer or 0] == "abroad"


def test_archive_has_the_same(tmp_path: Path) -> None:
    write_archive(tmp_path)
    hub = {sample.id: sample for sample in Minds14(location=FIXTURE)}
    packed = list(Minds14(location=str(tmp_path)))
    assert [sample.id for sample in packed if sample.language == "fra_Latn"] == sorted(
        key for key in hub if key.startswith("fr-FR")
    )
    for sample in packed:
        assert (sample.answer, sample.transcript) == (hub[sample.id].answer, hub[sample.id].transcript)
        assert Path(str(clip(sample).source)).read_bytes() == clip(hub[sample.id]).source
    assert Minds14(location=str(tmp_path)).card.languages == ("eng_Latn", "fra_Latn")


def test_archive_unpacked_by_hand(tmp_path: Path) -> None:
    write_archive(tmp_path)
    wanted = [sample.id for sample in Minds14(location=str(tmp_path))]
    shutil.unpack_archive(tmp_path / "MInDS-14.zip", tmp_path)
    home = tmp_path / "MInDS-14"
    for name in ("text", "audio"):
        with zipfile.ZipFile(home / f"{name}.zip") as archive:
            archive.extractall(home / name)
        (home / f"{name}.zip").unlink()
    (tmp_path / "MInDS-14.zip").unlink()
    for folder in (tmp_path, home):
        loader = Minds14(location=str(folder))
        assert [sample.id for sample in loader] == wanted
        assert loader.card.content
    (home / "audio/fr-FR~FREEZE").mkdir(exist_ok=True)
    next(home.glob("audio/fr-FR~PAY_BILL/*.wav")).unlink()
    with pytest.raises(UsageError, match=r"fr-FR~PAY_BILL/response_4\.wav is not among the recordings"):
        list(Minds14(location=str(home)))
    (home / "text/fr-FR.csv").write_text("filepath,text\na,b\n", encoding="utf-8")
    with pytest.raises(UsageError, match="file, transcript, English and intent are expected, not"):
        list(Minds14(location=str(home), languages=["fr"]))


def test_edited_parquet(tmp_path: Path) -> None:
    home = copy("minds14", tmp_path)
    edit(home / FRENCH, lambda rows: rows[1].update(path=rows[0]["path"]))
    with pytest.raises(UsageError, match="fr-FR~PAY_BILL/response_4/fra_Latn is there twice"):
        list(Minds14(location=str(home), languages=["fr"]))
    edit(home / FRENCH, lambda rows: rows[0]["audio"].update(bytes=None))
    with pytest.raises(UsageError, match=r"response_4\.wav: has no audio"):
        list(Minds14(location=str(home), languages=["fr"]))
    edit(home / FRENCH, lambda rows: rows[0].update(intent_class=-1))
    with pytest.raises(UsageError, match="intent_class=-1, but there are 14 intents"):
        list(Minds14(location=str(home), languages=["fr"]))


def test_a_first_sample_comes_without_reading_on(monkeypatch: pytest.MonkeyPatch) -> None:
    read = rows_read(monkeypatch)
    assert len(list(islice(Minds14(location=FIXTURE), 2))) == len(read) == 2


def test_errors_and_card(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no files of ces_Latn; there are eng_Latn"):
        list(Minds14(location=FIXTURE, languages=["cs-CZ"]))
    with pytest.raises(UsageError, match="split='test' is not known: give one of train"):
        Minds14(split="test")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"MInDS-14\.zip in it"):
        list(Minds14(location=str(tmp_path)))
    card = Minds14(location=FIXTURE).card
    assert card.languages == ("eng_Latn", "fra_Latn", "ita_Latn", "rus_Cyrl", "spa_Latn")
    assert card.licence == "CC-BY-4.0"


def test_a_table_that_leads_elsewhere_or_is_damaged(tmp_path: Path) -> None:
    write_archive(tmp_path)
    shutil.unpack_archive(tmp_path / "MInDS-14.zip", tmp_path)
    home = tmp_path / "MInDS-14"
    for name in ("text", "audio"):
        shutil.unpack_archive(home / f"{name}.zip", home / name)
    table, outside = next(home.glob("text/**/fr-FR.csv")), tmp_path / "secret.wav"
    outside.write_bytes(b"x")
    for file in (str(outside), "../../secret.wav", "../secret.wav"):
        table.write_text(f"filepath,text,english,intent\n{file},a,b,FREEZE\n", encoding="utf-8")
        with pytest.raises(UsageError, match=r"secret\.wav is not among the recordings"):
            list(Minds14(location=str(home), languages=["fr"]))
    table.write_bytes(b"filepath,text,english,intent\n\xff,a,b,FREEZE\n")
    with pytest.raises(UsageError, match=r"fr-FR\.csv: cannot be read"):
        list(Minds14(location=str(home), languages=["fr"]))
