"""Where an answer says which option it takes, and which one it names there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from mmbench.scorers.choices import phrases
from mmbench.scorers.choices.contents import words
from mmbench.scorers.choices.labels import ANY, ANY_HERE, CAPITAL

if TYPE_CHECKING:
    from mmbench.scorers.choices.contents import Contents
    from mmbench.scorers.choices.labels import Options

_OPENING = "(\\[{<\"'\u2018\u201c\u00ab\u300c\u300e\u3010"
_CLOSING = ")\\]}>\"'\u2019\u201d\u00bb\u300d\u300f\u3011"
_DIGIT = r"(?<![\w.,])[1-9]\d?(?!\w|[.,]\d)"
_ANY, _CAPITAL = f"(?P<label>{ANY}|{_DIGIT})", f"(?P<label>{CAPITAL}|{_DIGIT})"
_HERE = f"(?P<label>{ANY_HERE}|{_DIGIT})"
_STOP = r"\s?(?:[.,;!?\u3002\u060c\u061b\u06d4\u0964\u104b]+(?=\s|\Z|[^\x00-\x7f])|\n|\Z)"

_TARGET = re.compile(rf"\s{{0,2}}[{_OPENING}]{{0,6}}\s?{_HERE}")
_CLOSED = re.compile(rf"[{_CLOSING}]|[.:]?{_STOP}|[\u3001:]|\s?[-\u2013\u2014]\s")
_NO_LETTER = re.compile(r"\s?[=^_+#\u00b0]|['\u2019-]\w")
_WORD_AFTER = re.compile(r"[^\S\n]+([^\W\d_]+)")
_LABEL, _SMALL_LABEL = re.compile(_CAPITAL), re.compile(_ANY)
_LONE_LINE = re.compile(rf"^[{_OPENING}\s]{{0,6}}(?P<label>{CAPITAL})[{_CLOSING}.:]{{0,6}}\s?$", re.MULTILINE)
_LINE = re.compile(rf"^[{_OPENING}]{{0,3}}(?P<label>{ANY})[).:\]].*$", re.MULTILINE)
_LONE = re.compile(rf"{_HERE}(?P<suffix>.{{0,24}})", re.DOTALL)
_FIELD = re.compile(rf"(?:\\boxed\s?\{{|\"\w{{0,24}}\"\s?:\s?\")[{_OPENING}\s]{{0,4}}{_ANY}(?=[{_CLOSING}\[.,:])")
_FRONT = re.compile(rf"[{_OPENING}\s]{{0,6}}{_HERE}")
_ITEM = re.compile(rf"\n{{1,2}}[{_OPENING}]{{0,3}}{_ANY}[).:\]]")
_DELIMITER = re.compile(rf"[{_CLOSING}.:,;\u3001\u3002]+(?=\s|\Z|[^\x00-\x7f])|[)\]]|\s?[-\u2013\u2014]\s|\s?\n")
_LISTED = re.compile(rf"{_CAPITAL}(?:[):\]]|(?P<dot>\.)(?=\s+\S))")
_BRACKETED = re.compile(rf"(?P<open>[(\[\u3010\u300c]\s?)?{_ANY}(?:\s?[)\]\u3011\u300d]|(?P<point>[.:])\s)")
_LABELLED = re.compile(rf"[^\n:]{{1,40}}:\s?[{_OPENING}]{{0,3}}(?P<label>{CAPITAL})[{_CLOSING}.\u3002]{{0,3}}")
_LONGEST_MENTION = 120  # words of a text whose mentions of choices count
_MOST = 64  # announcements whose text is compared with the choices, so that a text of many takes no minutes


class Statement(NamedTuple):
    """Options that a piece of a text names as its answer: None for one that the question does not have."""

    start: int
    end: int
    options: frozenset[int | None]


@dataclass(frozen=True)
class Reading:
    """A `plain` text read for the options of its question."""

    text: str
    options: Options
    contents: Contents

    @cached_property
    def folded(self) -> str:
        """The text as `phrases` are written."""
        return phrases.fold(self.text)

    @cached_property
    def within(self) -> set[int]:
        """Choices whose texts are anywhere in the text."""
        return self.contents.within(self.text)

    def lone(self) -> frozenset[int | None]:
        """Option of a text that is nothing but a letter, with words such as `option` or an ending at most."""
        core = self.text.strip(_OPENING + _CLOSING + " .,:;!?\n-\u3002")
        option = phrases.LINKED.match(phrases.fold(core[:40]))
        match = _LONE.fullmatch(core, option.end() if option else 0)
        if not match or not self.options.is_label(match["label"]):
            return frozenset()
        suffix = phrases.fold(match["suffix"])
        if suffix and not phrases.SUFFIX.fullmatch(suffix) and not phrases.LINKED.fullmatch(suffix):
            return frozenset()
        return self.options.named(match["label"], "")

    def stated(self) -> list[Statement]:
        """Statements in their order: at the front, after an announcement, in a box or field, or with a line of its own.

        Those behind a next question, which a model goes on to invent, are left out.
        """
        found = [self._announced(match, at) for at, match in enumerate(phrases.ANNOUNCED.finditer(self.folded))]
        for matches in (_FIELD.finditer(self.text), _LONE_LINE.finditer(self.text), self._items()):
            found += [self._named(match.start(), match) for match in matches if self.options.is_label(match["label"])]
        # a letter that is no option here is no answer: an initial, a variable
        statements = sorted(statement for statement in found if statement and statement.options != {None})
        statements = [*self._front(statements), *statements]
        question = phrases.QUESTION.search(self.folded, statements[0].end) if statements else None
        return [statement for statement in statements if not question or statement.start < question.start()]

    def head(self) -> str:
        """The first paragraph, or all of a text that begins with a letter."""
        return self.text if _FRONT.match(self.text) else self.text.partition("\n\n")[0]

    def first(self, statements: list[Statement]) -> frozenset[int | None]:
        """Options of the statements of the first paragraph that has one."""
        end = self.text.find("\n\n", statements[0].end)
        return frozenset[int | None]().union(*(s.options for s in statements if end < 0 or s.start < end))

    def bracketed(self) -> set[int]:
        """Options of letters in brackets, of capitals before a closing bracket, and before a point and their text."""
        found = set[int | None]()
        for match in _BRACKETED.finditer(self.text):
            label, start = match["label"], match.start()
            before = self.text[start - 1 : start] if start else ""
            if match["point"] or label.isdigit():
                alone = self.options.has_text(label, self._rest(match))
            elif match["open"]:
                alone = not before.isalnum()  # not the (s) of option(s), the f(A) of a formula
            else:
                alone = not _is_small(label) and before not in {"(", "["} and not self._inside(start)
            if alone and self.options.is_label(label):
                found |= self._option(match)
        return {option for option in found if option is not None}

    def mentioned(self) -> set[int]:
        """Choices whose texts a short text has in it; else the letter that stands alone behind a colon.

        A long text mentions choices on its way to an answer: in the published outputs of TUMLU, texts of more than 120
        words that name no letter but mention one choice alone are right as often as a guess.
        """
        if self.within:
            return self.within if len(words(self.text)) <= _LONGEST_MENTION else set()
        match = _LABELLED.fullmatch(self.text)
        if not match or not self.options.is_label(match["label"]) or phrases.UNDO.search(self.folded):
            return set()
        return {option for option in self._option(match) if option is not None}

    def _announced(self, match: re.Match[str], at: int) -> Statement | None:
        """What an announcement is followed by, the text of a choice or a letter, or else the letter before it."""
        start, end = match.start(), match.end()
        if capital := _LABEL.search(self.text, match.start("gap"), end):  # the words of one letter there are small
            end = capital.start()
        if phrases.undone(self.folded[max(0, start - 32) : start]):
            return None
        linked = bool(self.text[match.start("gap") : end].strip(" \n\"'")) or phrases.needs_no_link(match["stem"])
        if linked and at < _MOST:
            line = self.text[end : end + self.contents.longest].lstrip().partition("\n")[0]
            if first := self.options.whole(line) or (self.contents.first(line) if self.within else ()):
                return Statement(start, end, frozenset(first))
        letters, since = phrases.letters_that_are_words(match["stem"])
        target = _TARGET.match(self.text, end)
        if not target or not self.options.is_label(target["label"]):
            return self._reversed(match, letters, since)
        large = not _is_small(target["label"]) and not target["label"].isdigit()
        sure = linked and large and not self._is_word(target, letters, since)
        if self._begins_list(target) or not (sure or self._closed(target.end())):
            return None
        return self._named(start, target)

    def _reversed(self, match: re.Match[str], letters: frozenset[str], since: tuple[str, ...]) -> Statement | None:
        """The letter that an announcement stands behind: "B is the correct answer"."""
        start, end = match.start(), match.end("stem")
        found = list(_LABEL.finditer(self.text, max(0, start - 48), start))
        if phrases.needs_no_link(match["stem"]) or not found or found[-1]["label"].isdigit():
            return None
        between = self.folded[found[-1].end() : start]
        if not phrases.LINKED.fullmatch(between) or set(between) & set(".,:;!?"):
            return None
        rest = self.folded[end : end + 60].partition("\n")[0].partition(". ")[0]
        before = self.folded[max(0, found[0].start() - 32) : found[0].start()]
        if self._is_word(found[-1], letters, since) or phrases.UNDO.search(rest) or phrases.undone(before):
            return None
        named = (self._named(letter.start(), letter) for letter in found if self.options.is_label(letter["label"]))
        return next((statement for statement in named if statement.end >= found[-1].end()), None)

    def _items(self) -> list[re.Match[str]]:
        """Letters that begin a line which has the text of their option and nothing else, and are in no list.

        Letters that begin lines are a list as long as they rise, whatever is said of each in between.
        """
        runs = list[list[re.Match[str]]]()
        before = -1
        for match in _LINE.finditer(self.text):
            option = next(iter(self._option(match))) or 0
            if option <= before or not runs:
                runs.append([])
            runs[-1].append(match)
            before = option
        return [run[0] for run in runs if len(run) == 1 and self.options.whole(self._rest(run[0]))]

    def _closed(self, end: int) -> bool:
        """Whether a letter that ends there has a closing bracket or an ending of its own, or ends a sentence."""
        return bool(_CLOSED.match(self.text, end) or phrases.SUFFIX.match(self.folded, end))

    def _is_word(self, match: re.Match[str], letters: frozenset[str], since: tuple[str, ...]) -> bool:
        """Whether a letter is no option: part of a formula or of a word, or a word itself with another one behind."""
        after = _WORD_AFTER.match(self.folded, match.end())
        is_word = match["label"] in letters and after is not None and after[1] not in since
        return is_word or bool(_NO_LETTER.match(self.text, match.end()))

    def _named(self, start: int, match: re.Match[str]) -> Statement:
        """Options of the letter that was matched, and of those that are joined to it."""
        found, end, all_words = set(self._option(match)), match.end(), phrases.letters_of_all_languages()
        if self.options.has_text(match["label"], self._rest(match)):  # "D, B. Franklin": no second letter but its text
            return Statement(start, end, frozenset(found))
        while sign := self._joint(end):
            another = (_SMALL_LABEL if _is_small(match["label"]) else _LABEL).match(self.text, sign)
            if not another or not self.options.is_label(another["label"]) or self._is_word(another, all_words, ()):
                break
            found |= self._option(another)
            end = another.end()
        return Statement(start, end, frozenset(found))

    def _joint(self, end: int) -> int | None:
        """Where what joins another letter to the one before ends, if it is joined."""
        sign = phrases.JOINED_BY_LETTER.match(self.folded, end)
        if sign and not self.text[end + 1].isupper():
            return sign.end()
        sign = phrases.JOINED.match(self.folded, end)
        return sign.end() if sign and sign[0].strip("()[]\"'. \n") else None

    def _option(self, match: re.Match[str]) -> frozenset[int | None]:
        return self.options.named(match["label"], self._rest(match))

    def _rest(self, match: re.Match[str]) -> str:
        """The rest of a letter's line."""
        end = match.end("label")
        return self.text[end : end + self.contents.longest].partition("\n")[0]

    def _inside(self, at: int) -> bool:
        """Whether a bracket is open there."""
        since = max(0, at - 80, self.text.rfind("\n", 0, at))
        return self.text.rfind("(", since, at) > self.text.rfind(")", since, at)

    def _front(self, statements: list[Statement]) -> list[Statement]:
        """The letter that the text begins with, unless it begins with a list of options."""
        match = _FRONT.match(self.text)
        if not match or not self.options.is_label(match["label"]):
            return []
        label, delimiter = match["label"], _DELIMITER.match(self.text, match.end())
        if not delimiter or (_is_small(label) and delimiter[0][0] not in ")]"):
            return []
        if label.isdigit() and not self.options.has_text(label, self._rest(match)):  # 1. and so on begin many a text
            return []
        front = self._named(0, match)
        listed = self._begins_list(match) or self._lists(label, front, statements)
        return [] if None in front.options or listed else [front]

    def _begins_list(self, match: re.Match[str]) -> bool:
        """Whether the letter of the next option begins the line below that of this letter, which begins one itself."""
        at, end = match.start("label"), self.text.find("\n", match.end())
        if end < 0 or self.text[self.text.rfind("\n", 0, at) + 1 : at].strip(_OPENING + " "):
            return False
        below = _ITEM.match(self.text, end)
        if not below or not self.options.is_label(below["label"]):
            return False
        here = self._option(match)
        return any(option is not None and option - 1 in here for option in self._option(below))

    def _lists(self, label: str, front: Statement, statements: list[Statement]) -> bool:
        """Whether the letter in front is the first of a list: others are closed like it, which no statement names."""
        end = self.text.find("\n\n")
        named = front.options.union(*(statement.options for statement in statements))
        opened = self.text.startswith(("(", "["))
        for match in _LISTED.finditer(self.text, self._end_of_choice(front), len(self.text) if end < 0 else end):
            alike = opened == (self.text[match.start() - 1] in "([") and label.isdigit() == match["label"].isdigit()
            if not alike or not self.options.is_label(match["label"]):
                continue
            options = self._option(match)
            # after a full stop only the next letter makes a list: "B. It lacks vitamin D. ..."
            follows = any(option is not None and option - 1 in front.options for option in options)
            if (follows or not match["dot"]) and not options <= named:
                return True
        return False

    def _end_of_choice(self, front: Statement) -> int:
        """Where the text of the choice in front ends, which may have letters like those of a list in it."""
        texts = (self.options.texts[option] for option in front.options if option is not None)
        after = self.text[front.end : front.end + self.contents.longest].casefold()
        return front.end + max((after.find(text) + len(text) for text in texts if text in after), default=0)


def _is_small(label: str) -> bool:
    return label != label.upper()
