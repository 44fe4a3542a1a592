"""What an interleaved document is, whatever layout it was published in."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mmbench.schema import Image, Text
from mmbench.store import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.schema import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image as a document names it, by as many of these as the corpus has.

    Args:
        url: where it was on the web.
        sha512: of its bytes, hexadecimal.
        name: of its file.
        data: its bytes, where they stand in the corpus itself.
    """

    url: str = ""
    sha512: str = ""
    name: str = ""
    data: bytes | None = None

    @property
    def named(self) -> str:
        """What to call it in a message."""
        return self.url or self.name or self.sha512[:16] or "an image that the document does not list"


Node = str | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Texts and images in their order; `id` is unique within the corpus, `code` the corpus's name of the language."""

    id: str
    language: str
    nodes: tuple[Node, ...]
    url: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A document as a model may see it: every image is there and can be decoded.

    Args:
        id: of the document.
        language: tag.
        parts: texts and images; a text with `instruction=True` stands for an image that is missing.
        group: fields to report by.
    """

    id: str
    language: str
    parts: tuple[Part, ...]
    group: Mapping[str, str] = field(default_factory=dict)

    @property
    def images(self) -> tuple[Image, ...]:
        """Its images in order."""
        return tuple(part for part in self.parts if isinstance(part, Image))

    @property
    def texts(self) -> tuple[str, ...]:
        """Its texts in order, without what stands for images."""
        return tuple(part.text for part in self.parts if isinstance(part, Text) and not part.instruction)


def identity(url: str, nodes: Sequence[Node]) -> str:
    """Id of a document that has none: of its URL, its texts and what it calls its images, 16 hexadecimal digits."""
    shown: list[Any] = [node if isinstance(node, str) else [node.url, node.sha512, node.name] for node in nodes]
    return sha256(dumps([url, shown]).encode()).hexdigest()[:16]


def domain(url: str) -> str:
    """Host of a URL, without www; empty where it has none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
