from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loaders.fixtures import spoken_squad as fixture
from loaders.spoken_squad import SpokenSquad
from mmbench.errors import UsageError
from mmbench.media import load_audio
from mmbench.schema import Audio, Joined, Text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fixture.write(tmp_path)
    return tmp_path


def change(path: Path, edit: Any) -> None:
    """Edit the first paragraphs of a JSON file."""
    data = json.loads(path.read_text())
    edit(data["data"][0]["paragraphs"])
    path.write_text(json.dumps(data))


def test_samples(folder: Path) -> None:
    short, long = SpokenSquad(location=str(folder))
    assert (short.id, short.language) == ("56be4db0000/eng_Latn", "eng_Latn")
    assert short.references == ("press 7 to delete this message",), "spans that annotators agree on are one reference"
    assert short.parts[1] == Text("\nWhat is said first?") and short.group == {"title": "Telephone", "document": "0_0"}
    audio = long.parts[0]
    assert isinstance(audio, Audio) and isinstance(audio.source, Joined)
    names = [Path(str(path)).name for path in audio.source.sources]
    assert names == [f"0_1_{number}.wav" for number in range(12)], "10 after 9, not after 1"
    assert not long.choices and long.answer is None


def test_the_passage_is_the_sentences_in_order(folder: Path) -> None:
    short, _ = SpokenSquad(location=str(folder), gap=0.5)
    audio = short.parts[0]
    assert isinstance(audio, Audio)
    pieces = [load_audio(Audio(folder / "dev_wav" / f"0_0_{number}.wav"), rate=8000) for number in range(3)]
    silence = np.zeros(4000, np.float32)
    expected = np.concatenate([pieces[0], silence, pieces[1], silence, pieces[2]])
    np.testing.assert_array_equal(load_audio(audio, rate=8000), expected)


def test_what_sphinx_heard_is_no_transcript(folder: Path) -> None:
    short, _ = SpokenSquad(location=str(folder))
    audio = short.parts[0]
    assert isinstance(audio, Audio)
    heard = dict(audio.hypotheses)
    assert list(heard) == ["sphinx", "sphinx_wer44", "sphinx_wer54"]
    assert audio.transcript is not None and audio.transcript.startswith("Press 7 to delete this message.")
    assert heard["sphinx"] == audio.transcript.lower() and heard["sphinx_wer44"].startswith("press to this")
    for name in ("dev-v1.1.json", "spoken_test-v1.1_WER44.json"):
        (folder / name).unlink()
    short, _ = SpokenSquad(location=str(folder))
    assert short.transcript is None, "without SQuAD itself nobody knows what is said"
    assert isinstance(short.parts[0], Audio)
    assert [name for name, _ in short.parts[0].hypotheses] == ["sphinx", "sphinx_wer54"]


def test_texts_are_joined_by_question(folder: Path) -> None:
    change(folder / "dev-v1.1.json", lambda paragraphs: paragraphs.reverse())
    short, _ = SpokenSquad(location=str(folder))
    assert (short.transcript or "").startswith("Press 7 to delete")


def test_train_and_dev_share_names_of_files(folder: Path) -> None:
    shutil.copy(folder / "spoken_test-v1.1.json", folder / "spoken_train-v1.1.json")
    with pytest.raises(UsageError, match=r"no train_wav/\*\.wav"):
        list(SpokenSquad(location=str(folder), split="train"))


def test_archive_inside_the_archive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(folder / "cache"))
    before = [sample.id for sample in SpokenSquad(location=str(folder))]
    shutil.make_archive(str(folder / "dev_wav"), "zip", root_dir=folder, base_dir="dev_wav")
    shutil.rmtree(folder / "dev_wav")
    assert [sample.id for sample in SpokenSquad(location=str(folder))] == before


@pytest.mark.parametrize("name", ["0_1_0.wav", "0_1_5.wav"])
def test_missing_sentence(folder: Path, name: str) -> None:
    (folder / "dev_wav" / name).unlink()
    with pytest.raises(UsageError, match=f"no recording dev_wav/{name}; unpack"):
        SpokenSquad(location=str(folder)).validate()


def test_missing_passage_comes_late(folder: Path) -> None:
    for path in (folder / "dev_wav").glob("0_1_*"):
        path.unlink()
    samples = iter(SpokenSquad(location=str(folder)))
    assert next(samples).id.startswith("56be4db0000")
    with pytest.raises(UsageError, match=r"0_1_0\.wav"):
        next(samples)


def test_refused(folder: Path) -> None:
    change(folder / "spoken_test-v1.1.json", lambda paragraphs: paragraphs[1]["qas"][0].update(id="56be4db0000"))
    with pytest.raises(UsageError, match="56be4db0000/eng_Latn is there twice"):
        list(SpokenSquad(location=str(folder)))
    (folder / "spoken_test-v1.1.json").write_text('{"rows": 1}')
    with pytest.raises(UsageError, match="not a file of SQuAD"):
        list(SpokenSquad(location=str(folder)))
    with pytest.raises(UsageError, match="split='dev' is not known"):
        SpokenSquad(location=str(folder), split="dev")
    with pytest.raises(UsageError, match="deu_Latn not in the dataset, which has eng_Latn"):
        SpokenSquad(location=str(folder), languages=["de"])
    with pytest.raises(UsageError, match="there is no such folder"):
        list(SpokenSquad(location=str(folder / "none")))


def test_card(folder: Path) -> None:
    card = SpokenSquad(location=str(folder)).card
    assert (card.name, card.languages, card.revision) == ("spoken_squad", ("eng_Latn",), "local folder")
    change(folder / "spoken_test-v1.1.json", lambda paragraphs: paragraphs.pop())
    assert SpokenSquad(location=str(folder)).card.content != card.content


def test_a_topic_without_paragraphs_shifts_nothing(folder: Path) -> None:
    path = folder / "spoken_test-v1.1.json"
    data = json.loads(path.read_text())
    data["data"].insert(0, {"title": "none", "paragraphs": []})
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match=r"no recording dev_wav/1_0_0\.wav"):
        list(SpokenSquad(location=str(folder)))
    data["data"][0]["paragraphs"] = None
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match="not a file of SQuAD"):
        list(SpokenSquad(location=str(folder)))


def test_a_question_without_answers_is_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    change(folder / "spoken_test-v1.1.json", lambda paragraphs: paragraphs[0]["qas"][0].update(answers=[]))
    assert [sample.group["document"] for sample in SpokenSquad(location=str(folder))] == ["0_1"]
    assert "1 left out" in caplog.text
    change(folder / "spoken_test-v1.1.json", lambda paragraphs: paragraphs[0].pop("qas"))
    with pytest.raises(UsageError, match="not a file of SQuAD"):
        list(SpokenSquad(location=str(folder)))
