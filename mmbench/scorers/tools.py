"""Calls of tools: the tool that an answer names (MLLM-Tool), and whole calls with their arguments (alpha-UMi).

- `ToolSet`, for ToolMMBench (Wang et al. 2024, arXiv:2401.10727): references are all acceptable names.
- `ToolCalls`, for alpha-UMi's static evaluation (Shen et al. 2024, arXiv:2401.07324): references are calls.

Where `Sample.choices` are there they are the tools that exist; a name that is none of them is hallucinated.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

Plan = Literal["call", "finish", "give up"]
"""What an answer does: it calls a tool, gives its conclusion, or gives up."""

Measure = Literal["f1", "action", "plan", "hallucination"]
"""Mean F1 of arguments; share of right tools; share of right plans; share of answers that call what does not exist."""

_END = re.compile(r"Next:\s*(give up|conclusion)", re.IGNORECASE)
_ACTION = re.compile(r"Action:[ \t]*(.*)")
_INPUT = re.compile(r"Action Input:\s*")
_NAMES, _INPUTS = ("action", "name", "tool"), ("input", "action_input", "arguments", "parameters", "args")
_QUOTES = " \t`'\"*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an answer does; `arguments` are None where they cannot be read."""

    plan: Plan
    action: str = ""
    arguments: dict[str, Any] | None = field(default_factory=dict)


def parse_call(text: str) -> Call | None:
    """The call that a text makes, or the end that it comes to; None where it says neither.

    Read are "Next: conclusion" and "Next: give up"; "Action: NAME" with "Action Input: {JSON}" behind it, the last of
    several, no input being no arguments; else the first JSON object with a name ("action", "name" or "tool") and maybe
    arguments ("input", "action_input", "arguments", "parameters" or "args": an object, or one written as a string),
    also inside "function". What follows the JSON is not looked at.
    """
    if ends := _END.findall(text):
        return Call(plan="give up" if "give up" in map(str.lower, ends) else "finish")
    if actions := list(_ACTION.finditer(text)):
        name = _INPUT.split(actions[-1][1])[0].strip(_QUOTES)
        given = _INPUT.search(text, actions[-1].start())
        rest = text[given.end() :].strip() if given else ""
        return Call(plan="call", action=name, arguments=_arguments(rest)) if name else None
    return _from_json(_decoded(text[at:])) if (at := text.find("{")) >= 0 else None


def _from_json(found: object) -> Call | None:
    if not isinstance(found, dict):
        return None
    found = found["function"] if isinstance(found.get("function"), dict) else found
    name: str = next((found[key] for key in _NAMES if isinstance(found.get(key), str)), "").strip(_QUOTES)
    given: object = next((found[key] for key in _INPUTS if key in found), {})
    return Call(plan="call", action=name, arguments=_arguments(given)) if name else None


def _arguments(given: object) -> dict[str, Any] | None:
    found = (_decoded(given.strip()) if given.strip() else {}) if isinstance(given, str) else given
    return found if isinstance(found, dict) else None


def _decoded(text: str) -> object:
    """The JSON value at the beginning of a text, fenced or not; None where there is none."""
    try:
        return json.JSONDecoder().raw_decode(re.sub(r"^```\w*\s*", "", text))[0]
    except (ValueError, RecursionError):
        return None


def argument_f1(given: dict[str, Any], right: dict[str, Any]) -> float:
    """F1 of the arguments of a call, 0 to 1: a key with the right value counts 1, one with another value 0.5.

    Precision is over the given keys, recall over the right ones (alpha-UMi, evaluate-multi_agent.py). Where no
    arguments are right, giving none is 1 and giving any 0.
    """
    if not given or not right:
        return float(given == right)
    points = sum(1.0 if _same(given[key], value) else 0.5 for key, value in right.items() if key in given)
    precision, recall = points / len(given), points / len(right)
    return 2 * precision * recall / (precision + recall) if points else 0.0


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)  # True is not 1 in JSON


class _Counted:
    """Statistics of both: value, total, unparsed, hallucinated."""

    fraction: ClassVar[bool] = True

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Means of shape (...) from totals of shape (..., 4); NaN where there are no samples."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """Number of unparsed samples behind statistics of shape (4,) or (n, 4)."""
        return float(stats[..., 2].sum())

    def counts(self, totals: Stats) -> dict[str, float]:
        """Answers that name a tool that does not exist."""
        return {"hallucinated": float(totals[3])}


@dataclass(frozen=True, kw_only=True)
class ToolSet(_Counted):
    """Share of answers whose first line is one of the references, 0 to 1.

    Names are compared as they are, without white space and quotes around them: a letter of another case is another
    model. The first line that is not blank counts; an answer without one is unparsed.
    """

    name: str = "tool_set"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = True

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Correct, total, unparsed and hallucinated, of shape (4,); zeros where there is no reference."""
        if not sample.references:
            return np.zeros(4)
        if output is None:
            return np.array([0.0, 1.0, 0.0, 0.0])
        named = next((name for line in output.text.splitlines() if (name := line.strip(_QUOTES))), None)
        right = named in {reference.strip(_QUOTES) for reference in sample.references}
        imagined = named is not None and bool(sample.choices) and named not in sample.choices
        return np.array([right, 1.0, named is None, imagined], dtype=np.float64)

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return f"{self.name}|answer:first_line|case:kept|unparsed:wrong|mmbench:{__version__}"


@dataclass(frozen=True, kw_only=True)
class ToolCalls(_Counted):
    """Calls against reference calls, 0 to 1; `measure` says what counts.

    - "f1": mean of `argument_f1` over the samples whose reference is a call; 0 for another tool.
    - "action": share of those samples where the tool is the right one, whatever its arguments.
    - "plan": share of all samples that do what the reference does (`Plan`).
    - "hallucination": share of the samples with `choices` whose answer calls a tool that is none of them.

    A reference is read like an answer; {"action": NAME, "input": {...}} is the plainest form. Of several the best
    counts. An answer without what is measured (for "f1" that is a tool and its arguments) is unparsed: wrong, but for
    "hallucination", where it names nothing and only a failed sample counts as bad.

    Args:
        measure: what is measured.
        name: of the metric in tables.

    Raises:
        UsageError: the measure is unknown.
    """

    measure: Measure = "f1"
    name: str = "tool_f1"

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.measure not in get_args(Measure):
            raise UsageError(f"{self.name}: unknown measure {self.measure!r}: known are {', '.join(get_args(Measure))}")

    @property
    def higher_is_better(self) -> bool:
        """But for hallucination."""
        return self.measure != "hallucination"

    @property
    def proportion(self) -> bool:
        """But for F1."""
        return self.measure != "f1"

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Value, total, unparsed and hallucinated, of shape (4,); zeros where the sample is not of those measured.

        Raises:
            UsageError: a reference is neither a call nor an end.
        """
        right = [_reference(text, sample) for text in sample.references]
        if self.measure in ("f1", "action"):
            right = [call for call in right if call.plan == "call"]
        if not (sample.choices if self.measure == "hallucination" else right):
            return np.zeros(4)
        if output is None:
            return np.array([not self.higher_is_better, 1.0, 0.0, 0.0], dtype=np.float64)
        said = parse_call(output.text)
        imagined = (
            said is not None and said.plan == "call" and bool(sample.choices) and said.action not in sample.choices
        )
        value = float(imagined) if self.measure == "hallucination" else 0.0
        unread = said is None or (self.measure == "f1" and said.arguments is None)
        if said is not None and self.measure != "hallucination":
            value = max(self._value(said, call) for call in right)
        return np.array([value, 1.0, unread, imagined], dtype=np.float64)

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return f"{self.name}|measure:{self.measure}|refs:best|unparsed:wrong|mmbench:{__version__}"

    def _value(self, said: Call, right: Call) -> float:
        if self.measure == "plan":
            return float(said.plan == right.plan)
        same = said.plan == "call" and said.action == right.action
        if self.measure == "action" or not same:
            return float(same)
        return 0.0 if said.arguments is None else argument_f1(said.arguments, right.arguments or {})


def _reference(text: str, sample: Sample) -> Call:
    call = parse_call(text)
    if call is None or call.arguments is None:
        raise UsageError(
            f"sample {sample.id}: the reference {text[:60]!r} is no call of a tool; write it as "
            '{"action": "NAME", "input": {...}}'
        )
    return call
