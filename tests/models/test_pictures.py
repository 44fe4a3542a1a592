"""What wrappers of image models share: images in order, and lines as one text of the language."""

from __future__ import annotations

import pytest

from mmbench.errors import MediaError, SampleError
from mmbench.models.pictures import joined, pictures, pixels
from mmbench.schema import Audio, Image, Sample, Text


def test_pictures_in_order() -> None:
    parts = (Text("a"), Image(b"1"), Audio(b""), Image(b"2"))
    assert [image.source for image in pictures(Sample(id="1", language="eng_Latn", parts=parts))] == [b"1", b"2"]
    with pytest.raises(SampleError, match="sample 7 has no image"):
        pictures(Sample(id="7", language="eng_Latn", parts=parts[:1]))
    with pytest.raises(MediaError):
        pixels(Image(b"nothing"))


@pytest.mark.parametrize(
    ("language", "lines", "text"),
    [
        ("eng_Latn", ["Two  lines ", "", " of text"], "Two lines of text"),
        ("zho_Hans", ["两行", "文字 abc"], "两行文字 abc"),
        ("tha_Thai", ["สอง", "บรรทัด"], "สองบรรทัด"),
        ("kor_Hang", ["두 줄의", "글"], "두 줄의 글"),
        ("eng_Latn", [], ""),
    ],
)
def test_line_ends_are_spaces_where_the_language_has_some(language: str, lines: list[str], text: str) -> None:
    assert joined(lines, language) == text


def test_what_no_eye_sees_is_left_out() -> None:
    assert joined(["\u200fשלום\u200e\f", "\u202bעולם\u202c"], "heb_Hebr") == "שלום עולם"
    assert joined(["பாம்\u200c என்பது\u200c,"], "tam_Taml") == "பாம் என்பது,"
    assert joined(["می\u200cخواهم"], "pes_Arab") == "می\u200cخواهم", "inside a Persian word it is seen"


def test_malayalam_letters_have_one_spelling() -> None:
    old = "വാഗണ\u0d4d\u200d അവന\u0d4d\u200d പലര\u0d4d\u200d പാല\u0d4d\u200d അവള\u0d4d\u200d ക\u0d4d\u200d"
    assert joined([old], "mal_Mlym") == "വാഗ\u0d7a അവ\u0d7b പല\u0d7c പാ\u0d7d അവ\u0d7e \u0d7f"
    assert joined(["പമ്പ"], "mal_Mlym") == "പമ്പ"
