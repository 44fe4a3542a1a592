"""`mmbench compare`: two files of outputs on the same samples, and with a topline where a cascade loses."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mmbench.attribution import Attribution, attribution
from mmbench.compare import Difference, differences, pairs_of
from mmbench.difference_tables import attribution_table, difference_table
from mmbench.score import ALL, MACRO, signed
from mmbench.scoring_file import chosen_cluster, chosen_scorer, file_records, named_scorer
from mmbench.store import dumps

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from mmbench.schema import Scorer


def compare_files(arguments: argparse.Namespace) -> str:
    """The text that the command prints.

    Raises:
        UsageError: an option is not known, a file is not as documented, or the samples differ.
    """
    scorer = chosen_scorer(arguments)
    a, b = pairs_of(file_records(arguments.a), file_records(arguments.b), intersect=arguments.intersect)
    cluster = chosen_cluster(arguments.cluster, a)
    found = differences(a, b, scorer, test=arguments.test, cluster=cluster)
    whole = None
    if arguments.topline is not None:
        topline = file_records(arguments.topline)
        errors = named_scorer(arguments.error_scorer)
        whole = attribution(topline, a, b, scorer, errors, cluster=cluster, intersect=arguments.intersect)
    signature = signed(scorer, a, cluster)
    if arguments.format == "json":
        return dumps(_json(arguments, scorer, found, whole, signature)) + "\n"
    text = f"a = {arguments.a}\nb = {arguments.b}\n\n" + difference_table(found, scorer, ("a", "b")) + f"{signature}\n"
    if whole is not None:
        text += "\n" + attribution_table(whole, scorer, title="a is the cascade, b is end to end")
    return text


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
        result["attribution"] = asdict(whole)
    return result
