"""Several conditions one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmbench.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmbench.prompt import Condition


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Applies conditions in order; the seed of each link follows from the recording's and its place.

    Args:
        conditions: the links, the first one first.
    """

    conditions: Sequence[Condition]

    def __post_init__(self) -> None:
        """Check the links.

        Raises:
            UsageError: there are none, or one is no condition.
        """
        if isinstance(self.conditions, str) or not isinstance(self.conditions, Sequence) or not self.conditions:
            raise UsageError("Chain: conditions must be a list of at least one condition")
        for link in self.conditions:
            if not (callable(link) and isinstance(getattr(link, "label", None), str)):
                raise UsageError(f"Chain: {link!r} is no condition; each needs a _target_ and its settings")
        object.__setattr__(self, "conditions", tuple(self.conditions))

    @property
    def label(self) -> str:
        """Labels of the links: `band_300-3400Hz+mulaw`."""
        return "+".join(link.label for link in self.conditions)

    def __call__(self, wave: NDArray[np.float32], rate: int, seed: int) -> NDArray[np.float32]:
        """The recording after the last link."""
        for place, link in enumerate(self.conditions):
            wave = link(wave, rate, int(np.random.SeedSequence([seed, place]).generate_state(1, np.uint64)[0]))
        return wave
