"""Pictures of texts: letters are shaped, lines broken and ordered as their script wants, and nothing is left out."""

from __future__ import annotations

import io
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as pil
from PIL import features

from mmbench.errors import UsageError
from mmbench.media import load_image
from mmbench.media.fonts import find_font
from mmbench.media.render import Page, clusters, may_break, render_text
from mmbench.schema import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATIN = {"default": "DejaVu Sans"}
PAGE = Page(size=32, width=800, margin=24)


def installed(*families: str) -> bool:
    try:
        return all(find_font(family) is not None for family in families)
    except UsageError:
        return False


dejavu = pytest.mark.skipif(not installed("DejaVu Sans"), reason="needs fonts-dejavu-core")
noto = pytest.mark.skipif(
    not installed("Noto Sans", "Noto Sans Hebrew", "Noto Sans CJK SC"), reason="needs fonts-noto-core, fonts-noto-cjk"
)


def ink(png: bytes) -> NDArray[np.bool_]:
    """Where a picture is dark, of shape (height, width)."""
    return np.asarray(pil.open(io.BytesIO(png)).convert("L")) < 128


def width(text: str, tag: str) -> int:
    """Distance between the first and the last dark column."""
    columns = np.flatnonzero(ink(render_text(text, tag)).any(axis=0))
    return int(columns[-1] - columns[0])


def lines(png: bytes) -> int:
    """Number of groups of dark rows: lines of a text whose letters do not reach from one to the next."""
    rows = ink(png).any(axis=1).astype(int)
    return int((np.diff(rows) == 1).sum())


@dejavu
def test_a_page() -> None:
    png = render_text("Привет, Ωμέγα, été!", "rus_Cyrl", page=PAGE, fonts=LATIN)
    picture = load_image(Image(png))
    assert picture.size[0] == 800 and picture.mode == "RGB"
    dark = ink(png)
    assert dark.any() and not dark[:, :24].any() and not dark[:24].any() and not dark[-24:].any()
    assert png == render_text("Привет, Ωμέγα, été!", "rus_Cyrl", page=PAGE, fonts=LATIN), "the same bytes each time"
    assert png != render_text("Привет, Омега, été!", "rus_Cyrl", page=PAGE, fonts=LATIN)
    larger = render_text("Привет", "rus_Cyrl", page=Page(size=64), fonts=LATIN)
    assert ink(larger).sum() > 2 * ink(render_text("Привет", "rus_Cyrl", page=PAGE, fonts=LATIN)).sum()


@dejavu
def test_lines() -> None:
    one = render_text("nonono", "eng_Latn", fonts=LATIN)
    assert lines(one) == 1
    assert lines(render_text("nono " * 40, "eng_Latn", fonts=LATIN)) > 3
    word = render_text("n" * 100, "eng_Latn", fonts=LATIN)
    assert lines(word) > 1 and not ink(word)[:, 777:].any(), "a word that is wider than the page is cut"
    assert lines(render_text("mono\nmono", "eng_Latn", fonts=LATIN)) == 2
    blank = render_text("mono\n\nmono", "eng_Latn", fonts=LATIN)
    assert ink(blank).shape[0] > ink(render_text("mono\nmono", "eng_Latn", fonts=LATIN)).shape[0], "a blank line stays"
    assert render_text(" mono \t mono ", "eng_Latn", fonts=LATIN) == render_text("mono   mono", "eng_Latn", fonts=LATIN)


@dejavu
def test_no_letter_is_lost_at_line_ends() -> None:
    words = [f"{chr(97 + i)}{chr(98 + i)}o" * 3 for i in range(20)]
    total = sum(int(ink(render_text(word, "eng_Latn", fonts=LATIN)).sum()) for word in words)
    together = int(ink(render_text(" ".join(words), "eng_Latn", page=Page(width=300), fonts=LATIN)).sum())
    assert together == pytest.approx(total, rel=0.02)


@dejavu
def test_right_to_left_begins_at_the_right() -> None:
    left, right = (np.flatnonzero(ink(render_text(t, "heb_Hebr", fonts=LATIN)).any(axis=0)) for t in ("abc", "אבג"))
    assert left[0] < 40 and right[-1] > 760
    assert left[-1] < 400 < right[0]


@dejavu
def test_refused() -> None:
    with pytest.raises(
        UsageError, match=r"no font for eng_Latn has '一' \(U\+4E00 CJK UNIFIED .*give fonts more than DejaVu"
    ):
        render_text("a 一", "eng_Latn", fonts=LATIN)
    with pytest.raises(UsageError, match="has nothing to see"):
        render_text(" \n ", "eng_Latn", fonts=LATIN)
    with pytest.raises(UsageError, match=r"has 401 lines, more than 400; give a wider page"):
        render_text("a\n" * 401, "eng_Latn", fonts=LATIN)
    for wrong in ({"size": 2}, {"margin": -1}, {"width": 100, "margin": 40}):
        with pytest.raises(UsageError, match="give a size of 6 to 512 and room for two letters"):
            Page(**wrong)


def test_without_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    for lacking, mend in (("raqm", "reinstall pillow"), ("fribidi", "apt-get install libfribidi0")):
        monkeypatch.setattr(features, "check", lambda name, lacking=lacking: name != lacking)
        with pytest.raises(UsageError, match=mend):
            render_text("a", "eng_Latn")


def test_clusters() -> None:
    assert clusters("e\u0301a") == ("e\u0301", "a")
    assert clusters("ស្ត្រី") == ("ស្ត្រី",), "letters below another stay with it"
    assert clusters("เก้าน้ำ") == ("เก้", "า", "น้ำ")
    assert clusters("က်(") == ("က်", "("), "a Burmese asat binds nothing"
    assert clusters("ක්\u200dය") == ("ක්\u200dය",)


@pytest.mark.parametrize(
    ("one", "other", "allowed"),
    [
        ("a", "b", False),
        (" ", "b", True),
        ("a", " ", False),
        ("国", "人", True),
        ("国", "。", False),
        ("「", "国", False),
        ("国", "G", True),
        ("ก", "ข", True),
        ("ག", "ང", False),
        ("་", "ང", True),
        ("ก\u200b", "a", True),
        ("1", "2", False),
    ],
)
def test_where_a_line_may_end(one: str, other: str, allowed: bool) -> None:
    assert may_break(one, other) is allowed


@noto
def test_letters_are_shaped() -> None:
    joined, apart = width("بيت", "arb_Arab"), width("ب\u200cي\u200cت", "arb_Arab")
    assert joined < 0.8 * apart, "Arabic letters join"
    assert width("क्ष", "hin_Deva") < width("क\u200c" + "ष", "hin_Deva"), "two letters make one"
    assert width("កក្ក", "khm_Khmr") < width("កកក", "khm_Khmr"), "a letter goes below another"


@noto
def test_what_a_font_lacks_is_taken_from_another() -> None:
    assert not find_font("Noto Sans Hebrew").has("3")  # type: ignore[union-attr]
    dark = ink(render_text("אבגד 3-1.", "heb_Hebr"))
    columns = np.flatnonzero(dark.any(axis=0))
    full_stop = dark[:, columns[0] : columns[0] + 6]
    assert full_stop.any(axis=1).sum() < 8, "the sentence ends at the left, with a full stop"
    wide = ink(render_text("GPS 中文 שלום", "eng_Latn"))
    assert wide.sum() > ink(render_text("GPS", "eng_Latn")).sum()


@noto
def test_words_that_are_told_apart_by_marks_of_no_width() -> None:
    said = "ក" * 30 + "\u200b" + "ក" * 10
    marked, plain = (ink(render_text(text, "khm_Khmr")) for text in (said, said.replace("\u200b", "")))
    assert marked.shape[0] == plain.shape[0], "both have two lines"
    assert np.flatnonzero(marked[: marked.shape[0] // 2].any(axis=0))[-1] < np.flatnonzero(plain.any(axis=0))[-1]


SENTENCES = {
    "arb_Arab": ("ara", "يصب النهر في البحر"),
    "ell_Grek": ("ell", "Το ποτάμι χύνεται στη θάλασσα"),
    "hin_Deva": ("hin", "नदी समुद्र में गिरती है"),
    "heb_Hebr": ("heb", "הנהר נשפך אל הים"),
    "kor_Hang": ("kor", "강은 바다로 흐른다"),
    "tha_Thai": ("tha", "แม่น้ำไหลลงสู่ทะเล"),
    "zho_Hans": ("chi_sim", "月亮绕着地球转"),
}


@noto
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract-ocr-all")
@pytest.mark.parametrize("tag", SENTENCES)
def test_a_machine_can_read_it(tag: str) -> None:
    code, text = SENTENCES[tag]
    command = ["tesseract", "stdin", "stdout", "-l", code, "--psm", "6"]
    done = subprocess.run(command, input=render_text(text, tag), capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"tesseract has no {code}")
    read = "".join(done.stdout.decode("utf-8").split())
    expected = "".join(text.split())
    right = sum(a == b for a, b in zip(read, expected, strict=False))
    assert right >= 0.8 * len(expected), read
