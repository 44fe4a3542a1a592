"""Where the errors are: utterances aligned unit by unit, in the manner of NIST sclite's alignments and confusions.

An alignment has the fewest edits, and so the counts that `ErrorRate` sums. As text:

    REF:  the cat sat on the mat ****
    HYP:  the dog sat ** the mat here
    Eval:     S       D          I

Unlike sclite's, substituted words are not in upper case: most scripts have none, and where the case itself is wrong it
could not be seen. Columns are counted in cells of a terminal: a Han character takes two, a combining mark none. A unit
that begins with a mark stands on a dotted circle. Units in right-to-left scripts are put into bidirectional isolates
(UAX #9), so that a terminal which reorders such text turns each unit by itself and not the line: columns run from left
to right in every script. Characters that cannot be seen are written as escapes, because they may be the error.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, NamedTuple

from rapidfuzz.distance import Levenshtein
from rich.cells import cell_len, chop_cells

from mmbench.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mmbench.records import Record
    from mmbench.schema import Scorer

Op = Literal["C", "S", "D", "I"]
"""Correct, substituted, deleted (in the reference alone) or inserted (in the hypothesis alone), as sclite has them."""

_OPS: dict[str, Op] = {"equal": "C", "replace": "S", "delete": "D", "insert": "I"}
_NAMES: dict[Op, str] = {"S": "substituted", "D": "deleted", "I": "inserted"}
_MARGIN = 6  # of the names of the lines
_LONGEST = 300
"""Units of an utterance that are shown; a model that goes on for ever has said enough by then."""
_FREQUENT = 10
_ISOLATE, _END = "\u2068", "\u2069"  # FIRST STRONG ISOLATE, POP DIRECTIONAL ISOLATE


class Aligned(NamedTuple):
    """One step of an alignment: a unit of the reference, one of the hypothesis, or one of each."""

    op: Op
    reference: str | None
    hypothesis: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One record's units and the edits between them."""

    record: Record
    alignment: tuple[Aligned, ...]

    def count(self, op: Op) -> int:
        """How many steps are of this kind."""
        return sum(step.op == op for step in self.alignment)

    @property
    def units(self) -> int:
        """Units of the reference."""
        return len(self.alignment) - self.count("I")

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return len(self.alignment) - self.count("C")

    @property
    def rate(self) -> float:
        """Errors per unit of the reference; infinite for an answer to an empty one, 0 for none."""
        return self.errors / self.units if self.units else float("inf") if self.errors else 0.0


@dataclass(frozen=True, slots=True)
class Confusions:
    """How often each pair was substituted (reference, hypothesis), each unit deleted and each inserted."""

    substitutions: Counter[tuple[str, str]]
    deletions: Counter[str]
    insertions: Counter[str]


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[Aligned, ...]:
    """The steps of an alignment with the fewest edits, in order; of several the one that rapidfuzz finds."""
    steps: list[Aligned] = []
    for run in Levenshtein.opcodes(reference, hypothesis):
        left, right = reference[run.src_start : run.src_end], hypothesis[run.dest_start : run.dest_end]
        steps += [Aligned(_OPS[run.tag], *pair) for pair in zip_longest(left, right)]
    return tuple(steps)


def utterances(records: Iterable[Record], scorer: Scorer) -> list[Utterance]:
    """All records that the scorer compares, aligned, in their order.

    Raises:
        UsageError: the scorer is not an error rate.
    """
    compared = getattr(scorer, "compared", None)
    if compared is None:
        raise UsageError(f"{scorer.name}: has no alignments; choose an error rate such as wer, cer or mer")
    pairs = ((record, compared(record.sample, record.prediction.output)) for record in records)
    return [Utterance(record=record, alignment=align(*pair)) for record, pair in pairs if pair is not None]


def worst(records: Iterable[Record], scorer: Scorer, count: int) -> list[Utterance]:
    """At most `count` utterances with errors, those with the most first; of equals the higher rate, then the id.

    By number and not by rate, because errors are what the pooled rate is made of: the first by rate are one-word
    utterances, and mending all of them changes nothing.

    Raises:
        UsageError: the scorer is not an error rate.
    """
    return _worst(utterances(records, scorer), count)


def confusions(aligned: Iterable[Utterance]) -> Confusions:
    """What is taken for what. Records that failed are left out: nothing was heard there."""
    found = Confusions(Counter(), Counter(), Counter())
    for utterance in aligned:
        if utterance.record.prediction.error is None:
            for op, reference, hypothesis in utterance.alignment:
                if reference is not None and hypothesis is not None:
                    found.substitutions.update([(reference, hypothesis)] if op == "S" else [])
                elif reference is not None:
                    found.deletions[reference] += 1
                elif hypothesis is not None:
                    found.insertions[hypothesis] += 1
    return found


def worst_view(records: Iterable[Record], scorer: Scorer, count: int, *, width: int = 100) -> str:
    """The worst utterances with their alignments, then the most frequent confusions of all records, as text.

    Args:
        records: answers of one system or of several.
        scorer: an error rate.
        count: how many utterances.
        width: of a line, in cells; alignments are wrapped, other lines are not.

    Raises:
        UsageError: the scorer is not an error rate.
    """
    every = utterances(records, scorer)
    chosen, total = _worst(every, count), sum(utterance.errors for utterance in every)
    if not total:
        return f"{scorer.name}: no errors in {len(every)} utterances\n"
    share = sum(utterance.errors for utterance in chosen)
    head = f"{scorer.name}: {len(chosen)} of {len(every)} utterances, with {share} of {total} errors"
    shown = [f"{number}. {_described(utterance, width)}" for number, utterance in enumerate(chosen, 1)]
    return "\n\n".join([head, *shown, *_frequent(confusions(every))]) + "\n"


def view(alignment: Iterable[Aligned], *, width: int = 100) -> str:
    """The alignment as lines REF, HYP and Eval, wrapped to `width` cells; blocks are a blank line apart.

    A unit that is wider than a line is continued in the next block, under an empty Eval.
    """
    room = max(2, width - _MARGIN)  # a character takes two cells at most
    blocks: list[list[tuple[str, str, str]]] = [[]]
    used = 0
    for column in (part for step in alignment for part in _columns(step, room)):
        cells = max(map(cell_len, column))
        if blocks[-1] and used + cells > room:
            blocks.append([])
            used = 0
        blocks[-1].append(column)
        used += cells + 1
    return "\n\n".join(map(_block, blocks))


def _worst(every: Iterable[Utterance], count: int) -> list[Utterance]:
    def key(utterance: Utterance) -> tuple[int, float, str, str]:
        record = utterance.record
        return -utterance.errors, -utterance.rate, record.sample.id, record.system or ""

    return sorted((utterance for utterance in every if utterance.errors), key=key)[:count]


def _described(utterance: Utterance, width: int) -> str:
    """Who, how many errors, why there is no answer where there is none, and the alignment."""
    record = utterance.record
    who = ", ".join(
        _isolated(printable(name)) for name in (record.sample.id, record.sample.language, record.system) if name
    )
    rate = f" ({100 * utterance.rate:.1f} %)" if utterance.units else ""
    counts = ", ".join(f"{utterance.count(op)} {name}" for op, name in _NAMES.items())
    title = f"{who}: errors {utterance.errors} / {utterance.units}{rate}: {counts}"
    error = record.prediction.error
    failed = [] if error is None else [f"failed, {printable(f'{error.kind}: {error.message}')}"]
    left = len(utterance.alignment) - _LONGEST
    cut = [f"... and {left} more"] if left > 0 else []
    return "\n".join([title, *failed, view(utterance.alignment[:_LONGEST], width=width), *cut])


def _frequent(found: Confusions) -> Iterator[str]:
    """The most frequent of each kind, under its name."""
    pairs = Counter({f"{_shown(a)} -> {_shown(b)}": number for (a, b), number in found.substitutions.items()})
    units = [Counter({_shown(unit): n for unit, n in each.items()}) for each in (found.deletions, found.insertions)]
    for name, counted in zip(_NAMES.values(), (pairs, *units), strict=True):
        if counted:
            ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_FREQUENT]
            wide = len(str(ordered[0][1]))
            lines = [f"  {number:{wide}}  {text}" for text, number in ordered]
            yield "\n".join([f"most often {name} ({sum(counted.values())} in all):", *lines])


def _columns(step: Aligned, room: int) -> Iterator[tuple[str, str, str]]:
    """Texts of the three lines, each of `room` cells at most; several where a unit is wider."""
    sides = [None if unit is None else _visible(unit) for unit in (step.reference, step.hypothesis)]
    blank = "*" * max(1, *(cell_len(side) for side in sides if side is not None))
    pieces = [chop_cells(blank if side is None else side, room) for side in sides]
    mark = " " if step.op == "C" else step.op
    for number, (reference, hypothesis) in enumerate(zip_longest(*pieces, fillvalue="")):
        yield reference, hypothesis, " " if number else mark


def _block(columns: list[tuple[str, str, str]]) -> str:
    """Three lines with their columns one below the other."""
    lines = [f"{name:<{_MARGIN}}" for name in ("REF:", "HYP:", "Eval:")]
    for column in columns:
        width = 1 + max(map(cell_len, column))
        for number, text in enumerate(column):
            lines[number] += _isolated(text) + " " * (width - cell_len(text))
    return "\n".join(line.rstrip() for line in lines)


def _shown(unit: str) -> str:
    return _isolated(_visible(unit))


def _visible(unit: str) -> str:
    """The unit without anything that a terminal would obey or hide, and with something below its first mark."""
    seen = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in unit)
    return f"\u25cc{seen}" if unicodedata.category(seen[0])[0] == "M" else seen


def _isolated(text: str) -> str:
    """The text as a bidirectional isolate where it has a right-to-left character or digits that follow one."""
    turns = any(unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in text)
    return f"{_ISOLATE}{text}{_END}" if turns else text
