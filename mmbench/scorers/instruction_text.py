"""How many words and sentences an answer has, and where a phrase is in it, by the conventions of its writing system.

- A word is what white space and punctuation separate; an apostrophe inside a word does not. Where no spaces are
  written, Chinese characters and kana count one by one, and words of other scripts are found by `text.segmenters`.
- A sentence ends with a mark of its script: full stop, question and exclamation mark, ellipsis, danda, and what else
  Unicode has of that kind. A full stop after an initial, a title or a number that begins a line, or before a small
  letter, ends none. A line end does not: a heading belongs to the sentence after it. What holds no letter or digit is
  no sentence. Thai has no such mark; pythainlp (crfcut) cuts it.
- Letters are compared without case, by the rules of the language (a dotless i in Turkish).

The language is that which the answer is asked for in, never one guessed from the answer: else the count of the same
words would change with what stands around them.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TYPE_CHECKING

from mmbench import languages
from mmbench.errors import UsageError
from mmbench.text import normalize, segment, units
from mmbench.text.extras import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SAID = re.compile(r"[^\W_]")
_CHARACTER = re.compile(
    "[\u3005-\u3007\u303b\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U000323af]"
)
BY_CHARACTER = frozenset({"Hans", "Hant", "Hani", "Jpan", "Hira", "Kana", "Hrkt"})
"""Scripts of languages whose words are counted by characters."""

# marks that end a sentence whatever follows them, and those that do so only before white space
_ALWAYS = (
    "\u0589\u061e\u061f\u06d4\u0700-\u0702\u07f9\u0964\u0965\u104b\u1362\u1367\u1368\u17d4\u17d5\u1803\u1809\u1c7e\u1c7f"
    "\u203c\u203d\u2047-\u2049\u3002\ua6f3\ua6f7\uabeb\uff01\uff0e\uff1f\uff61\u0f0d-\u0f12"
)
_CLOSING = "\"'\u2019\u201d\u201c\u00bb\u00ab\u203a\\)\\]}*_\u300d\u300f\u3011\uff09\u300b"
_SOME = ".!?\u2026"
_END = re.compile(rf"[{_SOME}{_ALWAYS}]+[{_CLOSING}]*")
_END_GREEK = re.compile(rf"[{_SOME}{_ALWAYS};\u037e]+[{_CLOSING}]*")  # its question mark
_ALONE = re.compile(rf"[{_ALWAYS}]")
_NEXT = re.compile(rf"[\s{_CLOSING}\u201e\u00bf\u00a1(\[]*(.?)")
_ABBREVIATED = frozenset(
    "mr mrs ms dr prof st sr sra dra jr mme mlle mgr gen capt lt sgt hon vs nr vol pp inc ltd co corp dept approx bzw "
    # Russian: street, named after, years, roubles, figure, page, professor
    "\u0443\u043b \u0438\u043c \u0433\u0433 \u0440\u0443\u0431 \u0440\u0438\u0441"
    " \u0441\u0442\u0440 \u043f\u0440\u043e\u0444".split()
)
_ORDINAL = re.compile(r"(?:^|\s)\d{1,2}$")
_LISTED = re.compile(r"(?:^|\n)[^\S\n]*[*_#]*\d{1,3}$")
_LAST_WORD = re.compile(r"(?:^|[\W_])([^\W\d_]+)$")


def words(text: str, language: str) -> int:
    """Number of words of a text in a language (a tag).

    Raises:
        UsageError: the segmenter of the language is not installed, or there is none (Tibetan).
    """
    known = languages.language(language)
    written = normalize(text, name="basic", language=language)
    if not known.spaced and known.script not in BY_CHARACTER:
        return sum(bool(_SAID.search(word)) for word in segment(written, language, "auto"))
    spaced = _CHARACTER.sub(" ", written).split()
    return len(_CHARACTER.findall(written)) + sum(bool(_SAID.search(word)) for word in spaced)


def sentences(text: str, language: str) -> int:
    """Number of sentences of a text in a language (a tag).

    Raises:
        UsageError: the language is Thai and pythainlp is not installed, or it is Lao, which marks no ends.
    """
    known = languages.language(language)
    if known.script == "Thai":
        return sum(bool(_SAID.search(sentence)) for sentence in _thai_sentences(text))
    if known.script == "Laoo":
        raise UsageError(
            f"the sentences of {known.tag} cannot be counted: no mark ends them; leave number_sentences out"
        )
    count = begin = 0
    for end in _ends(text, known.code):
        count += bool(_SAID.search(text, begin, end))
        begin = end
    return count + bool(_SAID.search(text, begin))


def _ends(text: str, code: str) -> Iterator[int]:
    """Where the sentences end."""
    for match in (_END_GREEK if code == "ell" else _END).finditer(text):
        following = text[match.end() : match.end() + 1]
        if _ALONE.search(match[0]) or (match[0][0] in "!?" and following and _unspaced(following)):
            yield match.end()
        elif not following or following.isspace():
            after = _NEXT.match(text, match.end())
            small = after is not None and after[1].islower()
            if not small and not (
                match[0][0] == "." and _abbreviates(text[max(0, match.start() - 30) : match.start()], code)
            ):
                yield match.end()


def _abbreviates(before: str, code: str) -> bool:
    """Whether a full stop belongs to the word or number in front of it."""
    german = code == "deu"  # numbers with a stop are ordinals, before nouns with a capital; z. B., d. h.
    if before[-1:].isdigit():
        return bool(_LISTED.search(before) or (german and _ORDINAL.search(before)))
    word = _LAST_WORD.search(before)
    initial = word is not None and len(word[1]) == 1 and (german or word[1].isupper())
    return initial or (word is not None and word[1].casefold() in _ABBREVIATED)


def folded(text: str, language: str) -> str:
    """The text without differences of case or of composition, for comparison."""
    composed = unicodedata.normalize("NFC", text)
    if languages.language(language).code in {"tur", "azj", "crh", "gag"}:
        composed = composed.replace("I", "\u0131")
    return unicodedata.normalize("NFC", composed.replace("\u0130", "i").casefold())


def contains_word(text: str, phrase: str) -> bool:
    """Whether the phrase is in the text and no letter, mark or digit continues it.

    Beside a character of a script without spaces between words any place is the border of a word.
    """
    at = text.find(phrase) if phrase else -1
    while at >= 0:
        if bordered(text, at, at + len(phrase)):
            return True
        at = text.find(phrase, at + 1)
    return False


def bordered(text: str, begin: int, end: int) -> bool:
    """Whether `text[begin:end]` is not continued on either side."""
    before, first, last, after = text[begin - 1 : begin], text[begin], text[end - 1], text[end : end + 1]
    if after and unicodedata.category(after)[0] == "M":
        return False
    return not _joined(before, first) and not _joined(last, after)


def _joined(left: str, right: str) -> bool:
    letters = all(char and unicodedata.category(char)[0] in "LMN" for char in (left, right))
    return letters and not _unspaced(left) and not _unspaced(right)


def _unspaced(char: str) -> bool:
    """Whether the character's script writes no spaces between words: then it is a unit beside a letter."""
    return len(units(f"a{char}", unit="mixed")) > 1


def _thai_sentences(text: str) -> list[str]:
    user = "counting sentences of Thai"
    load("pycrfsuite", extra="thai", user=user)  # crfcut runs on it
    if "PYTHAINLP_READ_MODE" not in os.environ:  # its older name; it refuses both
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")  # importing it must not make a folder in the user's home
    cut: Callable[..., list[str]] = load("pythainlp.tokenize", extra="thai", user=user).sent_tokenize
    return [found for line in text.splitlines() if line.strip() for found in cut(line, engine="crfcut")]
