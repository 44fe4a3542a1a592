"""Whether an answer declines to answer: it begins with "I'm sorry, but I can't assist with that" or the like.

Refusals are counted beside a score, they change none. What is looked for is narrow, so that the count is a lower bound:
an answer must begin with (after white space, markup and a reasoning block in <think>)

- an apology, and in the same or the next sentence the inability to help, provide, answer, translate, transcribe ...; or
- "as an AI (language model, assistant)", and in the same sentence an inability; or, in English, the bare "I cannot
  assist with", "I must decline".

An apology alone is none, nor is "I cannot swim because ...", which may be a transcript. Where a transcript itself says
such a thing, the caller must compare with the reference. The phrases of 29 languages are in `refusals.tsv`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from mmbench import languages
from mmbench.facts import table

VERSION = "1"
"""Changes whenever any answer may be judged differently."""

_READ = 500
"""Characters of an answer that are looked at."""

_BARE = (
    r"i ?(?:can'?t|can ?not|(?:am|'m) (?:unable|not able) to|won'?t) (?:assist with|comply with|listen to audio|"
    r"fulfil+ (?:this|that|your)|help with (?:this|that|your) request|process (?:audio|images?)|"
    r"provide (?:an? )?(?:transcri|translati))|i (?:must|have to) (?:respectfully )?decline"
)
_SAME = r"[^.!?\u3002\u061f\u06d4\u0964\n]{0,80}?"
"""The rest of a sentence, as far as anything in it is looked for."""

_BETWEEN = r"[\s,.!\u3002\u3001\u060c\u2026:;\u2013\u2014-]{0,4}"
_REASONING = re.compile(r"<(think|thinking|reasoning|thought)>", re.IGNORECASE)
_MARKUP = " \t\r\n*_#>`\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u300c\u300e\u2013\u2014-"

# Arabic letters with hamza and vowel marks, tatweel and joiners, which writers leave out at will; apostrophes
_FOLDED: dict[int, str | None] = dict.fromkeys((0x622, 0x623, 0x625, 0x671), "\u0627")
_FOLDED |= dict.fromkeys((*range(0x64B, 0x653), 0x640, 0x200C, 0x200D))
_FOLDED |= {0x2018: "'", 0x2019: "'", 0x130: "i"}

# languages that are answered in the written form of another
_LIKE = dict.fromkeys(("arz", "ary", "acm", "acq", "aeb", "ajp", "apc", "ars"), "arb")
_LIKE |= {"zsm": "ind", "yue": "zho", "prs": "pes"}


def refused(text: str, language: str | None = None) -> bool:
    """Whether an answer begins with declining to answer.

    Args:
        text: the answer; only its begin is read, after a reasoning block. A block that does not end is no answer.
        language: tag of the language that the answer is asked for in: its phrases and English ones are looked for.
            None, or a language without phrases, looks for all.
    """
    opening = _opening(text)
    return bool(opening) and _pattern(language).match(opening) is not None


def _opening(text: str) -> str:
    block = _REASONING.match(text.lstrip()[:12])
    if block:
        end = re.search(f"</{block[1]}>", text, re.IGNORECASE)
        text = text[end.end() :] if end else ""
    begin = text.lstrip(_MARKUP)[:_READ]
    return " ".join(unicodedata.normalize("NFKC", begin.translate(_FOLDED)).lower().split())


@cache
def _rows() -> dict[str, tuple[str, ...]]:
    """Phrases by ISO 639-3 code."""
    columns = ("sorry", "declines", "being", "unable")
    return {row["code"]: tuple(row[name] for name in columns) for row in table("mmbench", "refusals.tsv")}


@cache
def _pattern(language: str | None) -> re.Pattern[str]:
    code = languages.language(language).code if language else ""
    own = _LIKE.get(code, code)
    codes = dict.fromkeys(("eng", own)) if own in _rows() else _rows()
    return re.compile("|".join([_BARE, *map(_phrases, codes)]))


def _phrases(code: str) -> str:
    sorry, declines, being, unable = (unicodedata.normalize("NFKC", phrase) for phrase in _rows()[code])
    apology = rf"(?:{sorry}){_BETWEEN}{_SAME}"
    return rf"{apology}(?:{declines})|(?:{apology})?(?:{being}){_SAME}(?:{unable})"
