"""Folders of recordings that conditions draw from: noise such as MUSAN, impulse responses of rooms."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from mmbench.errors import UsageError
from mmbench.media.audio import audio_seconds, load_audio
from mmbench.media.conditions.resampling import resampled
from mmbench.media.source import guard, media_error, open_source
from mmbench.prompt import Audio

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".opus"}
_SLACK = 0.01  # seconds read more than needed, so that rounding of times leaves no sample short
_TRIES = 16  # silent passages that are skipped for each one wanted


@lru_cache(maxsize=16)
def recordings(folder: str) -> tuple[Path, ...]:
    """All recordings below a folder, sorted by their path in it.

    Raises:
        UsageError: there is no such folder, or it has none.
    """
    root = Path(folder)
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    if not files:
        what = "has no recordings" if root.is_dir() else "is no folder"
        raise UsageError(f"folder={folder} {what}; give a folder of {', '.join(sorted(_ENDINGS))} files")
    return tuple(files)


def named(folder: str) -> str:
    """The folder's own name, fit for a file name."""
    name = Path(folder).resolve().name
    return "".join(char if char.isalnum() or char in "-." else "-" for char in name) or "root"


def ambience(folder: str, length: int, rate: int, rng: np.random.Generator, voices: int) -> NDArray[np.float64]:
    """Passages of `voices` recordings at equal power, mixed; each from another file where there are enough.

    Raises:
        UsageError: the recordings are silent.
    """
    files, total, heard = recordings(folder), np.zeros(length), 0
    order = rng.permutation(len(files))
    for index in islice(cycle(order), _TRIES * voices):
        passage = _passage(files[index], length, rate, rng)
        if power := float(np.mean(passage**2)):
            total, heard = total + passage / np.sqrt(power), heard + 1
        if heard == voices:
            return total
    raise UsageError(f"folder={folder}: {_TRIES} passages in a row were silent; give a folder of recordings with sound")


def _passage(path: Path, length: int, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A random passage of a recording; one that is too short is repeated, from a random sample on."""
    available, needed = audio_seconds(Audio(path)), length / rate + _SLACK
    if available > needed:
        start = rng.uniform(0, available - needed)
        wave = load_audio(Audio(path, start=start, end=start + needed), rate=rate)
    else:
        wave = load_audio(Audio(path), rate=rate)
        wave = np.roll(wave, -rng.integers(len(wave)))
    return np.resize(wave, length).astype(np.float64)


def impulse_response(folder: str, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One of a folder's impulse responses, from its largest peak on; the first channel of several.

    Channels are other places of the room: their mean would be the response of none.

    Raises:
        MediaError: the file cannot be decoded, or is silent.
    """
    files = recordings(folder)
    path = files[rng.integers(len(files))]
    with guard(path, "give impulse responses as wav or flac"), open_source(path) as handle:
        samples, found = soundfile.read(handle, dtype="float32", always_2d=True)
    if not samples[:, 0].any() or not np.isfinite(samples).all():
        raise media_error(path, "is silent or not finite", "take it out of the folder of impulse responses")
    response = resampled(np.ascontiguousarray(samples[:, 0]), found, rate).astype(np.float64)
    return response[np.argmax(np.abs(response)) :]
