from __future__ import annotations

import gzip
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from loaders.fixtures import vietmed as fixture
from loaders.vietmed import VietMed
from mmbench.errors import UsageError
from mmbench.media import audio_seconds, load_audio
from mmbench.schema import Audio, Sample

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/vietmed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fixture.write(tmp_path)
    return tmp_path


def corpus(folder: Path) -> Path:
    return folder / "VietMed" / "data_dump" / "vietmed_corpus_test_v1.xml"


def replaced(folder: Path, old: str, new: str) -> None:
    path = corpus(folder)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def window(sample: Sample) -> Audio:
    (audio,) = sample.parts
    assert isinstance(audio, Audio)
    return audio


def test_segments(folder: Path) -> None:
    samples = list(VietMed(location=str(folder)))
    assert [sample.id for sample in samples] == [
        *(f"VietMed_002_{number}/vie_Latn" for number in range(3)),
        *(f"VietMed_014_{speaker}_{number}/vie_Latn" for speaker in "ab" for number in range(2)),
    ]
    first = samples[0]
    assert first.references == ("marque 7 para borrar el mensaje",) == (first.transcript,), (
        "as published, but for spaces"
    )
    assert first.group == {"native-language": "yes", "recording": "VietMed_002", "speaker": "VietMed_002"}
    assert first.language == "vie_Latn"


def test_windows_of_one_recording(folder: Path) -> None:
    samples = list(VietMed(location=str(folder)))
    whole = load_audio(Audio(folder / "VietMed/Audio_8kHz_wav/VietMed_002.wav"), rate=8000)
    pieces = [load_audio(window(sample), rate=8000) for sample in samples[:3]]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    files = {sample.group["recording"]: window(sample).source for sample in samples}
    assert files["VietMed_014_a"] == files["VietMed_014_b"] != files["VietMed_002"], "two speakers of one recording"
    ends = [(window(sample).start, window(sample).end) for sample in samples[3:]]
    assert all(one[1] == pytest.approx(two[0], abs=1e-3) for one, two in pairwise(ends))
    assert audio_seconds(window(samples[3])) > 0.5


def test_packed_corpus_is_the_same(folder: Path) -> None:
    before = list(VietMed(location=str(folder)))
    path = corpus(folder)
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert list(VietMed(location=str(folder))) == before


def test_missing_recording_comes_late(folder: Path) -> None:
    (folder / "VietMed/Audio_8kHz_wav/VietMed_014.wav").unlink()
    samples = iter(VietMed(location=str(folder)))
    assert [next(samples).group["recording"] for _ in range(3)] == ["VietMed_002"] * 3
    with pytest.raises(UsageError, match=r"recording VietMed_014_a: no recording /corpora/.*/VietMed_014\.wav in "):
        next(samples)


def test_refused(folder: Path) -> None:
    replaced(folder, 'name="VietMed_002_1"', 'name="VietMed_002_0"')
    with pytest.raises(UsageError, match="VietMed_002_0/vie_Latn is there twice"):
        VietMed(location=str(folder)).validate()
    fixture.write(folder / "again")
    replaced(folder / "again", 'start="0.0000"', 'start="soon"')
    with pytest.raises(UsageError, match="segment VietMed_002_0: start and end must be seconds"):
        list(VietMed(location=str(folder / "again")))
    text = corpus(folder / "again").read_text(encoding="utf-8")
    corpus(folder / "again").write_text(text[: len(text) // 2].replace("soon", "0"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"vietmed_corpus_test_v1\.xml: damaged"):
        list(VietMed(location=str(folder / "again")))
    corpus(folder / "again").with_name("vietmed_corpus_dev_v1.xml").unlink()
    with pytest.raises(UsageError, match=r"no \*\*/vietmed_corpus_dev_v1\.xml or"):
        list(VietMed(location=str(folder / "again"), split="dev"))
    with pytest.raises(UsageError, match="split='eval' is not known"):
        VietMed(location=str(folder), split=cast("Any", "eval"))
    with pytest.raises(UsageError, match="eng_Latn not in the dataset, which has vie_Latn"):
        VietMed(location=str(folder), languages=["en"])


def test_card(folder: Path) -> None:
    card = VietMed(location=str(folder)).card
    assert (card.name, card.languages) == ("vietmed", ("vie_Latn",))
    replaced(folder, "marque", "marca")
    assert VietMed(location=str(folder)).card.content != card.content


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the published corpus is not here")
def test_published_corpus(tmp_path: Path) -> None:
    """Its head, up to where the sample was cut."""
    data = (SAMPLES / "vietmed_corpus_test_v1.head.xml").read_text(encoding="utf-8")
    (tmp_path / "vietmed_corpus_test_v1.xml").write_text(data, encoding="utf-8")
    for name in set(re.findall(r'audio="[^"]*/([^"/]+)"', data)):
        (tmp_path / name).write_bytes(b"x")
    samples = iter(VietMed(location=str(tmp_path)))
    first, second = next(samples), next(samples)
    assert first.id == "VietMed_002_0/vie_Latn" and (window(first).start, window(first).end) == (6.0, 12.0)
    assert second.references == ("là tự từ ba ngày đến năm ngày một số trường hợp thì có thể là nhiều",)
    assert "gender" not in first.group, "notgiven is no gender"


@pytest.mark.parametrize("start", ["-1", "nan", "inf", "60.0"])
def test_a_window_is_a_window(folder: Path, start: str) -> None:
    replaced(folder, 'start="0.0000"', f'start="{start}"')
    with pytest.raises(UsageError, match="segment VietMed_002_0: start and end must be seconds, in this order"):
        list(VietMed(location=str(folder)))


def test_a_segment_names_its_speaker(folder: Path) -> None:
    replaced(folder, '<speaker name="VietMed_002"/>', '<speaker name="a nurse"/>')
    assert [sample.group["speaker"] for sample in VietMed(location=str(folder))][:2] == ["a nurse", "VietMed_002"]
    replaced(folder, '<speaker name="a nurse"/>', "")
    assert next(iter(VietMed(location=str(folder)))).group["speaker"] == "VietMed_002"
