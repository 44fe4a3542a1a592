"""From documents to pages: every image is looked up, and what cannot be asked about is left out and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from loaders.interleaved.documents import Page, domain
from mmbench.errors import UsageError
from mmbench.schema import Image, Part, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loaders.interleaved.documents import Document
    from loaders.interleaved.images import Images
    from loaders.interleaved.tally import Tally

Policy = Literal["drop_image", "drop_document", "placeholder", "refuse"]
"""What is done about an image that is missing or failed: leave it out, leave out the document, put a text in its place,
or end with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Which documents are used, and how much of them; see `InterleavedDocuments`."""

    missing: Policy
    placeholder: str
    min_images: int
    min_texts: int
    max_images: int | None
    max_nodes: int | None


def usable(documents: Iterable[Document], images: Images, rules: Rules, tally: Tally) -> Iterator[Page]:
    """The documents that can be asked about.

    Raises:
        UsageError: an image is not present, and the policy is to refuse.
    """
    for document in documents:
        parts = _parts(document, images, rules, tally)
        if parts is None:
            continue
        page = _page(document, _cut(parts, rules))
        if len(page.texts) < max(1, rules.min_texts):
            tally.leave_out("too few texts")
        elif len(page.images) < rules.min_images:
            tally.leave_out("too few images")
        else:
            tally.use(page)
            yield page


def _parts(document: Document, images: Images, rules: Rules, tally: Tally) -> list[Part] | None:
    """Texts and images as the policy for missing ones says; None where it leaves the document out."""
    parts: list[Part] = []
    lost = False
    for node in document.nodes:
        if isinstance(node, str):
            parts.append(Text(node))
            continue
        found = images.find(node)
        tally.count(found)
        if found.image is not None:
            parts.append(found.image)
            continue
        lost = True
        if rules.missing == "refuse":
            where = f"document {document.id} ({document.url or document.language})"
            mend = "fetch it, or take another policy (missing=drop_image)"
            raise UsageError(f"{where}: {node.named} is {found.state}: {found.reason}; {mend}")
        if rules.missing == "placeholder":
            parts.append(Text(rules.placeholder, instruction=True))
    if lost and rules.missing == "drop_document":
        tally.leave_out("an image missing or failed")
        return None
    return parts


def _cut(parts: list[Part], rules: Rules) -> tuple[Part, ...]:
    """Whole nodes from the beginning, as many as are allowed."""
    kept, images = parts[: rules.max_nodes], 0
    for at, part in enumerate(kept):
        images += isinstance(part, Image)
        if rules.max_images is not None and images > rules.max_images:
            return tuple(kept[:at])
    return tuple(kept)


def _page(document: Document, parts: tuple[Part, ...]) -> Page:
    count = sum(isinstance(part, Image) for part in parts)
    group = {"document": document.id, "domain": domain(document.url), "images": str(count), "code": document.code}
    return Page(
        id=f"{document.id}/{document.language}",
        language=document.language,
        parts=parts,
        group={name: value for name, value in group.items() if value},
    )
