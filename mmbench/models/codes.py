"""Which of a model's own language codes means a FLORES tag.

Models list their languages as ISO 639 codes (M2M100), with a territory (mBART-50), as FLORES tags (NLLB) or with the
script spelled out (MMS, `urd-script_arabic`). Each code of such a list is read as `mmbench.languages` reads it, so
that what a model lacks is a refusal and never a near language by chance.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from mmbench import languages
from mmbench.errors import SampleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mmbench.schema import Sample

_CODE = re.compile(r"([a-z]{2,3})(?:-script_([a-z]+)|_([A-Z][a-z]{3})|_[A-Z]{2})?")
"""A language, and its script in words or as ISO 15924 code; a territory says nothing here."""
_NOT_ISO = {"ns": "nso"}
"""M2M100's own code for Northern Sotho."""


def own_code(tag: str, codes: Iterable[str], chosen: Mapping[str, str] | None = None) -> str | None:
    """The code among a model's own that means a tag; None where the model does not know the language.

    Args:
        tag: FLORES tag.
        codes: all codes that the model knows.
        chosen: codes by tag that the user has picked, which go before what is found.

    Raises:
        UsageError: the user has picked a code that the model does not know.
    """
    known = tuple(codes)
    for wanted, code in (chosen or {}).items():
        if languages.tag(wanted) == tag:
            if code not in known:
                raise UsageError(f"model.languages: {wanted}: the model has no code {code!r}{_near(code, known)}")
            return code
    found = _by_tag(known)
    return found.get(tag) or found.get(tag.partition("_")[0])


def need_code(sample: Sample, tag: str, codes: Iterable[str], chosen: Mapping[str, str], model: str) -> str:
    """`own_code`, or why a sample cannot be answered.

    Raises:
        SampleError: the model does not know the language.
    """
    known = tuple(codes)
    code = own_code(tag, known, chosen)
    if code is None:
        name = languages.language(tag).name
        near = _near(tag.partition("_")[0], known)
        raise SampleError(
            f"sample {sample.id}: {model} does not know {name} ({tag}){near}; "
            f"model.languages={{{tag}: CODE}} takes another"
        )
    return code


def _near(code: str, known: Iterable[str]) -> str:
    """The model's codes that begin alike, for messages."""
    alike = sorted(own for own in known if own.startswith(code[:3]))[:5]
    return f", but {', '.join(alike)}" if alike else ""


@lru_cache(maxsize=16)
def _by_tag(codes: tuple[str, ...]) -> dict[str, str]:
    """Codes by tag; of two that mean one language the one that is its ISO code or tag."""
    found: dict[str, str] = {}
    for code in codes:
        tag = _tag(code)
        if tag and (tag not in found or (_plain(code, tag) and not _plain(found[tag], tag))):
            found[tag] = code
    return found


def _tag(code: str) -> str:
    """Tag of a model's code, its ISO 639-3 part where the script is not known, or nothing."""
    match = _CODE.fullmatch(code)
    if match is None:
        return ""
    language = _NOT_ISO.get(match[1], match[1])
    script = match[3] or _scripts().get(match[2] or "", "")
    try:
        return languages.tag(f"{language}_{script}" if script else language)
    except UsageError:
        return language


def _plain(code: str, tag: str) -> bool:
    return code in (tag, tag.partition("_")[0], languages.iso639_1(tag))


@cache
def _scripts() -> dict[str, str]:
    """ISO 15924 codes by the first word of their English name: arabic, simplified, traditional."""
    from langcodes import Language

    codes = {language.script for language in languages.all_languages()}
    return {Language.make(script=code).script_name("en").split()[0].lower(): code for code in sorted(codes)}
