"""`mmbench compare`: two files of outputs on the same samples, and with a topline where a cascade loses."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mmbench.attribution import Attribution, attribution
from mmbench.compare import Difference, compared, shared
from mmbench.difference_tables import attribution_table, difference_table
from mmbench.errors import UsageError
from mmbench.score import ALL, MACRO
from mmbench.scoring_file import chosen_scorer, file_records, named_scorer
from mmbench.store import dumps

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from mmbench.schema import Scorer


log = logging.getLogger(__name__)


def compare_files(arguments: argparse.Namespace) -> str:
    """The text that the command prints.

    Raises:
        UsageError: an option is not known, a file is not as documented, or the samples differ.
    """
    scorer, errors = chosen_scorer(arguments), _stage_error(arguments)
    names = str(arguments.a), str(arguments.b)
    first, second = file_records(arguments.a), file_records(arguments.b)
    a, b = first, second
    if arguments.intersect:
        a, b = shared((first, second), getattr(scorer, "joined_by", None))
    if not a:
        raise UsageError(f"{names[0]} and {names[1]} have no sample in common, by language and sample_id")
    left_out = len(first) + len(second) - len(a) - len(b)
    if left_out:
        log.warning("%d samples that only one of the files has are left out; %d are compared", left_out, len(a))
    chosen = {"test": arguments.test, "cluster": arguments.cluster}
    found, signature = compared(a, b, scorer, **chosen, names=names)
    whole = None
    if errors is not None:
        topline = file_records(arguments.topline)
        whole = attribution(topline, a, b, scorer, errors, **chosen, intersect=arguments.intersect)
    if arguments.format == "json":
        return dumps(_json(arguments, scorer, found, whole, signature)) + "\n"
    text = f"a = {arguments.a}\nb = {arguments.b}\n" + difference_table(found, scorer, ("a", "b")) + f"{signature}\n"
    if whole is not None:
        text += "\n" + attribution_table(whole, scorer, title="a is the cascade, b is end to end")
    return text


def _stage_error(arguments: argparse.Namespace) -> Scorer | None:
    """The error rate of the recogniser inside a cascade, where a topline asks for it."""
    name = arguments.error_scorer
    if arguments.topline is None:
        if name is not None:
            raise UsageError("--error-scorer is for the table of --topline; give that too")
        return None
    scorer = named_scorer(name or "wer_asr")
    if getattr(scorer, "stage", None) is None:
        raise UsageError(f"--error-scorer {name}: is not the error rate of a stage, as wer_asr and cer_asr are")
    return scorer


def _json(
    arguments: argparse.Namespace,
    scorer: Scorer,
    found: Mapping[str, Difference],
    whole: Attribution | None,
    signature: str,
) -> dict[str, Any]:
    entries = {name: asdict(each) for name, each in found.items()}
    result: dict[str, Any] = {
        "scorer": scorer.name,
        "signature": signature,
        "a": str(arguments.a),
        "b": str(arguments.b),
        "overall": entries.pop(ALL, asdict(Difference())),
        "macro": entries.pop(MACRO, asdict(Difference())),
        "languages": entries,
    }
    if whole is not None:
        result["attribution"] = {**asdict(whole), "correlation": whole.correlation._asdict()}
    return result
