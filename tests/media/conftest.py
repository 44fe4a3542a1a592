"""What the tests of audio and of images share: damaged files, of which only MediaError may come."""

from __future__ import annotations

import random
import warnings
from typing import TYPE_CHECKING

import pytest

from mmbench.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Callable


def _damaged(valid: bytes, seed: int) -> bytes:
    """Cut off the end, change bytes anywhere or in the header, or several of these."""
    rng = random.Random(seed)
    broken = bytearray(valid)
    if rng.random() < 0.5:
        del broken[rng.randrange(1, len(broken)) :]
    if rng.random() < 0.8:
        for _ in range(rng.choice([1, 3, 20])):
            broken[rng.randrange(rng.choice([min(64, len(broken)), len(broken)]))] = rng.randrange(256)
    return bytes(broken)


def _only_media_errors(valid: bytes, seeds: range, read: Callable[[bytes, int], object]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in seeds:
            try:
                read(_damaged(valid, seed), seed)
            except MediaError as error:
                assert "\n" not in str(error)


@pytest.fixture
def only_media_errors() -> Callable[[bytes, range, Callable[[bytes, int], object]], None]:
    """Damage valid bytes in a way that each seed decides, read them, and let only MediaError through."""
    return _only_media_errors
