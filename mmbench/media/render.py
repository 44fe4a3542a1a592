"""Makes pictures of texts: what a model has to read that sees a page where another one is given the characters.

Letters are shaped by HarfBuzz and FriBidi through Pillow's Raqm layout. The same text, fonts and versions of these
libraries give the same bytes.
"""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from PIL import Image as pil
from PIL import ImageDraw, ImageFont, features

from mmbench.errors import UsageError
from mmbench.media.bidi import levels, right_to_left, visual
from mmbench.media.fonts import fonts_of, named
from mmbench.text.segmenters import UNSPACED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmbench.media.fonts import Font, Fonts

MAX_LINES = 400
"""A text of more lines is refused: its picture would be no page."""

_UNSPACED = re.compile(f"[{UNSPACED}]")
_TIBETAN = re.compile("[\u0f00-\u0fff]")
_AFTER = {"Pe", "Pf", "Po", "Lm"}  # no line begins with these
_BEFORE = {"Ps", "Pi"}  # and none ends with these
_BREAK = "\u200b"
_LEADING = "\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4"  # vowels of Thai and Lao that are before
_TRAILING = "\u0e33\u0eb3"  # and behind their consonant


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a picture of a text looks like, in pixels; black on white, as high as the text needs.

    Args:
        size: of the letters (one em).
        width: of the picture.
        margin: around the text.
    """

    size: int = 32
    width: int = 800
    margin: int = 24

    def __post_init__(self) -> None:
        """Refuse what nothing fits into."""
        if not 6 <= self.size <= 512 or self.margin < 0 or self.width - 2 * self.margin < 2 * self.size:
            what = f"size={self.size}, width={self.width}, margin={self.margin}"
            raise UsageError(f"{what}: give a size of 6 to 512 and room for two letters between the margins")


def render_text(text: str, tag: str, *, page: Page | None = None, fonts: Fonts = "auto") -> bytes:
    """A text as a picture, grey, encoded as PNG.

    Lines are broken at spaces; in scripts that write none between letters that belong together, in Tibetan behind its
    dots, and not before closing marks or behind opening ones. No dictionary is asked, so that a Thai or Khmer word may
    be broken, without a hyphen. Lines of the text stay lines. A text whose first letter goes from right to left begins
    at the right margin. Characters that the first font lacks are taken from the next.

    Args:
        text: what is written.
        tag: its language, which decides about the font.
        page: size and width.
        fonts: "auto", or names of families or files by tag, script or "default"; see `mmbench.media.fonts`.

    Raises:
        UsageError: no font has a character, there is nothing to see, it is too long, or the layout is not here.
    """
    check_layout()
    page = page or Page()
    pieces = [_Paragraph.of(line, tag, page, fonts) for line in text.splitlines()]
    lines = [line for piece in pieces for line in piece.lines(page.width - 2 * page.margin)]
    if not any(text.split()):
        raise UsageError(f"a text of {tag} has nothing to see; leave it out")
    if len(lines) > MAX_LINES:
        raise UsageError(f"a text of {tag} has {len(lines)} lines, more than {MAX_LINES}; give a wider page")
    used = dict.fromkeys(run.font for line in lines for run in line.runs)
    metrics = [_face(font, page.size).getmetrics() for font in used]
    ascent, descent = (max(values) for values in zip(*metrics, strict=True))
    step = ascent + descent
    picture = pil.new("L", (page.width, 2 * page.margin + step * len(lines)), 255)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        x = page.margin + (page.width - 2 * page.margin - line.width if line.rtl else 0)
        for run in line.runs:
            at = (x, page.margin + number * step + ascent)
            draw.text(at, run.text, 0, _face(run.font, page.size), anchor="ls", direction=run.direction)
            x += run.width
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def check_layout() -> None:
    """Refuse a Pillow that cannot shape complex scripts: it would show wrong letters in the wrong order.

    Raises:
        UsageError: so it is.
    """
    if not features.check("raqm"):
        raise UsageError("Pillow has no Raqm layout here: install its wheel (pip install --force-reinstall pillow)")
    if not features.check("fribidi"):
        raise UsageError("Pillow's layout finds no FriBidi: sudo apt-get install libfribidi0")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A piece of a line in one font and direction."""

    text: str
    font: Font
    level: int
    width: float

    @property
    def direction(self) -> str:
        return "rtl" if self.level % 2 else "ltr"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """Runs from left to right."""

    runs: tuple[_Run, ...]
    rtl: bool

    @property
    def width(self) -> float:
        return sum(run.width for run in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paragraph:
    """A line of the text: its clusters, and the font and embedding level of each."""

    clusters: tuple[str, ...]
    fonts: tuple[Font, ...]
    levels: tuple[int, ...]
    size: int
    rtl: bool

    @classmethod
    def of(cls, text: str, tag: str, page: Page, given: Fonts) -> _Paragraph:
        """A paragraph with fonts chosen; any white space is a space, and control characters are left out."""
        spaced = "".join(" " if char.isspace() else char for char in text.strip())
        plain = "".join(char for char in spaced if unicodedata.category(char) != "Cc")
        rtl, own = right_to_left(plain), clusters(plain)
        known, starts = levels(plain, rtl=rtl), accumulate(map(len, own), initial=0)
        return cls(
            clusters=own,
            fonts=tuple(_font_for(cluster, tag, given) for cluster in own),
            levels=tuple(known[start] for start, _ in zip(starts, own, strict=False)),
            size=page.size,
            rtl=rtl,
        )

    def lines(self, width: float) -> Iterator[_Line]:
        """The paragraph in lines of at most this width; a cluster that is wider stands alone."""
        start, end = 0, 0
        for stop in (*self._stops(), len(self.clusters)):
            if end > start and self._width(start, stop) > width:
                yield self._line(start, end)
                start = next((i for i in range(end, stop) if self.clusters[i] != " "), stop)
            while stop > start + 1 and self._width(start, stop) > width:  # a word that is wider than the page
                cut = next(i for i in range(stop - 1, start, -1) if i == start + 1 or self._width(start, i) <= width)
                yield self._line(start, cut)
                start = cut
            end = stop
        yield self._line(start, end)

    def _stops(self) -> list[int]:
        """Where a line may end; where the text says it (zero width space) only there and at spaces."""
        own = self.clusters
        stops = [index for index in range(1, len(own)) if may_break(own[index - 1], own[index])]
        said = any(cluster.endswith(_BREAK) for cluster in own)
        return [index for index in stops if own[index - 1] == " " or own[index - 1].endswith(_BREAK) or not said]

    def _runs(self, start: int, end: int) -> list[_Run]:
        """Runs of some clusters in the order of reading, without the spaces at their end."""
        while end > start and self.clusters[end - 1] == " ":
            end -= 1
        runs = []
        for (font, level), group in groupby(range(start, end), key=lambda i: (self.fonts[i], self.levels[i])):
            text = "".join(self.clusters[i] for i in group)
            width = _face(font, self.size).getlength(text, direction="rtl" if level % 2 else "ltr")
            runs.append(_Run(text=text, font=font, level=level, width=width))
        return runs

    def _width(self, start: int, end: int) -> float:
        return sum(run.width for run in self._runs(start, end))

    def _line(self, start: int, end: int) -> _Line:
        runs = self._runs(start, end)
        return _Line(runs=tuple(runs[index] for index in visual([run.level for run in runs])), rtl=self.rtl)


def clusters(text: str) -> tuple[str, ...]:
    """The pieces of a text that no line end and no change of font may come into: a letter with its marks.

    A letter below another, as in Khmer, and one that a joiner binds belong to it; so do the vowels of Thai and Lao that
    are written before or behind their consonant.
    """
    found: list[str] = []
    for char in text:
        last, kind = found[-1][-1] if found else "", unicodedata.category(char)
        bound = kind == "Lo" and (last in _LEADING or last == "\u200d" or _binds(last))
        if last and (bound or kind[0] == "M" or kind == "Cf" or char in _TRAILING):
            found[-1] += char
        else:
            found.append(char)
    return tuple(found)


def _binds(char: str) -> bool:
    """Whether it is a virama, but for that of Burmese, which is seen and binds nothing."""
    return bool(char) and unicodedata.combining(char) == 9 and char != "\u103a"


def may_break(one: str, other: str) -> bool:
    """Whether a line may end between two clusters."""
    if other == " ":
        return False
    if one == " " or one.endswith(_BREAK):
        return True
    if unicodedata.category(other[0]) in _AFTER or unicodedata.category(one[0]) in _BEFORE:
        return False
    if _TIBETAN.match(one) and _TIBETAN.match(other):
        return unicodedata.category(one[0]) == "Po"
    return bool(_UNSPACED.match(one) or _UNSPACED.match(other))


def _font_for(cluster: str, tag: str, given: Fonts) -> Font:
    """The first font that has all of a cluster.

    Raises:
        UsageError: none has.
    """
    for font in fonts_of(tag, given):
        if all(map(font.has, cluster)):
            return font
    tried = list(fonts_of(tag, given))
    lacks = next((char for char in cluster if not any(font.has(char) for font in tried)), None)
    what = " + ".join(f"U+{ord(c):04X} {unicodedata.name(c, 'without name')}" for c in (lacks or cluster))
    mend = f"give fonts more than {', '.join(font.family for font in tried)}"
    if not named(tag, given):
        mend = "sudo apt-get install fonts-noto-core fonts-noto-cjk fonts-dejavu-core, or name one that has it in fonts"
    raise UsageError(f"no font for {tag} has {(lacks or cluster)!r} ({what}): {mend}")


@cache
def _face(font: Font, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font.path), size, index=font.index, layout_engine=ImageFont.Layout.RAQM)
