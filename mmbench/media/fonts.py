"""Fonts of this machine by the name of their family, what characters they have, and which one a language is set in.

They are found by fontconfig (`fc-list`, `fc-scan`), so that nothing is downloaded and nothing depends on a path.
"""

from __future__ import annotations

import hashlib
import subprocess
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from mmbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Fonts = Mapping[str, str | Sequence[str]] | str

FAMILIES: Mapping[str, str] = {
    "Adlm": "Noto Sans Adlam",
    "Arab": "Noto Sans Arabic",
    "Armn": "Noto Sans Armenian",
    "Beng": "Noto Sans Bengali",
    "Cans": "Noto Sans Canadian Aboriginal",
    "Cher": "Noto Sans Cherokee",
    "Cyrl": "Noto Sans",
    "Deva": "Noto Sans Devanagari",
    "Ethi": "Noto Sans Ethiopic",
    "Geor": "Noto Sans Georgian",
    "Grek": "Noto Sans",
    "Gujr": "Noto Sans Gujarati",
    "Guru": "Noto Sans Gurmukhi",
    "Hang": "Noto Sans CJK KR",
    "Hans": "Noto Sans CJK SC",
    "Hant": "Noto Sans CJK TC",
    "Hebr": "Noto Sans Hebrew",
    "Jpan": "Noto Sans CJK JP",
    "Khmr": "Noto Sans Khmer",
    "Knda": "Noto Sans Kannada",
    "Laoo": "Noto Sans Lao",
    "Latn": "Noto Sans",
    "Mlym": "Noto Sans Malayalam",
    "Mtei": "Noto Sans Meetei Mayek",
    "Mymr": "Noto Sans Myanmar",
    "Nkoo": "Noto Sans NKo",
    "Olck": "Noto Sans Ol Chiki",
    "Orya": "Noto Sans Oriya",
    "Sinh": "Noto Sans Sinhala",
    "Syrc": "Noto Sans Syriac",
    "Taml": "Noto Sans Tamil",
    "Telu": "Noto Sans Telugu",
    "Tfng": "Noto Sans Tifinagh",
    "Thaa": "Noto Sans Thaana",
    "Thai": "Noto Sans Thai",
    "Tibt": "Noto Serif Tibetan",
}
"""Family that a script is set in (ISO 15924)."""

OTHERS = ("Noto Sans", "Noto Sans Symbols", "Noto Sans Symbols2", "Noto Sans Math", "Noto Sans CJK SC", "DejaVu Sans")
"""Families for what a script's own lacks, such as Latin letters, digits and signs; then those of all other scripts."""

_FORMAT = r"%{variable}\t%{weight}\t%{slant}\t%{width}\t%{file}\t%{index}\t%{charset}\n"
_REGULAR = (80, 0, 100)  # weight, slant and width of fontconfig
_FILES = (".ttf", ".otf", ".ttc", ".otc")
_SAME = {"\u00a0": " ", "\u2011": "\u2010"}  # what HarfBuzz puts for a character that a font lacks


@dataclass(frozen=True)
class Font:
    """One face: `ranges` are the first and last code points of what it has, sorted."""

    family: str
    path: Path
    index: int
    ranges: tuple[tuple[int, int], ...]

    @cached_property
    def _starts(self) -> list[int]:
        return [first for first, _ in self.ranges]

    def has(self, char: str) -> bool:
        """Whether it can show a character, maybe by that of its parts; what is never shown it has."""
        if unicodedata.category(char) in ("Cf", "Cc") or "\ufe00" <= char <= "\ufe0f":
            return True
        forms = (char, _SAME.get(char, ""), unicodedata.normalize("NFD", char))
        return any(form and all(map(self._holds, form)) for form in forms)

    def _holds(self, char: str) -> bool:
        at = bisect_right(self._starts, ord(char)) - 1
        return at >= 0 and ord(char) <= self.ranges[at][1]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, and the number of the face in it."""
        with self.path.open("rb") as handle:
            return f"{hashlib.file_digest(handle, 'sha256').hexdigest()}#{self.index}"


@cache
def find_font(name: str) -> Font | None:
    """The regular face of a family, or the first one of a file; None where it is not here.

    Raises:
        UsageError: fontconfig is not here.
    """
    if name.endswith(_FILES):
        path = Path(name).expanduser()
        listed = _asked("fc-scan", str(path)) if path.is_file() else ""
    else:
        listed = _asked(
            "fc-list", name.replace("\\", r"\\").replace("-", r"\-").replace(":", r"\:").replace(",", r"\,")
        )
    faces = []
    for line in listed.splitlines():
        variable, weight, slant, width, file, index, charset = line.split("\t")
        if variable == "False" and charset:
            style = [float(value or usual) for value, usual in zip((weight, slant, width), _REGULAR, strict=True)]
            distance = sum(abs(value - usual) for value, usual in zip(style, _REGULAR, strict=True))
            faces.append((distance, file, int(index), charset))
    if not faces:
        return None
    _, found, face, covered = min(faces)
    ends = [part.partition("-") for part in covered.split()]
    return Font(name, Path(found), face, tuple((int(a, 16), int(b or a, 16)) for a, _, b in ends))


def _asked(program: str, what: str) -> str:
    try:
        done = subprocess.run([program, "--format", _FORMAT, what], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UsageError(f"fonts are found by {program}, which is not here: sudo apt-get install fontconfig") from None
    return done.stdout


def package_of(family: str) -> str:
    """Debian package with a family of `FAMILIES` and `OTHERS`."""
    return "fonts-noto-cjk" if "CJK" in family else "fonts-noto-core"


def family_of(tag: str) -> str:
    """Family that a language is set in, by its script.

    Raises:
        UsageError: none is known.
    """
    script = tag.partition("_")[2]
    if script not in FAMILIES:
        raise UsageError(f"no font is known for {tag}: give one, as in fonts={{{script or tag}: FAMILY or FILE}}")
    return "Noto Sans CJK HK" if tag == "yue_Hant" else FAMILIES[script]


def named(tag: str, given: Fonts) -> tuple[str, ...]:
    """Names of the fonts that a language was given, in the order of preference; empty where that is "auto".

    Args:
        tag: of the language.
        given: names by tag, script or "default", of which the first that is there counts; or "auto".
    """
    if isinstance(given, str):
        return ()
    found = next((given[key] for key in (tag, tag.partition("_")[2], "default") if key in given), ())
    return (found,) if isinstance(found, str) else tuple(found)


def fonts_of(tag: str, given: Fonts = "auto") -> Iterator[Font]:
    """Fonts for a language in the order of preference: those it was given, or its script's own and then all others.

    Raises:
        UsageError: one that was given, or that of the script, is not here.
    """
    names = named(tag, given)
    if not names:
        family = family_of(tag)
        if (own := find_font(family)) is None:
            mend = f"sudo apt-get install {package_of(family)}, or name another one, as in fonts={{{tag}: DejaVu Sans}}"
            raise UsageError(f"the font {family}, in which {tag} is set, is not here: {mend}")
        yield own
        rest = dict.fromkeys(chain(OTHERS, FAMILIES.values()))
        yield from (font for name in rest if name != family and (font := find_font(name)) is not None)
    for name in names:
        if (font := find_font(name)) is None:
            raise UsageError(f"fonts: {name} for {tag} is neither a family that fc-list knows nor a font file")
        yield font
