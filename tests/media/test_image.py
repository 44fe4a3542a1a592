"""Decoding images: modes, broken files, bombs, and a fuzz test that only lets MediaError through."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as pil
from PIL import ImageFile

from mmbench.errors import MediaError
from mmbench.media import image as module
from mmbench.media import load_image
from mmbench.schema import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def png(image: pil.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Encode an image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def unread(source: str | Path | bytes, *words: str, **options: int) -> None:
    """Check that an image ends in one line with these words."""
    with pytest.raises(MediaError) as caught:
        load_image(Image(source), **options)
    message = str(caught.value)
    assert "\n" not in message
    assert "; " in message
    assert "0x" not in message
    for word in words:
        assert word in message


def corner(source: bytes) -> tuple[int, ...]:
    """Top left pixel of the decoded image."""
    image = load_image(Image(source))
    assert image.mode == "RGB"
    pixel = image.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


RED = pil.new("RGB", (8, 6), (255, 0, 0))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG", "PPM", "TGA", "JPEG2000"])
def test_image_formats(tmp_path: Path, kind: str) -> None:
    encoded = png(RED, kind)
    path = tmp_path / "image.bin"
    path.write_bytes(encoded)
    for source in (encoded, path, str(path)):
        image = load_image(Image(source))
        assert (image.mode, image.size) == ("RGB", (8, 6))
        np.testing.assert_allclose(np.asarray(image)[0, 0], (255, 0, 0), atol=4)


def test_transparency_is_white() -> None:
    half = pil.new("RGBA", (4, 4), (255, 0, 0, 128))
    assert corner(png(half)) == pytest.approx((255, 127, 127), abs=1)
    assert corner(png(pil.new("LA", (4, 4), (0, 0)))) == (255, 255, 255)
    assert corner(png(pil.new("L", (4, 4), 7), transparency=7)) == (255, 255, 255)
    assert corner(png(pil.new("RGB", (4, 4), (1, 2, 3)), transparency=(1, 2, 3))) == (255, 255, 255)
    palette = pil.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 9, 8, 7])
    assert corner(png(palette)) == (9, 8, 7)
    assert corner(png(palette, transparency=1)) == (255, 255, 255)
    assert corner(png(palette, "GIF", transparency=1)) == (255, 255, 255)
    assert corner(png(half, "WEBP", lossless=True)) == pytest.approx((255, 127, 127), abs=1)
    for mode in ("PA", "La", "RGBa"):
        source = half.convert("LA") if mode == "La" else half
        if mode == "PA":
            source = source.convert("P").convert("PA")
        image = module._to_rgb(source if source.mode == mode else source.convert(mode))
        assert image.mode == "RGB"


def test_deep_grey_is_scaled_not_clipped() -> None:
    ramp = np.array([[0, 257, 32_896, 65_535]], dtype=np.uint16)
    for encoded in (png(pil.fromarray(ramp)), png(pil.fromarray(ramp), "TIFF"), png(pil.fromarray(ramp), "PPM")):
        np.testing.assert_array_equal(np.asarray(load_image(Image(encoded)))[0, :, 0], [0, 1, 128, 255])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 100, 255]], np.float32), [0, 100, 255]),
        (np.array([[-1, 0, 1]], np.float32), [0, 128, 255]),
        (np.array([[-1e9, 0, 1e9]], np.int32), [0, 128, 255]),
        (np.array([[0, 257, 65_535]], np.int32), [0, 1, 255]),
    ],
)
def test_float_and_32_bit(values: NDArray[Any], expected: list[int]) -> None:
    image = load_image(Image(png(pil.fromarray(values), "TIFF")))
    np.testing.assert_array_equal(np.asarray(image)[0, :, 0], expected)


def test_float_that_is_no_number() -> None:
    unread(png(pil.fromarray(np.array([[0, np.nan]], np.float32)), "TIFF"), "NaN")


@pytest.mark.parametrize("mode", ["1", "L", "P", "HSV", "LAB", "YCbCr", "CMYK", "RGBX"])
def test_other_modes(mode: str) -> None:
    grey = pil.new("RGB", (3, 3), "white")
    image = pil.new("LAB", (3, 3), (255, 128, 128)) if mode == "LAB" else grey.convert(mode)
    np.testing.assert_allclose(np.asarray(module._to_rgb(image)), 255, atol=2)
    if mode in ("LAB", "CMYK", "YCbCr"):
        np.testing.assert_allclose(np.asarray(load_image(Image(png(image, "TIFF")))), 255, atol=2)


def test_adobe_cmyk_jpeg() -> None:
    encoded = png(pil.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    assert b"Adobe" in encoded
    assert corner(encoded) == pytest.approx((255, 0, 0), abs=6)


def test_exif_orientation() -> None:
    exif = pil.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    image = pil.new("RGB", (40, 20), "black")
    image.paste("white", (0, 0, 20, 20))
    upright = load_image(Image(png(image, "JPEG", exif=exif, quality=95)))
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 5)) == pytest.approx((255, 255, 255), abs=3)
    assert upright.getpixel((10, 35)) == pytest.approx((0, 0, 0), abs=3)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_exif_does_not_cost_the_image() -> None:
    assert corner(png(RED, "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff\xff\xff")) == pytest.approx(
        (255, 0, 0), abs=3
    )


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_first_frame_of_an_animation(kind: str) -> None:
    frames = [pil.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    assert corner(png(frames[0], kind, save_all=True, append_images=frames[1:])) == pytest.approx((255, 0, 0), abs=4)


def bomb(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds next to nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def test_size_is_checked_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = pil.MAX_IMAGE_PIXELS

    def decode(_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unread(bomb(40_000, 40_000), "pixels")
        unread(bomb(12_000, 12_000), "12000 x 12000 pixels", "max_pixels")
        unread(png(RED), "8 x 6", max_pixels=47)
        unread(bomb(0, 5))
    assert limit == pil.MAX_IMAGE_PIXELS


def test_between_the_limits_of_pillow_and_ours() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unread(bomb(9_500, 10_000), "truncated")
        assert load_image(Image(png(RED)), max_pixels=48).size == (8, 6)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_truncated_images(kind: str, kept: float) -> None:
    pixels = np.random.default_rng(3).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    encoded = png(pil.fromarray(pixels), kind)
    unread(encoded[: int(len(encoded) * kept)])
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_bytes_that_are_no_image(tmp_path: Path) -> None:
    unread(b"not an image", "<12 bytes>", "not an image")
    unread(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0", "not an image")
    unread(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image")
    (tmp_path / "text.png").write_text("text")
    unread(tmp_path / "text.png", "text.png", "not an image")


def test_no_open_files_are_left(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(RED)[:40])
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        unread(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "JPEG2000"])
def test_damaged_images_raise_nothing_else(
    kind: str, only_media_errors: Callable[[bytes, range, Callable[[bytes, int], object]], None]
) -> None:
    pixels = np.random.default_rng(4).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    valid = png(pil.fromarray(pixels), kind)
    only_media_errors(valid, range(150), lambda source, _: load_image(Image(source), max_pixels=1_000_000))
