"""Decoding audio: golden values, every kind of broken file, and a fuzz test that only lets MediaError through."""

from __future__ import annotations

import io
import math
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import MediaError
from mmbench.media import audio as module
from mmbench.media import audio_seconds, load_audio
from mmbench.schema import Audio

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "wavllm"
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}


def tone(frequency: float, rate: int, seconds: float = 1.0, channels: int = 1) -> NDArray[np.float32]:
    """A sine of amplitude 0.5."""
    wave = 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def encode(samples: NDArray[Any], rate: int, name: str = "wav", **options: Any) -> bytes:
    """Encode in one of `FORMATS`, a second at a time: libsndfile's Vorbis writer overflows its stack on long writes."""
    buffer = io.BytesIO()
    container, subtype = FORMATS[name]
    channels = samples.shape[1] if samples.ndim > 1 else 1
    options = {"format": container, "subtype": subtype, **options}
    with sf.SoundFile(buffer, "w", rate, channels, **options) as file:
        for first in range(0, len(samples), rate):
            file.write(samples[first : first + rate])
    return buffer.getvalue()


NOISE = np.random.default_rng(0).uniform(-0.3, 0.3, 48_000).astype(np.float32)  # 3 s at 16 kHz
WAV, FLAC = encode(NOISE, 16_000), encode(NOISE, 16_000, "flac")


def refused(audio: Audio, *words: str, header: bool = False) -> None:
    """Check that decoding ends in one line with these words; `header`: that `audio_seconds` says so too."""
    for decode in (True, False) if header else (True,):
        with pytest.raises(MediaError) as caught:
            _ = load_audio(audio, rate=16_000) if decode else audio_seconds(audio)
        message = str(caught.value)
        assert "\n" not in message
        assert "; " in message
        assert "0x" not in message
        for word in words:
            assert word in message


def test_sine_keeps_frequency_amplitude_and_length() -> None:
    samples = load_audio(Audio(encode(tone(1000, 44_100, 2, channels=2), 44_100)), rate=16_000)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert abs(len(samples) - 32_000) <= 1
    expected = tone(1000, 16_000, 2)[: len(samples), 0]
    assert np.abs(samples - expected)[200:-200].max() < 1e-3


def test_tone_above_the_new_limit_vanishes() -> None:
    samples = load_audio(Audio(encode(tone(9000, 48_000, 2), 48_000, subtype="FLOAT")), rate=16_000)
    middle = samples[1000:-1000]
    assert 20 * math.log10(float(np.sqrt(np.mean(middle**2))) / 0.5 + 1e-12) < -80


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_channels_are_averaged(channels: int) -> None:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (8000, channels)).astype(np.float32)
    loaded = load_audio(Audio(encode(samples, 8000, subtype="FLOAT")), rate=8000)
    np.testing.assert_allclose(loaded, samples.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_formats_from_bytes_and_file(tmp_path: Path, name: str, rate: int, channels: int) -> None:
    encoded = encode(tone(440, rate, 2.5, channels), rate, name)
    path = tmp_path / f"clip.{name}"
    path.write_bytes(encoded)
    samples = load_audio(Audio(encoded), rate=16_000)
    assert abs(len(samples) - 40_000) <= 160
    assert audio_seconds(Audio(encoded)) == pytest.approx(2.5, abs=0.01)
    for source in (path, str(path)):
        np.testing.assert_array_equal(samples, load_audio(Audio(source), rate=16_000))
    spectrum = np.abs(np.fft.rfft(samples[:32_000]))
    assert int(spectrum.argmax()) / 2 == pytest.approx(440, abs=1)
    assert float(np.abs(samples[8000:24_000]).max()) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_window_is_a_slice_of_the_whole(name: str, rate: int) -> None:
    encoded = encode(np.tile(NOISE, 3), rate, name)
    seconds = 3 * len(NOISE) / rate
    start, end = 0.45 * seconds, 0.7 * seconds
    whole = load_audio(Audio(encoded), rate=rate)
    window = load_audio(Audio(encoded, start=start, end=end), rate=rate)
    expected = whole[round(start * rate) : round(end * rate)]
    np.testing.assert_allclose(window, expected, rtol=0, atol=0 if name in ("wav", "flac") else 1e-5)
    assert audio_seconds(Audio(encoded, start=start, end=end)) == pytest.approx(end - start, abs=0.001)


@pytest.mark.parametrize("name", FORMATS)
def test_blocks_do_not_change_the_samples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = encode(np.repeat(NOISE[:, None], 2, axis=1), 24_000, name)
    whole = load_audio(Audio(encoded), rate=16_000)
    monkeypatch.setattr(module, "_BLOCK", 5_000)
    np.testing.assert_allclose(load_audio(Audio(encoded), rate=16_000), whole, atol=1e-6)


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_length_of_windows(data: st.DataObject) -> None:
    start = data.draw(st.floats(0, 2.9))
    end = data.draw(st.floats(start + 0.01, 3.0))
    rate = data.draw(st.sampled_from([8_000, 16_000, 22_050, 48_000]))
    source = data.draw(st.sampled_from([WAV, FLAC]))
    # Both ends are rounded to a frame of the file, which is up to rate / 16,000 samples of the result.
    slack = 1 + max(1.0, rate / 16_000)
    assert abs(len(load_audio(Audio(source, start=start, end=end), rate=rate)) - round((end - start) * rate)) <= slack


def test_only_the_window_is_decoded() -> None:
    broken = FLAC[: len(FLAC) // 2]
    assert len(load_audio(Audio(broken, start=0.2, end=1.0), rate=16_000)) == 12_800


def test_end_may_be_a_little_late() -> None:
    assert len(load_audio(Audio(WAV, start=2.0, end=3.05), rate=16_000)) == 16_000


@pytest.mark.parametrize("name", ["asr.flac", "st.flac"])
def test_published_audio(name: str) -> None:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the sample data are not here")
    expected, rate = sf.read(path, dtype="float32")
    np.testing.assert_array_equal(load_audio(Audio(path), rate=rate), expected)
    assert audio_seconds(Audio(path)) == pytest.approx(len(expected) / rate)


def test_bytes_that_are_no_audio(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not audio at all\n" * 99)
    refused(Audio(tmp_path / "text.wav"), "text.wav", "not recognised", header=True)
    refused(Audio(b"\x89PNG\r\n\x1a\n" + bytes(99)), "bytes>", "not recognised", header=True)
    (tmp_path / "text.raw").write_text("soundfile asks for a rate where a name ends so")
    refused(Audio(tmp_path / "text.raw"), "text.raw", header=True)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kept", [0.01, 0.1, 0.5, 0.9])
def test_truncated(name: str, kept: float) -> None:
    encoded = encode(NOISE, 16_000, name)
    refused(Audio(encoded[: int(len(encoded) * kept)]), "truncated")


def test_truncated_header_is_told_without_decoding() -> None:
    refused(Audio(WAV[:-200]), "truncated: only 2.994 s", header=True)
    refused(Audio(encode(NOISE, 16_000, "opus")[:-1]), "truncated", header=True)
    refused(Audio(WAV[:-20_000], start=2.9), "truncated", header=True)
    assert len(load_audio(Audio(WAV[:-20_000], end=2.0), rate=16_000)) == 32_000


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("outer", [0, 36, 0xFFFFFFFF])
def test_wav_written_into_a_pipe(tmp_path: Path, size: int, outer: int) -> None:
    if size == 0 and outer == 0xFFFFFFFF:
        pytest.skip("says that the file goes on after an empty data chunk")
    wav = bytearray(WAV)
    struct.pack_into("<I", wav, 4, outer)
    struct.pack_into("<I", wav, wav.index(b"data") + 4, size)
    path = tmp_path / "pipe.wav"
    path.write_bytes(wav)
    for source in (bytes(wav), path):
        np.testing.assert_array_equal(load_audio(Audio(source), rate=16_000), load_audio(Audio(WAV), rate=16_000))
        assert audio_seconds(Audio(source)) == 3.0
    assert path.read_bytes() == bytes(wav)


def test_flac_written_into_a_pipe() -> None:
    flac = bytearray(FLAC)
    flac[21] &= 0xF0  # STREAMINFO: 36 bits of total samples
    flac[22:26] = bytes(4)
    refused(Audio(bytes(flac)), "does not say how long", header=True)
    assert len(load_audio(Audio(bytes(flac), end=2.0), rate=16_000)) == 32_000


@pytest.mark.parametrize(
    ("mode", "loud_first", "refuse"),
    [("CONSTANT", True, False), ("CONSTANT", False, False), ("VARIABLE", False, False), ("VARIABLE", True, True)],
)
def test_mp3_without_xing_header_is_read_to_its_end_or_refused(mode: str, loud_first: bool, refuse: bool) -> None:
    # Without its first frames, which hold the header; libsndfile would shorten the one that is refused.
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, 44_100 * 20).astype(np.float32)
    samples *= np.repeat([1, 0, 0, 1] if loud_first else [0, 1, 1, 0.1], len(samples) // 4).astype(np.float32)
    encoded = encode(samples, 44_100, "mp3", bitrate_mode=mode, compression_level=0.5)
    sync = [at for at in range(len(encoded) - 1) if encoded[at] == 0xFF and encoded[at + 1] >= 0xFA]
    bare = encoded[next(at for at in sync if at > 3000) :] if loud_first else encoded[sync[1] :]
    if refuse:
        refused(Audio(bare), "Xing")
    else:
        assert len(load_audio(Audio(bare), rate=16_000)) == pytest.approx(320_000, abs=8_000)


RATES, CHANNELS = [0, 1, 999, 2_000_000, 0xFFFFFFFF], [0, 65, 60_000]


@pytest.mark.parametrize(
    ("offset", "kind", "value"), [*[(4, "<I", rate) for rate in RATES], *[(2, "<H", count) for count in CHANNELS]]
)
def test_absurd_rates_and_channels(offset: int, kind: str, value: int) -> None:
    wav = bytearray(WAV)
    struct.pack_into(kind, wav, wav.index(b"fmt ") + 8 + offset, value)
    refused(Audio(bytes(wav)), header=True)


@pytest.mark.parametrize("name", ["wav", "ogg"])
def test_no_frames(name: str) -> None:
    refused(Audio(encode(NOISE[:0], 16_000, name)), "no samples", header=True)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("share", [slice(None), slice(5, 6)])
@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_that_are_no_numbers(bad: float, share: slice, rate: int, channels: int) -> None:
    samples = np.repeat(NOISE[:, None], channels, axis=1)
    samples[share] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(Audio(encode(samples, rate, subtype="FLOAT")), "NaN or infinite")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        *[(-0.1, None), (1.0, 1.0), (1.0, 0.5), (3.0, None), (9.0, 10.0), (0.0, 3.2), (1.0, 1.00001)],
        *[(math.nan, None), (0.0, math.nan), (0.0, math.inf)],
    ],
)
@pytest.mark.parametrize("source", [WAV, FLAC])
def test_windows_that_are_none(source: bytes, start: float, end: float | None) -> None:
    refused(Audio(source, start=start, end=end), header=True)


def test_long_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_AUDIO_SECONDS", 2.0)
    refused(Audio(WAV), "more than 2")
    assert len(load_audio(Audio(WAV, start=1.0), rate=16_000)) == 32_000


def test_rate_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="rate"):
        load_audio(Audio(WAV), rate=0)


def test_no_open_files_are_left(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV[:1000])
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        refused(Audio(tmp_path / "a.wav"), "truncated")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("batch", range(4))
def test_damaged_audio_raises_nothing_else(
    name: str, batch: int, only_media_errors: Callable[[bytes, range, Callable[[bytes, int], object]], None]
) -> None:
    def read(source: bytes, seed: int) -> None:
        audio = Audio(source, start=0.25 * (seed % 3))
        audio_seconds(audio)
        load_audio(audio, rate=16_000)

    only_media_errors(encode(NOISE[:16_000], 16_000, name), range(batch * 40, batch * 40 + 40), read)
