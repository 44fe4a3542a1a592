"""Speech and noise, half and half, to see whether a model answers what nobody said.

The idea is VITA's (Fu et al. 2024, arXiv:2408.05211), which learns to give no reply to noise. The speech is the bundled
voice prompts; the noises are made here from a seed, so nothing has to be downloaded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from loaders.spoken import only
from loaders.voice_prompts import VoicePrompts
from mmbench.errors import UsageError
from mmbench.media import audio_seconds, encode_audio
from mmbench.schema import Audio, Card, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

RATE = 16000
"""Of the noises, in Hz."""

LEVEL = 0.05
"""Root mean square of a noise; full scale is 1."""

VERSION = "1"
"""Changes whenever any noise may sound otherwise."""


def white(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Equal power at all frequencies."""
    return rng.standard_normal(count)


def pink(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Power falls with 1 / frequency, as in rooms and streets."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum[0] = 0
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), count)


def hum(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Mains: 50 or 60 Hz and nine harmonics of random strength, with a little hiss."""
    times, base = np.arange(count) / RATE, float(rng.choice([50.0, 60.0]))
    wave = 0.02 * rng.standard_normal(count)
    for harmonic in range(1, 11):
        phase, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.0) / harmonic
        wave += strength * np.sin(2 * np.pi * base * harmonic * times + phase)
    return wave


def clicks(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Ten clicks a second at random times, each 2 ms long, over a faint hiss."""
    wave = 0.01 * rng.standard_normal(count)
    decay = np.exp(-np.arange(round(0.002 * RATE)) / 8)
    for at in rng.integers(0, max(1, count - len(decay)), size=max(1, 10 * count // RATE)):
        part = wave[at : at + len(decay)]
        part += rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 1.0) * decay[: len(part)]
    return wave


NOISES: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "white": white,
    "pink": pink,
    "hum": hum,
    "clicks": clicks,
}
"""The noises by name."""


def noise(kind: str, seconds: float, seed: int) -> bytes:
    """A noise as a WAV file; the same one for the same arguments."""
    wave = NOISES[kind](np.random.default_rng(seed), max(1, round(seconds * RATE)))
    wave = wave * (LEVEL / max(float(np.sqrt(np.mean(wave**2))), 1e-9))
    return encode_audio(np.clip(wave, -1, 1).astype(np.float32), rate=RATE)


@dataclass(kw_only=True)
class NoiseRejection:
    """Each voice prompt, and after it a noise as long as it is.

    The group field `speech` is "yes", or "no" for a noise, whose kind is the field `noise`; the kinds take turns. The
    transcript of a noise is empty.

    Args:
        languages: codes of the languages of the prompts, any spelling; None for all five.
        noises: which ones.
        seed: of the noises.
    """

    languages: Sequence[str] | None = field(default=None, compare=False)
    noises: Sequence[str] = tuple(NOISES)
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        self.noises = (self.noises,) if isinstance(self.noises, str) else tuple(self.noises)
        unknown = [kind for kind in self.noises if kind not in NOISES]
        if unknown or not self.noises:
            raise UsageError(f"noises={list(self.noises)}: give some of {', '.join(NOISES)}")
        _ = self._tags

    @property
    def _tags(self) -> tuple[str, ...]:
        return only(self.languages, VoicePrompts().card.languages)

    def __iter__(self) -> Iterator[Sample]:
        """Yield a prompt and a noise in turns."""
        turn = dict.fromkeys(self._tags, 0)
        for sample in VoicePrompts(languages=self._tags):
            (clip,) = (part for part in sample.parts if isinstance(part, Audio))
            group = {"speech": "yes", "prompt": sample.group["prompt"], "speaker": sample.group["speaker"]}
            yield Sample(id=f"speech/{sample.id}", language=sample.language, parts=(clip,), group=group)
            kind = self.noises[turn[sample.language] % len(self.noises)]
            turn[sample.language] += 1
            yield self._noise(sample, kind, audio_seconds(clip))

    def _noise(self, beside: Sample, kind: str, seconds: float) -> Sample:
        name = f"noise/{kind}/{beside.id}"
        seed = int.from_bytes(hashlib.sha256(f"{self.seed} {name}".encode()).digest()[:8], "little")
        part = Audio(noise(kind, seconds, seed), transcript="")
        return Sample(id=name, language=beside.language, parts=(part,), group={"speech": "no", "noise": kind})

    @property
    def count(self) -> int:
        """Number of samples."""
        return 2 * VoicePrompts(languages=self._tags).count

    @property
    def card(self) -> Card:
        """Identity and terms: the prompts', and how the noises are made."""
        prompts = VoicePrompts(languages=self._tags).card
        made = f"{prompts.content} {VERSION} {RATE} {LEVEL} {self.seed} {' '.join(self.noises)}"
        return Card(
            name="noise_rejection",
            revision=f"{prompts.revision}; noises {VERSION}",
            content=hashlib.sha256(made.encode()).hexdigest(),
            languages=prompts.languages,
            licence=prompts.licence,
            source=f"{prompts.source}; the noises are made from a seed",
            citation=prompts.citation,
        )
