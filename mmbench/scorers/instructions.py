"""Instruction following (IFEval, Multi-IF, Marco-Bench-MIF): shares of prompts and instructions, strict and loose."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.languages import language, tag
from mmbench.scorers.instruction_checks import CHECKS, VERSION
from mmbench.scorers.instruction_text import BY_CHARACTER
from mmbench.scorers.mean import ratio
from mmbench.text import segmenter_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

GROUP_FIELD = "instructions"
"""Field of `Sample.group` with the instructions: what `encode` writes."""

Part = Literal["mean", "prompt_strict", "prompt_loose", "instruction_strict", "instruction_loose"]
"""Which accuracy is the value: that of prompts, that of instructions, or the mean of both, strict and loose."""

_ENGLISH_OPTIONS = ["My answer is yes", "My answer is no", "My answer is maybe"]
_QUOTED = re.compile(
    '"([^"\n]+)"|\u201c([^\u201c\u201d\n]+)\u201d|\u201e([^\u201c\u201d\u201e\n]+)[\u201c\u201d]|\u00ab([^\u00ab\u00bb\n]+)\u00bb'
    "|\u300c([^\u300c\u300d\n]+)\u300d|(?<!\\w)'([^'\n]+)'(?!\\w)|\u2018([^\u2018\u2019\n]+)\u2019"
)
_AROUND = "\"'.,\u3002\u060c\u0964\u06d4\u201c\u201d\u00ab\u00bb "


@dataclass(frozen=True, kw_only=True)
class InstructionFollowing:
    """Share of instructions that are followed, as Multi-IF reports it: (P_s + I_s + P_l + I_l) / 4, 0 to 1.

    P is the share of prompts all of whose instructions are followed, I that of all instructions, pooled over prompts.
    Strict (s) takes the answer as it is. Loose (l) also takes it without its first line, last line or both, and each of
    these without asterisks: eight variants, of which one must do, each instruction for itself. So loose is never below
    strict. An empty answer follows nothing, and neither does a failed sample.

    Instructions stand in the group field `instructions`, see `encode`; a sample without them adds nothing. Words and
    sentences are counted in the language that the answer is asked for in: that of a response_language instruction,
    English for english_capital and english_lowercase, else `Sample.written`.

    Args:
        part: which of the four accuracies is the value, or their mean.
        name: of the metric in tables.

    Raises:
        UsageError: the part is unknown.
    """

    part: Part = "mean"
    name: str = "instructions"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = False
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        if self.part not in get_args(Part):
            raise UsageError(f"{self.name}: unknown part {self.part!r}: known are {', '.join(get_args(Part))}")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Prompts followed strictly and loosely, instructions likewise, prompts, instructions: of shape (6,).

        Raises:
            UsageError: an instruction is unknown or lacks an argument, or needs an extra that is not installed.
        """
        given = decode(sample.group[GROUP_FIELD], where=f"sample {sample.id}") if GROUP_FIELD in sample.group else ()
        if not given:
            return np.zeros(6)
        followed = [(False, False)] * len(given)
        if output is not None:
            asked = _asked_for(given) or sample.written
            followed = [_followed(output.text, identity, values, asked) for identity, values in given]
        strict, loose = (list(side) for side in zip(*followed, strict=True))
        return np.array([all(strict), all(loose), sum(strict), sum(loose), 1, len(given)], dtype=np.float64)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Values of shape (...) from totals of shape (..., 6); NaN where there are no prompts."""
        shares = ratio(totals[..., :4], totals[..., [4, 4, 5, 5]])
        if self.part == "mean":
            mean: NDArray[np.float64] = shares.mean(axis=-1)
            return mean
        one: NDArray[np.float64] = shares[..., get_args(Part).index(self.part) - 1]
        return one

    def unparsed(self, stats: Stats) -> float:
        """0: any text is an answer."""
        return 0.0

    def counts(self, totals: Stats) -> dict[str, float]:
        """How many prompts and instructions are followed, and how many there are."""
        names = ("prompts strict", "prompts loose", "instructions strict", "instructions loose")
        return dict(zip((*names, "prompts", "instructions"), totals.tolist(), strict=True))

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the cutters of those `languages` whose words need one."""
        return (
            f"{self.name}|part:{self.part}|checks:{VERSION}|loose:8|units:by item language|lid:lid.176.ftz"
            f"{_cutters(languages)}|mmbench:{__version__}"
        )


def _cutters(languages: Sequence[str]) -> str:
    unspaced = [known for known in map(language, languages) if not known.spaced and known.script not in BY_CHARACTER]
    if not unspaced:
        return ""
    try:
        found = segmenter_version("auto", [known.tag for known in unspaced])
    except UsageError:
        found = "none"  # where it is needed, counting has failed before
    crfcut = any(known.script == "Thai" for known in unspaced)
    return f"|words:{found}{'|sentences:crfcut' if crfcut else ''}"


Given = tuple[tuple[str, "Mapping[str, Any]"], ...]
"""Each instruction's id and arguments."""


def encode(ids: Sequence[str], kwargs: Sequence[Mapping[str, Any] | str], *, prompt: str = "") -> str:
    """The value of the group field `instructions`, from what IFEval, Multi-IF and Marco-Bench-MIF have in their files.

    It is a JSON list: [{"id": "punctuation:no_comma", "kwargs": {}}, ...]. Arguments of None are left out.
    `detectable_format:constrained_response` names no options in any of the files: they are taken from the prompt.

    Args:
        ids: the instructions, such as "length_constraints:number_words".
        kwargs: arguments of each, as a mapping or as JSON (Multi-IF).
        prompt: what the model is asked.

    Raises:
        UsageError: there is not one set of arguments for each id, an instruction is not known or not complete, or the
            prompt names no options.
    """
    if len(ids) != len(kwargs):
        raise UsageError(f"{len(ids)} instructions, but {len(kwargs)} sets of arguments; give one for each")
    rows = []
    for identity, given in zip(ids, kwargs, strict=True):
        values = {key: value for key, value in _mapping(given).items() if value is not None}
        if identity == "detectable_format:constrained_response" and "options" not in values:
            values["options"] = options(prompt)
        rows.append({"id": identity, "kwargs": values})
    text = json.dumps(rows, ensure_ascii=False)
    decode(text, where="instructions")
    return text


def _mapping(given: Mapping[str, Any] | str) -> Mapping[str, Any]:
    try:
        values: Mapping[str, Any] = json.loads(given) if isinstance(given, str) else given
        return dict(values)
    except (ValueError, TypeError) as error:
        raise UsageError(f"kwargs {given!r} are no JSON object; an instruction's arguments must be one") from error


def options(prompt: str) -> list[str]:
    """The phrases of which a prompt wants one: three in quotes, or those in quotes or on lines that begin alike.

    Raises:
        UsageError: there are not three such phrases.
    """
    if all(option.casefold() in prompt.casefold() for option in _ENGLISH_OPTIONS):
        return _ENGLISH_OPTIONS
    quoted = [text for match in _QUOTED.finditer(prompt) for text in match.groups() if text]
    lines = [line for line in prompt.splitlines() if not line.rstrip().endswith((":", "\uff1a"))]
    phrases = _phrases(quoted)
    alike = phrases if len(phrases) == 3 else max(_kin(phrases), _kin(_phrases(lines)), key=len)
    if len(alike) < 3:
        raise UsageError(
            f"detectable_format:constrained_response: the prompt {prompt[:60]!r} names no options that can be told; "
            'give them in its kwargs as "options": [...]'
        )
    return alike


def _phrases(found: Sequence[str]) -> list[str]:
    return [text for text in dict.fromkeys(text.strip().strip(_AROUND) for text in found) if 0 < len(text) <= 60]


def _kin(phrases: Sequence[str]) -> list[str]:
    """The most that have two fifths of their length in common at the begin."""
    sets = ([other for other in phrases if _common(one, other) * 5 >= 2 * len(one)] for one in phrases)
    return max(sets, key=len, default=[])


def _common(one: str, other: str) -> int:
    """Length of the common begin of two texts."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def decode(text: str, *, where: str) -> Given:
    """Instructions of a group field.

    Raises:
        UsageError: it is not as `encode` writes it; the message begins with `where` and names the instruction.
    """
    try:
        rows = json.loads(text)
        given = tuple((str(row["id"]), row["kwargs"]) for row in rows)
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"{where}: group field {GROUP_FIELD!r} must be a string of JSON such as "
            '[{"id": "punctuation:no_comma", "kwargs": {}}]'
        ) from error
    for identity, values in given:
        if identity not in CHECKS:
            raise UsageError(f"{where}: unknown instruction {identity!r}: known are {', '.join(CHECKS)}")
        for key, wanted in CHECKS[identity][1].items():
            if not _fits(values.get(key) if isinstance(values, dict) else None, wanted):
                named = " or ".join(map(repr, wanted)) if isinstance(wanted, tuple) else f"a {wanted.__name__}"
                raise UsageError(f"{where}: instruction {identity} needs {key!r} in its kwargs, {named}, and not empty")
    return given


def _fits(value: object, wanted: type | tuple[str, ...]) -> bool:
    if isinstance(wanted, tuple):
        return value in wanted
    if wanted is list:
        return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one.strip() for one in value)
    if wanted is str:
        return isinstance(value, str) and bool(value.strip())
    return isinstance(value, int | float) and not isinstance(value, bool)


def _asked_for(given: Given) -> str | None:
    """Tag of the language that the instructions want."""
    for identity, values in given:
        if identity == "language:response_language":
            return tag(values["language"])
    return "eng_Latn" if any(identity.startswith("change_case:english") for identity, _ in given) else None


def _followed(text: str, identity: str, values: Mapping[str, Any], asked: str) -> tuple[bool, bool]:
    """Whether an instruction is followed strictly, and whether loosely."""
    check = CHECKS[identity][0]
    strict = bool(text.strip()) and check(text, values, asked)
    return strict, strict or any(check(variant, values, asked) for variant in variants(text))


def variants(text: str) -> Iterator[str]:
    """The answer without its first line, last line or both, with and without asterisks; none that is empty."""
    lines = text.split("\n")
    parts = ["\n".join(lines[first : len(lines) - last]).strip() for first, last in product((0, 1), repeat=2)]
    cut = (text, *parts[1:])
    yield from dict.fromkeys(one for part in cut for one in (part, part.replace("*", "")) if one.strip())
