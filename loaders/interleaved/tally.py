"""Counts documents and images while they are read, so that nothing is left out in silence."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mmbench.corpus_counts import CorpusCount, total
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loaders.interleaved.documents import Page
    from loaders.interleaved.images import Found

log = logging.getLogger(__name__)


@dataclass
class Tally:
    """Counts of one language, while its documents are read."""

    language: str
    used: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def leave_out(self, reason: str) -> None:
        """Count a document that is not used."""
        self.used["left_out"] += 1
        self.reasons[f"document: {reason}"] += 1

    def count(self, found: Found) -> None:
        """Count an image by its state."""
        self.images[found.state] += 1
        if found.reason:
            self.reasons[f"image {found.state}: {found.reason}"] += 1

    def use(self, page: Page) -> None:
        """Count a document that is used."""
        self.used += Counter(
            documents=1,
            texts=len(page.texts),
            characters=sum(map(len, page.texts)),
            bytes=sum(len(text.encode("utf-8", "surrogatepass")) for text in page.texts),
        )

    @property
    def counts(self) -> CorpusCount:
        """What was counted so far."""
        return CorpusCount(
            language=self.language,
            **{name: self.used[name] for name in ("documents", "left_out", "texts", "characters", "bytes")},
            **{state: self.images[state] for state in ("present", "missing", "failed")},
            images=self.images.total(),
            reasons=dict(sorted(self.reasons.items())),
        )

    @staticmethod
    def report(counts: Sequence[CorpusCount], where: str, asked: int) -> None:
        """Say in one line what was left out.

        Raises:
            UsageError: there was nothing to ask about.
        """
        found = total(counts)
        shown = ", ".join(f"{reason} {n}" for reason, n in found.reasons.items())
        if not asked:
            why = shown or f"{found.documents} documents, none of which fits the task"
            raise UsageError(
                f"{where}: no document can be asked about ({why}); fetch its images, or widen the settings"
            )
        if shown:
            log.warning("%s: left out: %s", where, shown)
