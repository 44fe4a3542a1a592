"""Decodes images as RGB: the only module that touches Pillow."""

from __future__ import annotations

import math
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image as pil
from PIL import ImageCms, ImageOps, UnidentifiedImageError

from mmbench.media.source import guard, media_error, open_source

if TYPE_CHECKING:
    from mmbench.schema import Image

MAX_IMAGE_PIXELS = 100_000_000
"""Default of `load_image`; Pillow itself refuses twice `PIL.Image.MAX_IMAGE_PIXELS` (179 million)."""

# No EPS (runs Ghostscript), no ICO or PSD (sizes inside that the header does not tell).
_IMAGE_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
_OPENING = threading.Lock()


def _eight_bit(image: pil.Image) -> pil.Image:
    """Scale I;16, I and F to L.

    16-bit values are divided by 257, not clipped. I (32 bit) counts as 16-bit where its values fit, F as 0..1 or else
    0..255 where they fit; other ranges are stretched from the smallest to the largest value.
    """
    values = np.asarray(image, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(high - low):
        raise ValueError("pixels are NaN or infinite")
    tops = [65535.0] if image.mode.startswith("I") else [1.0, 255.0]
    top = next((top for top in tops if low >= 0 and high <= top), None)
    scaled = values * (255 / top) if top else (values - low) * (255 / max(high - low, 1e-300))
    return pil.fromarray(np.rint(scaled).astype(np.uint8))


def _to_rgb(image: pil.Image) -> pil.Image:
    """Convert any mode to RGB, with white where it is transparent."""
    if image.mode.startswith(("I", "F")):
        return _eight_bit(image).convert("RGB")
    if image.mode == "LAB":  # Image.convert cannot
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return cast("pil.Image", ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        solid = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        return pil.alpha_composite(pil.new("RGBA", solid.size, "white"), solid).convert("RGB")
    return image.convert("RGB")


def load_image(image: Image, *, max_pixels: int = MAX_IMAGE_PIXELS) -> pil.Image:
    """Decode an image as RGB, upright as its EXIF orientation says; of an animation the first frame.

    Transparency is laid over white; for 16-bit, 32-bit and float pixels see `_eight_bit`. Colour profiles are not
    applied. Its size is checked before anything is decoded.

    Raises:
        MediaError: the file is missing, empty, damaged, truncated or not an image, or has more than `max_pixels`.
    """
    with (
        guard(image.source, "give a whole PNG, JPEG, WebP, GIF, TIFF or BMP file"),
        open_source(image.source) as handle,
    ):
        # Pillow warns at a limit of its own. `catch_warnings` is not thread-safe, hence the lock.
        with _OPENING, warnings.catch_warnings():
            warnings.simplefilter("ignore", pil.DecompressionBombWarning)
            try:
                picture: pil.Image = pil.open(handle, formats=_IMAGE_FORMATS)
            except UnidentifiedImageError:  # its message names an address in memory
                raise ValueError("not an image") from None
        with picture:
            width, height = picture.size
            if not 0 < width * height <= max_pixels:
                raise media_error(
                    image.source, f"has {width} x {height} pixels", f"max_pixels is {max_pixels}: scale it down"
                )
            picture.load()
            with suppress(Exception):  # damaged EXIF costs the orientation, not the picture
                ImageOps.exif_transpose(picture, in_place=True)
            return _to_rgb(picture)
