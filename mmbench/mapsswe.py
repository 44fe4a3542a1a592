"""MAPSSWE, NIST's matched-pairs sentence-segment word error test, of two recognisers on the same utterances.

Errors next to each other depend on each other, those that two correct words part hardly do. So utterances are cut into
segments where both systems are right, and the segments are the independent samples of a paired test of the means.

Gillick and Cox 1989, Some statistical issues in the comparison of speech recognition algorithms; Pallett, Fisher and
Fiscus 1990, Tools for the analysis of benchmark speech recognition tests. The rule is that of `sc_stats -t mapsswe` in
NIST's SCTK. Alignments are those of the fewest edits, as in `ErrorRate`, so that the errors of all segments are those
of the table. SCTK counts a substitution as 4 and a deletion or insertion as 3, and may align the same errors otherwise:
about one segment in a thousand is cut elsewhere (one in a hundred where few words repeat, and much is wrong), and Z
differs in the third digit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmbench.records import Record
    from mmbench.schema import Scorer


class Mapsswe(NamedTuple):
    """The test's Z (negative where the first system has fewer errors), two-sided p, and the number of segments."""

    z: float
    p: float
    segments: int


def segments(
    reference: Sequence[str], a: Sequence[str], b: Sequence[str], *, correct: int = 2
) -> list[tuple[int, int]]:
    """Errors of both systems in each segment of an utterance, from the units of reference and hypotheses.

    A segment ends, and may begin, with `correct` units of the reference that both have right, with nothing inserted
    between them; also at the ends of the utterance. Segments in which neither has an error are none.
    """
    found, errors, run = [], (0, 0), 0
    for place, (left, right) in enumerate(zip(_errors(reference, a), _errors(reference, b), strict=True)):
        if left or right:
            errors, run = (errors[0] + left, errors[1] + right), 0
        elif place % 2:
            run += 1
            if run == correct and any(errors):
                found.append(errors)
                errors = (0, 0)
    return [*found, errors] if any(errors) else found


def mapsswe(differences: Sequence[int]) -> Mapsswe:
    """Test of the mean difference in errors per segment, Z = mean / (s / sqrt(n)) against the normal distribution.

    Where all differences are 0, or there is no segment because both systems are free of errors, nothing favours either
    one: Z is 0 and p 1. Where they are all alike but not 0 (one segment, say), their variance is not known and Z and p
    are NaN; SCTK has Z = 0 there. The normal approximation wants some 50 segments (Gillick and Cox).
    """
    count = len(differences)
    if not any(differences):
        return Mapsswe(0.0, 1.0, count)
    if len(set(differences)) == 1:
        return Mapsswe(math.nan, math.nan, count)
    values = np.asarray(differences, dtype=np.float64)
    z = float(values.mean() / (values.std(ddof=1) / math.sqrt(count)))
    return Mapsswe(z, math.erfc(abs(z) / math.sqrt(2)), count)


def mapsswe_of(scorer: Scorer, a: Iterable[Record], b: Iterable[Record]) -> Mapsswe:
    """MAPSSWE of two systems' answers to the same samples, joined by language and id.

    `scorer.pair(sample, output)` gives the units of the best reference and of the answer, or None where there is
    nothing to compare. Where a sample has several references and the best ones differ, the two answers have no unit in
    common to cut at: the sample is one segment with each one's errors against its own reference. Samples that only one
    of the systems has, or that cannot be scored for one, are left out; Z and p are NaN where none is left.

    Raises:
        TypeError: the metric is not one of edits.
    """
    pair = getattr(scorer, "pair", None)
    if pair is None:
        raise TypeError(f"{scorer.name} compares no units; MAPSSWE is for error rates")
    others, shared, differences = {record.key: record for record in b}, 0, []
    for record in a:
        other = others.get(record.key)
        left = pair(record.sample, record.prediction.output)
        right = pair(other.sample, other.prediction.output) if other else None
        if left is None or right is None:
            continue
        shared += 1
        differences += [one - two for one, two in _of_sample(left, right)]
    return mapsswe(differences) if shared else Mapsswe(math.nan, math.nan, 0)


_Pair = tuple["Sequence[str]", "Sequence[str]"]


def _of_sample(a: _Pair, b: _Pair) -> list[tuple[int, int]]:
    if list(a[0]) == list(b[0]):
        return segments(a[0], a[1], b[1])
    errors = Levenshtein.distance(*a), Levenshtein.distance(*b)
    return [errors] if any(errors) else []


def _errors(reference: Sequence[str], hypothesis: Sequence[str]) -> list[int]:
    """Errors at each place: at unit i of the reference (2i + 1), and units inserted before it (2i)."""
    errors = [0] * (2 * len(reference) + 1)
    for edit in Levenshtein.editops(reference, hypothesis):
        errors[2 * edit.src_pos + (edit.tag != "insert")] += 1
    return errors
