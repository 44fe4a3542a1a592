"""Option letters of many scripts: what they look like in a text, and which option each of them stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mmbench.facts import table
from mmbench.scorers.choices.clean import visible

_MARKS = " \"'()[]{}<>.:,;-\u2013\u2014"  # what may stand between a letter and the text of its option
_ALIF = "\u0627\u0644\u0641"  # the letter's name, which Persian and Urdu write for it


def _table() -> list[tuple[str, str, list[str]]]:
    """Script, character ranges as a regular expression writes them, and the letters of each option, as NFKC."""
    orders = list[tuple[str, str, list[str]]]()
    for script, ranges, options in (row.values() for row in table("mmbench.scorers.choices", "labels.tsv")):
        between = ("-".join(rf"\u{code}" for code in span.split("-")) for span in ranges.split())
        orders.append((script, "".join(between), visible(options).split()))
    return orders


def _indices() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {_ALIF: (0,)}
    for _, _, options in _TABLE:
        for index, letters in enumerate(options):
            for letter in letters:
                if index not in found.get(letter, ()):
                    found[letter] = (*found.get(letter, ()), index)
    return found


def _pattern(*, small: bool, begins: bool) -> str:
    """Regular expression of a letter that begins no word or number, nor ends one if `begins`."""
    letters: dict[str, str] = {}
    for _, ranges, options in _TABLE:
        row = "".join(options)
        letters[ranges] = letters.get(ranges, "") + row + (row.lower() if small else "")
    found = list[str]()
    for ranges, row in letters.items():
        found.append((rf"(?<![{ranges}\d])" if begins else "") + rf"[{row}](?![{ranges}\d])")
    arabic = next(ranges for script, ranges, _ in _TABLE if script == "Arab")
    latin, *others = [*found, (rf"(?<![{arabic}])" if begins else "") + rf"{_ALIF}(?![{arabic}])"]
    # most characters of a text are none of these letters: one look ahead saves a try of each script
    return f"{latin}|(?=[{''.join([*letters.values()][1:])}])(?:{'|'.join(others)})"


_TABLE = _table()
_INDICES = _indices()

CAPITAL = _pattern(small=False, begins=True)
"""Regular expression of a capital letter, or one of a script without capitals, outside of words."""
ANY = _pattern(small=True, begins=True)
"""The same for large and small letters."""
ANY_HERE = _pattern(small=True, begins=False)
"""The same where it is known that a word begins, which Han and Thai do not show."""


@dataclass(frozen=True)
class Options:
    """The options of one question, and what their letters mean there."""

    choices: tuple[str, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The choices, stripped and without regard to case."""
        return tuple(visible(choice).strip().casefold() for choice in self.choices)

    @cached_property
    def numbered(self) -> bool:
        """Whether digits can stand for options: not where a choice has digits of its own."""
        return not any(char.isdigit() for choice in self.choices for char in choice)

    def is_label(self, label: str) -> bool:
        """Whether `label` can be the letter of an option here, be there such an option or not."""
        if label.isdigit():
            return self.numbered
        return label.upper() <= "Z" or label.casefold() not in self.texts

    def named(self, label: str, after: str) -> frozenset[int | None]:
        """Options that a letter or number names, None among them where there is no such option.

        `after` is the rest of its line. Where it is the text of another choice, both are named. A choice whose text is
        that very letter is meant by the letter, unless more follows: then it is the letter of an option.
        """
        rest = after.strip(_MARKS).casefold()
        if label.isalpha() and not rest and self.texts.count(label.casefold()) == 1:
            return frozenset([self.texts.index(label.casefold())])
        found, followed = self._found(label), self._followed(label, rest)
        option = followed[0] if len(followed) == 1 else found[0] if found else None
        other = self.whole(rest) if len(rest) > 1 else []
        return frozenset([option, *other] if not followed else [option])

    def whole(self, line: str) -> list[int]:
        """The choice whose text a line is, but for marks around it; none where several are alike."""
        rest = line.strip(_MARKS).casefold()
        found = [i for i, text in enumerate(self.texts) if rest and text.strip(_MARKS) == rest]
        return found if len(found) == 1 else []

    def has_text(self, label: str, after: str) -> bool:
        """Whether `after` begins with the text of an option that the letter can stand for."""
        return bool(self._followed(label, after.strip(_MARKS).casefold()))

    def _found(self, label: str) -> list[int]:
        if label.isdigit():
            return [int(label) - 1] if 0 < int(label) <= len(self.choices) else []
        return [i for i in _INDICES.get(label) or _INDICES[label.upper()] if i < len(self.choices)]

    def _followed(self, label: str, rest: str) -> list[int]:
        return [i for i in self._found(label) if self.texts[i] and rest.startswith(self.texts[i].strip(_MARKS))]
