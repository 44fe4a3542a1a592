from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from loaders.avmust_ted import AvmustTed
from mmbench.errors import UsageError
from mmbench.media import load_audio
from mmbench.media.video import load_frames
from mmbench.schema import Audio, Sample, Video

pytest.importorskip("av")

from loaders.fixtures import avmust_ted as fixture

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fixture.write(tmp_path)
    return tmp_path


def samples(folder: Path, **options: Any) -> list[Sample]:
    return list(AvmustTed(location=str(folder), **options))


def test_translations(folder: Path) -> None:
    found = samples(folder)
    assert len(found) == len({sample.id for sample in found}) == 12
    assert list(dict.fromkeys(sample.language for sample in found)) == ["spa_Latn", "fra_Latn", "ita_Latn"]
    first = found[0]
    assert first.id == "talk0/00000/spa_Latn" and first.source_language == "eng_Latn"
    assert first.references == ("Marque 7 para borrar el mensaje.",)
    assert first.transcript == "Press 7 to delete this message."
    assert first.group == {"modality": "audio", "talk": "talk0", "item": "talk0/00000"}
    assert found[4].group["item"] == first.group["item"], "the same clip into French"
    (audio,) = found[3].parts
    assert isinstance(audio, Audio)
    own = load_audio(Audio(folder / "wav" / "3.wav"), rate=16000)
    np.testing.assert_array_equal(load_audio(audio, rate=16000), own)


def test_modalities(folder: Path) -> None:
    (lips, *_) = samples(folder, modality="video")
    (video,) = lips.parts
    assert isinstance(video, Video) and lips.transcript == "Press 7 to delete this message."
    assert len(load_frames(video, fps=25)) == 25 and load_frames(video, count=1)[0].size == (64, 64)
    (both, *_) = samples(folder, modality="both")
    audio, video = both.parts
    assert isinstance(audio, Audio) and isinstance(video, Video)
    assert (both.transcript or "").strip() == lips.transcript, "not said twice"
    ids = [[sample.id for sample in samples(folder, modality=modality)] for modality in ("audio", "video", "both")]
    assert ids[0] == ids[1] == ids[2], "so that modalities can be compared pair by pair"


def test_modality_asks_only_for_its_files(folder: Path) -> None:
    for path in (folder / "avi").iterdir():
        path.unlink()
    assert len(samples(folder)) == 12
    for modality in ("video", "both"):
        with pytest.raises(UsageError, match=r"row talk0/00000: no recording avi/0\.avi"):
            AvmustTed(location=str(folder), modality=cast("Any", modality)).validate()


def test_recognition_has_each_clip_once(folder: Path) -> None:
    found = samples(folder, task="asr")
    assert [sample.id for sample in found] == [f"talk{n // 2}/{n:05d}/eng_Latn" for n in range(4)]
    assert found[0].references == (found[0].transcript,) and found[0].source_language is None
    table = folder / "en-fr" / "test.tsv"
    table.write_text(table.read_text(encoding="utf-8").replace("Press 7", "Press 8"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"en-fr/test\.tsv: row talk0/00000: has another transcript"):
        samples(folder, task="asr")


def test_languages(folder: Path) -> None:
    assert {sample.language for sample in samples(folder, languages=["it", "es"])} == {"spa_Latn", "ita_Latn"}
    with pytest.raises(UsageError, match=r"no en-pt/test\.tsv in it"):
        samples(folder, languages=["pt"])
    with pytest.raises(
        UsageError, match="deu_Latn not in the dataset, which has spa_Latn, fra_Latn, ita_Latn, por_Latn"
    ):
        AvmustTed(location=str(folder), languages=["de"])
    with pytest.raises(UsageError, match=r"no en-es/dev\.tsv in it"):
        samples(folder, split="dev")


def test_refused(folder: Path) -> None:
    table = folder / "en-es" / "test.tsv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text + text.splitlines()[1] + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="row talk0/00000: the id is there twice"):
        samples(folder)
    table.write_text(text.replace("\ttranslation\n", "\tspanish\n"), encoding="utf-8")
    with pytest.raises(UsageError, match="row talk0/00000: has no translation; it has id, video, audio"):
        samples(folder)
    for setting, value in (("modality", "lips"), ("task", "mt")):
        with pytest.raises(UsageError, match=f"{setting}='{value}' is not known"):
            AvmustTed(location=str(folder), **cast("Any", {setting: value}))


def test_one_row_at_a_time(folder: Path) -> None:
    (folder / "wav" / "1.wav").unlink()
    rows = iter(AvmustTed(location=str(folder)))
    assert next(rows).id == "talk0/00000/spa_Latn"
    with pytest.raises(UsageError, match=r"no recording wav/1\.wav"):
        next(rows)


def test_card(folder: Path) -> None:
    card = AvmustTed(location=str(folder)).card
    assert (card.licence, card.languages) == ("CC-BY-NC-4.0", ("spa_Latn", "fra_Latn", "ita_Latn"))
    assert AvmustTed(location=str(folder), task="asr").card.languages == ("eng_Latn",)
    assert AvmustTed(location=str(folder), languages=["it"]).card.content != card.content


def test_a_row_without_translation_is_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = folder / "en-es" / "test.tsv"
    text = table.read_text(encoding="utf-8")
    assert "Marque 7 para borrar el mensaje." in text
    table.write_text(text.replace("Marque 7 para borrar el mensaje.", ""), encoding="utf-8")
    found = samples(folder, languages=["es"])
    assert len(found) == 3 and all(sample.references[0] for sample in found)
    assert "1 left out: no text to compare with" in caplog.text


def test_a_table_that_is_asked_for_and_missing_is_named_even_where_all_are_asked_for(folder: Path) -> None:
    (folder / "en-es" / "test.tsv").unlink()
    with pytest.raises(UsageError, match=r"no en-\w+/test\.tsv in it"):
        samples(folder, languages=["es", "fr", "it", "pt"])
    assert "spa_Latn" not in {sample.language for sample in samples(folder)}, "without names those that there are"
