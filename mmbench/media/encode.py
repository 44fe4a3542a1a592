"""Writes audio and images: what models say back, stand-ins for datasets, and recordings that went through a codec."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import soundfile
from PIL import Image as pil

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def encode_audio(wave: NDArray[np.float32], *, rate: int, kind: str = "WAV", subtype: str | None = None) -> bytes:
    """Samples of shape (n,) or (n, channels), full scale -1 to 1, as the bytes of a file.

    Args:
        wave: the samples; what is above full scale is clipped by all kinds but float ones.
        rate: of the samples, in Hz.
        kind: format of libsndfile, such as WAV, FLAC, OGG or MP3.
        subtype: encoding within the format, such as PCM_16, ULAW or OPUS; None is the format's usual one.
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def encode_image(pixels: NDArray[np.uint8], *, kind: str = "PNG", **options: object) -> bytes:
    """Pixels of shape (height, width), (height, width, 3) or (height, width, 4) as the bytes of a file.

    Args:
        pixels: grey, RGB or RGBA.
        kind: format of Pillow, such as PNG, JPEG or WEBP.
        options: of the format, such as `quality`.
    """
    buffer = io.BytesIO()
    pil.fromarray(pixels).save(buffer, format=kind, **options)
    return buffer.getvalue()
