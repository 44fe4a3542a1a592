from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from loaders.fixtures import fixture
from loaders.fixtures._speech import prompts
from loaders.fixtures.fleurs import line, packed
from loaders.fleurs import GENDERS, Fleurs
from loaders.published import Published
from mmbench.errors import UsageError
from mmbench.identity import describe
from mmbench.media import load_audio
from mmbench.schema import Audio, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("fleurs")


@pytest.fixture
def copy(stand_in: Path, tmp_path: Path) -> Path:
    return shutil.copytree(stand_in, tmp_path / "fleurs")


def loader(**settings: Any) -> Fleurs:
    return Fleurs(**{"location": "fixture://fleurs", **settings})


def clip(sample: Sample) -> Audio:
    (part,) = sample.parts
    assert isinstance(part, Audio)
    return part


def rows(path: Path) -> list[list[str]]:
    return [text.split("\t") for text in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, table: list[list[str]]) -> None:
    path.write_text("".join("\t".join(row) + "\n" for row in table), encoding="utf-8")


def test_recognition() -> None:
    samples = list(loader())
    tags = ["eng_Latn", "fra_Latn", "rus_Cyrl", "spa_Latn"]
    assert [sample.language for sample in samples] == [tag for tag in tags for _ in range(4)]
    assert len({sample.id for sample in samples}) == 16
    first, second = samples[:2]
    assert (first.id, second.id) == ("1600/eng_Latn/1000000000000000", "1600/eng_Latn/2000000000000000")
    assert first.references == second.references == ("Press 7 to delete this message.",)
    assert first.group == {
        "sentence": "1600",
        "gender": "female",
        "split": "test",
        "recording": "1000000000000000.wav",
    }
    assert second.group["gender"] == "male"
    assert first.transcript == first.references[0] and not first.choices


def test_the_recording_is_of_its_text() -> None:
    (spoken,) = prompts("rus_Cyrl", count=3).values()
    files = {prompt.text: prompt.file for prompt in spoken}
    for sample in loader(languages=["ru_ru"]):
        whole = load_audio(Audio(files[sample.transcript or ""]), rate=16000)
        level = 0.5 if sample.group["recording"].startswith("2") else 1.0
        np.testing.assert_allclose(load_audio(clip(sample), rate=16000), level * whole, atol=1e-4)


def test_translation_is_joined_by_id_and_not_by_row(copy: Path) -> None:
    english = copy / "data" / "en_us" / "test.tsv"
    samples = list(Fleurs(location=str(copy), task="translation"))
    write(english, rows(english)[::-1])
    assert [replace(s, parts=()) for s in Fleurs(location=str(copy), task="translation")] == [
        replace(s, parts=()) for s in samples
    ]
    assert {sample.language for sample in samples} == {"fra_Latn", "rus_Cyrl", "spa_Latn"}
    by_prompt = {prompt.text: prompt.english for prompt in prompts("fra_Latn", count=3)["fra_Latn"]}
    for sample in samples[:4]:
        assert sample.references == (by_prompt[sample.transcript or ""],)
        assert (sample.spoken, sample.written) == ("fra_Latn", "eng_Latn")


def test_speakers_with_other_texts_are_several_references(copy: Path) -> None:
    english = copy / "data" / "en_us" / "test.tsv"
    table = rows(english)
    table[1][2] = "Press seven to delete this message."
    write(english, table)
    first = next(iter(Fleurs(location=str(copy), task="translation")))
    assert first.references == ("Press 7 to delete this message.", "Press seven to delete this message.")


def test_a_sentence_without_english(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    english = copy / "data" / "en_us" / "test.tsv"
    write(english, [row for row in rows(english) if row[0] != "1600"])
    with pytest.raises(UsageError, match=r"fr_fr/test.tsv: 2 of 4 rows have no English sentence, such as id 1600"):
        list(Fleurs(location=str(copy), task="translation"))
    with caplog.at_level(logging.WARNING, logger="loaders.fleurs"):
        samples = list(Fleurs(location=str(copy), task="translation", missing="leave_out", languages=["fr"]))
    assert len(samples) == 2 and not [sample for sample in samples if sample.group["sentence"] == "1600"]
    assert "fra_Latn: 2 of 4 rows are left out: 2 without English sentence, 0 without recording" in caplog.text


def test_a_recording_that_is_not_in_the_archive(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    archive = copy / "data" / "fr_fr" / "audio" / "test.tar.gz"
    archive.write_bytes(packed({"test/1000000000000000.wav": b"RIFF", "test/2000000000000000.wav": b""}))
    with pytest.raises(UsageError, match=r"fr_fr/audio/test.tar.gz: 2000000000000000.wav is not in it or empty"):
        list(Fleurs(location=str(copy), languages=["fr"]))
    with caplog.at_level(logging.WARNING, logger="loaders.fleurs"):
        assert len(list(Fleurs(location=str(copy), languages=["fr"], missing="leave_out"))) == 1
    assert "3 of 4 rows are left out: 0 without English sentence, 3 without recording" in caplog.text


@pytest.mark.parametrize("inner", ["", "test"])
def test_an_unpacked_copy(copy: Path, inner: str) -> None:
    audio = copy / "data" / "es_419" / "audio"
    import tarfile

    with tarfile.open(audio / "test.tar.gz") as packed_files:
        packed_files.extractall(audio if not inner else audio / "test", filter="data")
    (audio / "test.tar.gz").unlink()
    samples = list(Fleurs(location=str(copy), languages=["es"]))
    assert len(samples) == 4 and str(clip(samples[0]).source).startswith(str(audio))


def test_quotes_are_text_and_the_normalised_column(copy: Path) -> None:
    table = copy / "data" / "en_us" / "test.tsv"
    found = rows(table)
    found[0][2] = '"Press 7" to ""delete this message.'
    write(table, found)
    texts = [sample.references[0] for sample in Fleurs(location=str(copy), languages=["en"])]
    assert texts[0] == '"Press 7" to ""delete this message.' and len(texts) == 4
    normal = next(iter(loader(text="normalized", languages=["fr"], task="translation")))
    assert normal.references == ("press 7 to delete this message",)
    assert normal.transcript == "pour effacer ce message appuyez sur 7"


def test_which_language_and_gender() -> None:
    samples = list(loader(task="language", languages=["fr", "en"]))
    assert {(s.language, s.choices[s.answer or 0]) for s in samples} == {
        ("eng_Latn", "English"),
        ("fra_Latn", "French"),
    }
    assert len(samples[0].choices) == 102 == len(set(samples[0].choices)), "not only those that are asked for"
    genders = list(loader(task="gender", languages=["en"]))
    assert genders[0].choices == GENDERS and [sample.answer for sample in genders] == [1, 0, 1, 1]


def test_text_has_the_same_ids_and_questions() -> None:
    for task in ("translation", "language"):
        for spoken, written in zip(loader(task=task), loader(task=task, input="text"), strict=True):
            assert written.parts == (Text(spoken.transcript or ""),)
            assert replace(written, parts=spoken.parts) == spoken
    for task in ("asr", "gender"):
        with pytest.raises(UsageError, match=f"cannot be asked for task={task}"):
            loader(task=task, input="text")


def test_damaged_tables(copy: Path) -> None:
    table = copy / "data" / "en_us" / "test.tsv"
    found = rows(table)
    for edited, message in (
        ([*found, found[0]], "1000000000000000.wav is there twice"),
        ([["x", *found[0][1:]]], "id 'x' is no number"),
        ([found[0][:6]], r"test.tsv:1: 6 fields where 7 are expected"),
    ):
        write(table, edited)
        with pytest.raises(UsageError, match=message):
            list(Fleurs(location=str(copy), languages=["en"]))
    write(table, [[*found[0][:6], "UNKNOWN"]])
    with pytest.raises(UsageError, match=r"1000000000000000.wav: gender 'unknown' is none of male, female, other"):
        list(Fleurs(location=str(copy), languages=["en"], task="gender"))


def test_settings_and_languages() -> None:
    with pytest.raises(UsageError, match="split='validation' is not known: give one of train, dev, test"):
        loader(split="validation")
    with pytest.raises(UsageError, match="text='clean' is not known: give one of raw, normalized"):
        loader(text="clean")
    with pytest.raises(UsageError, match=r"no files of swh_Latn; there are eng_Latn, fra"):
        list(loader(languages=["sw"]))
    with pytest.raises(UsageError, match=r"no data/\*/dev.tsv in it"):
        list(loader(split="dev"))


def test_card_and_identity(copy: Path) -> None:
    card = loader(languages=["fr"]).card
    assert (card.name, card.languages, card.licence) == ("fleurs", ("fra_Latn",), "CC-BY-4.0")
    assert card.content != loader(languages=["fr"], task="translation").card.content, "English is used too"
    assert card.content == Fleurs(location=str(copy), languages=["fr"]).card.content
    assert not {"location", "languages"} & set(describe(loader()))


def test_archives_are_unpacked_when_their_language_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = Published.unpacked

    def counting(self: Published, name: str) -> Path:
        opened.append(name)
        return real(self, name)

    monkeypatch.setattr(Published, "unpacked", counting)
    next(iter(loader()))
    assert opened == ["data/en_us/audio/test.tar.gz"]


def test_a_row_of_the_stand_in() -> None:
    (prompt,) = prompts("fra_Latn", count=1)["fra_Latn"]
    assert line(7, "a.wav", prompt, 9, "MALE").split("\t") == [
        *("7", "a.wav", "Pour effacer ce message, appuyez sur 7.", "pour effacer ce message appuyez sur 7"),
        *("p o u r | e f f a c e r | c e | m e s s a g e | a p p u y e z | s u r | 7 |", "9", "MALE"),
    ]


@pytest.mark.parametrize("name", ["../../../secret.wav", "/etc/hostname", "x" * 300])
def test_a_table_names_nothing_outside_its_folder(copy: Path, name: str) -> None:
    (copy / "secret.wav").write_bytes(b"x")
    table = rows(copy / "data" / "fr_fr" / "test.tsv")
    table[0][1] = name
    write(copy / "data" / "fr_fr" / "test.tsv", table)
    with pytest.raises(UsageError, match=r"fr_fr/audio/test\.tar\.gz: .* is not in it or empty"):
        list(Fleurs(location=str(copy), languages=["fr"]))


def test_a_sentence_without_text_is_left_out(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = rows(copy / "data" / "fr_fr" / "test.tsv")
    table[0][2] = " "
    write(copy / "data" / "fr_fr" / "test.tsv", table)
    assert len(list(Fleurs(location=str(copy), languages=["fr"]))) == len(table) - 1
    assert "1 left out: no text to compare with" in caplog.text
