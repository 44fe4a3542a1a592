"""Where a cascade loses: its topline (the reference transcript in the recogniser's place) against it and its rival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmbench.compare import Difference, Test, differences, shared
from mmbench.measure import averaged, by_language, measure
from mmbench.significance import Correlation, correlation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.records import Record
    from mmbench.schema import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What recognition costs and what is left, by language, for all samples ("all") and on average ("macro").

    Args:
        recognition: topline minus cascade: what the recogniser's errors cost the same reader.
        end_to_end: topline minus the end-to-end model.
        rival: the end-to-end model minus the cascade.
        errors: the recogniser's error rate inside the cascade by language, NaN where it is not known.
        correlation: of error rate and the cascade's score over the languages that the error rate averages.
    """

    recognition: Mapping[str, Difference]
    end_to_end: Mapping[str, Difference]
    rival: Mapping[str, Difference]
    errors: Mapping[str, float]
    correlation: Correlation


def attribution(
    topline: Sequence[Record],
    cascade: Sequence[Record],
    end_to_end: Sequence[Record],
    scorer: Scorer,
    error_rate: Scorer | None = None,
    *,
    test: Test = "auto",
    cluster: str | None = None,
    intersect: bool = False,
) -> Attribution:
    """The attribution table of three systems on the same samples.

    Args:
        topline: answers of the cascade's reader to reference transcripts.
        cascade: answers of the cascade; `Output.steps` holds what its recogniser said.
        end_to_end: answers of the end-to-end model.
        scorer: the metric of the task.
        error_rate: the metric of the recogniser inside the cascade, such as `wer@asr`, where there is one.
        test: which test, instead of the metric's own.
        cluster: a group field whose samples are not independent.
        intersect: leave out samples that not all three have, instead of refusing them.

    Raises:
        UsageError: the samples of the three differ.
    """
    if intersect:
        sides = (topline, cascade, end_to_end)
        topline, cascade, end_to_end = shared(sides, getattr(scorer, "joined_by", None))
    recognition, gap, rival = (
        differences(a, b, scorer, test=test, cluster=cluster, names=names)
        for a, b, names in (
            (topline, cascade, ("the topline", "the cascade")),
            (topline, end_to_end, ("the topline", "the end-to-end model")),
            (end_to_end, cascade, ("the end-to-end model", "the cascade")),
        )
    )
    errors, both = dict[str, float](), list[str]()
    if error_rate is not None:
        groups = by_language(measure(cascade, error_rate))
        errors = {tag: float(error_rate.reduce(each.stats.sum(0))) for tag, each in groups.items()}
        both = list(averaged(groups, error_rate))
    related = correlation([errors[tag] for tag in both], [recognition[tag].b for tag in both])
    return Attribution(recognition=recognition, end_to_end=gap, rival=rival, errors=errors, correlation=related)
