from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from loaders.speech_massive import INTENTS, SpeechMassive
from mmbench.errors import UsageError
from tests.loaders.corpus_files import copy, edit, rows_read, says

if TYPE_CHECKING:
    from pathlib import Path

FIXTURE = "fixture://speech_massive"
SPANISH = "es-ES/test-00000-of-00001.parquet"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "speech_massive"))


def test_intents_of_massive() -> None:
    assert len(set(INTENTS)) == len(INTENTS) == 60
    assert INTENTS[46] == "audio_volume_mute", "as in the card's own example, intent_idx 46"


def test_intent() -> None:
    samples = list(SpeechMassive(location=FIXTURE))
    assert [sample.language for sample in samples[::4]] == ["fra_Latn", "rus_Cyrl", "spa_Latn"]
    assert [sample.id for sample in samples[:4]] == [f"{n}/fra_Latn" for n in (40, 39, 38, 37)]
    assert samples[3].choices[samples[3].answer or 0] == "audio_volume_mute" and samples[3].answer == 46
    assert samples[0].group["item"] == samples[4].group["item"], "one request, several languages"
    assert samples[0].group["scenario"] == "email" and samples[0].group["gender"] == "female"
    assert all(says(samples[n], n) for n in range(4))
    assert all(says(samples[8 + n], n) for n in range(4))


def test_slots_asr_and_gender(caplog: pytest.LogCaptureFixture) -> None:
    slots = next(iter(SpeechMassive(location=FIXTURE, task="slots")))
    assert slots.references == ("[time : Pour] effacer ce message, appuyez sur 7.",)
    assert slots.transcript == "Pour effacer ce message, appuyez sur 7."
    asr = next(iter(SpeechMassive(location=FIXTURE, task="asr")))
    assert asr.references == (asr.transcript,)
    gender = list(SpeechMassive(location=FIXTURE, task="gender"))
    assert {(s.language, s.choices[s.answer or 0]) for s in gender} == {("fra_Latn", "female"), ("spa_Latn", "female")}
    assert "ru-RU/test-00000-of-00001.parquet: 4 left out: speaker_sex is not known" in caplog.text
    readable = next(iter(SpeechMassive(location=FIXTURE, readable=True)))
    assert readable.choices[46] == "audio volume mute"


def test_edited_parquet(tmp_path: Path) -> None:
    home = copy("speech_massive", tmp_path)
    edit(home / SPANISH, lambda rows: rows[0].update(intent_idx=3))
    first = next(iter(SpeechMassive(location=str(home), languages=["es"])))
    assert first.choices[first.answer or 0] == "email_query", "the name counts, not the index"
    edit(home / SPANISH, lambda rows: rows[0].update(intent_str="email"))
    with pytest.raises(UsageError, match="40/spa_Latn: 'email' is none of the 60 labels"):
        list(SpeechMassive(location=str(home), languages=["es"]))
    edit(home / SPANISH, lambda rows: rows[0].update(id="39", intent_str="email_query"))
    with pytest.raises(UsageError, match="39/spa_Latn is there twice"):
        list(SpeechMassive(location=str(home), languages=["es"]))
    edit(home / SPANISH, lambda rows: rows[0]["audio"].update(bytes=None))
    with pytest.raises(UsageError, match="id 39: has no audio"):
        list(SpeechMassive(location=str(home), languages=["es"]))


def test_the_folder_of_all_is_not_read(tmp_path: Path) -> None:
    home = copy("speech_massive", tmp_path)
    (home / "all").mkdir()
    (home / "all/test-00000-of-00001.parquet").write_bytes((home / SPANISH).read_bytes())
    assert len(list(SpeechMassive(location=str(home)))) == 12


def test_a_first_sample_comes_without_reading_on(monkeypatch: pytest.MonkeyPatch) -> None:
    read = rows_read(monkeypatch)
    assert len(list(islice(SpeechMassive(location=FIXTURE), 2))) == len(read) == 2


def test_errors_and_card() -> None:
    with pytest.raises(UsageError, match="no files of eng_Latn; there are fra_Latn, rus_Cyrl, spa_Latn"):
        list(SpeechMassive(location=FIXTURE, languages=["en"]))
    with pytest.raises(UsageError, match=r"no \*-\*/validation-\*\.parquet in it"):
        list(SpeechMassive(location=FIXTURE, split="validation"))
    with pytest.raises(UsageError, match="task='topic' is not known"):
        SpeechMassive(task="topic")  # type: ignore[arg-type]
    card = SpeechMassive(location=FIXTURE).card
    assert card.languages == ("fra_Latn", "rus_Cyrl", "spa_Latn") and card.licence == "CC-BY-NC-SA-4.0"
