"""Weights, images and a runner of cells, shared by all tests of this folder."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from PIL import Image as pil

from tests.models.conftest import make_llama, make_wav2vec2, make_whisper, sound  # noqa: F401
from tests.protocols.running import Cells
from tests.protocols.systems import Weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STAMPS = ("penguin", "owl", "duck", "cat", "house")


@pytest.fixture(scope="session")
def weights(
    tmp_path_factory: pytest.TempPathFactory,
    make_whisper: Callable[..., Path],  # noqa: F811
    make_wav2vec2: Callable[..., Path],  # noqa: F811
    make_llama: Callable[..., Path],  # noqa: F811
) -> Weights:
    """Weights of all architectures."""
    return Weights(
        tmp_path_factory.mktemp("weights"),
        whisper=lambda: make_whisper(multilingual=True),
        wav2vec2=lambda: make_wav2vec2("layer"),
        llama=lambda: make_llama(chat=True, positions=4096),
    )


@pytest.fixture(scope="session")
def stamps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five images with written and spoken descriptions in English and French, laid out like Tux Paint's stamps."""
    root = tmp_path_factory.mktemp("share")
    folder = root / "tuxpaint" / "stamps" / "drawn"
    folder.mkdir(parents=True)
    for index, name in enumerate(STAMPS):
        (folder / f"{name}.txt").write_text(f"A {name}.\nfr.utf8=Le {name} dessiné.\n", encoding="utf-8")
        pixels = np.random.default_rng(index).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        pil.fromarray(pixels).save(folder / f"{name}.png")
        for place, language in enumerate(("", "_fr")):
            wave = sound(0.5 + 0.2 * index, 130 + 60 * index + 20 * place, 16000)
            soundfile.write(folder / f"{name}_desc{language}.ogg", wave, 16000)
    changelog = root / "doc" / "tuxpaint-stamps-default" / "changelog.Debian.gz"
    changelog.parent.mkdir(parents=True)
    changelog.write_bytes(gzip.compress(b"tuxpaint-stamps (2022.06.04-1) unstable; urgency=medium\n"))
    return root


@pytest.fixture(scope="session")
def cells(weights: Weights, stamps: Path, tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """The runner."""
    return Cells(weights, stamps, tmp_path_factory.mktemp("results"))
