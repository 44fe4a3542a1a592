"""What became of a document's images: present, missing (nobody has it) or failed (it is there, and is no good)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from loaders.recordings import present
from mmbench.errors import MediaError
from mmbench.media import load_image
from mmbench.schema import Image

if TYPE_CHECKING:
    from pathlib import Path

    from loaders.interleaved.documents import Picture
    from mmbench.image_store import ImageStore

State = Literal["present", "missing", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """State of an image; `reason` says why it is not present, in a few words."""

    state: State
    reason: str = ""
    image: Image | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Images that models can take.

    Args:
        min_side: shortest side in pixels; the processors of several models fail below their patch size (Qwen: 28).
        max_aspect: longer side over shorter side (Qwen refuses 200).
        max_bytes: of the encoded image.
    """

    min_side: int = 28
    max_aspect: float = 100.0
    max_bytes: int = 64 << 20


@dataclass(kw_only=True)
class Images:
    """Looks images up in a store; each file is checked once.

    Checked is all that can be: the hash where the corpus or the store says one, that the image can be decoded to its
    last row (7 ms for 1200 x 800 pixels of JPEG on one core), and the limits.
    """

    store: ImageStore
    limits: Limits = field(default_factory=Limits)
    _checked: dict[tuple[Path, str], Found] = field(default_factory=dict, init=False, repr=False)

    def find(self, picture: Picture) -> Found:
        """State of an image. Its own bytes come first, then its hash, its file's name, and what its URL gave."""
        if picture.data is not None:
            return self._check(Image(picture.data), picture.data, picture.sha512)
        hashed = picture.sha512.lower() or self.store.hash_of(picture.url) or ""
        path = self.store.path(hashed)
        if path is None and picture.name:
            path, hashed = present(self.store.folder, picture.name), picture.sha512.lower()
        if path is None:
            unnamed = not (picture.url or picture.sha512 or picture.name)
            return Found(state="missing", reason="not listed" if unnamed else self.store.why_not(picture.url))
        known = self._checked.get((path, hashed))
        if known is None:
            known = self._checked[path, hashed] = self._read(path, hashed)
        return known

    def _read(self, path: Path, sha512: str) -> Found:
        try:
            if path.stat().st_size > self.limits.max_bytes:
                return Found(state="failed", reason="too large")
            return self._check(Image(path), path.read_bytes(), sha512)
        except OSError:
            return Found(state="failed", reason="cannot be read")

    def _check(self, image: Image, data: bytes, sha512: str) -> Found:
        if sha512 and hashlib.sha512(data).hexdigest() != sha512.lower():
            return Found(state="failed", reason="another hash")
        if len(data) > self.limits.max_bytes:
            return Found(state="failed", reason="too large")
        try:
            width, height = load_image(Image(data)).size
        except MediaError:
            return Found(state="failed", reason="damaged or no image")
        if min(width, height) < self.limits.min_side:
            return Found(state="failed", reason="too small")
        if max(width, height) > self.limits.max_aspect * min(width, height):
            return Found(state="failed", reason="too long")
        return Found(state="present", image=image)
