"""Both directions in one line, against examples of Unicode Standard Annex 9 and what readers of the scripts expect."""

from __future__ import annotations

import pytest

from mmbench.media.bidi import levels, right_to_left, visual

# Capitals stand for Hebrew, as in the Annex; digits and signs for themselves.
HEBREW = str.maketrans({chr(65 + i): chr(0x5D0 + i) for i in range(26)})
ARABIC = str.maketrans({chr(65 + i): chr(0x628 + i) for i in range(20)})


def shown(text: str, *, rtl: bool, letters: dict[int, str] = HEBREW) -> str:
    """What is seen from left to right; brackets are not mirrored."""
    return "".join(text[index] for index in visual(levels(text.translate(letters), rtl=rtl)))


@pytest.mark.parametrize(
    ("text", "rtl", "seen"),
    [
        ("car means CAR.", False, "car means RAC."),
        ("ABC car DEF.", True, ".FED car CBA"),
        ("THE new york times SAID", True, "DIAS new york times EHT"),
        ("ABC 12.5 DEF", True, "FED 12.5 CBA"),
        ("ABC 12%", True, "12% CBA"),
        ("ABC 3-1 DEF", True, "FED 3-1 CBA"),
        ("see ABC DEF 12:30 now", False, "see 12:30 FED CBA now"),
        ("ABC a (h5n1) DEF", True, "FED a (h5n1) CBA"),
        ("ABC (who) DEF", True, "FED )who( CBA"),
        ("ABC (DEF) who", True, "who )FED( CBA"),
        ("read [ABC].", False, "read [CBA]."),
        ("ABC, who", False, "CBA, who"),
        ("", True, ""),
    ],
)
def test_order(text: str, rtl: bool, seen: str) -> None:
    assert shown(text, rtl=rtl) == seen


def test_a_minus_behind_arabic_is_no_sign_of_a_number() -> None:
    assert shown("A 3-1 B", rtl=True, letters=ARABIC) == "B 1-3 A", "rules W2 and W4: after Arabic they are two numbers"
    assert shown("A 3-1 B", rtl=True, letters=HEBREW) == "B 3-1 A"


def test_marks_stay_on_their_letters() -> None:
    text = "\u05d1\u05bc\u05b8 a\u0301 \u05d2"
    assert levels(text, rtl=True) == [1, 1, 1, 1, 2, 2, 1, 1]


@pytest.mark.parametrize(("text", "rtl"), [("12 אב", True), ("a אב", False), ("«سلام»", True), ("12.5", False)])
def test_direction_of_a_paragraph(text: str, rtl: bool) -> None:
    assert right_to_left(text) is rtl


def test_nested_runs() -> None:
    assert visual([0, 1, 2, 1, 0]) == [0, 3, 2, 1, 4]
    assert visual([1, 2, 2, 1]) == [3, 1, 2, 0]
    assert visual([]) == []
