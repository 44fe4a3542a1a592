from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from loaders.common_voice import GENDERS, CommonVoice, locale_tag
from loaders.fixtures._corpora import write_files, write_table
from loaders.fixtures.common_voice import COLUMNS, write_release
from mmbench.errors import UsageError
from tests.loaders.corpus_files import clip, copy, says

FIXTURE = "fixture://common_voice"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "common_voice"))


def rewrite(table: Path, change: Any) -> None:
    table.write_text(change(table.read_text(encoding="utf-8")), encoding="utf-8")


def test_asr() -> None:
    samples = list(CommonVoice(location=FIXTURE))
    assert [sample.id for sample in samples[:4]] == [f"common_voice_en_{n}/eng_Latn" for n in (17, 18, 19, 20)]
    assert list(dict.fromkeys(sample.language for sample in samples)) == sorted(
        ["eng_Latn", "spa_Latn", "fra_Latn", "ita_Latn", "rus_Cyrl"]
    )
    assert samples[3].references == ("Press 7 to delete this message.",)
    assert samples[2].references == ('"The conference has been extended."',), "quotes stay, and are no quoting"
    assert samples[3].group["gender"] == "female" and samples[3].group["locale"] == "en"
    assert len({sample.group["speaker"] for sample in samples}) == 5
    assert all(says(samples[3 - n], n, kind="MP3") for n in range(4))


def test_gender(caplog: pytest.LogCaptureFixture) -> None:
    samples = list(CommonVoice(location=FIXTURE, task="gender"))
    assert {(sample.language, sample.choices[sample.answer or 0]) for sample in samples} == {
        ("eng_Latn", "female"),
        ("spa_Latn", "female"),
        ("fra_Latn", "female"),
        ("ita_Latn", "male"),
    }
    assert samples[0].choices == GENDERS and not samples[0].references
    assert "transcript/ru/test.tsv: 4 left out: no gender" in caplog.text


def test_a_release_is_the_same(tmp_path: Path) -> None:
    write_release(tmp_path / "cv-corpus-17.0-2024-03-15")
    here = [CommonVoice(location=str(folder)) for folder in (tmp_path, tmp_path / "cv-corpus-17.0-2024-03-15")]
    wanted = [(sample.id, sample.references, sample.group) for sample in CommonVoice(location=FIXTURE)]
    for loader in here:
        assert [(sample.id, sample.references, sample.group) for sample in loader] == wanted
    assert Path(str(clip(next(iter(here[0]))).source)).name == "common_voice_en_17.mp3"


def test_rows_in_another_order_and_an_unpacked_archive(tmp_path: Path) -> None:
    home = copy("common_voice", tmp_path)
    wanted = [sample.id for sample in CommonVoice(location=str(home))]
    rewrite(home / "transcript/en/test.tsv", lambda text: "\n".join([text.split("\n")[0], *text.split("\n")[:0:-1]]))
    archive = home / "audio/en/test/en_test_0.tar"
    shutil.unpack_archive(archive, archive.parent)
    archive.unlink()
    assert [sample.id for sample in CommonVoice(location=str(home))] == wanted


def test_missing_clip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_release(tmp_path)
    (tmp_path / "fr/clips/common_voice_fr_18.mp3").write_bytes(b"")
    with pytest.raises(UsageError, match=r"fr/test\.tsv: clip common_voice_fr_18\.mp3 is not there.*missing=leave_out"):
        list(CommonVoice(location=str(tmp_path), languages=["fr"]))
    left = list(CommonVoice(location=str(tmp_path), languages=["fr"], missing="leave_out"))
    assert [sample.id for sample in left] == [f"common_voice_fr_{n}/fra_Latn" for n in (17, 19, 20)]
    assert "fr/test.tsv: 1 left out: no clip" in caplog.text


def test_duplicate_and_wrong_tables(tmp_path: Path) -> None:
    write_release(tmp_path)
    rewrite(tmp_path / "es/test.tsv", lambda text: text + text.split("\n")[1] + "\n")
    with pytest.raises(UsageError, match="common_voice_es_20/spa_Latn is there twice"):
        list(CommonVoice(location=str(tmp_path), languages=["es"]))
    rewrite(tmp_path / "es/test.tsv", lambda text: text.replace("sentence\t", "text\t"))
    with pytest.raises(UsageError, match="has no sentence; it has client_id, path"):
        list(CommonVoice(location=str(tmp_path), languages=["es"]))
    with pytest.raises(UsageError, match=r"no files of swh_Latn; there are eng_Latn"):
        list(CommonVoice(location=FIXTURE, languages=["sw"]))
    with pytest.raises(UsageError, match=r"no transcript/\*/dev\.tsv or \*/dev\.tsv"):
        list(CommonVoice(location=FIXTURE, split="dev"))
    with pytest.raises(UsageError, match="missing='no' is not known"):
        CommonVoice(missing="no")  # type: ignore[arg-type]


def test_a_speaker_is_not_in_train_too(tmp_path: Path) -> None:
    write_release(tmp_path)
    train = tmp_path / "en/train.tsv"
    loader = CommonVoice(location=str(tmp_path), languages=["en"])
    write_table(train, COLUMNS, [{"client_id": "someone else", "path": "x.mp3"}])
    loader.validate()
    own = next(iter(loader)).group["speaker"]
    write_table(train, COLUMNS, [{"client_id": own, "path": "x.mp3"}])
    with pytest.raises(UsageError, match=r"en/test\.tsv: 1 of its speakers are in train\.tsv too"):
        loader.validate()


def test_a_clip_of_another_language_is_not_read(tmp_path: Path) -> None:
    write_release(tmp_path)
    (tmp_path / "fr/clips/common_voice_fr_17.mp3").unlink()
    write_files(tmp_path / "es/clips", {"common_voice_fr_17.mp3": b"x"})
    with pytest.raises(UsageError, match=r"common_voice_fr_17\.mp3"):
        list(CommonVoice(location=str(tmp_path), languages=["fr"]))


@pytest.mark.parametrize(
    ("locale", "tag"),
    [
        ("zh-CN", "zho_Hans"),
        ("zh-TW", "zho_Hant"),
        ("zh-HK", "yue_Hant"),
        ("yue", "yue_Hant"),
        ("nan-tw", "nan_Hant"),
        ("sv-SE", "swe_Latn"),
        ("ga-IE", "gle_Latn"),
        ("cnh", "cnh_Latn"),
        ("nn-NO", "nno_Latn"),
        ("rm-sursilv", "roh_Latn"),
        ("cv", "chv_Cyrl"),
        ("pa-IN", "pan_Guru"),
    ],
)
def test_locales(locale: str, tag: str) -> None:
    assert locale_tag(locale) == tag


def test_card() -> None:
    card = CommonVoice(location=FIXTURE, languages=["fr", "en"]).card
    assert (card.name, card.revision, card.licence) == ("common_voice", "local folder", "CC0-1.0")
    assert card.languages == ("eng_Latn", "fra_Latn")
    assert card.content != CommonVoice(location=FIXTURE).card.content


def test_a_name_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    write_release(tmp_path / "cv")
    (tmp_path / "secret.mp3").write_bytes(b"x")
    table = tmp_path / "cv/fr/test.tsv"
    plain = table.read_text(encoding="utf-8")
    for name in ("../../../secret.mp3", str(tmp_path / "secret.mp3")):
        table.write_text(plain.replace("common_voice_fr_17.mp3", name), encoding="utf-8")
        with pytest.raises(UsageError, match=r"secret\.mp3 is not there"):
            list(CommonVoice(location=str(tmp_path / "cv"), languages=["fr"]))


def test_a_table_without_rows_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_release(tmp_path)
    rewrite(tmp_path / "fr/test.tsv", lambda text: text.split("\n")[0] + "\n")
    assert not list(CommonVoice(location=str(tmp_path), languages=["fr"]))
    assert "fr/test.tsv: has no rows" in caplog.text
    rewrite(tmp_path / "fr/test.tsv", lambda text: "")
    with pytest.raises(UsageError, match=r"fr/test\.tsv: there is no such file, or it is empty"):
        list(CommonVoice(location=str(tmp_path), languages=["fr"]))


@pytest.mark.parametrize(
    ("written", "known"),
    [("male_masculine", "male"), ("female_feminine", "female"), ("non-binary", "other"), ("transgender", "other")],
)
def test_genders_and_accents_of_later_releases(tmp_path: Path, written: str, known: str) -> None:
    write_release(tmp_path)
    row = {"client_id": "a", "path": "common_voice_fr_17.mp3", "sentence": "Un.", "gender": written, "accents": "Nord"}
    write_table(tmp_path / "fr/test.tsv", list(row), [row])
    (sample,) = CommonVoice(location=str(tmp_path), languages=["fr"], task="gender")
    assert sample.choices[sample.answer or 0] == sample.group["gender"] == known
    assert sample.group["accent"] == "Nord"
