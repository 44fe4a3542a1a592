"""Tesseract: the weights of each language, images in order, clear refusals; and the program itself where it is."""

from __future__ import annotations

import io
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as pil
from PIL import ImageDraw, ImageFont

from mmbench.errors import MediaError, ModelLoadError, SampleError, UsageError
from mmbench.languages import all_languages
from mmbench.media import encode_image
from mmbench.models.tesseract import Tesseract, data_for
from mmbench.schema import Image, Sample, Text

if TYPE_CHECKING:
    from pathlib import Path

# Says the weights, the options and the width of the PNG that it was given (bytes 17 to 20), and logs its calls.
FAKE = """#!/bin/sh
echo "$* $OMP_THREAD_LIMIT" >> "{log}"
if [ "$1" = --version ]; then printf 'tesseract {version}\\n leptonica-1.82\\n more\\n'; exit 0; fi
if [ "$1" = --list-langs ]; then
  printf 'List of available languages in "{data}/" (5):\\nDevanagari\\nchi_sim\\neng\\nhin\\nscript/Latin\\n'; exit 0
fi
width=$(od -An -tu1 -j16 -N4 | awk '{{print $1 * 16777216 + $2 * 65536 + $3 * 256 + $4}}')
if [ "$width" = 13 ]; then echo Estimating >&2; echo "leptonica is broken" >&2; exit 3; fi
if [ "$width" = 14 ]; then kill -SEGV $$; fi
if [ "$width" = 15 ]; then exec sleep 9; fi
[ "$width" = 20 ] && sleep 0.3
printf '%s\\nwide %s\\n\\f' "$4" "$width"
"""


def fake(folder: Path, version: str = "5.3.0", **settings: Any) -> Tesseract:
    program, data = folder / "tesseract", folder / "tessdata"
    data.mkdir(exist_ok=True)
    (data / "eng.traineddata").write_text("weights")
    program.write_text(FAKE.format(log=folder / "log", data=data, version=version))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Tesseract(**{"name": "ocr", "program": str(program), **settings})


def picture(width: int) -> Image:
    return Image(encode_image(np.full((4, width, 3), 255, np.uint8)))


def sample(*widths: int, language: str = "eng_Latn", name: str = "1") -> Sample:
    parts = (Text("Read: ", instruction=True), *map(picture, widths))
    return Sample(id=name, language=language, parts=parts)


@pytest.mark.parametrize(
    ("language", "name", "package"),
    [
        ("eng_Latn", "eng", "tesseract-ocr-eng"),
        ("zho_Hans", "chi_sim", "tesseract-ocr-chi-sim"),
        ("yue_Hant", "chi_tra", "tesseract-ocr-chi-tra"),
        ("arz_Arab", "ara", "tesseract-ocr-ara"),
        ("srp_Cyrl", "srp", "tesseract-ocr-srp"),
        ("srp_Latn", "srp_latn", "tesseract-ocr-srp-latn"),
        ("swh_Latn", "swa", "tesseract-ocr-swa"),
        ("khk_Cyrl", "mon", "tesseract-ocr-mon"),
        ("nno_Latn", "nor", "tesseract-ocr-nor"),
        ("mai_Deva", "Devanagari", "tesseract-ocr-script-deva"),
        ("ckb_Arab", "Arabic", "tesseract-ocr-script-arab"),
        ("zul_Latn", "Latin", "tesseract-ocr-script-latn"),
    ],
)
def test_weights_of_a_language(language: str, name: str, package: str) -> None:
    assert data_for(language) == (name, package)


def test_all_but_three_of_our_languages_are_read() -> None:
    missing = {language.tag for language in all_languages() if data_for(language.tag) is None}
    assert missing == {"sat_Olck", "taq_Tfng", "tzm_Tfng"}


def test_images_in_order_and_batched_equals_single(tmp_path: Path) -> None:
    model = fake(tmp_path, threads=3)
    batch = [sample(20, 21), sample(22, language="zho_Hans", name="2"), sample(23, language="zul_Latn", name="3")]
    said = [output.text for output in model.generate(batch)]
    assert said == ["eng wide 20 eng wide 21", "chi_simwide 22", "script/Latin wide 23"]
    assert [model.generate([one])[0].text for one in batch] == said
    calls = (tmp_path / "log").read_text().splitlines()[1:]
    assert "stdin stdout -l eng --psm 3 --oem 1 1" in calls, "and one thread each"


def test_settings(tmp_path: Path) -> None:
    own = {"mai_Deva": "hin", "zh": "chi_sim+eng"}
    model = fake(tmp_path, psm=7, oem=0, dpi=70, languages=own)
    batch = [sample(9, language="mai_Deva"), sample(9, language="zho_Hans"), sample(9, language="bho_Deva")]
    assert [o.text.split("wide")[0].strip() for o in model.generate(batch)] == ["hin", "chi_sim+eng", "Devanagari"]
    assert "stdin stdout -l hin --psm 7 --oem 0 --dpi 70 1" in (tmp_path / "log").read_text()
    assert fake(tmp_path, code="hin+eng").generate([sample(9, language="tha_Thai")])[0].text == "hin+engwide 9"
    fake(tmp_path, tessdata="/best").generate([sample(9)])
    assert "--list-langs --tessdata-dir /best" in (tmp_path / "log").read_text()


def test_identity_is_version_and_weights(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "third").mkdir()
    one, newer, third = fake(tmp_path), fake(tmp_path / "other", version="5.4.0"), fake(tmp_path / "third")
    (tmp_path / "third" / "tessdata" / "eng.traineddata").write_text("better weights")
    assert one.content.startswith("sha256:")
    assert len({one.content, newer.content, third.content}) == 3
    assert one.content == Tesseract(name="another", psm=7, program=one.program).content
    assert Tesseract(name="ocr", program=str(tmp_path / "none")).content == "unknown"


def test_refusals_of_settings(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"no program .*; apt-get install tesseract-ocr and"):
        Tesseract(name="ocr", program=str(tmp_path / "none")).load()
    with pytest.raises(
        ModelLoadError, match="there are no weights deu, only Devanagari, chi_sim, eng, hin, script/Latin"
    ):
        fake(tmp_path, code="eng+deu").load()
    with pytest.raises(ModelLoadError, match="there are no weights nep"):
        fake(tmp_path, languages={"npi_Deva": "nep"}).load()
    with pytest.raises(UsageError, match="unknown language 'qqq'"):
        fake(tmp_path, languages={"qqq": "eng"}).load()


@pytest.mark.parametrize(
    ("language", "width", "message"),
    [
        ("swh_Latn", 9, r"sample 1: .* no weights swa for Swahili here; apt-get install tesseract-ocr-swa$"),
        ("khm_Khmr", 9, r"apt-get install tesseract-ocr-khm$"),
        ("sat_Olck", 9, r"reads neither Santali \(sat_Olck\) nor its script; model.languages=\{sat_Olck: CODE\}"),
        ("eng_Latn", 13, r"sample 1, image 0: .* -l eng ends with status 3: leptonica is broken"),
        ("eng_Latn", 14, r"ends with signal 11"),
        ("eng_Latn", 15, r"image 0: no answer in 0.5 s; set model.seconds"),
    ],
)
def test_refusals_of_samples(tmp_path: Path, language: str, width: int, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        fake(tmp_path, seconds=0.5).generate([sample(width, language=language)])


def test_what_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="not an image"):
        fake(tmp_path).generate([Sample(id="1", language="eng_Latn", parts=(Image(b"GIF8"),))])
    with pytest.raises(SampleError, match="sample 1 has no image"):
        fake(tmp_path).generate([sample()])


def installed(*codes: str) -> bool:
    if shutil.which("tesseract") is None:
        return False
    said = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False)
    return set(codes) <= set((said.stdout + said.stderr).split())


def written(text: str, mode: str = "RGB", turn: int = 1) -> Image:
    """Text in the font that Pillow brings, in an image of any mode, and turned as its EXIF says."""
    page = pil.new("RGB", (640, 120), "white")
    ImageDraw.Draw(page).multiline_text((20, 20), text, fill="black", font=ImageFont.load_default(28))
    exif = pil.Exif()
    exif[0x0112] = turn
    page = page.transpose(pil.Transpose.ROTATE_90) if turn == 6 else page
    buffer = io.BytesIO()
    page.convert(mode).save(buffer, format="JPEG", quality=95, exif=exif.tobytes())
    return Image(buffer.getvalue())


@pytest.mark.skipif(not installed("eng"), reason="the Debian packages tesseract-ocr and tesseract-ocr-eng are not here")
def test_the_program() -> None:
    model = Tesseract(name="tesseract", psm=6)
    text = "The quick brown fox\njumps over 13 lazy dogs."
    parts = [(written(text),), (written(text, "CMYK"),), (written(text, turn=6),), (picture(90),), (picture(2),)]
    batch = [Sample(id=str(index), language="eng_Latn", parts=own) for index, own in enumerate(parts)]
    together = [output.text for output in model.generate(batch)]
    assert together == [" ".join(text.split())] * 3 + ["", ""]
    assert [model.generate([one])[0].text for one in batch] == together
    assert model.content.startswith("sha256:")
