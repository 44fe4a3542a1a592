from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mmbench.errors import MediaError, UsageError
from mmbench.media import encode_audio, video
from mmbench.media.video import load_frames
from mmbench.schema import Video

if TYPE_CHECKING:
    from pathlib import Path

av = pytest.importorskip("av")

RATE, SIDE = 25, 64


def make(path: Path, *, frames: int = 50, codec: str = "mjpeg", pixels: str = "yuvj420p") -> Path:
    """A video whose frame n is grey of brightness 5 n."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.width = stream.height = SIDE
        stream.pix_fmt, stream.bit_rate = pixels, 8_000_000
        for number in range(frames):
            picture = np.full((SIDE, SIDE, 3), 5 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def numbers(found: list[Any]) -> list[int]:
    """Which frames of `make` they are."""
    return [round(float(np.asarray(picture).mean()) / 5) for picture in found]


@pytest.fixture(params=["mjpeg.avi", "mpeg4.mp4", "libx264.mkv"])
def clip(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    codec, _, kind = request.param.partition(".")
    return make(tmp_path / f"clip.{kind}", codec=codec, pixels="yuvj420p" if codec == "mjpeg" else "yuv420p")


def test_frames_by_rate(clip: Path) -> None:
    found = load_frames(Video(clip), fps=5)
    assert numbers(found) == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
    assert {(picture.mode, picture.size) for picture in found} == {("RGB", (SIDE, SIDE))}
    assert numbers(load_frames(Video(clip), fps=RATE)) == list(range(50)), "each frame once"
    assert numbers(load_frames(Video(clip), fps=2 * RATE))[:6] == [0, 0, 1, 1, 2, 2]


def test_frames_by_count(clip: Path) -> None:
    assert numbers(load_frames(Video(clip), count=1)) == [25]
    assert numbers(load_frames(Video(clip), count=4)) == [6, 18, 31, 43], "the middles of four quarters"
    assert len(load_frames(Video(clip), count=120)) == 120, "more than there are: some again"


def test_window(clip: Path) -> None:
    assert numbers(load_frames(Video(clip, start=0.4, end=0.8), fps=10)) == [10, 12, 15, 17]
    assert numbers(load_frames(Video(clip, start=1.2), fps=5)) == [30, 35, 40, 45], "after a seek"
    assert numbers(load_frames(Video(clip, start=1.0, end=1.4), count=2)) == [27, 32]


def test_bytes(clip: Path) -> None:
    assert numbers(load_frames(Video(clip.read_bytes()), count=4)) == [6, 18, 31, 43]


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (0.5, 0.5, "is not a window"),
        (-1.0, None, "is not a window"),
        (2.5, None, "it has 2.000 s"),
        (0, 3.0, "has 2.0"),
    ],
)
def test_no_window(tmp_path: Path, start: float, end: float | None, reason: str) -> None:
    path = make(tmp_path / "clip.avi")
    with pytest.raises(MediaError, match=reason) as caught:
        load_frames(Video(path, start=start, end=end), fps=1)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_end_within_the_tolerance(tmp_path: Path) -> None:
    assert numbers(load_frames(Video(make(tmp_path / "clip.avi"), end=2.05), count=2)) == [12, 37]


def test_too_many_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "clip.avi")
    monkeypatch.setattr(video, "MAX_VIDEO_PIXELS", 10 * SIDE * SIDE)
    assert len(load_frames(Video(path), count=10)) == 10
    with pytest.raises(MediaError, match="11 frames of 64 x 64 pixels are more than"):
        load_frames(Video(path), count=11)
    with pytest.raises(MediaError, match="are more than"):
        load_frames(Video(path), fps=1e12)


def test_broken_files(tmp_path: Path) -> None:
    sound, text, empty = tmp_path / "a.wav", tmp_path / "b.avi", tmp_path / "c.avi"
    sound.write_bytes(encode_audio(np.zeros(8000, np.float32), rate=8000))
    text.write_text("no video at all " * 99)
    empty.touch()
    reasons = ((sound, "no picture"), (text, "truncated, damaged"), (empty, "empty"), (tmp_path / "d.avi", "No such"))
    for path, reason in reasons:
        with pytest.raises(MediaError, match=reason) as caught:
            load_frames(Video(path), fps=1)
        assert "\n" not in str(caught.value)


def test_settings(tmp_path: Path) -> None:
    for options in ({}, {"fps": 1.0, "count": 1}, {"fps": 0.0}, {"count": -1}):
        with pytest.raises(ValueError, match="above 0"):
            load_frames(Video(tmp_path / "clip.avi"), **options)


def test_without_pyav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "clip.avi")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UsageError, match=r"pip install 'mmbench\[video\]'"):
        load_frames(Video(path), fps=1)
