"""Turns encoded audio and images into arrays and pictures.

`audio` decodes sound, `image` pictures, and `source` opens, checks and hashes what both of them read. Whatever is
wrong with a file is a `MediaError` of one line: what, where, and how to mend it. Memory is bounded by constants of
these modules and not by what a header claims, and no global state of the libraries is changed.
"""

from __future__ import annotations

from mmbench.media.audio import END_TOLERANCE, MAX_AUDIO_SECONDS, audio_seconds, load_audio
from mmbench.media.encode import encode_audio, encode_image
from mmbench.media.image import MAX_IMAGE_PIXELS, load_image
from mmbench.media.source import content_hash
from mmbench.media.video import load_frames

__all__ = [
    "END_TOLERANCE",
    "MAX_AUDIO_SECONDS",
    "MAX_IMAGE_PIXELS",
    "audio_seconds",
    "content_hash",
    "encode_audio",
    "encode_image",
    "load_audio",
    "load_frames",
    "load_image",
]
