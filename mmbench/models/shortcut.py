"""A quicker way to ask a model that is held to the plain one: its first answers of each kind are compared."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mmbench.models.loading import import_torch, slack

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import dtype as TorchDtype

log = logging.getLogger(__name__)

Scores = list[float]


@dataclass(slots=True, kw_only=True)
class Shortcut:
    """Takes the quick way for as long as it says what the plain one does.

    Args:
        name: of the model, for the warning.
        dtype: number format of the model, which says how far two ways may differ.
        what: what is done where the quick way is left, such as "prompts are read once for each choice".
        taken: whether the quick way is taken at all; False as soon as it fails or says something else.
    """

    name: str
    dtype: TorchDtype
    what: str
    taken: bool = True
    _checked: set[tuple[object, ...]] = field(default_factory=set, init=False)

    def __call__(self, kind: tuple[object, ...], quick: Callable[[], Scores], plain: Callable[[], Scores]) -> Scores:
        """The scores that both ways come to.

        Args:
            kind: of question; the first of each is asked both ways.
            quick: asks the quick way; whatever it raises, except for want of memory, leads to the plain one.
            plain: asks the plain way.
        """
        if not self.taken:
            return plain()
        try:
            own = quick()
        except (
            AttributeError,
            IndexError,
            KeyError,
            NotImplementedError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            if isinstance(error, import_torch().OutOfMemoryError):
                raise
            found = plain()  # what is wrong with the question itself is raised here
            self._leave(type(error).__name__)
            return found
        if kind in self._checked:
            return own
        found = plain()
        most = slack(self.dtype)
        if any(not abs(a - b) <= most * max(1.0, abs(b)) for a, b in zip(own, found, strict=True)):
            self._leave("it says something else then")
            return found
        self._checked.add(kind)
        return own

    def _leave(self, why: str) -> None:
        self.taken = False
        log.warning("model %s: %s, as it does not allow the quicker way (%s)", self.name, self.what, why)
