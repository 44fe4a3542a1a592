from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from loaders.noise_rejection import LEVEL, NOISES, RATE, NoiseRejection, noise
from mmbench.errors import UsageError
from mmbench.media import audio_seconds, load_audio
from mmbench.schema import Audio, Sample


def wave(sample: Sample) -> Any:
    (audio,) = sample.parts
    assert isinstance(audio, Audio)
    return load_audio(audio, rate=RATE)


def test_half_and_half() -> None:
    loader = NoiseRejection(languages=["en", "ru"])
    samples = list(loader)
    assert len(samples) == len({sample.id for sample in samples}) == loader.count == 160
    assert Counter((sample.language, sample.group["speech"]) for sample in samples) == {
        (language, speech): 40 for language in ("eng_Latn", "rus_Cyrl") for speech in ("yes", "no")
    }
    kinds = Counter(sample.group["noise"] for sample in samples if sample.group["speech"] == "no")
    assert kinds == dict.fromkeys(NOISES, 20)
    for sample in samples:
        (audio,) = sample.parts
        assert isinstance(audio, Audio)
        assert (audio.transcript == "") == (sample.group["speech"] == "no"), "nobody says anything in a noise"


def test_a_noise_is_as_long_as_its_prompt_and_all_are_as_loud() -> None:
    samples = list(NoiseRejection(languages=["it"]))
    for speech, other in zip(samples[::2], samples[1::2], strict=True):
        assert isinstance(speech.parts[0], Audio)
        heard = wave(other)
        assert len(heard) == pytest.approx(audio_seconds(speech.parts[0]) * RATE, abs=1)
        assert np.sqrt(np.mean(heard**2)) == pytest.approx(LEVEL, rel=0.05)


def test_same_seed_same_noise() -> None:
    first, again, other = (list(NoiseRejection(languages=["fr"], seed=seed))[:8] for seed in (0, 0, 1))
    assert first == again
    assert [sample.id for sample in first] == [sample.id for sample in other]
    assert all(one != two for one, two in zip(first[1::2], other[1::2], strict=True))
    assert len({sample.parts for sample in first[1::2]}) == 4


def test_kinds_sound_as_they_are_named() -> None:
    spectra, crest = {}, {}
    for kind in NOISES:
        heard = load_audio(Audio(noise(kind, 4.0, 1)), rate=RATE)
        power = np.abs(np.fft.rfft(heard)) ** 2
        spectra[kind] = float(power[: len(power) // 8].sum() / power.sum())  # share below 1 kHz
        crest[kind] = float(np.abs(heard).max() / np.sqrt(np.mean(heard**2)))
    assert spectra["white"] == pytest.approx(1 / 8, abs=0.02)
    assert 0.5 < spectra["pink"] < 0.95 and spectra["hum"] > 0.95
    assert crest["clicks"] > 2 * max(crest["white"], crest["hum"])


def test_options() -> None:
    only = list(NoiseRejection(languages="es", noises="hum"))
    assert {sample.group.get("noise", "hum") for sample in only} == {"hum"}
    for wrong in (["brown"], []):
        with pytest.raises(UsageError, match="give some of white, pink, hum, clicks"):
            NoiseRejection(noises=wrong)
    with pytest.raises(UsageError, match="swh_Latn not in the dataset, which has eng_Latn"):
        NoiseRejection(languages=["sw"])


def test_card() -> None:
    card = NoiseRejection().card
    assert card == NoiseRejection().card and len(card.languages) == 5
    contents = {NoiseRejection(**options).card.content for options in ({}, {"seed": 1}, {"noises": ["hum"]})}
    assert len(contents) == 3
