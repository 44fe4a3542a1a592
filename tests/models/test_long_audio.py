"""Clips longer than the window, by policy: what is heard is what the note says, and short clips are not touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from mmbench.errors import SampleError, UsageError
from mmbench.models.faster_whisper import FasterWhisper
from mmbench.models.parts import windows
from mmbench.models.speech_to_text import SpeechToText
from mmbench.schema import Audio, Sample
from tests.models.conftest import sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATE = 16000


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven seconds of other pitches with pauses at 4.5 and 9 seconds."""
    wave = np.concatenate([sound(4.5, 300, RATE), sound(4.5, 700, RATE), sound(2.0, 1500, RATE)])
    for pause in (4.5, 9.0):
        wave[int((pause - 0.1) * RATE) : int((pause + 0.1) * RATE)] = 0
    path = tmp_path_factory.mktemp("long") / "long.wav"
    soundfile.write(path, wave, RATE, subtype="FLOAT")
    return path


def make(folder: Path, **settings: Any) -> SpeechToText:
    return SpeechToText(name="tiny", model=str(folder), dtype="float32", device="cpu", **settings)


def sample(path: Path, id: str = "long", **window: Any) -> Sample:
    return Sample(id=id, language="eng_Latn", parts=(Audio(path, **window),))


def test_refused_by_default(whisper: Path, long: Path) -> None:
    with pytest.raises(SampleError, match=r"sample long: the clip lasts 11\.0 s, the model takes 5 s"):
        make(whisper).generate([sample(long)])


def test_truncated_is_the_first_window(whisper: Path, long: Path) -> None:
    output = make(whisper, long_audio="truncate").generate([sample(long)])[0]
    first = make(whisper).generate([sample(long, end=5.0)])[0]
    assert (output.text, output.tokens) == (first.text, first.tokens)
    assert output.notes == ("truncated 11.0 s to 5 s", "stopped after 14 tokens")
    assert first.notes == ("stopped after 14 tokens",)


def test_chunks_are_the_windows_between_pauses(whisper: Path, long: Path, spoken: list[Sample], tmp_path: Path) -> None:
    model = make(whisper, long_audio="chunk")
    output, short = model.generate([sample(long), spoken[0]])
    pieces = windows(soundfile.read(long, dtype="float32")[0], RATE, 5.0)
    assert [len(piece) / RATE for piece in pieces] == pytest.approx([4.5, 4.5, 2.0], abs=0.15)
    for index, piece in enumerate(pieces):
        soundfile.write(tmp_path / f"{index}.wav", piece, RATE, subtype="FLOAT")
    alone = make(whisper).generate([sample(tmp_path / f"{index}.wav", str(index)) for index in range(3)])
    assert len({piece.text for piece in alone}) == 3
    assert output.text == " ".join(piece.text for piece in alone)
    assert output.notes == ("cut into 3 windows", *3 * ("stopped after 14 tokens",))
    assert output.tokens == sum(piece.tokens or 0 for piece in alone)
    assert (short, output.tokens) == (model.generate([spoken[0]])[0], 42)


@pytest.mark.parametrize("policy", ["truncate", "chunk"])
def test_short_clips_are_answered_as_ever(whisper: Path, spoken: list[Sample], policy: str) -> None:
    assert make(whisper, long_audio=policy).generate(spoken) == make(whisper).generate(spoken)


@pytest.mark.parametrize("policy", ["truncate", "chunk"])
def test_batched_equals_single(whisper: Path, long: Path, spoken: list[Sample], policy: str) -> None:
    model = make(whisper, long_audio=policy)
    batch = [spoken[0], sample(long), spoken[1], sample(long, "cut", start=1.0), spoken[2]]
    assert model.generate(batch) == [model.generate([one])[0] for one in batch]


def test_window_can_be_narrower_but_not_wider(whisper: Path, long: Path) -> None:
    output = make(whisper, window=2.0, long_audio="truncate").generate([sample(long)])[0]
    assert output.text == make(whisper).generate([sample(long, end=2.0)])[0].text
    assert output.notes[0] == "truncated 11.0 s to 2 s"
    with pytest.raises(UsageError, match="window=30, but the model hears 5 s"):
        make(whisper, window=30.0).load()
    with pytest.raises(UsageError, match="long_audio=cut"):
        make(whisper, long_audio="cut").load()


def test_model_without_a_limit_takes_a_window(speech2text: Path, long: Path) -> None:
    # Moonshine: its config says how many tokens it has positions for, and so how long a clip may be; that is advice.
    whole = make(speech2text).generate([sample(long)])[0]
    assert whole.notes == ("stopped after 71 tokens",), "6.5 tokens a second"
    cut = make(speech2text, window=4.0, long_audio="truncate").generate([sample(long)])[0]
    assert cut.notes[0] == "truncated 11.0 s to 4 s"
    assert cut.text == make(speech2text).generate([sample(long, end=4.0)])[0].text
    assert make(speech2text, window=400.0).generate([sample(long)])[0].text == whole.text


def test_identity_knows_the_policy(whisper: Path) -> None:
    from mmbench.identity import digest

    kept = {digest(make(whisper, long_audio=policy)) for policy in ("refuse", "truncate", "chunk")}
    assert len(kept) == 3


@pytest.fixture(scope="module")
def engine(make_whisper: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Whisper with a window of 30 s in CTranslate2's format."""
    pytest.importorskip("faster_whisper")
    from ctranslate2.converters import TransformersConverter

    folder = tmp_path_factory.mktemp("ct2") / "model"
    source = make_whisper(multilingual=True, seconds=30, seed=2)
    TransformersConverter(str(source), copy_files=["tokenizer.json"]).convert(str(folder))
    return folder


def test_faster_whisper(engine: Path, long: Path, tmp_path: Path) -> None:
    keep = {"max_new_tokens": 6, "no_speech_threshold": None, "log_prob_threshold": None}

    def asked(path: Path, **settings: Any) -> Any:
        model = FasterWhisper(name="fast", model=str(engine), device="cpu", transcription=keep, **settings)
        return model.generate([sample(path)])[0]

    wave, _ = soundfile.read(long, dtype="float32")
    soundfile.write(tmp_path / "longer.wav", np.tile(wave, 3), RATE, subtype="FLOAT")
    longer = tmp_path / "longer.wav"
    assert asked(long).notes == ()
    assert asked(longer).notes == ("the engine read 33.0 s in windows of 30 s",)
    with pytest.raises(SampleError, match=r"the clip lasts 33\.0 s, the model takes 30 s"):
        asked(longer, long_audio="refuse")
    assert asked(longer, long_audio="chunk").notes == ("cut into 2 windows",)
    cut = asked(longer, long_audio="truncate", window=11.0)
    assert (cut.text, cut.notes) == (asked(long).text, ("truncated 33.0 s to 11 s",))
