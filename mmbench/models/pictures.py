"""What wrappers of image models need of a sample: its images, and one text of the lines that stand on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from mmbench import languages
from mmbench.errors import SampleError
from mmbench.media import load_image
from mmbench.schema import Image, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_UNSEEN = re.compile("[\u200e\u200f\u202a-\u202c\f]|\u200c(?!\\w)")
"""Marks of direction, the end of a page, and joiners at the end of a word: programs write them, no eye sees them."""
_CHILLUS = str.maketrans("\u0d23\u0d28\u0d30\u0d32\u0d33\u0d15", "\u0d7a\u0d7b\u0d7c\u0d7d\u0d7e\u0d7f")
"""Malayalam consonants without a vowel: Unicode 5.1 gave a letter to what was a letter, virama and joiner before."""
_CHILLU = re.compile("([\u0d23\u0d28\u0d30\u0d32\u0d33\u0d15])\u0d4d\u200d")


def pictures(sample: Sample) -> list[Image]:
    """Image parts of a sample, in order.

    Raises:
        SampleError: it has none.
    """
    found = [part for part in sample.parts if isinstance(part, Image)]
    if not found:
        raise SampleError(f"sample {sample.id} has no image, and this model answers images alone")
    return found


def pixels(image: Image) -> NDArray[np.uint8]:
    """RGB of shape (height, width, 3).

    Raises:
        MediaError: the image cannot be decoded.
    """
    return np.asarray(load_image(image), np.uint8)


def joined(lines: Iterable[str], language: str) -> str:
    """Lines as one text: a space stands for a line end, and nothing in languages without spaces between words.

    Args:
        lines: in reading order; empty ones are left out.
        language: tag of the language that they are in.
    """
    own = (" ".join(_plain(line).split()) for line in lines)
    return (" " if languages.spaced(language) else "").join(filter(None, own))


def _plain(text: str) -> str:
    """Text without what cannot be seen, and with one spelling of what looks the same."""
    return _CHILLU.sub(lambda match: match[1].translate(_CHILLUS), _UNSEEN.sub("", text))
