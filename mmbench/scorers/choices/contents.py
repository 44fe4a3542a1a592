"""The texts of choices inside an answer."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from mmbench.text import normalize, units

_NUMBER = re.compile(r"(?<=\d)[.,:/^\u066b\u2044\u2013-](?=\d)|(?<![^\W_])[\u2212\u2013-](?=\d)")
_SIGNS = {ord(sign): chr(0xE000 + at) for at, sign in enumerate(".,:/^\u066b\u2044-")} | dict.fromkeys(
    (0x2212, 0x2013), "\ue007"
)


def words(text: str) -> list[str]:
    """Units of the text, as the normaliser `basic` writes it after NFKC; Han, kana, Thai, ... one by one.

    A sign inside or before a number stays, so that 3 is neither found in 3.5 nor in 1/3 nor in -3.
    """
    signed = _NUMBER.sub(lambda sign: sign[0].translate(_SIGNS), unicodedata.normalize("NFKC", text))
    return units(normalize(signed, name="basic", language="eng_Latn"), unit="mixed")


@dataclass(frozen=True)
class Contents:
    """The choices of a question as `words`.

    A choice of one letter or character is left out, since it would be found in many answers; digits are not.
    """

    choices: tuple[str, ...]

    @cached_property
    def written(self) -> list[list[str]]:
        """The choices as `words`."""
        return [words(choice) for choice in self.choices]

    @cached_property
    def parts(self) -> list[tuple[int, list[str]]]:
        """Indices and words of the choices that are looked for, longest first."""
        kept = [(i, part) for i, part in enumerate(self.written) if len("".join(part)) > 1 or "".join(part).isdigit()]
        return sorted(kept, key=lambda item: -len(item[1]))

    @cached_property
    def longest(self) -> int:
        """Characters that the longest choice takes, with room for marks."""
        return max((len(choice) for choice in self.choices), default=0) + 40

    def within(self, text: str) -> set[int]:
        """Choices whose words follow each other in the text, longest first and none inside another."""
        answer, found = words(text), set[int]()
        hidden = [False] * len(answer)
        for size in sorted({len(part) for _, part in self.parts}, reverse=True):
            seen = [(i, at) for i, part in self.parts if len(part) == size for at in _places(answer, part)]
            seen = [(i, at) for i, at in seen if not any(hidden[at : at + size])]
            for i, at in seen:
                found.add(i)
                hidden[at : at + size] = [True] * size
        return found

    def first(self, text: str) -> set[int]:
        """The longest choices that the text begins with."""
        longest = max((len(part) for _, part in self.parts), default=0)
        answer = words(text)[:longest]
        found = [(i, len(part)) for i, part in self.parts if answer[: len(part)] == part]
        return {i for i, size in found if size == found[0][1]}


def _places(answer: list[str], part: list[str]) -> list[int]:
    """Where `part` begins in `answer`."""
    return [at for at in range(len(answer) - len(part) + 1) if answer[at : at + len(part)] == part]
