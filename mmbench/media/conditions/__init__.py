"""Robustness conditions: what is done to a recording before a model hears it.

Each is a frozen dataclass of its settings that turns samples into samples. The same seed gives the same result, and
the seed depends on the recording alone, so that noise is the same at every SNR of a sweep, only its level is not.
They work on samples as decoded, mono at the model's rate, in floating point: what grows above full scale is neither
cut nor scaled down, except by a codec. docs/conditions.md lists them.
"""

from __future__ import annotations

from mmbench.media.conditions.band import BandLimit
from mmbench.media.conditions.chain import Chain
from mmbench.media.conditions.codec import Codec
from mmbench.media.conditions.duration import SilencePadding, Speed
from mmbench.media.conditions.level import Clipping, Gain
from mmbench.media.conditions.noise import Noise
from mmbench.media.conditions.room import Reverberation

__all__ = ["BandLimit", "Chain", "Clipping", "Codec", "Gain", "Noise", "Reverberation", "SilencePadding", "Speed"]
