"""What of an answer can state a choice: the text without reasoning blocks, and without the marks of mark-up."""

from __future__ import annotations

import re
import unicodedata

_NAMES = "think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|scratchpad|seed:think|begin_of_thought"
_OPEN = rf"<(?:{_NAMES})>|<\|begin_of_thought\|>|\[THINK\]|\u25c1think\u25b7|<unused94>"
_CLOSE = rf"</(?:{_NAMES})>|<\|end_of_thought\|>|\[/THINK\]|\u25c1/think\u25b7|<unused95>"
_BLOCK = re.compile(rf"(?i:(?P<open>{_OPEN})|(?P<close>{_CLOSE}))")
_CHANNEL = re.compile(r"<\|channel\|>(\w+)[^<]{0,60}<\|message\|>")
_ANALYSIS = re.compile(r"analysis(?=[A-Z])")

_HIDDEN = re.compile("[\u0640\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")  # tatweel, joiners, bidi controls
_SPECIAL = re.compile(r"<\|[^|<>]{1,40}\|>|</?(?!answer\b)[a-zA-Z][a-zA-Z0-9_]{0,15}\s?/?>")
_ANSWER_TAG = re.compile(r"(?i)<(/?)answer>")
_DIGIT = re.compile(r"[^\D0-9]")
_BOLD = re.compile(r"(?<![*`\w])(\*\*|\*|`|__)\s?([^\W\d_]\u0301?|\u0627\u0644\u0641)\s?[.):]?\1(?![*`\w])")
_LATEX = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|mathtt|bf|rm|bold|operatorname)\s?\{")
_MATH = re.compile(r"\\[()\[\]]|\$|\\,|\\;|~~|[*`]|__|^[ \t]{0,3}(?:#{1,6}|>|[-\u2022](?=[ \t]))[ \t]?", re.MULTILINE)


def without_reasoning(text: str) -> str:
    """The text outside of reasoning blocks such as <think>...</think>; nothing of a block that was cut off.

    An end without a beginning closes a block that the prompt opened: what stands before it is reasoning. Of the
    channels of gpt-oss only `final` is kept, also where a tokeniser has dropped the special tokens around their names.
    """
    channels = list(_CHANNEL.finditer(text))
    if channels:
        last = channels[-1]
        text = text[last.end() :] if last[1] == "final" else ""
    elif _ANALYSIS.match(text):
        text = text.rpartition("assistantfinal")[2] if "assistantfinal" in text else ""
    kept, since, inside = list[str](), 0, False
    for match in _BLOCK.finditer(text):
        if match["close"]:
            # a second end means that the first was quoted inside, and a first without beginning that the prompt began
            kept = kept if inside else []
            since, inside = match.end(), False
        elif not inside:
            kept.append(text[since : match.start()])
            inside = True
    return "".join(kept) + ("" if inside else text[since:])


def visible(text: str) -> str:
    """The text as NFKC, without tatweel, joiners and marks of direction."""
    return _HIDDEN.sub("", unicodedata.normalize("NFKC", text))


def plain(text: str) -> str:
    """The `visible` text without the marks of Markdown, LaTeX and HTML, with ASCII digits and single blanks.

    An emphasised letter (**B**) becomes one in brackets. Line ends stay, an empty line marks a paragraph.
    """
    text = _SPECIAL.sub(" ", _ANSWER_TAG.sub(lambda tag: "\n" if tag[1] else "answer: ", visible(text)))
    text = _MATH.sub("", _LATEX.sub("", _BOLD.sub(r"(\2)", text)))
    text = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    return re.sub(r"\s*\n\s*\n\s*", "\n\n", re.sub(r"[^\S\n]+", " ", text)).strip()
