"""Lossy codecs: what a recording sounds like after it was sent or stored."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import soundfile

from mmbench.errors import UsageError
from mmbench.media.conditions.checks import choice, number, short
from mmbench.media.conditions.resampling import resampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Name = Literal["opus", "mp3", "mulaw", "alaw", "gsm"]
"""Opus (RFC 6716), MPEG layer 3 by LAME, G.711 with either law, GSM 06.10 full rate."""

_FORMATS = {
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "mulaw": ("WAV", "ULAW"),
    "alaw": ("WAV", "ALAW"),
    "gsm": ("WAV", "GSM610"),
}
_RATES: dict[str, Sequence[int]] = {
    "opus": (8_000, 12_000, 16_000, 24_000, 48_000),
    "mp3": (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
}
_OPUS = (6.0, 256.0)  # kbit/s of libsndfile's compression levels 1 and 0
_LOWER = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MP3 = (  # lowest sample rate, and the bit rates of MPEG-1, MPEG-2 and MPEG-2.5 in kbit/s
    (32_000, (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)),
    (16_000, _LOWER),
    (8_000, tuple(kbits for kbits in _LOWER if kbits <= 64)),
)
_MP3_DELAY = 576 + 529  # samples that LAME and an MP3 decoder add, where the file has no room to say so


@dataclass(frozen=True, kw_only=True)
class Codec:
    """Encodes and decodes a recording by libsndfile, in memory; begin and length stay.

    The rate is the model's where the codec has it, else the next higher, which for `mulaw`, `alaw` and `gsm` is always
    8 kHz. Samples above full scale are cut off, as an encoder's integers cut them.

    Args:
        codec: its name.
        bitrate: in kbit/s. `opus` takes 6 to 256 as the target of a rate that varies, `mp3` one of its constant
            rates, which depend on the sample rate. The others have one alone, 64 or 13 kbit/s, and take none.
    """

    codec: Name
    bitrate: float | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            UsageError: the codec is not known, or does not have the bit rate.
        """
        choice(self, "codec", get_args(Name))
        if self.codec == "opus":
            number(self, "bitrate", *_OPUS, "kbit/s")
        elif self.codec == "mp3":
            number(self, "bitrate", 8, 320, "kbit/s")
            _mp3_range(self.bitrate, {kbits for _, rates in _MP3 for kbits in rates}, "")
        elif self.bitrate is not None:
            raise UsageError(f"Codec: {self.codec} has one bit rate alone; leave out bitrate={self.bitrate}")

    @property
    def label(self) -> str:
        """Such as `opus_16k` or `mulaw`."""
        return self.codec if self.bitrate is None else f"{self.codec}_{short(self.bitrate)}k"

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording after encoding and decoding, aligned with the original and as long.

        Raises:
            UsageError: the codec does not have the bit rate at this sample rate.
        """
        rates = _RATES.get(self.codec, (8_000,))
        coded = min((each for each in rates if each >= rate), default=max(rates))
        sent = np.clip(resampled(wave, rate, coded), -1, 1)
        received = self._decoded(self._encoded(sent, coded), coded)
        if self.codec == "mp3" and len(received) > len(sent):
            received = received[_MP3_DELAY:]
        return resampled(received[: len(sent)], coded, rate, len(wave))

    def _encoded(self, wave: NDArray[np.float32], rate: int) -> io.BytesIO:
        container, subtype = _FORMATS[self.codec]
        buffer = io.BytesIO()
        settings = self._settings(rate)
        with soundfile.SoundFile(buffer, "w", rate, 1, format=container, subtype=subtype, **settings) as file:
            file.write(wave)
        buffer.seek(0)
        return buffer

    def _settings(self, rate: int) -> dict[str, Any]:
        """The bit rate as libsndfile wants it: a level from 1, its lowest bit rate, to 0, its highest."""
        if self.bitrate is None:
            return {}
        if self.codec == "opus":
            return {"compression_level": (_OPUS[1] - self.bitrate) / (_OPUS[1] - _OPUS[0])}
        rates = next(rates for lowest, rates in _MP3 if rate >= lowest)
        least, most = _mp3_range(self.bitrate, set(rates), f" at {rate} Hz")
        level = (most - self.bitrate - 0.5) / (most - least)  # libsndfile cuts the rate down to a whole number
        return {"compression_level": max(0.0, level), "bitrate_mode": "CONSTANT"}

    @staticmethod
    def _decoded(encoded: io.BytesIO, rate: int) -> NDArray[np.float32]:
        with soundfile.SoundFile(encoded) as file:
            if file.samplerate != rate:
                raise RuntimeError(f"libsndfile changed {rate} Hz to {file.samplerate} Hz")
            samples: NDArray[np.float32] = file.read(file.frames, dtype="float32")
        return samples


def _mp3_range(bitrate: float | None, rates: set[int], where: str) -> tuple[int, int]:
    if bitrate not in rates:
        known = ", ".join(str(kbits) for kbits in sorted(rates))
        raise UsageError(f"Codec: mp3 has no bitrate={bitrate:g} kbit/s{where}; it has {known}")
    return min(rates), max(rates)
