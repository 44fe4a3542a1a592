from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from loaders.adu_bench import AduBench
from loaders.fixtures import adu_bench as fixture
from loaders.published import Published
from mmbench.errors import UsageError
from mmbench.media import load_audio
from mmbench.schema import Audio

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fixture.write(tmp_path)
    return tmp_path


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rewrite(path: Path, found: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")


def test_samples(folder: Path) -> None:
    samples = list(AduBench(location=str(folder)))
    assert len(samples) == len({sample.id for sample in samples}) == 18
    spanish = next(sample for sample in samples if sample.language == "spa_Latn")
    assert spanish.id == "ADU-Multilingual/spanish/0000_sp.wav", "the path of the recording is the id"
    (audio,) = spanish.parts
    assert isinstance(audio, Audio), "no text goes with the recording"
    row = rows(folder / "input/ADU-Multilingual/spanish.jsonl")[0]
    assert (audio.transcript, spanish.references) == (row["question"], (row["answer"],))
    np.testing.assert_array_equal(load_audio(audio, rate=8000), load_audio(Audio(folder / spanish.id), rate=8000))
    assert spanish.group["category"] == "spanish" and spanish.group["set"] == "ADU-Multilingual"
    assert spanish.group["topic"] == row["category"], "what the row calls category is another thing"


def test_pause_and_intonation_are_judged_exactly(folder: Path) -> None:
    judged = {sample.group["category"]: sample.group["judge"] for sample in AduBench(location=str(folder))}
    assert {name for name, kind in judged.items() if kind == "exact"} == {"pause", "intonation"}
    exact = list(AduBench(location=str(folder), judge="exact"))
    score = list(AduBench(location=str(folder), judge="score"))
    assert len(exact) == 4 and len(exact) + len(score) == 18
    assert {sample.group["judge"] for sample in exact} == {"exact"}
    with pytest.raises(UsageError, match="no file of the sets skill is judged so"):
        list(AduBench(location=str(folder), sets=["skill"], judge="exact"))


def test_sets_and_languages(folder: Path) -> None:
    skills = list(AduBench(location=str(folder), sets=cast("Any", "skill")))
    assert {sample.group["category"] for sample in skills} == {"math", "law"}
    french = list(AduBench(location=str(folder), languages=["fr"]))
    assert {sample.language for sample in french} == {"fra_Latn"} and len(french) == 2
    with pytest.raises(UsageError, match="deu_Latn not in the dataset, which has eng_Latn, fra_Latn"):
        list(AduBench(location=str(folder), languages=["de"]))


def test_shuffled_rows_are_the_same_samples(folder: Path) -> None:
    table = folder / "input/ADU-Skill/math.jsonl"
    before = {sample.id: sample for sample in AduBench(location=str(folder), sets=["skill"])}
    rewrite(table, rows(table)[::-1])
    assert {sample.id: sample for sample in AduBench(location=str(folder), sets=["skill"])} == before


def test_a_recording_that_comes_twice(folder: Path) -> None:
    table = folder / "input/ADU-Skill/math.jsonl"
    rewrite(table, [*rows(table), {**rows(table)[0], "question": "Another question?"}])
    with pytest.raises(UsageError, match=r"ADU-Skill/math/0000_en\.wav is there twice"):
        list(AduBench(location=str(folder)))


@pytest.mark.parametrize("written", ["/data/ADU-Bench/ADU-Skill/math/0000_en.wav", "0000_en.wav"])
def test_paths_of_another_machine(folder: Path, written: str) -> None:
    table = folder / "input/ADU-Skill/math.jsonl"
    rewrite(table, [{**rows(table)[0], "audio": written}])
    ids = [sample.id for sample in AduBench(location=str(folder), sets=["skill"])]
    assert "ADU-Skill/math/0000_en.wav" in ids


def test_missing_recording(folder: Path) -> None:
    (folder / "ADU-Skill/math/0001_en.wav").unlink()
    for check in (AduBench(location=str(folder)).validate, lambda: list(AduBench(location=str(folder)))):
        with pytest.raises(UsageError, match=r"ADU-Skill/math/0001_en\.wav: there is no such file"):
            check()


def test_refused(folder: Path) -> None:
    table = folder / "input/ADU-Skill/math.jsonl"
    rewrite(table, [{key: value for key, value in rows(table)[0].items() if key != "answer"}])
    with pytest.raises(UsageError, match=r"math\.jsonl:1: has no answer; it has audio, question"):
        list(AduBench(location=str(folder)))
    with pytest.raises(UsageError, match="sets: 'skills' is not known"):
        AduBench(sets=cast("Any", ["skills"]))
    with pytest.raises(UsageError, match="judge='gpt' is not known"):
        AduBench(judge=cast("Any", "gpt"))


def test_one_row_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    path = Published.path
    monkeypatch.setattr(Published, "path", lambda self, name: (asked.append(name), path(self, name))[1])
    next(iter(AduBench(location=str(folder))))
    assert asked == ["input/ADU-General/helpful_question.jsonl", "ADU-General/helpful_question/0000_en.wav"]


def test_card(folder: Path) -> None:
    card = AduBench(location=str(folder)).card
    assert (
        card.languages == ("eng_Latn", "fra_Latn", "rus_Cyrl", "spa_Latn")
        and card == AduBench(location=str(folder)).card
    )
    assert AduBench(location=str(folder), sets=["skill"]).card.content != card.content
