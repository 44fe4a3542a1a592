"""Fonts are found by name through fontconfig, and say what they have."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import UsageError
from mmbench.languages import language
from mmbench.media.fonts import FAMILIES, Font, family_of, find_font, fonts_of, named, package_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TTF = "False\t80\t0\t100\t/fonts/Plain.ttf\t0\t20-7e a0\n"
BOLD = "False\t200\t0\t100\t/fonts/Bold.ttf\t0\t20-7e\n"
VARIABLE = "True\t\t0\t\t/fonts/Variable.ttf\t0\t20-7e\n"
TTC = "False\t80\t0\t100\t/fonts/All.ttc\t3\t20 4e00-9fff\n"


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the programs of fontconfig answer, by what they are asked."""
    answers: dict[str, str] = {}

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, stdout=answers.get(command[-1], ""))

    find_font.cache_clear()
    monkeypatch.setattr(subprocess, "run", run)
    yield answers
    find_font.cache_clear()


def test_the_regular_face_is_taken(listed: dict[str, str]) -> None:
    listed["Plain"] = BOLD + VARIABLE + TTF
    font = find_font("Plain")
    assert font is not None and str(font.path) == "/fonts/Plain.ttf" and font.ranges == ((0x20, 0x7E), (0xA0, 0xA0))
    listed["All"] = TTC
    found = find_font("All")
    assert found is not None and found.index == 3 and found.has("一") and not found.has("a")
    assert find_font("Nothing") is None
    listed["Only"] = VARIABLE
    assert find_font("Only") is None, "Pillow would draw an instance that nobody chose"


def test_names_are_escaped(listed: dict[str, str]) -> None:
    listed[r"A\-B\, C"] = TTF
    assert find_font("A-B, C") is not None


def test_a_file(listed: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "mine.ttf"
    assert find_font(str(path)) is None, "there is no such file"
    find_font.cache_clear()
    path.write_bytes(b"font")
    listed[str(path)] = f"False\t80\t0\t100\t{path}\t0\t41\n"
    font = find_font(str(path))
    find_font.cache_clear()
    assert font is not None and font.has("A") and font.digest.endswith("#0")
    path.write_bytes(b"other")
    again = find_font(str(path))
    assert again is not None and again.digest != font.digest


def test_without_fontconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise FileNotFoundError

    find_font.cache_clear()
    monkeypatch.setattr(subprocess, "run", missing)
    with pytest.raises(UsageError, match="apt-get install fontconfig"):
        find_font("Noto Sans")


def test_what_a_font_has(tmp_path: Path) -> None:
    font = Font("x", tmp_path, 0, ((0x20, 0x20), (0x61, 0x7A), (0x301, 0x301), (0x2010, 0x2010)))
    assert font.has("\u00e1") and not font.has("\u00c1"), "a letter is there where its parts are"
    assert font.has("\u200d") and font.has("\ufe0f"), "what is never seen needs no letter"
    assert font.has("\u00a0") and font.has("\u2011"), "a space and a hyphen that do not break look like those that do"
    assert not font.has("A") and not font.has("{")


def test_fonts_of_a_language(listed: dict[str, str]) -> None:
    listed.update({"Noto Sans Thai": TTF, "Noto Sans": BOLD, "My Font": TTC})
    assert [font.family for font in fonts_of("tha_Thai")] == ["Noto Sans Thai", "Noto Sans"]
    given = {"Thai": ["My Font", "Noto Sans"], "lao_Laoo": "My Font", "default": "Noto Sans"}
    assert [font.family for font in fonts_of("tha_Thai", given)] == ["My Font", "Noto Sans"]
    assert [font.family for font in fonts_of("lao_Laoo", given)] == ["My Font"]
    assert [font.family for font in fonts_of("eng_Latn", given)] == ["Noto Sans"]
    assert named("eng_Latn", {"Thai": "My Font"}) == (), "one that is given none is set like others"
    with pytest.raises(
        UsageError, match=r"Noto Sans CJK JP, in which jpn_Jpan is set, .* apt-get install fonts-noto-cjk"
    ):
        next(fonts_of("jpn_Jpan"))
    with pytest.raises(
        UsageError, match="fonts: No Font for eng_Latn is neither a family that fc-list knows nor a font"
    ):
        next(fonts_of("eng_Latn", {"default": "No Font"}))
    with pytest.raises(UsageError, match=r"no font is known for und_Zyyy: give one, as in fonts=\{Zyyy:"):
        next(fonts_of("und_Zyyy"))


def test_every_language_has_a_family() -> None:
    from mmbench.languages import _rows

    assert all(family_of(tag) for tag in _rows())
    assert family_of("yue_Hant") == "Noto Sans CJK HK" != family_of("zho_Hant")
    assert package_of(FAMILIES["Jpan"]) == "fonts-noto-cjk" and package_of(FAMILIES["Thai"]) == "fonts-noto-core"
    assert language("yue").script == "Hant"
