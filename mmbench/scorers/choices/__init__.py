"""Which choice a free answer names, in any language, by rules that rather find none than guess.

Letters of options and words that announce an answer are read from `labels.tsv` and `phrases.tsv`; both say where they
come from. The prompt of the package letters options A, B, C, so Latin letters count in every language.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from mmbench.scorers.choices.clean import plain, without_reasoning
from mmbench.scorers.choices.contents import Contents, words
from mmbench.scorers.choices.labels import Options
from mmbench.scorers.choices.statements import Reading

if TYPE_CHECKING:
    from collections.abc import Collection

VERSION = "2"
"""Changes whenever any answer may be read differently; it is in the signature of the scores."""

Mode = Literal["first", "last"]
"""Which statement of an answer counts: the first for direct answers, the last for a chain of thought."""

_LONGEST = 50_000  # characters that are read, so that what models repeat for ever takes a second at most


def parse(text: str, choices: tuple[str, ...], *, mode: Mode = "first") -> int | None:
    r"""0-based index of the choice that the answer names; None where it names none, or more than one.

    Reasoning blocks (<think> and its like) are left out, with all that follows where one was cut off; marks of
    Markdown, LaTeX and HTML do not matter, nor do full-width forms. The first rule that applies decides:

    1. The answer is the text of a choice, as it stands or as the normaliser `basic` writes both.
    2. It is a letter alone, large or small: "B", "(b)", "**B**", "option B", "B입니다", "ب"; or a number, where no
       choice has digits. A letter that is itself the text of a choice means that choice.
    3. It states a letter or the text of a choice: in front ("B) a red car"), after an announcement ("the answer is
       (B)", "答案是B", "Ответ: Б"), before one ("B is the correct answer"), in a box or field (\boxed{B},
       {"answer": "B"}), or alone on a line. In mode "first" the first paragraph with a statement counts, in mode "last"
       the last statement; what follows a next question, which models go on to invent, does not. Small letters must be
       closed ("answer: b."). Letters that are words of the announcing language are words before another word ("The
       answer is A red car"). A list of options is no statement.
    4. One letter alone stands in brackets, or before a closing one ("I think (B)", "A or maybe B)"), or before its own
       text ("B. a red car"), in the first (last) paragraph or else in all of the text.
    5. It contains the whole text of exactly one choice, in whole words, in at most 120 words; longer choices are looked
       for first and hide shorter ones inside them ("a red car", "car"). A choice of one letter is not looked for, and 3
       is not found in 3.5, 1/3 or -3. In mode "last" only the last paragraph is read.
    6. It is some words, a colon and a capital letter ("Savap: A"), without a word such as "not".

    Two letters in one statement name none: "B or C", "B, D". Nor does "definitely C, not A": what is denied cannot be
    told in all languages, and an answer must count alike in each. A letter with the text of another choice ("C) 72",
    where that is A) names two.

    There is no fall-back to a random choice. An answer is read up to 50,000 characters, in mode "last" its end.
    """
    answer = without_reasoning(text).strip()
    answer = answer[-_LONGEST:] if mode == "last" else answer[:_LONGEST]
    options, contents = Options(choices), Contents(choices)
    reading = Reading(plain(answer), options, contents)
    stripped = [choice.strip() for choice in choices]
    forms: tuple[tuple[object, Collection[object]], ...] = (
        (text.strip(), stripped),
        (answer, stripped),
        (reading.text.casefold(), options.texts),
        (words(answer), contents.written),
    )
    for form, written in forms:
        if form and len(same := [index for index, choice in enumerate(written) if choice == form]) == 1:
            return same[0]
    if (lone := _only(reading.lone())) is not None:
        return lone
    if statements := reading.stated():
        return _only(statements[-1].options if mode == "last" else reading.first(statements))
    part = replace(reading, text=reading.text.rpartition("\n\n")[2] if mode == "last" else reading.head())
    for named in (part.bracketed(), reading.bracketed()):
        if len(named) == 1:
            return named.pop()
    return _only((part if mode == "last" else reading).mentioned())


def _only(options: Collection[int | None]) -> int | None:
    return next(iter(options)) if len(options) == 1 else None
