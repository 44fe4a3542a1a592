"""What the conditions cost: seconds of processor time for an hour of audio, and how many times plain decoding that is.

    OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/conditions.py

Clips of 10 s at 16 kHz, decoded from FLAC in memory. Condition and decoding are timed together, as a run pays for them.
"""

from __future__ import annotations

import io
import time

import numpy as np
import soundfile

from mmbench.media import conditions as c
from mmbench.media import load_audio
from mmbench.schema import Audio, Condition

RATE = 16_000
SECONDS = 10
CLIPS = 12
CONDITIONS: tuple[Condition | None, ...] = (
    None,
    c.Noise(snr=10),
    c.Noise(snr=10, kind="pink"),
    c.Noise(snr=10, kind="speech"),
    c.Reverberation(rt60=0.5),
    c.Speed(factor=1.1),
    c.Speed(factor=1.1, keep_pitch=True),
    c.BandLimit(low=300, high=3400),
    c.BandLimit(rate=8_000),
    c.Codec(codec="opus", bitrate=16),
    c.Codec(codec="mp3", bitrate=32),
    c.Codec(codec="mulaw"),
    c.Codec(codec="gsm"),
    c.Clipping(db=-12),
    c.SilencePadding(before=1, after=1),
    c.Chain(conditions=[c.BandLimit(low=300, high=3400), c.Codec(codec="mulaw")]),
)


def clip(seed: int) -> bytes:
    """A FLAC of noise whose level swells and falls about four times a second, as that of speech does."""
    rng, times = np.random.default_rng(seed), np.arange(SECONDS * RATE) / RATE
    wave = 0.1 * rng.standard_normal(len(times)) * np.sin(4 * np.pi * times) ** 2
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, RATE, format="FLAC")
    return buffer.getvalue()


def seconds(clips: list[bytes], condition: Condition | None) -> float:
    """Processor time for an hour of such clips; the best of three rounds."""
    load_audio(Audio(clips[0], condition=condition), rate=RATE)  # imports and caches
    rounds = []
    for _ in range(3):
        begun = time.process_time()
        for seed, encoded in enumerate(clips):
            load_audio(Audio(encoded, condition=condition, seed=seed), rate=RATE)
        rounds.append(time.process_time() - begun)
    return min(rounds) * 3600 / (len(clips) * SECONDS)


def main() -> None:
    """Print the table."""
    clips = [clip(seed) for seed in range(CLIPS)]
    plain = seconds(clips, None)
    print(f"{'':28}{'s per hour':>12}{'x decoding':>12}")
    for condition in CONDITIONS:
        took = plain if condition is None else seconds(clips, condition)
        print(f"{'decoding alone' if condition is None else condition.label:28}{took:12.2f}{took / plain:12.1f}")


if __name__ == "__main__":
    main()
