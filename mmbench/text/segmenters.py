"""Words of languages that are written without spaces, found by a library whose version is part of the signature.

Word error rates over such words depend on the segmenter as much as on the system: one wrong letter of Thai can make
three other words of a word. Compare them under one segmenter and version only; a character error rate needs none.

| name | words of | library |
|---|---|---|
| `jieba` | Chinese, Cantonese | jieba; its dictionary is mostly of simplified characters |
| `mecab` | Japanese | MeCab with IPADIC: the words of sacreBLEU's `ja-mecab` |
| `pythainlp` | Thai | PyThaiNLP, its dictionary matcher `newmm` |
| `khmercut` | Khmer | khmercut, a conditional random field |
| `icu` | Chinese, Cantonese, Japanese, Thai, Khmer, Lao, Burmese | ICU, the dictionaries of the Unicode Consortium |
| `auto` | all of these | ICU for traditional Chinese, Cantonese, Lao and Burmese, else that of the language above |

Left out: LaoNLP tries every way to split a text, so that a word said sixty times over, as speech models do, never ends;
pyidaungsu (Burmese) builds fastText from source and was last released in 2021; khmer-nltk (last in 2023) brings
scikit-learn for a model like khmercut's; botok (Tibetan) downloads its dictionaries when first used.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from mmbench.errors import UsageError
from mmbench.languages import Language, language
from mmbench.text.extras import load, released

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Cut = Callable[[str], Sequence[str]]

UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Thai, Lao, Tibetan, Myanmar
    "\u1780-\u17ff\u1980-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9df"  # Khmer, Tai Lue, Tai Tham, Bali, Java
    "\u3005-\u3007\u303b\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b16f"  # kana, Bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
)
"""Scripts whose words are not separated by spaces, as ranges inside a character class of `re`."""

_UNSPACED = re.compile(f"[{UNSPACED}]")
_RUNS = re.compile(rf"[{UNSPACED}]+|[^{UNSPACED}]+")
_BESIDE = re.compile(rf"(?<=[{UNSPACED}])\s+|\s+(?=[{UNSPACED}])")
_REFUSED = re.compile("([\0\ud800-\udfff])")  # by libraries that pass UTF-8 to C


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmenter:
    """What finds words.

    Args:
        codes: ISO 639-3 codes of the languages that it knows.
        extra: the extra of this package that installs it.
        libraries: the distributions that decide on the words, that of the code first.
        load: makes the function from a text without white space to its words.
    """

    codes: frozenset[str]
    extra: str
    libraries: tuple[str, ...]
    load: Callable[[], Cut]


def segment(text: str, language: str, name: str) -> list[str]:
    """Words of a text, in order; together they are the text without its white space. None is empty.

    A language with spaces between words is split at white space, whatever the segmenter. In others white space beside
    one of their characters is taken away first: punctuation that a normaliser has turned into spaces, and spaces that
    writers set as they like, must not change the words. Normalise the text before.

    Raises:
        UsageError: no segmenter has that name, it does not know the language, or its library is not installed.
    """
    known = _language(language)
    if known.spaced:
        return text.split()
    cut = _cut(_chosen(name, known))
    pieces = (piece for chunk in _BESIDE.sub("", text).split() for piece in _REFUSED.split(chunk) if piece)
    return [word for piece in pieces for word in ([piece] if _REFUSED.match(piece) else cut(piece))]


def segmenter_version(name: str, languages: Sequence[str] = ()) -> str:
    """The segmenter as signatures name it, with the versions of its libraries: `mecab(mecab-python3-1.0.12,...)`.

    Behind `auto` stands what it takes for those of `languages` that are without spaces; if none are given, for each
    language whose library is installed.

    Raises:
        UsageError: no segmenter has that name, `auto` has none for a language, or a library is not installed.
    """
    if name != "auto":
        return _version(_named(name))
    users = defaultdict[str, list[str]](list)
    for tag in sorted(set(languages or _AUTO)):
        known = language(tag)
        if not known.spaced and (languages or _installed(_AUTO[tag])):
            users[_version(_chosen("auto", known))].append(known.tag)
    named = [f"{','.join(tags)}={version}" for version, tags in users.items()]
    return f"auto({';'.join(sorted(named))})" if named else "auto"


_language = language  # `segment` has a parameter of that name


def _named(name: str) -> str:
    if name not in SEGMENTERS:
        raise UsageError(f"unknown segmenter {name!r}: known are auto, {', '.join(SEGMENTERS)}")
    return name


def _chosen(name: str, known: Language) -> str:
    """Name of the segmenter for a language."""
    if name == "auto" and known.tag in _AUTO:
        return _AUTO[known.tag]
    if name == "auto" or known.code not in SEGMENTERS[_named(name)].codes:
        raise UsageError(f"segmenter {name!r} does not know the words of {known.tag}: count characters there (cer)")
    return name


@cache
def _cut(name: str) -> Cut:
    return SEGMENTERS[name].load()


def _version(name: str) -> str:
    user = f"segmenter {name!r}"
    if name == "icu":  # the dictionaries come with ICU itself, whatever binds it
        return f"icu-{load('icu4py', extra=SEGMENTERS[name].extra, user=user).icu_version}"
    found = [released(library, extra=SEGMENTERS[name].extra, user=user) for library in SEGMENTERS[name].libraries]
    return found[0] if found[0].startswith(f"{name}-") and len(found) == 1 else f"{name}({','.join(found)})"


def _installed(name: str) -> bool:
    try:
        return bool(_version(name))
    except UsageError:
        return False


def _jieba() -> Cut:
    tokenizer = load("jieba", extra="chinese", user="segmenter 'jieba'").Tokenizer()
    # what its initialize() does, which would read a dictionary from the folder for temporary files, whoever wrote it
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    cut: Cut = tokenizer.lcut
    return cut


def _mecab() -> Cut:
    need = partial(load, extra="japanese", user="segmenter 'mecab'")
    tagger = need("MeCab").Tagger(f"{need('ipadic').MECAB_ARGS} -Owakati")
    return lambda text: list(tagger.parse(text).split())


def _pythainlp() -> Cut:
    tokenize = load("pythainlp.tokenize", extra="thai", user="segmenter 'pythainlp'").word_tokenize
    return partial(tokenize, engine="newmm", keep_whitespace=False)


def _khmercut() -> Cut:
    cut: Cut = load("khmercut", extra="khmer", user="segmenter 'khmercut'").tokenize
    return cut


def _icu() -> Cut:
    breaker = load("icu4py.breakers", extra="icu", user="segmenter 'icu'").WordBreaker

    def cut(text: str) -> list[str]:
        # run by run, because ICU joins the last word of Burmese to Latin letters; the script, not the locale "und",
        # decides which dictionary it uses
        runs = _RUNS.findall(text)
        return [word for run in runs for word in (breaker(run, "und") if _UNSPACED.match(run) else [run])]

    return cut


SEGMENTERS: Mapping[str, Segmenter] = {
    "jieba": Segmenter(codes=frozenset({"zho", "yue"}), extra="chinese", libraries=("jieba",), load=_jieba),
    "mecab": Segmenter(codes=frozenset({"jpn"}), extra="japanese", libraries=("mecab-python3", "ipadic"), load=_mecab),
    "pythainlp": Segmenter(codes=frozenset({"tha"}), extra="thai", libraries=("pythainlp",), load=_pythainlp),
    "khmercut": Segmenter(codes=frozenset({"khm"}), extra="khmer", libraries=("khmercut",), load=_khmercut),
    "icu": Segmenter(
        codes=frozenset({"zho", "yue", "jpn", "tha", "khm", "lao", "mya"}),
        extra="icu",
        libraries=("icu4py",),
        load=_icu,
    ),
}
"""The segmenters by name; `auto` picks one of them by language."""

_AUTO: Mapping[str, str] = {
    "zho_Hans": "jieba",
    "zho_Hant": "icu",
    "yue_Hant": "icu",
    "jpn_Jpan": "mecab",
    "tha_Thai": "pythainlp",
    "khm_Khmr": "khmercut",
    "lao_Laoo": "icu",
    "mya_Mymr": "icu",
}
