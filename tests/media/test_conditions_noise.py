"""Noise: the ratio is exact, the colours are theirs, recordings of noise are drawn by the seed."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import MediaError, UsageError
from mmbench.identity import digest
from mmbench.media.conditions import Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEECH = Path(__file__).parents[3] / "shared" / "samples" / "wavllm" / "asr.flac"
RATE = 16_000
KINDS = ("white", "pink", "brown", "speech")


def swelling(length: int = RATE, seed: int = 0) -> NDArray[np.float32]:
    """Noise below 2 kHz that swells and falls like syllables, with a pause at the end."""
    wave = np.random.default_rng(seed).standard_normal(length)
    wave = np.convolve(wave, np.ones(8) / 8, "same") * np.sin(np.arange(length) / 1200) ** 2
    wave[-length // 4 :] = 0
    return np.asarray(0.2 * wave, np.float32)


def decibels(wave: NDArray[Any], noise: NDArray[Any]) -> float:
    """Ratio of their powers."""
    return float(10 * np.log10(np.sum(wave.astype(np.float64) ** 2) / np.sum(noise.astype(np.float64) ** 2)))


@pytest.fixture
def noises(tmp_path: Path) -> Path:
    """A folder of three recordings of noise: tones of 500, 1000 and 2000 Hz, at other rates and levels."""
    folder = tmp_path / "cafe noise"
    (folder / "more").mkdir(parents=True)
    for name, rate, frequency, level in (
        ("a.wav", 8_000, 500, 0.9),
        ("b.flac", 16_000, 1000, 0.01),
        ("more/c.wav", 44_100, 2000, 0.3),
    ):
        tone = level * np.sin(2 * np.pi * frequency * np.arange(rate) / rate)
        sf.write(folder / name, tone, rate)
    (folder / "README.txt").write_text("no recording")
    return folder


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(snr=st.floats(-40, 60), seed=st.integers(0, 2**48), length=st.integers(200, 20_000))
def test_the_ratio_is_exact(kind: Any, snr: float, seed: int, length: int) -> None:
    wave = swelling(length)
    noise = Noise(snr=snr, kind=kind)(wave, RATE, seed).astype(np.float64) - wave
    assert decibels(wave, noise) == pytest.approx(snr, abs=1e-3)


def test_the_ratio_is_that_of_torchaudio() -> None:
    try:
        import torch
        from torchaudio.functional import add_noise
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(f"torchaudio does not load: {error}")
    wave = swelling()
    heard = Noise(snr=7)(wave, RATE, 3)
    drawn = torch.from_numpy(np.random.default_rng(3).standard_normal(len(wave)))
    wanted = add_noise(torch.from_numpy(wave).double(), drawn, torch.tensor(7.0, dtype=torch.float64))
    np.testing.assert_allclose(heard, wanted.numpy(), atol=1e-6)


def test_no_noise_is_the_recording_bit_for_bit_and_a_clean_run() -> None:
    wave = swelling()
    for kind in KINDS:
        clean = Noise(snr=math.inf, kind=kind)  # type: ignore[arg-type]
        assert clean(wave, RATE, 5).tobytes() == wave.tobytes()
        assert clean.label == "clean"


def test_noise_is_the_same_at_every_ratio() -> None:
    wave = swelling()
    loud, quiet = (Noise(snr=snr)(wave, RATE, 9).astype(np.float64) - wave for snr in (0, 20))
    np.testing.assert_allclose(loud, 10 * quiet, atol=1e-5)


def test_what_grows_above_full_scale_stays() -> None:
    wave = np.full(RATE, 0.99, np.float32)
    heard = Noise(snr=0)(wave, RATE, 0)
    assert np.abs(heard).max() > 2
    assert float(np.mean(heard)) == pytest.approx(0.99, abs=0.05), "the recording is not made quieter"


@pytest.mark.parametrize(("kind", "slope"), [("white", 0), ("pink", -3.01), ("brown", -6.02)])
def test_colours_fall_by_so_many_decibels_an_octave(kind: Any, slope: float) -> None:
    wave = np.ones(20 * RATE, np.float32)
    noise = Noise(snr=0, kind=kind)(wave, RATE, 1).astype(np.float64) - wave
    power, frequencies = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(len(noise), 1 / RATE)
    bands = [power[(frequencies >= low) & (frequencies < 2 * low)].mean() for low in (50, 100, 200, 400, 800, 1600)]
    assert np.diff(10 * np.log10(bands)) == pytest.approx(slope, abs=0.7)
    if kind != "white":
        assert power[frequencies < 19].sum() < 1e-6 * power.sum(), "or long clips get other noise than short ones"


@pytest.mark.skipif(not SPEECH.exists(), reason="the shared samples are not here")
def test_speech_shaped_noise_has_the_spectrum_of_the_recording_and_not_its_pauses() -> None:
    wave, rate = sf.read(SPEECH, dtype="float32")
    noise = Noise(snr=0, kind="speech")(wave, rate, 1).astype(np.float64) - wave
    edges = [100, 200, 400, 800, 1600, 3200, 6400]

    def spectrum(sound: NDArray[Any]) -> list[float]:
        power, frequencies = np.abs(np.fft.rfft(sound)) ** 2, np.fft.rfftfreq(len(sound), 1 / rate)
        return [
            10 * math.log10(power[(frequencies >= low) & (frequencies < high)].sum())
            for low, high in itertools.pairwise(edges)
        ]

    assert spectrum(noise) == pytest.approx(spectrum(wave), abs=0.5)

    def spread(sound: NDArray[Any]) -> float:
        frames = (sound[: len(sound) // 800 * 800].reshape(-1, 800) ** 2).mean(axis=1)
        return float(np.std(10 * np.log10(frames + 1e-9)))

    assert spread(noise) < 3 < 8 < spread(wave), "as loud in the pauses as in the words"


def test_recordings_are_drawn_by_the_seed_and_repeated(noises: Path) -> None:
    condition = Noise(snr=0, kind="recorded", folder=str(noises))
    assert condition.label == "noise_cafe-noise_0dB"
    wave = swelling(3 * RATE)
    heard: dict[int, list[NDArray[np.float64]]] = {}
    for seed in range(12):
        noise = condition(wave, RATE, seed).astype(np.float64) - wave
        assert decibels(wave, noise) == pytest.approx(0, abs=1e-3)
        thirds = np.abs(noise.reshape(3, -1)).max(axis=1)
        assert thirds.min() > 0.9 * thirds.max(), "a short recording goes on to the end"
        peak = int(np.abs(np.fft.rfft(noise)).argmax()) / 3
        heard.setdefault(round(peak), []).append(noise[:100])
    assert set(heard) == {500, 1000, 2000}, "every file is drawn, and at its own rate"
    for drawn in heard.values():
        assert all(not np.allclose(drawn[0], other, atol=1e-3) for other in drawn[1:]), "from another place"


def test_a_long_recording_is_heard_from_a_random_place_in_one_piece(tmp_path: Path) -> None:
    ramp = np.linspace(0.1, 0.9, 20 * RATE).astype(np.float32)
    sf.write(tmp_path / "ramp.wav", ramp, RATE, subtype="FLOAT")
    wave = swelling()
    starts = []
    for seed in range(4):
        noise = Noise(snr=10, kind="recorded", folder=str(tmp_path))(wave, RATE, seed).astype(np.float64) - wave
        steps = np.diff(noise)
        assert (steps > -1e-6).all(), "no seam"
        starts.append(noise[0] / steps.mean())
    assert len({round(start) for start in starts}) == 4


def test_several_voices_are_mixed_at_equal_power_from_different_files(noises: Path) -> None:
    condition = Noise(snr=0, kind="recorded", folder=str(noises), voices=3)
    assert condition.label == "noise_3x_cafe-noise_0dB"
    wave = swelling()
    for seed in range(3):
        spectrum = np.abs(np.fft.rfft(condition(wave, RATE, seed).astype(np.float64) - wave))
        tones = spectrum[[500, 1000, 2000]]
        assert tones.max() < 1.05 * tones.min()


def test_silent_recordings_are_skipped_and_a_folder_of_them_is_refused(noises: Path, tmp_path: Path) -> None:
    wave = swelling()
    sf.write(noises / "silent.wav", np.zeros(RATE), RATE)
    for seed in range(8):
        assert np.isfinite(Noise(snr=0, kind="recorded", folder=str(noises))(wave, RATE, seed)).all()
    (tmp_path / "silent").mkdir()
    sf.write(tmp_path / "silent" / "a.wav", np.zeros(RATE), RATE)
    with pytest.raises(UsageError, match="were silent; give a folder"):
        Noise(snr=0, kind="recorded", folder=str(tmp_path / "silent"))(wave, RATE, 0)
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="has no recordings; give a folder"):
        Noise(snr=0, kind="recorded", folder=str(tmp_path / "none"))
    (tmp_path / "none" / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(MediaError, match=r"a\.wav"):
        Noise(snr=0, kind="recorded", folder=str(tmp_path / "none"))(wave, RATE, 0)


def test_the_identity_is_what_the_folder_holds_and_not_where_it_is(noises: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    one = digest(Noise(snr=0, kind="recorded", folder=str(noises)))
    noises.rename(elsewhere)
    assert digest(Noise(snr=0, kind="recorded", folder=str(elsewhere))) == one
    other = tmp_path / "other"
    other.mkdir()
    sf.write(other / "a.wav", np.ones(RATE) / 2, RATE)
    assert digest(Noise(snr=0, kind="recorded", folder=str(other))) != one
    assert digest(Noise(snr=0)) != one
