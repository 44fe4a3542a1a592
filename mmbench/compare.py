"""Two systems on the same samples, joined by id: difference, bootstrap interval, and the field's own test of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from mmbench.bootstrap import paired_difference, paired_macro_difference
from mmbench.errors import UsageError
from mmbench.mapsswe import mapsswe_of
from mmbench.measure import Measured, averaged, by_language, fit, measure, pool, poolable
from mmbench.score import ALL, MACRO, shares, signed, ways
from mmbench.significance import holm, mcnemar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.records import Record
    from mmbench.schema import Scorer

Test = Literal["auto", "mapsswe", "mcnemar", "randomisation"]
TESTS = get_args(Test)

NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Scores of two systems on the same questions, and whether they differ.

    Args:
        a: score of the first system.
        b: score of the second.
        difference: a - b.
        low: lower end of its 95 % interval, by paired bootstrap.
        high: upper end.
        p: two-sided p of the test.
        test: name of the test.
        n: questions that can be scored for both, in a mean over languages the languages.
        p_holm: p corrected by Holm's method for the number of languages; NaN for all samples and for the mean.
        a_wrong: how many of the first system's answers failed, could not be read, and declined to answer.
        b_wrong: the same of the second's.
    """

    a: float = NAN
    b: float = NAN
    difference: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN
    test: str = ""
    n: int = 0
    p_holm: float = NAN
    a_wrong: tuple[int, int, int] = (0, 0, 0)
    b_wrong: tuple[int, int, int] = (0, 0, 0)

    def real(self) -> bool:
        """Whether the interval leaves out zero and p, corrected where it can be, is below 0.05."""
        p = self.p if math.isnan(self.p_holm) else self.p_holm
        return (self.low > 0 or self.high < 0) and p < 0.05


def shared(sides: Sequence[Sequence[Record]], joined_by: str | None = None) -> list[list[Record]]:
    """Of each side, the answers to samples that all sides have.

    Where `joined_by` names the group field whose samples are one question (`Scorer.joined_by`), a question of which a
    part is not shared is left out as a whole: what is left of it is another question.
    """

    def question(record: Record) -> tuple[str, str | None]:
        return record.sample.language, record.sample.group.get(joined_by or "")

    keys = set.intersection(*({record.key for record in side} for side in sides))
    apart = (record for side in sides for record in side if record.key not in keys)
    broken = {question(record) for record in apart} if joined_by else set()
    return [[r for r in side if r.key in keys and (not broken or question(r) not in broken)] for side in sides]


def pairs_of(
    a: Sequence[Record],
    b: Sequence[Record],
    *,
    names: tuple[str, str] = ("the first", "the second"),
) -> tuple[list[Record], list[Record]]:
    """The answers of two systems to the same samples, each in order of id.

    Args:
        a: answers of one system.
        b: answers of the other.
        names: of the two, for messages.

    Raises:
        UsageError: they are not answers to the same samples, or they are, but with other references or choices.
    """
    for name, records in zip(names, (a, b), strict=True):
        systems = sorted({record.system or "" for record in records})
        if len(systems) > 1:
            raise UsageError(
                f"{name} holds {len(systems)} systems ({', '.join(systems[:3])}); give one file for each of them"
            )
    one, other = ({record.key: record for record in side} for side in (a, b))
    missing, extra = (sorted(x.keys() - y.keys(), key=lambda key: key[::-1]) for x, y in ((one, other), (other, one)))
    if missing or extra:
        language, name = (missing or extra)[0]
        raise UsageError(
            f"not the same samples: {len(missing)} are only in {names[0]} and {len(extra)} only in {names[1]}, such as "
            f"{name!r} ({language}); answer all of them with both, or give --intersect to compare those they share"
        )
    keys = sorted(one, key=lambda key: key[::-1])
    for key in keys:
        left, right = one[key].sample, other[key].sample
        for field in ("references", "choices", "answer", "transcript", "source_language", "target_language"):
            own, others = getattr(left, field), getattr(right, field)
            one_sided = field == "transcript" and None in (own, others)  # asked on a text, there is no recording
            if own != others and not one_sided:
                raise UsageError(
                    f"sample {left.id!r} ({left.language}): {names[0]} and {names[1]} do not agree in {field}; answers "
                    "to different data do not compare"
                )
    return [one[key] for key in keys], [other[key] for key in keys]


def differences(
    a: Sequence[Record],
    b: Sequence[Record],
    scorer: Scorer,
    *,
    test: Test = "auto",
    cluster: str | None = None,
    intersect: bool = False,
    names: tuple[str, str] = ("the first", "the second"),
) -> Mapping[str, Difference]:
    """Paired differences by language, for all samples together ("all") and for the mean over languages ("macro").

    The test is the field's own: McNemar's for shares of right answers, MAPSSWE for errors counted in words, otherwise
    approximate randomisation; that too where samples are drawn by cluster, and for the mean over languages.

    Args:
        a: answers of one system.
        b: answers of the other.
        scorer: the metric.
        test: which test, instead of the metric's own.
        cluster: a group field whose samples are not independent; "auto" finds one, None or "none" is no field.
        intersect: leave out samples that only one system has, instead of refusing them.
        names: of the two, for messages.

    Raises:
        UsageError: the samples differ, or the test does not fit the metric.
    """
    return compared(a, b, scorer, test=test, cluster=cluster, intersect=intersect, names=names)[0]


def compared(
    a: Sequence[Record],
    b: Sequence[Record],
    scorer: Scorer,
    *,
    test: Test = "auto",
    cluster: str | None = None,
    intersect: bool = False,
    names: tuple[str, str] = ("the first", "the second"),
) -> tuple[Mapping[str, Difference], str]:
    """The same with the signature of the scores that are compared."""
    if intersect:
        a, b = shared((a, b), getattr(scorer, "joined_by", None))
    one, other = pairs_of(a, b, names=names)
    scorer = fit(scorer, [*one, *other])
    left, right = _paired(measure(one, scorer, cluster), measure(other, scorer, cluster), scorer, names)
    name, signature = _test(scorer, test, left.cluster), signed(scorer, left)
    ones, others = by_language(left), by_language(right)
    found = {tag: _difference(each, others[tag], scorer, name) for tag, each in ones.items()}
    corrected = holm({tag: each.p for tag, each in found.items()})
    found = {tag: replace(each, p_holm=corrected[tag]) for tag, each in found.items()}
    if ones:
        left, right = (pool(poolable(side, scorer)) for side in (ones, others))
        found[ALL] = _difference(left, right, scorer, name) if left.ids else Difference()
        found[MACRO] = _macro(ones, others, scorer)
    return found, signature


def _paired(a: Measured, b: Measured, scorer: Scorer, names: tuple[str, str]) -> tuple[Measured, Measured]:
    """Both sides, without questions that can be scored for one of them alone: a judge or a stage may have failed there.

    Raises:
        UsageError: they answer in different ways, or their samples belong to different clusters.
    """
    one, other = ways(scorer, a), ways(scorer, b)
    if one and other and one != other:
        raise UsageError(
            f"{names[0]} and {names[1]} answer in different ways, by {'+'.join(sorted(one))} and by "
            f"{'+'.join(sorted(other))}, which do not compare"
        )
    if (a.cluster, a.clusters) != (b.cluster, b.clusters):
        raise UsageError(
            f"{names[0]} and {names[1]} have different group fields, so their clusters differ; make them alike, or "
            "give --cluster none"
        )
    unknown = [np.isnan(scorer.reduce(side.stats)) if side.ids else np.zeros(0, dtype=bool) for side in (a, b)]
    kept = np.flatnonzero(unknown[0] == unknown[1]).tolist()
    return (a, b) if len(kept) == len(a.ids) else (a.take(kept), b.take(kept))


def _test(scorer: Scorer, wanted: Test, cluster: str | None) -> str:
    """The test of a metric, or the wanted one if it fits."""
    aligned = hasattr(scorer, "pair")
    if wanted == "auto":
        if cluster is not None:
            return "randomisation"
        counted_in_words = aligned and getattr(scorer, "unit", "word") != "char"
        return "mcnemar" if scorer.proportion else "mapsswe" if counted_in_words else "randomisation"
    if wanted not in TESTS:
        raise UsageError(f"--test {wanted}: known are {', '.join(TESTS)}")
    if wanted != "randomisation" and cluster is not None:
        raise UsageError(f"--test {wanted}: takes samples as independent; with clusters use --test randomisation")
    if (wanted == "mcnemar" and not scorer.proportion) or (wanted == "mapsswe" and not aligned):
        need = "answers that are right or wrong" if wanted == "mcnemar" else "an error rate"
        raise UsageError(f"--test {wanted}: needs {need}, which {scorer.name} does not give; use --test randomisation")
    return wanted


def _difference(a: Measured, b: Measured, scorer: Scorer, test: str) -> Difference:
    value, low, high, p = paired_difference(a.drawn, b.drawn, scorer.reduce)
    if math.isnan(value):
        p = NAN
    elif test == "mcnemar":
        p, test = mcnemar(a.stats[:, 0], b.stats[:, 0])
    elif test == "mapsswe" and not math.isnan(found := mapsswe_of(scorer, a.records, b.records).p):
        p = found
    else:  # also where all segments differ alike, whose variance is not known
        test = _randomisation(a)
    return Difference(
        a=float(scorer.reduce(a.stats.sum(0))),
        b=float(scorer.reduce(b.stats.sum(0))),
        difference=value,
        low=low,
        high=high,
        p=p,
        test=test,
        n=len(a.ids),
        a_wrong=_wrong(a, scorer),
        b_wrong=_wrong(b, scorer),
    )


def _wrong(measured: Measured, scorer: Scorer) -> tuple[int, int, int]:
    found = shares([measured], scorer)
    return found["failed"], found["unparsed"], found["refused"]


def _macro(ones: Mapping[str, Measured], others: Mapping[str, Measured], scorer: Scorer) -> Difference:
    """Difference of the means over the languages that the metric averages and in which both systems have a score."""
    values = {
        tag: [float(scorer.reduce(side[tag].stats.sum(0))) for side in (ones, others)] for tag in averaged(ones, scorer)
    }
    usable = {tag: pair for tag, pair in values.items() if not any(map(math.isnan, pair))}
    if not usable:
        return Difference()
    drawn = [(ones[tag].drawn, others[tag].drawn) for tag in usable]
    value, low, high, p = paired_macro_difference(drawn, scorer.reduce)
    a, b = (sum(pair[side] for pair in usable.values()) / len(usable) for side in (0, 1))
    test = _randomisation(next(iter(ones.values())))
    return Difference(a=a, b=b, difference=value, low=low, high=high, p=p, test=test, n=len(usable))


def _randomisation(measured: Measured) -> str:
    return f"randomisation by {measured.cluster}" if measured.cluster else "randomisation"
