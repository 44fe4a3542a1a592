"""Tux Paint's stamps: texts and recordings joined by name, one locale a language, and fair questions."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from PIL import Image as pil

from loaders.tuxpaint import TuxPaint, neighbours, options
from loaders.tuxpaint_stamps import locale_tag, pick_locales, plain, read_descriptions, repeated
from mmbench.errors import UsageError
from mmbench.schema import Audio, Image, Text

if TYPE_CHECKING:
    from mmbench.schema import Sample

STAMPS = {
    "animals/birds/penguin": "A penguin.\nes.utf8=Un  pingüino.\nsr.utf8=Пингвин.\nsr@latin.utf8=Pingvin.\n"
    "en_GB.utf8=One penguin.\npt_BR.utf8=Um pingüim.\npt.utf8=Um pinguim.\nzh_TW.utf8=企鵝\nzh_CN.utf8=企鹅\n",
    "animals/birds/owl": "An owl.\nes.utf8=Un búho.\nes.utf8=Un mochuelo.\npt_BR.utf8=Uma coruja.\nnonsense\n",
    "animals/birds/duck": "A duck.\nes.utf8=Un pato.\n",
    "animals/birds/drake": "A drake.\nes.utf8=Un pato\n",
    "animals/cat": "A cat.\nes.utf8=Un gato.\nfr.utf8=A cat\n",
    "food/pea": "A pea.\nes.utf8=Un guisante.\nfr.utf8=\n",
    "food/egg": "\nes.utf8=Un huevo.\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    stamps = tmp_path / "tuxpaint" / "stamps"
    for index, (name, text) in enumerate(STAMPS.items()):
        path = stamps / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if name == "food/pea":
            path.with_suffix(".svg").write_text("<svg/>")
        else:
            pil.new("RGBA", (8, 8 + index)).save(path.with_suffix(".png"))
        speak(stamps, f"{name}_desc_es", index)
    for index, name in enumerate(("animals/birds/penguin_desc", "animals/birds/penguin", "animals/cat_desc_zu")):
        speak(stamps, name, 20 + index)
    changelog = tmp_path / "doc" / "tuxpaint-stamps-default" / "changelog.Debian.gz"
    changelog.parent.mkdir(parents=True)
    changelog.write_bytes(gzip.compress(b"tuxpaint-stamps (2022.06.04-1) unstable; urgency=medium\n"))
    return tmp_path


def speak(stamps: Path, name: str, seed: int) -> None:
    soundfile.write(stamps / f"{name}.ogg", np.random.default_rng(seed).normal(0, 0.1, 1600), 16000)


def load(root: Path, **settings: Any) -> dict[str, Sample]:
    loader = TuxPaint(root=str(root), **settings)
    loader.validate()
    samples = list(loader)
    assert loader.count == len(samples) == len({one.id for one in samples})
    return {one.id: one for one in samples}


def test_read_descriptions(root: Path, tmp_path: Path) -> None:
    stamps = root / "tuxpaint" / "stamps"
    found = read_descriptions(stamps / "animals/birds/penguin.txt")
    assert list(found)[:2] == ["en", "es"] and found["es"] == "Un pingüino." and found["sr@latin"] == "Pingvin."
    assert read_descriptions(stamps / "animals/birds/owl.txt")["es"] == "Un búho.", "of two lines the first counts"
    assert "fr" not in read_descriptions(stamps / "food/pea.txt")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"bad.txt: cannot be read"):
        read_descriptions(tmp_path / "bad.txt")


def test_locales() -> None:
    tags = [locale_tag(code) for code in ("sr", "sr@latin", "zh_TW", "zh_CN", "ca@valencia", "son", "shs", "pt_BR")]
    assert tags[:4] == ["srp_Cyrl", "srp_Latn", "zho_Hant", "zho_Hans"]
    assert tags[4:] == ["cat_Latn", "son_Latn", "shs_Latn", "por_Latn"]
    picked = pick_locales(["pt_BR", "en_GB", "en", "en_AU", "pt", "ca@valencia", "ca"])
    assert picked == {"por_Latn": "pt", "eng_Latn": "en", "cat_Latn": "ca"}
    assert pick_locales(["es_MX", "es_AR"]) == {"spa_Latn": "es_AR"}


def test_speech_recognition(root: Path) -> None:
    found = load(root)
    penguin = found["animals/birds/penguin/spa_Latn"]
    [part] = penguin.parts
    assert isinstance(part, Audio) and Path(str(part.source)).name == "penguin_desc_es.ogg"
    assert penguin.references == ("Un pingüino.",) and part.transcript == "Un pingüino."
    assert penguin.group == {"stamp": "animals/birds/penguin", "category": "animals", "locale": "es"}
    assert found["animals/birds/penguin/eng_Latn"].references == ("penguin.", "A penguin."), "no article is spoken"
    assert "food/pea/spa_Latn" in found, "speech needs no image"
    names = {Path(str(one.parts[0].source)).name for one in found.values() if isinstance(one.parts[0], Audio)}
    assert "penguin.ogg" not in names, "a sound effect is no speech"
    assert len(found) == 7


def test_translation(root: Path) -> None:
    found = load(root, task="translation")
    assert {one.language for one in found.values()} == {"spa_Latn"}
    owl = found["animals/birds/owl/spa_Latn"]
    assert owl.references == ("An owl.",) and owl.written == "eng_Latn" and owl.transcript == "Un búho."


def test_what_is_left_out(root: Path) -> None:
    _, locales, skipped = TuxPaint(root=str(root)).contents
    assert locales["por_Latn"] == "pt"
    # of the cat's Zulu recording there is no text, and of the egg's Spanish one no English line
    assert skipped == Counter({"recording without text": 2, "no PNG image": 1})
    assert "animals/birds/owl/por_Latn" not in load(root, task="naming", input="text"), "one locale a language"


def test_the_same_recording_twice(tmp_path: Path) -> None:
    files = {
        tmp_path / name: text for name, text in (("a", "Un pato."), ("b", "un pato"), ("c", "Rojo"), ("d", "Azul"))
    }
    for path in files:
        path.write_bytes(b"duck" if path.name in "ab" else b"colour")
    assert {path.name: reason for path, reason in repeated(files).items()} == {
        "b": "repeated",
        "c": "one recording, several texts",
        "d": "one recording, several texts",
    }


def test_naming(root: Path) -> None:
    found = load(root, task="naming")
    owl = found["animals/birds/owl/spa_Latn"]
    assert owl.answer is not None and owl.choices[owl.answer] == "Un búho."
    assert isinstance(owl.parts[0], Image) and owl.parts[0].transcript == "An owl."
    # the nearest first: of duck and drake one, because in Spanish they are the same word
    assert {plain(text) for text in owl.choices} == {"un búho", "un pingüino", "un pato", "un gato"}
    duck = found["animals/birds/duck/spa_Latn"]
    assert sum(plain(text) == "un pato" for text in duck.choices) == 1
    assert "food/pea/spa_Latn" not in found, "an SVG has no image"
    assert "animals/cat/fra_Latn" not in found, "what is not translated would give itself away"
    assert all(len(set(one.choices)) == len(one.choices) for one in found.values())


def test_a_question_is_the_same_in_every_language(root: Path) -> None:
    stamps, _, _ = TuxPaint(root=str(root)).contents
    owl = next(stamp for stamp in stamps if stamp.name.endswith("owl"))
    near = neighbours(owl, stamps)
    assert [stamp.name.startswith("animals/birds/") for stamp in near] == [True, True, True, False, False]
    shown = options(owl, near, "eng_Latn")
    assert shown == options(owl, list(near), "eng_Latn") and len(shown) == 4
    assert near == neighbours(owl, stamps[::-1]), "the order in which stamps are read means nothing"


def test_inputs(root: Path) -> None:
    speech = load(root, task="naming", input="speech")
    assert "food/pea/spa_Latn" in speech and "animals/birds/owl/eng_Latn" not in speech
    both = load(root, task="naming", input="both")
    assert [type(part) for part in both["animals/cat/spa_Latn"].parts] == [Image, Audio]
    assert "food/pea/spa_Latn" not in both
    text = load(root, task="naming", input="text")
    assert text["animals/cat/spa_Latn"].parts == (Text("A cat."),)
    assert text["animals/cat/spa_Latn"].spoken == "eng_Latn"
    assert not [name for name in text if name.endswith("eng_Latn")]
    asked = {name: one.choices for name, one in text.items() if name in both}
    assert asked == {name: both[name].choices for name in asked}, "the input changes no choice"


def test_caption(root: Path) -> None:
    found = load(root, task="caption")
    owl = found["animals/birds/owl/spa_Latn"]
    [part] = owl.parts
    assert isinstance(part, Image) and Path(str(part.source)).name == "owl.png"
    assert owl.references == ("Un búho.",) and owl.transcript == "An owl." and not owl.choices
    assert owl.group["stamp"] == "animals/birds/owl" and owl.written == "spa_Latn"
    assert {"animals/birds/duck/spa_Latn", "animals/birds/drake/spa_Latn", "animals/cat/eng_Latn"} <= found.keys()
    assert "food/pea/spa_Latn" not in found, "an SVG has no image"
    assert "animals/cat/fra_Latn" not in found, "what is not translated is no French caption"


def test_retrieval(root: Path) -> None:
    found = load(root, task="retrieval")
    owl = found["animals/birds/owl/spa_Latn"]
    assert owl.parts == (Text("Un búho."),) and owl.variants.keys() == {"item"}
    [item] = owl.variants["item"]
    assert isinstance(item, Image) and Path(str(item.source)).name == "owl.png"
    assert owl.group["stamp"] == "animals/birds/owl"
    assert "food/pea/spa_Latn" not in found and "animals/cat/fra_Latn" not in found
    assert {"animals/birds/duck/eng_Latn", "animals/birds/drake/eng_Latn"} <= found.keys()
    spanish = {name for name in found if name.endswith("spa_Latn")}
    assert "animals/birds/drake/spa_Latn" in spanish, "the first by name stays"
    assert "animals/birds/duck/spa_Latn" not in spanish, "in Spanish a duck says what the drake before it says"
    assert (
        TuxPaint(root=str(root), task="retrieval").card.content != TuxPaint(root=str(root), task="caption").card.content
    )


def test_each_text_and_image_is_there_once_in_retrieval(root: Path) -> None:
    stamps = root / "tuxpaint" / "stamps"
    (stamps / "food/apple.txt").write_text("An apple.\nes.utf8=Una manzana.\n", encoding="utf-8")
    (stamps / "food/apple.png").write_bytes((stamps / "animals/cat.png").read_bytes())
    (stamps / "people").mkdir()
    (stamps / "people/owl.txt").write_text("AN OWL!\nes.utf8=Una lechuza.\n", encoding="utf-8")
    pil.new("RGBA", (8, 40)).save(stamps / "people/owl.png")
    found = load(root, task="retrieval")
    assert "food/apple/eng_Latn" not in found, "it shows what the cat shows"
    assert "people/owl/spa_Latn" not in found, "English says the same of two stamps, whatever Spanish calls them"
    assert {"food/apple/eng_Latn", "people/owl/spa_Latn"} <= load(root, task="caption").keys()
    narrow = load(root, task="retrieval", languages="es")
    assert narrow.keys() == {name for name in found if name.endswith("spa_Latn")}, "a language does not change another"


def test_settings(root: Path) -> None:
    assert {one.language for one in load(root, languages="en").values()} == {"eng_Latn"}
    with pytest.raises(UsageError, match="task='speak' is not known: give one of asr, naming"):
        TuxPaint(root=str(root), task="speak")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="input='smell' is not known"):
        TuxPaint(root=str(root), input="smell")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="task=asr has no swh_Latn, only eng_Latn, spa_Latn"):
        TuxPaint(root=str(root), languages=["es", "sw"]).validate()
    with pytest.raises(UsageError, match="apt-get install tuxpaint-stamps-default"):
        TuxPaint(root=str(root / "none")).validate()


def test_card(root: Path) -> None:
    card = TuxPaint(root=str(root)).card
    assert card.revision == "tuxpaint-stamps-default 2022.06.04-1" and card.languages == ("eng_Latn", "spa_Latn")
    path = root / "tuxpaint/stamps/animals/birds/owl.txt"
    path.write_text(path.read_text(encoding="utf-8").replace("búho", "buho"), encoding="utf-8")
    assert TuxPaint(root=str(root)).card.content != card.content
    (root / "doc/tuxpaint-stamps-default/changelog.Debian.gz").write_bytes(b"damaged")
    assert TuxPaint(root=str(root)).card.revision.endswith(" unknown")


@pytest.mark.skipif(not Path("/usr/share/tuxpaint/stamps/animals").exists(), reason="the package is not installed")
def test_the_package() -> None:
    loader = TuxPaint(task="naming", input="both", languages=["es"])
    samples = list(loader)
    assert len(samples) > 500 and {len(one.choices) for one in samples} == {4}
    elephant = next(one for one in samples if one.id == "animals/mammals/elephant/spa_Latn")
    assert elephant.answer is not None and elephant.choices[elephant.answer] == "Un elefante."
    answers = Counter(one.answer for one in samples)
    assert max(answers.values()) < 0.35 * len(samples)
    retrieval = list(TuxPaint(task="retrieval", languages=["en", "es"]))
    assert Counter(one.language for one in retrieval)["eng_Latn"] == 644, "of 785 images"
    assert len({plain(one.parts[0].text) for one in retrieval if isinstance(one.parts[0], Text)}) == len(retrieval)
    assert len(TuxPaint(task="naming").card.languages) > 60 and len(TuxPaint().card.languages) == 12
