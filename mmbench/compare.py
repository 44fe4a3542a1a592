"""Two systems on the same samples, joined by id: difference, bootstrap interval, p by approximate randomisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmbench.bootstrap import paired_difference, paired_macro_difference
from mmbench.score import MACRO, by, measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.records import Record
    from mmbench.schema import Scorer

NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Score of `a` minus score of `b` on the `n` samples that both answered, and its 95 % interval and two-sided p."""

    value: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN
    n: int = 0


def differences(a: Sequence[Record], b: Sequence[Record], scorer: Scorer) -> Mapping[str, Difference]:
    """Paired differences by language and for the mean over languages ("macro").

    Samples that only one system has, or that each reports under another language, are left out: `Difference.n` says
    how many are left.
    """
    shared = {_key(record) for record in a} & {_key(record) for record in b}
    one, other = (by((r for r in side if _key(r) in shared), lambda r: r.sample.language) for side in (a, b))
    pairs = {tag: (measure(one[tag], scorer).stats, measure(other[tag], scorer).stats) for tag in one}
    found = {}
    for tag, (left, right) in pairs.items():
        value, low, high, p = paired_difference(left, right, scorer.reduce)
        found[tag] = Difference(value=value, low=low, high=high, p=p, n=len(left))
    if pairs:
        value, low, high, p = paired_macro_difference(list(pairs.values()), scorer.reduce)
        found[MACRO] = Difference(value=value, low=low, high=high, p=p, n=sum(len(left) for left, _ in pairs.values()))
    return found


def _key(record: Record) -> tuple[str, str]:
    return record.sample.language, record.sample.id
