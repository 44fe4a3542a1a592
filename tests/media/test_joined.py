"""Several recordings in a row are one clip: a passage whose sentences were recorded one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mmbench.errors import MediaError
from mmbench.media import audio_seconds, content_hash, encode_audio, load_audio
from mmbench.schema import Audio, Joined

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ONE = np.linspace(-0.5, 0.5, 800, dtype=np.float32)
TWO = np.full(400, 0.25, np.float32)


def wav(wave: NDArray[np.float32]) -> bytes:
    return encode_audio(wave, rate=8000, subtype="FLOAT")


def test_recordings_follow_each_other_with_silence_between_them(tmp_path: Path) -> None:
    (tmp_path / "two.wav").write_bytes(wav(TWO))
    clip = Audio(Joined((wav(ONE), tmp_path / "two.wav", wav(ONE)), gap=0.1))
    found = load_audio(clip, rate=8000)
    silence = np.zeros(800, np.float32)
    np.testing.assert_array_equal(found, np.concatenate([ONE, silence, TWO, silence, ONE]))
    assert audio_seconds(clip) == pytest.approx(len(found) / 8000)


def test_order_and_gap_are_part_of_the_content() -> None:
    both = [Joined((wav(ONE), wav(TWO))), Joined((wav(TWO), wav(ONE))), Joined((wav(ONE), wav(TWO)), gap=0.5)]
    assert len({content_hash(Audio(each)) for each in both}) == 3


def test_a_broken_piece_and_a_window_are_refused() -> None:
    with pytest.raises(MediaError):
        load_audio(Audio(Joined((wav(ONE), b"no audio"))), rate=8000)
    with pytest.raises(MediaError, match="have no window"):
        load_audio(Audio(Joined((wav(ONE),)), start=0.01), rate=8000)
    with pytest.raises(MediaError, match="no recordings"):
        load_audio(Audio(Joined(())), rate=8000)


@dataclass(frozen=True, kw_only=True)
class Louder:
    by: float = 2.0

    @property
    def label(self) -> str:
        return f"louder_{self.by:g}"

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        return wave * np.float32(self.by) + np.float32(seed)


def test_a_condition_is_heard_and_is_part_of_the_content() -> None:
    clip = Audio(wav(TWO), condition=Louder(), seed=1)
    np.testing.assert_array_equal(load_audio(clip, rate=8000), TWO * 2 + 1)
    kinds = [
        Audio(wav(TWO)),
        clip,
        Audio(wav(TWO), condition=Louder(), seed=2),
        Audio(wav(TWO), condition=Louder(by=3)),
    ]
    assert len({content_hash(each) for each in kinds}) == 4


def test_a_condition_that_leaves_nothing_is_an_error() -> None:
    with pytest.raises(MediaError, match="louder_nan leaves nothing"):
        load_audio(Audio(wav(TWO), condition=Louder(by=float("nan"))), rate=8000)
