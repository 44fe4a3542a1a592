from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loaders.slurp import Slurp
from loaders.speech_massive import INTENTS
from mmbench.errors import UsageError
from tests.loaders.corpus_files import clip, copy, says

FIXTURE = "fixture://slurp"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "slurp"))


def answer(sample: Any) -> str:
    return str(sample.choices[sample.answer])


def test_intent_is_scenario_and_action() -> None:
    samples = list(Slurp(location=FIXTURE))
    assert len(samples) == 7 and samples[0].choices == INTENTS
    assert [answer(s) for s in samples[::2]] == [
        "email_query",
        "iot_hue_lightup",
        "general_quirky",
        "audio_volume_mute",
    ]
    assert samples[2].id == "audio--1500000001/eng_Latn"
    assert samples[2].group["sentence"] == samples[3].group["sentence"] == "8999"
    assert [s.group["microphone"] for s in samples[:2]] == ["distant", "headset"]
    assert says(samples[0], 0, rate=8000, kind="FLAC") and says(samples[3], 1, kind="FLAC")


def test_recordings(caplog: pytest.LogCaptureFixture) -> None:
    first = list(Slurp(location=FIXTURE, recordings="first"))
    assert [s.group["microphone"] for s in first] == ["headset", "headset", "distant", "headset"]
    headset = list(Slurp(location=FIXTURE, recordings="headset"))
    assert len(headset) == 3 and {s.group["microphone"] for s in headset} == {"headset"}
    assert "1 left out: sentences without such a recording" in caplog.text


def test_slots_asr_and_gender(caplog: pytest.LogCaptureFixture) -> None:
    assert next(iter(Slurp(location=FIXTURE, task="slots"))).references == ("[time : press] 7 to delete this message",)
    assert next(iter(Slurp(location=FIXTURE, task="asr"))).references == ("press 7 to delete this message",)
    gender = list(Slurp(location=FIXTURE, task="gender"))
    assert len(gender) == 5 and {answer(s) for s in gender} == {"female"}
    assert "2 left out: recordings by a speaker of unknown gender" in caplog.text
    assert next(iter(Slurp(location=FIXTURE, readable=True))).choices[46] == "audio volume mute"


def test_without_metadata(tmp_path: Path) -> None:
    home = copy("slurp", tmp_path)
    metadata = home / "dataset/slurp/metadata.json"
    metadata.write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match="not the metadata of SLURP"):
        list(Slurp(location=str(home)))
    metadata.unlink()
    assert "gender" not in next(iter(Slurp(location=str(home)))).group
    with pytest.raises(UsageError, match=r"task=gender needs metadata\.json beside dataset/slurp/test\.jsonl"):
        list(Slurp(location=str(home), task="gender"))


def test_the_archive_beside_the_text(tmp_path: Path) -> None:
    home = copy("slurp", tmp_path)
    wanted = [sample.id for sample in Slurp(location=str(home))]
    (home / "audio/slurp_real").rename(home / "slurp_real")
    (home / "dataset/slurp").rename(home / "slurp")
    assert [sample.id for sample in Slurp(location=str(home))] == wanted
    assert Path(str(clip(next(iter(Slurp(location=str(home))))).source)).parent.name == "slurp_real"


def test_errors(tmp_path: Path) -> None:
    home = copy("slurp", tmp_path)
    table = home / "dataset/slurp/test.jsonl"
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    table.write_text("".join(json.dumps(row) + "\n" for row in (rows[0], rows[0])), encoding="utf-8")
    with pytest.raises(UsageError, match="audio-1500000000/eng_Latn is there twice"):
        list(Slurp(location=str(home)))
    table.write_text(json.dumps({**rows[0], "action": "fly"}) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="'email_fly' is none of the 60 labels"):
        list(Slurp(location=str(home)))
    table.write_text(json.dumps(rows[0]) + "\n{\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"test\.jsonl:2: not JSON"):
        list(Slurp(location=str(home)))
    (home / "audio/slurp_real/audio-1500000000.flac").unlink()
    with pytest.raises(UsageError, match=r"audio-1500000000\.flac is not in audio/slurp_real or empty"):
        list(Slurp(location=str(home)))
    with pytest.raises(UsageError, match=r"no dataset/slurp/devel\.jsonl or slurp/devel\.jsonl or devel\.jsonl"):
        list(Slurp(location=str(home), split="devel"))
    with pytest.raises(UsageError, match="recordings='near' is not known: give one of all, headset, first"):
        Slurp(recordings="near")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="SLURP: no files of deu_Latn"):
        Slurp(languages=["de"])
    with pytest.raises(UsageError, match="location=slurp: there is no such folder"):
        list(Slurp())


def test_card() -> None:
    card = Slurp(location=FIXTURE).card
    assert card.languages == ("eng_Latn",) and card.licence == "CC-BY-4.0 (text), CC-BY-NC-4.0 (audio)"
