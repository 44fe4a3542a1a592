"""Rooms, codecs, bands, levels, durations and chains: each does what its definition says, and keeps what it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import correlate

from mmbench.errors import MediaError
from mmbench.identity import digest
from mmbench.media.conditions import BandLimit, Chain, Clipping, Codec, Gain, Noise, Reverberation, Speed
from mmbench.media.conditions import SilencePadding as Padding

SPEECH = Path(__file__).parents[3] / "shared" / "samples" / "wavllm" / "asr.flac"
RATE = 16_000
Wave = Any


def swelling(seconds: float = 2.0, rate: int = RATE) -> Wave:
    """Noise below about 2 kHz that swells and falls like syllables."""
    times = np.arange(round(seconds * rate)) / rate
    wave = np.random.default_rng(0).standard_normal(len(times))
    wave = np.convolve(wave, np.hanning(rate // 2000), "same")
    return (0.1 * wave * np.sin(4 * np.pi * times) ** 2).astype(np.float32)


def voice(seconds: float, rate: int) -> Wave:
    """Harmonics of a gliding pitch in syllables: what codecs of speech are made for."""
    times = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * times)) / rate
    wave = sum(np.sin(n * phase + n) / n for n in range(1, 20)) * np.sin(3 * np.pi * times) ** 2
    return (0.2 * wave).astype(np.float32)


def tone(frequency: float, seconds: float = 1.0, rate: int = RATE) -> Wave:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def energy(wave: Wave) -> float:
    return float(np.sum(wave.astype(np.float64) ** 2))


def delay(original: Wave, heard: Wave) -> int:
    """Samples by which it comes later, by the largest correlation."""
    return int(np.argmax(correlate(heard, original, mode="full", method="fft"))) - (len(original) - 1)


def similarity(original: Wave, heard: Wave) -> float:
    return float(np.dot(original, heard) / np.sqrt(energy(original) * energy(heard)))


# --- rooms


@pytest.mark.parametrize("rt60", [0.2, 0.5, 1.5])
def test_reverberation_falls_by_60_decibels_in_its_time(rt60: float) -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[0] = 1
    response = Reverberation(rt60=rt60)(click, RATE, 3).astype(np.float64)
    left = np.cumsum(response[::-1] ** 2)[::-1]  # Schroeder's backward integral
    curve = 10 * np.log10(left[1 : round(rt60 * RATE * 0.6)] / left[1])
    within = (curve < -5) & (curve > -25)  # the usual T20 range
    slope = np.polyfit(np.flatnonzero(within) / RATE, curve[within], 1)[0]
    assert -60 / slope == pytest.approx(rt60, rel=0.1)


@pytest.mark.parametrize("drr", [-6, 0, 12])
def test_direct_sound_stays_in_its_place_at_its_ratio(drr: float) -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[100] = 1
    heard = Reverberation(rt60=0.4, drr=drr)(click, RATE, 0)
    assert not heard[:100].any() or np.abs(heard[:100]).max() < 1e-6
    ratio = 10 * np.log10(heard[100] ** 2 / energy(heard[101:]))
    assert ratio == pytest.approx(drr, abs=0.01)


def test_reverberation_keeps_energy_and_length() -> None:
    wave = swelling()
    heard = Reverberation(rt60=0.8)(wave, RATE, 1)
    assert len(heard) == len(wave)
    assert energy(heard) == pytest.approx(energy(wave), rel=1e-5)
    assert delay(wave, heard) == 0


def test_measured_responses_are_aligned_at_their_peak_and_heard_in_one_channel(tmp_path: Path) -> None:
    folder = tmp_path / "rooms"
    folder.mkdir()
    response = np.zeros((4000, 2))
    response[500, 0], response[900, 0], response[700, 1] = 0.8, 0.4, -0.9  # the other channel must not be heard
    sf.write(folder / "a.wav", response, RATE, subtype="FLOAT")
    condition = Reverberation(folder=str(folder))
    assert condition.label == "reverb_rooms"
    wave = swelling()
    heard = condition(wave, RATE, 0)
    wanted = wave.astype(np.float64)
    wanted[400:] += 0.5 * wave[:-400]
    np.testing.assert_allclose(heard, wanted * np.sqrt(energy(wave) / np.sum(wanted**2)), atol=1e-5)
    before = digest(condition)
    folder.rename(tmp_path / "moved")
    assert digest(Reverberation(folder=str(tmp_path / "moved"))) == before
    (tmp_path / "silent").mkdir()
    sf.write(tmp_path / "silent" / "b.wav", np.zeros(100), RATE)
    with pytest.raises(MediaError, match=r"b\.wav: is silent"):
        Reverberation(folder=str(tmp_path / "silent"))(wave, RATE, 0)


# --- codecs

CODECS = [
    *(("opus", rate, kbits) for rate in (8_000, 16_000, 22_050, 24_000, 48_000) for kbits in (12, 32)),
    *(("mp3", rate, kbits) for rate in (8_000, 16_000, 24_000) for kbits in (8, 16, 32, 64)),
    *(("mp3", rate, kbits) for rate in (44_100, 48_000) for kbits in (32, 48, 128, 320)),
    *((codec, rate, None) for codec in ("mulaw", "alaw", "gsm") for rate in (8_000, 16_000, 24_000)),
]


@pytest.mark.parametrize(("codec", "rate", "kbits"), CODECS)
def test_a_codec_neither_delays_nor_lengthens(codec: Any, rate: int, kbits: float | None) -> None:
    """MP3 files too small for a LAME tag come back 1105 samples late from libsndfile: 16 kHz at 24 kbit/s does."""
    wave = voice(1.5, rate)
    heard = Codec(codec=codec, bitrate=kbits)(wave, rate, 0)
    assert len(heard) == len(wave)
    assert abs(delay(wave, heard)) <= max(1, rate // 12_000)
    assert similarity(wave, heard) > 0.85
    assert not np.array_equal(wave, heard)


def kilobits(codec: Any, kbits: float, wave: Wave, rate: int) -> float:
    """Bit rate of the encoded wave past its first second, in which headers are."""
    condition = Codec(codec=codec, bitrate=kbits)
    head, whole = (len(condition._encoded(each, rate).getvalue()) for each in (wave[:rate], wave))
    return (whole - head) * 8 / 1000 / (len(wave) / rate - 1)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_the_bit_rate_is_the_one_asked_for(rate: int) -> None:
    wave = voice(8.0, rate)
    for kbits in (8, 16, 24, 64, 160) if rate == 16_000 else (32, 64):
        assert kilobits("mp3", kbits, wave, rate) == pytest.approx(kbits, rel=0.02)
    if rate != 22_050:
        opus = [kilobits("opus", kbits, wave, rate) / kbits for kbits in (8, 12, 32)]
        assert all(0.4 < share < 1.15 for share in opus), "easy sounds take less than the target"


@pytest.mark.skipif(not SPEECH.exists(), reason="the shared samples are not here")
def test_codecs_on_speech() -> None:
    wave, rate = sf.read(SPEECH, dtype="float32")
    likeness = {}
    for kbits in (8, 16, 64):
        heard = Codec(codec="opus", bitrate=kbits)(wave, rate, 0)
        assert delay(wave, heard) in (-1, 0)
        assert kilobits("opus", kbits, wave, rate) == pytest.approx(kbits, rel=0.1)
        likeness[kbits] = similarity(wave, heard)
    assert 0.9 < likeness[8] < likeness[16] < likeness[64] < 1


def test_mu_law_is_that_of_the_standard() -> None:
    wave = (np.linspace(-0.9, 0.9, 4001)).astype(np.float32)
    heard = Codec(codec="mulaw")(wave, 8_000, 0)
    ideal = np.sign(wave) * np.log1p(255 * np.abs(wave)) / np.log(256)
    assert len(np.unique(heard)) <= 256
    again = np.sign(heard) * np.log1p(255 * np.abs(heard)) / np.log(256)
    assert np.abs(again - ideal).max() < 1 / 127, "one step of 8 bits"


def test_codecs_cut_off_what_is_above_full_scale() -> None:
    loud = 5 * tone(440, 0.5, 8_000)
    for codec in ("mulaw", "alaw"):
        heard = Codec(codec=codec)(loud, 8_000, 0)
        assert np.abs(heard).max() <= 1
        assert similarity(np.clip(loud, -1, 1), heard) > 0.999


# --- bands


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_a_band_passes_what_is_in_it_and_stops_the_rest(rate: int) -> None:
    band = BandLimit(low=300, high=3400)
    gain = {
        f: np.sqrt(energy(band(tone(f, 2, rate), rate, 0)) / energy(tone(f, 2, rate))) for f in (100, 300, 1000, 3400)
    }
    assert gain[1000] == pytest.approx(1, abs=0.01)
    assert 0.4 < gain[300] < 0.6
    assert 0.4 < gain[3400] < 0.6
    assert gain[100] < 0.01
    if rate > 9_200:
        assert energy(band(tone(4600, 2, rate), rate, 0)) < 1e-4 * energy(tone(4600, 2, rate))
    wave = swelling(rate=rate)
    assert delay(wave, band(wave, rate, 0)) == 0


def test_a_lower_rate_and_back_loses_what_is_above_half_of_it() -> None:
    down = BandLimit(rate=8_000)
    assert similarity(tone(1000), down(tone(1000), RATE, 0)) > 0.9999
    assert energy(down(tone(5000), RATE, 0)) < 1e-3 * energy(tone(5000))
    wave = tone(1000)
    np.testing.assert_array_equal(BandLimit(rate=16_000)(wave, RATE, 0), wave)
    np.testing.assert_array_equal(BandLimit(high=8_000)(wave, RATE, 0), wave)
    assert delay(swelling(), down(swelling(), RATE, 0)) == 0


# --- levels, durations, chains


def test_levels() -> None:
    wave = swelling()
    np.testing.assert_allclose(Gain(db=-20)(wave, RATE, 0), wave / 10, rtol=1e-6)
    assert np.abs(Gain(db=40)(wave, RATE, 0)).max() > 1, "not cut off"
    cut = Clipping(db=-12)(wave, RATE, 0)
    limit = np.abs(wave).max() * 10 ** (-12 / 20)
    assert np.abs(cut).max() == pytest.approx(limit, rel=1e-6)
    inside = np.abs(wave) < 0.999 * limit
    np.testing.assert_array_equal(cut[inside], wave[inside])
    np.testing.assert_array_equal(Clipping(db=0)(wave, RATE, 0), wave)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 1.37, 2])
@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000])
def test_speed(factor: float, rate: int) -> None:
    wave = tone(1000, 1.5, rate)
    for keep_pitch, wanted in ((False, 1000 * factor), (True, 1000)):
        heard = Speed(factor=factor, keep_pitch=keep_pitch)(wave, rate, 0)
        assert len(heard) == round(len(wave) / factor)
        peak = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))).argmax() * rate / len(heard)
        assert peak == pytest.approx(wanted, rel=0.01)
    np.testing.assert_array_equal(Speed(factor=1)(wave, rate, 0), wave)
    np.testing.assert_array_equal(Speed(factor=1, keep_pitch=True)(wave, rate, 0), wave)


def test_padding() -> None:
    wave = swelling()
    heard = Padding(before=0.5, after=1)(wave, RATE, 0)
    np.testing.assert_array_equal(heard, np.concatenate([np.zeros(8_000), wave, np.zeros(16_000)]).astype(np.float32))
    noisy = Padding(before=0.5, after=1, level=-40)(wave, RATE, 0)
    np.testing.assert_array_equal(noisy[8_000:-16_000], wave)
    for part in (noisy[:8_000], noisy[-16_000:]):
        assert 20 * np.log10(np.sqrt(np.mean(part**2))) == pytest.approx(-40, abs=0.3)


def test_a_chain_is_its_links_in_order_each_with_a_seed_of_its_own() -> None:
    wave = swelling()
    clip, gain = Clipping(db=-6), Gain(db=6)
    chained = Chain(conditions=[Padding(before=0.1), gain, Noise(snr=10), Noise(snr=10)])
    assert chained.label == "pad_0.1s_0s+gain_6dB+noise_white_10dB+noise_white_10dB"
    np.testing.assert_array_equal(Chain(conditions=[clip, gain])(wave, RATE, 0), gain(clip(wave, RATE, 0), RATE, 0))
    assert digest(Chain(conditions=[clip, gain])) != digest(Chain(conditions=[gain, clip]))
    once = Chain(conditions=[Noise(snr=10)])(wave, RATE, 4).astype(np.float64) - wave
    twice = Chain(conditions=[Noise(snr=10), Noise(snr=10)])(wave, RATE, 4).astype(np.float64) - wave
    second = twice - once
    assert abs(similarity(once, second)) < 0.05, "not the same noise again"
