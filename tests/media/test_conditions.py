"""What all conditions promise: the same for the same seed, any clip at any rate, finite, the original untouched."""

from __future__ import annotations

import io
import math
import re
from dataclasses import FrozenInstanceError, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmbench.config import load
from mmbench.errors import UsageError
from mmbench.identity import describe, digest
from mmbench.media import conditions as c
from mmbench.media import content_hash, load_audio
from mmbench.schema import Audio, Condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RANDOM: tuple[Condition, ...] = (
    c.Noise(snr=10),
    c.Noise(snr=5),
    c.Noise(snr=-5, kind="pink"),
    c.Noise(snr=0, kind="brown"),
    c.Noise(snr=5, kind="speech"),
    c.Reverberation(rt60=0.3),
    c.Reverberation(rt60=0.3, drr=-3),
    c.SilencePadding(before=0.1, after=0.2, level=-60),
    c.Chain(conditions=[c.Noise(snr=10), c.Codec(codec="mulaw")]),
)
FIXED: tuple[Condition, ...] = (
    c.Speed(factor=1.1),
    c.Speed(factor=0.9),
    c.Speed(factor=1.1, keep_pitch=True),
    c.BandLimit(low=300, high=3400),
    c.BandLimit(low=300),
    c.BandLimit(high=3400, rate=8000),
    c.BandLimit(rate=8000),
    c.Codec(codec="opus", bitrate=16),
    c.Codec(codec="opus", bitrate=16.5),
    c.Codec(codec="mp3", bitrate=16),
    c.Codec(codec="mp3", bitrate=64),
    c.Codec(codec="mulaw"),
    c.Codec(codec="alaw"),
    c.Codec(codec="gsm"),
    c.Clipping(db=-12),
    c.SilencePadding(before=0.1, after=0.2),
    c.Gain(db=-20),
    c.Chain(conditions=[c.BandLimit(low=300, high=3400), c.Codec(codec="mulaw")]),
)
ALL = (*RANDOM, *FIXED)
LONGER = (c.Speed, c.SilencePadding)


def label(condition: Condition) -> str:
    return condition.label


def babble(seconds: float = 1.0, rate: int = 16_000, seed: int = 0) -> NDArray[np.float32]:
    """Noise that swells and falls like syllables."""
    times = np.arange(round(seconds * rate)) / rate
    wave = 0.2 * np.random.default_rng(seed).standard_normal(len(times)) * np.sin(4 * np.pi * times) ** 2
    return np.asarray(wave, np.float32)


def test_labels_tell_the_conditions_apart_and_fit_a_file_name() -> None:
    labels = [condition.label for condition in ALL]
    assert len(set(labels)) == len(set(map(digest, ALL))) == len(ALL)
    assert all(re.fullmatch(r"[\w.+-]+", each) for each in labels)
    wanted = "noise_white_10dB reverb_0.3s speed_1.1x tempo_1.1x band_300-3400Hz highpass_300Hz opus_16k opus_16.5k"
    wanted += " lowpass_3400Hz_rate_8000Hz rate_8000Hz mulaw clip_-12dB pad_0.1s_0.2s_-60dB gain_-20dB reverb_0.3s_-3dB"
    assert {*wanted.split(), "band_300-3400Hz+mulaw"} <= set(labels)
    assert c.Gain(db=10.000001).label != c.Gain(db=10).label


def test_a_whole_number_is_the_same_condition_as_a_fraction_of_that_value() -> None:
    pairs: list[tuple[Condition, Condition]] = [
        (c.Noise(snr=10), c.Noise(snr=10.0)),
        (c.Gain(db=0), c.Gain(db=-0.0)),
        (c.Codec(codec="opus", bitrate=16), c.Codec(codec="opus", bitrate=16.0)),
        (c.Chain(conditions=[c.Gain(db=1)]), c.Chain(conditions=(c.Gain(db=1.0),))),
    ]
    for one, other in pairs:
        assert (digest(one), one.label, one) == (digest(other), other.label, other)
    with pytest.raises(FrozenInstanceError):
        c.Gain(db=1).db = 2.0  # type: ignore[misc]


@pytest.mark.parametrize("condition", ALL, ids=label)
def test_the_seed_alone_decides_whatever_was_heard_before(condition: Condition) -> None:
    clips = [babble(0.5 + 0.1 * n, seed=n) for n in range(3)]
    alone = [condition(clip, 16_000, seed) for seed, clip in enumerate(clips)]
    for seed in (2, 0, 1, 0):
        np.testing.assert_array_equal(condition(clips[seed], 16_000, seed), alone[seed])
    other = condition(clips[0], 16_000, 2**48 + 1)
    assert np.array_equal(alone[0], other) == (condition in FIXED)


def test_random_numbers_are_those_that_earlier_results_were_made_with() -> None:
    drawn = np.array([0.00123015, 0.29874554, -0.27413786])  # numpy 2.4; it does not promise them for ever
    noise = c.Noise(snr=0)(np.ones(3, np.float32), 16_000, 7) - 1
    np.testing.assert_allclose(noise, drawn / np.sqrt(np.mean(drawn**2)), atol=1e-6)


@pytest.mark.parametrize("condition", ALL, ids=label)
@settings(max_examples=12, deadline=None)
@given(
    length=st.integers(1, 3000),
    rate=st.sampled_from([8_000, 16_000, 24_000]),
    scale=st.sampled_from([0.0, 1e-42, 1e-20, 1e-3, 0.3, 4.0]),
    shape=st.sampled_from(["noise", "constant", "click"]),
    seed=st.integers(0, 2**50),
)
@example(length=1, rate=8_000, scale=0.3, shape="constant", seed=0)
@example(length=2, rate=24_000, scale=0.0, shape="constant", seed=0)
def test_any_clip(condition: Condition, length: int, rate: int, scale: float, shape: str, seed: int) -> None:
    wave = np.full(length, scale, np.float32)
    if shape == "noise":
        wave = (scale * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)
    elif shape == "click":
        wave[1:] = 0
    before = wave.copy()
    heard = condition(wave, rate, seed)
    np.testing.assert_array_equal(wave, before, "the original is not touched")
    assert heard.dtype == np.float32
    assert heard.ndim == 1
    assert np.isfinite(heard).all()
    if not isinstance(condition, LONGER):
        assert len(heard) == length
    assert len(heard) > 0
    quiet = isinstance(condition, c.SilencePadding) or "opus" in condition.label
    if not wave.any() and not quiet and condition.label not in ("alaw", "gsm"):
        assert not heard.any(), "silence stays silence"


@pytest.mark.parametrize("condition", ALL, ids=label)
def test_it_is_applied_by_load_audio_and_counts_in_the_hash(condition: Condition) -> None:
    buffer = io.BytesIO()
    sf.write(buffer, babble(), 16_000, format="FLAC")
    plain = Audio(buffer.getvalue())
    clip = replace(plain, condition=condition, seed=5)
    wave = load_audio(plain, rate=16_000)
    np.testing.assert_array_equal(load_audio(clip, rate=16_000), condition(wave, 16_000, 5))
    assert len({content_hash(plain), content_hash(clip), content_hash(replace(clip, seed=6))}) == 3
    assert describe(condition)["class"].startswith("mmbench.media.conditions.")


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: c.Noise(snr=math.nan), "snr=nan must be a number of dB from -100 to 100, or inf"),
    (lambda: c.Noise(snr=-math.inf), "snr=-inf"),
    (lambda: c.Noise(snr=".inf"), "snr='.inf'"),  # type: ignore[arg-type]
    (lambda: c.Noise(snr=True), "snr=True"),
    (lambda: c.Noise(snr=5, kind="red"), "kind='red' is not known; use white, pink"),  # type: ignore[arg-type]
    (lambda: c.Noise(snr=5, kind="recorded"), "go together"),
    (lambda: c.Noise(snr=5, folder="x"), "go together"),
    (lambda: c.Noise(snr=5, voices=8), "needs kind=recorded"),
    (lambda: c.Noise(snr=5, voices=0), "voices=0"),
    (lambda: c.Noise(snr=5, kind="recorded", folder="/no/such"), "/no/such is no folder; give a folder"),
    (lambda: c.Reverberation(), "give one of the two"),
    (lambda: c.Reverberation(rt60=0.5, folder="x"), "give one of the two"),
    (lambda: c.Reverberation(rt60=0), "rt60=0 must be a number of seconds"),
    (lambda: c.Reverberation(folder="x", drr=3), "leave it out"),
    (lambda: c.Speed(factor=0), "factor=0"),
    (lambda: c.Speed(factor=1, keep_pitch="no"), "keep_pitch='no' must be true or false"),  # type: ignore[arg-type]
    (lambda: c.BandLimit(), "give at least one"),
    (lambda: c.BandLimit(low=3400, high=300), "must be less than"),
    (lambda: c.BandLimit(low=4000)(babble(), 8000, 0), "leaves nothing of a recording at 8000 Hz"),
    (lambda: c.Codec(codec="aac"), "use opus, mp3"),  # type: ignore[arg-type]
    (lambda: c.Codec(codec="opus"), "bitrate=None must be a number of kbit/s from 6 to 256"),
    (lambda: c.Codec(codec="mp3", bitrate=33), "it has 8, 16, 24"),
    (lambda: c.Codec(codec="mp3", bitrate=128)(babble(), 8000, 0), "128 kbit/s at 8000 Hz; it has 8, 16, .* 64"),
    (lambda: c.Codec(codec="gsm", bitrate=13), "leave out bitrate=13"),
    (lambda: c.Clipping(db=3), "db=3"),
    (lambda: c.SilencePadding(before=-1), "before=-1"),
    (lambda: c.SilencePadding(level=1), "level=1"),
    (lambda: c.Gain(db="loud"), "db='loud'"),  # type: ignore[arg-type]
    (lambda: c.Chain(conditions=[]), "at least one"),
    (lambda: c.Chain(conditions=[{}]), "is no condition"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("make", "words"), WRONG, ids=[words[:30] for _, words in WRONG])
def test_wrong_settings_are_refused_in_one_line(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_the_configs_build_what_they_say() -> None:
    wanted = {
        "noise": "noise_white_10dB",
        "reverberation": "reverb_0.5s",
        "speed": "speed_1.1x",
        "band": "band_300-3400Hz",
        "telephone": "band_300-3400Hz+mulaw",
        "opus": "opus_16k",
        "mp3": "mp3_32k",
        "clipping": "clip_-12dB",
        "silence": "pad_1s_1s",
        "gain": "gain_-20dB",
    }
    assert {name: load("condition", name).label for name in wanted} == wanted
    assert load("condition", "noise", {"snr": 5, "kind": "pink"}).label == "noise_pink_5dB"
    with pytest.raises(UsageError, match="give one: folder="):
        load("condition", "babble")
