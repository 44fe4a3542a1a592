"""Apertium: the pair of each sample, one call for many texts, clear refusals; and the program itself where it is."""

from __future__ import annotations

import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.apertium import Apertium, directions
from mmbench.models.parts import own_text
from mmbench.schema import Audio, Sample, Text

if TYPE_CHECKING:
    from pathlib import Path

# Says the direction before each line, so that a test sees which pair translated what, and logs its calls.
FAKE = """#!/bin/sh
echo "$*" >> "{log}"
if [ "$1" = -l ]; then printf '  eng-cat\\n  eng-cat_valencia\\n  spa-eng\\n  es-fr\\n  hbs-eng\\n'; exit 0; fi
for last; do :; done
if [ "$last" = eng-cat_valencia ]; then echo broken dictionary >&2; exit 1; fi
sed "/./s/^/$last: /{extra}"
"""


def fake(folder: Path, extra: str = "") -> Apertium:
    program = folder / "apertium"
    program.write_text(FAKE.format(log=folder / "log", extra=extra))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Apertium(name="rules", program=str(program))


def sample(text: str, source: str = "spa_Latn", target: str = "eng_Latn", name: str = "1") -> Sample:
    parts = (Text("Translate: ", instruction=True), Text(text))
    return Sample(id=name, language=source, parts=parts, target_language=target)


def test_directions() -> None:
    found = directions(
        ["eng-cat", "eng-cat_valencia", "es-fr", "spa-fra", "hbs-eng", "Cyrl-Latn", "eco-es-fr", "qq-xx"]
    )
    assert found["eng_Latn", "cat_Latn"] == "eng-cat"
    assert found["spa_Latn", "fra_Latn"] == "spa-fra"
    assert found["srp_Latn", "eng_Latn"] == found["hrv_Latn", "eng_Latn"] == "hbs-eng"
    assert ("srp_Cyrl", "eng_Latn") not in found
    assert "eng-cat_valencia" not in found.values() and "eco-es-fr" not in found.values()
    assert len(found) == 5


def test_each_pair_is_one_call_and_order_stays(tmp_path: Path) -> None:
    model = fake(tmp_path)
    batch = [
        sample("Hola\n mundo"),
        sample("Bon dia", "hrv_Latn", name="2"),
        sample("", name="3"),
        sample("Adiós", name="4"),
        sample("Sí", target="fra_Latn", name="5"),
    ]
    said = [output.text for output in model.generate(batch)]
    assert said == ["spa-eng: Hola mundo", "hbs-eng: Bon dia", "", "spa-eng: Adiós", "es-fr: Sí"]
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls == ["-l", "-u spa-eng", "-u hbs-eng", "-u es-fr"]
    assert [model.generate([one])[0].text for one in batch] == said


def test_a_line_too_many_does_not_shift_answers(tmp_path: Path) -> None:
    """A program that breaks a text in two is asked again, text by text."""
    model = fake(tmp_path, extra="; s/Uno/Uno\\n\\nmas/")
    said = [output.text for output in model.generate([sample("Uno"), sample("Dos", name="2")])]
    assert said == ["spa-eng: Uno mas", "spa-eng: Dos"]


def test_settings(tmp_path: Path) -> None:
    model = fake(tmp_path)
    model.unknown, model.pair = True, "eng-cat"
    assert model.generate([sample("Hello", "swh_Latn")])[0].text == "eng-cat: Hello"
    assert (tmp_path / "log").read_text().splitlines()[-1] == "eng-cat"


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"no program .*; apt-get install apertium"):
        Apertium(name="rules", program=str(tmp_path / "none")).load()
    assert Apertium(name="rules", program=str(tmp_path / "none")).content == "unknown"
    model = fake(tmp_path)
    with pytest.raises(
        SampleError, match=r"sample 1: rules has no pair from swh_Latn into eng_Latn.*apertium-ONE-OTHER"
    ):
        model.generate([sample("Habari", "swh_Latn")])
    with pytest.raises(SampleError, match="audio"):
        own_text(Sample(id="1", language="spa_Latn", parts=(Audio(b""),)))
    absent = fake(tmp_path)
    absent.pair = "eng-swa"
    with pytest.raises(ModelLoadError, match="pair=eng-swa is not installed, only eng-cat, "):
        absent.load()
    broken = fake(tmp_path)
    broken.pair = "eng-cat_valencia"
    with pytest.raises(ModelLoadError, match="-u eng-cat_valencia fails: broken dictionary"):
        broken.generate([sample("Hello")])
    slow = fake(tmp_path)
    (tmp_path / "apertium").write_text("#!/bin/sh\nexec sleep 9\n")
    slow.seconds = 0.2
    with pytest.raises(ModelLoadError, match=r"no answer in 0.2 s"):
        slow.load()


def installed() -> bool:
    if shutil.which("apertium") is None:
        return False
    return "spa-eng" in subprocess.run(["apertium", "-l"], capture_output=True, text=True, check=False).stdout.split()


@pytest.mark.skipif(not installed(), reason="the Debian packages apertium and apertium-eng-spa are not installed")
def test_the_program() -> None:
    model = Apertium(name="rules")
    texts = (
        "El gato come pescado",
        "la casa es roja",
        "Una foobarbaz [b] ^x$ <i> {a} \\ 5 % ?",
        "¿Dónde está el niño?",
    )
    batch = [sample(text, name=str(index)) for index, text in enumerate(texts)]
    together = [output.text for output in model.generate(batch)]
    assert together[:2] == ["The cat eats fished", "The house is red"]
    assert "foobarbaz" in together[2] and "*" not in together[2]
    assert [model.generate([one])[0].text for one in batch] == together
    assert "*foobarbaz" in Apertium(name="rules", unknown=True).generate(batch)[2].text
    assert model.content.startswith("sha256:")
