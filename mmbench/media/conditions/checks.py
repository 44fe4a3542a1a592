"""What the conditions share about settings: one check of numbers, one way to write them in a label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mmbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def number(owner: object, name: str, least: float, most: float, unit: str, *, infinite: bool = False) -> None:
    """Check a setting of a frozen dataclass and keep it as a float, so that 10 and 10.0 are one condition.

    Args:
        owner: the dataclass.
        name: its field.
        least: smallest value.
        most: largest value.
        unit: of the value, for the message.
        infinite: whether positive infinity is a value too.

    Raises:
        UsageError: it is no number, or outside the range.
    """
    value = getattr(owner, name)
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not (least <= value <= most or (infinite and value == math.inf)):
        wanted = f"a number of {unit} from {least:g} to {most:g}" + ", or inf" * infinite
        raise UsageError(f"{type(owner).__name__}: {name}={value!r} must be {wanted}")
    object.__setattr__(owner, name, float(value) + 0.0)  # -0.0 becomes 0.0


def choice(owner: object, name: str, known: Sequence[str]) -> None:
    """Refuse a setting that is none of the known words.

    Raises:
        UsageError: it is another.
    """
    value = getattr(owner, name)
    if value not in known:
        raise UsageError(f"{type(owner).__name__}: {name}={value!r} is not known; use {', '.join(known)}")


def short(value: float) -> str:
    """A number for a label: 10, 0.5; all its digits where fewer would make it another number."""
    text = f"{value:g}"
    return text if float(text) == value else repr(value)
