"""One name for each language: every dataset's own codes become FLORES-style tags such as `swh_Latn`.

What is known of a language is in `languages.tsv`, whose first lines give the source of each column. A language
that is not there still gets a tag, of ISO 639-3 code and script, from langcodes.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache

from mmbench.errors import UsageError
from mmbench.facts import table

_UNSPACED_SCRIPTS = frozenset({"Bali", "Bopo", "Hani", "Hira", "Hrkt", "Java", "Kana", "Lana", "Talu"})
"""Scripts without spaces between words that no row of the file has; the others are read from the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What is known of a language; "unknown" where nothing is.

    Args:
        tag: FLORES-style tag.
        name: English name.
        family: top-level family of Glottolog.
        region: UN M49 sub-region where most first-language speakers live.
        resource: class "0" (least) to "5" (most) of Joshi et al. 2020.
        spaced: whether words are separated by spaces; where they are not, report CER instead of WER.
        fleurs: config name in FLEURS.
    """

    tag: str
    name: str
    family: str
    region: str
    resource: str
    spaced: bool
    fleurs: str | None

    @property
    def code(self) -> str:
        """ISO 639-3 part of the tag."""
        return self.tag.partition("_")[0]

    @property
    def script(self) -> str:
        """ISO 15924 part of the tag."""
        return self.tag.partition("_")[2]


@cache
def _rows() -> dict[str, dict[str, str]]:
    """Rows of the data file by tag."""
    return {row["tag"]: row for row in table("mmbench", "languages.tsv")}


def _key(code: str) -> str:
    return re.sub(r"[\s_-]+", "_", code.strip()).casefold()


@cache
def _index() -> dict[str, str]:
    """Every spelling in the data file, as `_key` writes it, to its tag."""
    index: dict[str, str] = {}
    for tag, row in _rows().items():
        spellings = [tag, row["name"], row["fleurs"], *row["aliases"].split()]
        index.update({_key(spelling): tag for spelling in spellings if spelling})
    for tag in _rows():  # last, so that an alias decides which script a code without one means
        index.setdefault(tag.partition("_")[0], tag)
    return index


def _parse(code: str) -> str | None:
    """Tag of a BCP 47 or ISO 639 code through langcodes; None where it is not one."""
    from langcodes import Language as Code  # here, because it takes longer to import than all of this module
    from langcodes import standardize_tag
    from langcodes.data_dicts import LIKELY_SUBTAGS

    try:
        parsed = Code.get(code.replace("_", "-"), normalize=False)
    except ValueError:
        return None
    given = parsed.extlangs[0] if parsed.extlangs else parsed.language
    script, rest = parsed.script, Code.make(script=parsed.script, territory=parsed.territory)
    # codes for private use (q..) and for no one language are valid, but name none
    if not re.fullmatch(r"[a-z]{2}|(?!q[a-t]|und|mul|mis|zxx)[a-z]{3}", given or "") or not rest.is_valid():
        return None
    iso, base = given or "", _index().get(given or "")
    if base is None:
        normal = Code.get(standardize_tag(iso, macro=True))
        if not Code.make(language=normal.language).is_valid():
            return None
        script, iso = script or normal.script, Code.get(iso).to_alpha3()
        base = _index().get(iso)
        if base is None and script is None:
            # without an entry CLDR would answer Latin, whatever the language
            if normal.language not in LIKELY_SUBTAGS:
                raise UsageError(f"language {code!r}: its script is not known; write it, as in {iso}_Latn")
            script = normal.maximize().script
    iso = base.partition("_")[0] if base else iso
    if iso == "zho" and script is None and parsed.territory:
        script = Code.make(language="zh", territory=parsed.territory).maximize().script
    name = f"{iso}_{script}"
    return base if base and script is None else _index().get(_key(name), name)


@cache
def tag(code: str) -> str:
    """FLORES-style tag of any dataset's code or English name of a language, whatever its case and separators.

    Accepted are FLORES tags, BCP 47, ISO 639-1/2/3, FLEURS configs, the legacy codes and country codes in the
    file's column of aliases, and English names. A macrolanguage is its standard member (`ar` is arb_Arab). Where
    a country code clashes with a language code, what datasets mean wins: `kr` is Korean, although ISO 639-1 has
    it for Kanuri; write knc_Latn or knc_Arab. A script that is written is kept (`sr-Latn` is srp_Latn, which FLORES
    lacks); a territory matters for Chinese alone: TW, HK and MO mean zho_Hant, for `zh-HK` says how a text is
    written, not that Cantonese is spoken. That is `yue`.

    Raises:
        UsageError: the code names no language, or one whose script must be given.
    """
    key = _key(code)
    if known := _index().get(key):
        return known
    if parsed := _parse(key):
        return parsed
    import langcodes

    try:
        # control characters would corrupt the look-up in its index of names
        return tag(langcodes.find(code if code.isprintable() else "").to_tag())
    except LookupError:
        near = difflib.get_close_matches(key, _index(), n=1)
        hint = f"; did you mean {near[0]!r} ({_index()[near[0]]})?" if near else ""
        raise UsageError(
            f"unknown language {code!r}: a FLORES, BCP 47, ISO 639 or FLEURS code or an English name is needed{hint}"
        ) from None


@cache
def language(code: str) -> Language:
    """What is known of the language of a tag, or of any code that `tag` accepts.

    A script beside those of the file leaves family and region as they are, and the resource class "unknown".
    """
    name = tag(code)
    if row := _rows().get(name):
        facts = {field: row[field] for field in ("tag", "name", "family", "region", "resource")}
        return Language(**facts, spaced=row["spaced"] == "yes", fleurs=row["fleurs"] or None)
    from langcodes import Language as Code

    iso, _, script = name.partition("_")
    shown = iso if Code.get(iso).maximize().script == script else f"{iso}-{script}"
    unspaced = _UNSPACED_SCRIPTS | {row["tag"].partition("_")[2] for row in _rows().values() if row["spaced"] == "no"}
    return Language(
        tag=name,
        name=Code.get(shown).display_name("en"),
        family=_column(name, "family") or "unknown",
        region=_column(name, "region") or "unknown",
        resource="unknown",
        spaced=script not in unspaced,
        fleurs=None,
    )


def all_languages() -> tuple[Language, ...]:
    """All languages of the data file: those of FLORES-200 and the three more that Whisper knows."""
    return tuple(language(tag) for tag in _rows())


def fleurs_languages() -> tuple[Language, ...]:
    """The 102 languages of FLEURS."""
    return tuple(known for known in all_languages() if known.fleurs)


def spaced(code: str) -> bool:
    """Whether the language separates words by spaces; where it does not, WER says nothing and CER is used."""
    return language(code).spaced


def _column(code: str, column: str) -> str | None:
    """A column of the language's row, or of that of the same language in another script."""
    name = tag(code)
    row = _rows().get(name) or _rows().get(_index().get(name.partition("_")[0], ""), {})
    return row.get(column) or None


def iso639_1(code: str) -> str | None:
    """Two-letter code of the language or of the macrolanguage it stands for (nob_Latn `nb`, swh_Latn `sw`), if any.

    A variety beside the standard one has none (arz_Arab, yue_Hant). For Whisper use `whisper_code`.
    """
    return _column(code, "iso1")


def whisper_code(code: str) -> str | None:
    """Whisper's own code (jav_Latn `jw`, nob_Latn `no`, Arabic varieties `ar`); None for what it was not trained on.

    `yue` is known to Whisper large-v3 only; earlier models need `zh`.
    """
    return _column(code, "whisper")
