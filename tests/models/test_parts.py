"""Clips of a batch: each fits the window, none is mixed up, and what was done to a long one is said."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from mmbench.errors import SampleError, UsageError
from mmbench.models.parts import Heard, hear, join, pick_window, windows
from mmbench.schema import Audio, Sample, Text

if TYPE_CHECKING:
    from pathlib import Path

RATE = 16000


def clip(folder: Path, name: str, wave: np.ndarray) -> Sample:
    soundfile.write(folder / f"{name}.wav", wave, RATE, subtype="FLOAT")
    return Sample(id=name, language="eng_Latn", parts=(Audio(folder / f"{name}.wav"),))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)


@pytest.fixture
def batch(tmp_path: Path) -> list[Sample]:
    """Clips of 1, 7 and 2 seconds."""
    return [clip(tmp_path, f"s{index}", noise(s, index)) for index, s in enumerate((1.0, 7.0, 2.0))]


@pytest.mark.parametrize("seed", range(5))
def test_windows_lose_nothing_and_none_is_too_long(seed: int) -> None:
    rng = random.Random(seed)
    wave, seconds = noise(rng.uniform(0.1, 40), seed), rng.choice([0.5, 3.0, 5.0, 7.7])
    pieces = windows(wave, RATE, seconds)
    assert np.array_equal(np.concatenate(pieces), wave)
    assert all(0 < len(piece) <= seconds * RATE for piece in pieces)
    # A piece is cut in its last sixth at the earliest, and the last one holds a thirtieth of a window at least.
    assert all(len(piece) >= seconds * RATE * 5 / 6 - 1 for piece in pieces[:-1])
    if len(pieces) > 1:
        assert len(pieces[-1]) >= seconds * RATE / 31


def test_cuts_fall_into_pauses() -> None:
    wave = noise(60)
    pauses = (27.0, 54.5)
    for pause in pauses:
        wave[int((pause - 0.15) * RATE) : int((pause + 0.15) * RATE)] *= 0.01
    wave[int(10 * RATE) : int(12 * RATE)] = 0  # quieter still, but far from the end of a window
    ends = np.cumsum([len(piece) for piece in windows(wave, RATE, 30.0)])[:-1] / RATE
    assert len(ends) == 2
    assert np.abs(ends - pauses).max() < 0.15


def test_silence_is_cut_late() -> None:
    pieces = windows(np.zeros(61 * RATE, np.float32), RATE, 30.0)
    assert [round(len(piece) / RATE) for piece in pieces] == [30, 30, 1]


def test_long_clip_is_refused_by_default(batch: list[Sample]) -> None:
    with pytest.raises(SampleError, match=r"sample s1: the clip lasts 7\.0 s, the model takes 3 s; .*long_audio"):
        hear(batch, RATE, window=3.0)
    heard = hear(batch, RATE)
    assert [len(wave) for wave in heard.waves] == [RATE, 7 * RATE, 2 * RATE]
    assert (heard.owners, heard.notes) == ([0, 1, 2], [(), (), ()])


def test_truncate_keeps_the_first_window(batch: list[Sample]) -> None:
    whole, heard = hear(batch, RATE), hear(batch, RATE, window=2.5, long_audio="truncate")
    assert heard.owners == [0, 1, 2]
    assert heard.notes == [(), ("truncated 7.0 s to 2.5 s",), ()]
    for one, other, length in zip(whole.waves, heard.waves, (1.0, 2.5, 2.0), strict=True):
        assert np.array_equal(one[: int(length * RATE)], other)


def test_chunks_belong_to_their_sample_in_order(batch: list[Sample]) -> None:
    heard = hear(batch, RATE, window=3.0, long_audio="chunk")
    assert heard.owners == [0, 1, 1, 1, 2]
    assert heard.notes == [(), ("cut into 3 windows",), ()]
    whole = hear(batch, RATE)
    assert np.array_equal(np.concatenate(heard.waves[1:4]), whole.waves[1])
    outputs = heard.outputs(["a", " b ", "", "c", "d"], [1, 2, 3, 4, 5])
    assert [(o.text, o.tokens, o.notes) for o in outputs] == [
        ("a", 1, ()),
        ("b c", 9, ("cut into 3 windows",)),
        ("d", 5, ()),
    ]


def test_exactly_the_window_is_not_long(batch: list[Sample]) -> None:
    for policy in ("refuse", "truncate", "chunk"):
        heard = hear(batch[:1], RATE, window=1.0, long_audio=policy)
        assert (len(heard.waves), heard.notes) == (1, [()])


def test_short_clip_gets_silence(tmp_path: Path) -> None:
    heard = hear([clip(tmp_path, "short", noise(0.005))], RATE, least=0.1)
    assert heard.waves[0].shape == (1600,)
    assert not heard.waves[0][80:].any()
    assert heard.notes == [("padded 0.005 s to 0.1 s",)]


def test_notes_of_all_clips_of_a_sample(batch: list[Sample], tmp_path: Path) -> None:
    both = Sample(id="both", language="eng_Latn", parts=(*batch[1].parts, Text("and"), *batch[1].parts))
    heard = hear([both, batch[0]], RATE, window=4.0, long_audio="chunk")
    assert heard.notes == [("cut into 2 windows", "cut into 2 windows"), ()]
    assert heard.owners == [0, 0, 0, 0, 1]


def test_tokens_are_unknown_without_counts() -> None:
    sample = Sample(id="a", language="eng_Latn")
    heard = Heard((sample,), [np.zeros(1, np.float32)], [0], [()])
    assert heard.outputs(["x"])[0].tokens is None


def test_texts_of_nothing_leave_no_space() -> None:
    assert join([" a", "", "b ", ""], [0, 0, 0, 2], 3) == ["a b", "", ""]


def test_window_setting() -> None:
    assert pick_window("m", 30.0, None, "refuse") == 30.0
    assert pick_window("m", 30.0, 20, "chunk") == 20
    assert pick_window("m", None, 90.0, "truncate") == 90.0
    assert pick_window("m", None, None, "chunk") is None
    for own, wanted, policy, message in [
        (30.0, 31.0, "chunk", "window=31, but the model hears 30 s"),
        (None, 0.0, "chunk", "must be positive"),
        (None, None, "cut", "long_audio=cut: known are refuse, truncate, chunk"),
    ]:
        with pytest.raises(UsageError, match=f"model m: .*{message}"):
            pick_window("m", own, wanted, policy)
