"""Fish Fillets: Lua strings, and recordings and texts joined by level and id."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fish_fillets import FishFillets, fault, read_language, read_lines, unescape
from mmbench.errors import UsageError
from mmbench.schema import Audio

if TYPE_CHECKING:
    from mmbench.schema import Sample

CZECH = r"""
-- dialogId("let-m-stara", "font_small", "An old line")
dialogId("let-m-divna", "font_small", "What is it -- a ship?")
dialogStr("Co je to -- za \"divnou\" loď?")

dialogId( "let-v-oko" ,"font_big",
"An eye.")
dialogStr(
"Oko,   C:\\WINDOWS.")
--[[ dialogId("let-m-blok", "font_small", "A block")
dialogStr("Blok") ]]
dialogId("let-m-oko", "font_small", "No eye.")
dialogId("let-x-hodin", "font_white", "It took you %1 hours!")
dialogStr("Konkrétně %1 hodin!")
dialogId("let-z-ticho", "", "")
dialogStr("")
dialogId("let-z-pokus", "font_snail", "A try.")
dialogStr("Pokus.")
dialogStr("Druhý pokus.")
dialogId("let-z-pokus", "font_snail", "A try.")
dialogStr("Třetí pokus.")
for i = 0, 29 do dialogId("key"..i, "", "") end
"""
ENGLISH = r"""
dialogId("let-m-divna", "font_small", "What is it -- a \"ship\"?")
dialogId("let-v-oko", "font_big", "An eye.")
dialogId("let-z-pokus", "font_snail", "...")
dialogId("let-v-jen", "font_big", "Here alone.")
"""
DUTCH = r"""
dialogId("let-v-oko", "font_big", "An eye.")
dialogStr("Een oog.")
"""
SHARED = 'dialogId("smrt-v-0", "font_big", "Oh, shoot!")\ndialogStr("A sakra!")\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    game = tmp_path / "games" / "fillets-ng"
    scripts = {
        "airplane/dialogs_cs": CZECH,
        "airplane/dialogs_en": ENGLISH,
        "airplane/dialogs_nl": DUTCH,
        "airplane/dialogs_de_CH": DUTCH,
        "airplane/demo_dialogs_cs": 'dialogId("dlg-x-1", "font_poster", "P")\ndialogStr("Plakát")\n',
        "share/black_dialogs_cs": SHARED,
        "share/black_dialogs_en": SHARED.partition("\n")[0],
    }
    for name, text in scripts.items():
        path = game / "script" / f"{name}.lua"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    czech = ("let-m-divna", "let-v-oko", "let-m-oko", "let-x-hodin", "let-z-ticho", "let-z-pokus", "let-m-nic")
    sounds = [f"airplane/cs/{name}" for name in czech]
    sounds += ["airplane/nl/let-v-oko", "share/blackjokes/cs/smrt-v-0", "share/sp-bubles_00", "airplane/en/let-v-oko"]
    for index, name in enumerate(sounds):
        path = game / "sound" / f"{name}.ogg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([index]) * 9)
    changelog = tmp_path / "doc" / "fillets-ng-data" / "changelog.Debian.gz"
    changelog.parent.mkdir(parents=True)
    changelog.write_bytes(gzip.compress(b"fillets-ng-data (1.0.1-1.1) unstable; urgency=medium\n"))
    return tmp_path


def load(root: Path, **settings: Any) -> dict[str, Sample]:
    loader = FishFillets(root=str(root), **settings)
    loader.validate()
    samples = list(loader)
    assert loader.count == len(samples) == len({one.id for one in samples})
    return {one.id: one for one in samples}


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r"a \"b\" c", 'a "b" c'),
        (r"C:\\new", "C:\\new"),
        (r"one\ntwo\tthree", "one\ntwo\tthree"),
        (r"\/etc \'x\'", "/etc 'x'"),
        (r"\65\066C\1232", "ABC{2"),
        ("two\\\nlines", "two\nlines"),
        ("plain", "plain"),
    ],
)
def test_unescape(literal: str, text: str) -> None:
    assert unescape(literal) == text


def test_read_lines(root: Path) -> None:
    lines = read_lines(root / "games/fillets-ng/script/airplane/dialogs_cs.lua")
    assert list(lines) == ["let-m-divna", "let-v-oko", "let-m-oko", "let-x-hodin", "let-z-ticho", "let-z-pokus"]
    assert lines["let-m-divna"] == ("font_small", "What is it -- a ship?", 'Co je to -- za "divnou" loď?')
    assert lines["let-v-oko"].text == "Oko, C:\\WINDOWS."
    assert lines["let-m-oko"].text is None, "a text belongs to the id before it alone"
    assert lines["let-z-pokus"].text == "Pokus.", "of two the first counts"
    assert lines["let-z-ticho"].text == ""
    (root / "bad.lua").write_bytes(b"\xff\xff")
    with pytest.raises(UsageError, match=r"bad.lua: cannot be read"):
        read_lines(root / "bad.lua")


def test_read_language(root: Path) -> None:
    lines = read_language(root / "games/fillets-ng", "cs")
    assert lines["share/blackjokes", "smrt-v-0"].text == "A sakra!"
    assert lines["airplane", "dlg-x-1"].text == "Plakát"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no words"),
        ("", "no words"),
        ("... ?!", "no words"),
        ("A%1.", "number filled in"),
        ("Na 100 %.", None),
        ("Aha.", None),
    ],
)
def test_fault(text: str | None, reason: str | None) -> None:
    assert fault(text) == reason


def test_speech_recognition(root: Path) -> None:
    found = load(root)
    assert set(found) == {
        "airplane/let-m-divna/ces_Latn",
        "airplane/let-v-oko/ces_Latn",
        "airplane/let-v-oko/nld_Latn",
        "airplane/let-z-pokus/ces_Latn",
        "share/blackjokes/smrt-v-0/ces_Latn",
    }
    eye = found["airplane/let-v-oko/nld_Latn"]
    [part] = eye.parts
    assert isinstance(part, Audio) and str(part.source).endswith("airplane/nl/let-v-oko.ogg")
    assert eye.references == ("Een oog.",) and eye.transcript == "Een oog."
    assert eye.group == {"level": "airplane", "character": "big fish"}
    characters = {name.rpartition("/")[0]: one.group["character"] for name, one in found.items()}
    assert characters["airplane/let-m-divna"] == "small fish" and characters["airplane/let-z-pokus"] == "other"
    assert found["share/blackjokes/smrt-v-0/ces_Latn"].group["level"] == "share/blackjokes"


def test_what_is_left_out(root: Path) -> None:
    assert FishFillets(root=str(root)).contents[1] == Counter(
        {"recording without text": 1, "text without recording": 1, "no words": 2, "number filled in": 1}
    )
    sound = root / "games/fillets-ng/sound/airplane/cs"
    (sound / "let-z-pokus.ogg").write_bytes((sound / "let-v-oko.ogg").read_bytes())
    loader = FishFillets(root=str(root), languages="cs")
    assert loader.contents[1]["one recording, several texts"] == 2
    assert [one.id for one in loader] == ["airplane/let-m-divna/ces_Latn", "share/blackjokes/smrt-v-0/ces_Latn"]


def test_translation(root: Path) -> None:
    found = load(root, task="translation")
    ship = found["airplane/let-m-divna/ces_Latn"]
    assert ship.references == ('What is it -- a "ship"?',), "the English script counts, not the Czech one's copy"
    assert ship.written == "eng_Latn" and ship.transcript == 'Co je to -- za "divnou" loď?'
    assert "airplane/let-z-pokus/ces_Latn" not in found, "its English has no words"
    into_dutch = load(root, task="translation", target="nl")
    assert {name: one.references for name, one in into_dutch.items()} == {"airplane/let-v-oko/ces_Latn": ("Een oog.",)}
    with pytest.raises(UsageError, match="target=sw: the game has no such texts, only ces_Latn, eng_Latn, nld_Latn"):
        FishFillets(root=str(root), task="translation", target="sw").validate()
    with pytest.raises(UsageError, match="target=nl: no line of the languages is translated into it"):
        FishFillets(root=str(root), task="translation", languages="nl", target="nl").validate()


def test_settings(root: Path) -> None:
    assert {one.language for one in load(root, languages="Dutch").values()} == {"nld_Latn"}
    with pytest.raises(UsageError, match="task='sing' is not known: give one of asr, translation"):
        FishFillets(root=str(root), task="sing")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="eng_Latn not in the dataset, which has ces_Latn, nld_Latn"):
        FishFillets(root=str(root), languages=["en", "cs"])
    with pytest.raises(UsageError, match="apt-get install fillets-ng-data fillets-ng-data-cs fillets-ng-data-nl"):
        FishFillets(root=str(root / "none")).validate()


def test_card(root: Path) -> None:
    card = FishFillets(root=str(root)).card
    assert card.revision == "fillets-ng-data 1.0.1-1.1" and card.languages == ("ces_Latn", "nld_Latn")
    assert FishFillets(root=str(root), task="translation").card.content != card.content
    (root / "games/fillets-ng/sound/airplane/nl/let-v-oko.ogg").write_bytes(b"another take")
    assert FishFillets(root=str(root)).card.content != card.content


@pytest.mark.skipif(not Path("/usr/share/games/fillets-ng/sound").exists(), reason="the packages are not installed")
def test_the_package() -> None:
    loader = FishFillets(task="translation")
    counts = Counter(one.language for one in loader)
    assert counts["ces_Latn"] > 1700 and counts["nld_Latn"] > 1500
    found = {one.id: one for one in loader}
    ship = found["airplane/let-m-divna/ces_Latn"]
    assert ship.references == ("What kind of strange ship is that?",) and ship.transcript == "Co je to za divnou loď?"
    assert not [one.id for one in found.values() if "\\" in one.references[0].replace("C:\\WINDOWS\\CONFIG", "")]
