"""RapidOCR: pieces in reading order, only languages with letters, nothing lost in silence; and the real weights."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from PIL import Image as pil
from PIL import ImageDraw, ImageFont

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.languages import tag
from mmbench.media import encode_image
from mmbench.models.rapid_ocr import _READS, RapidOcr, reading_order
from mmbench.schema import Image, Sample


@dataclass
class Said:
    boxes: Any
    txts: Any = None


def box(left: float, top: float, width: float = 50, height: float = 20) -> list[list[float]]:
    return [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]


@dataclass
class Engine:
    """Says two pieces of a line, the right one first, and the line before them."""

    said: Said = field(
        default_factory=lambda: Said(np.array([box(80, 43), box(10, 5), box(10, 40)]), ("right", "up", "left"))
    )
    seen: list[Any] = field(default_factory=list)

    def __call__(self, image: Any) -> Said:
        self.seen.append(image)
        return self.said


def make(engine: Engine, **settings: Any) -> RapidOcr:
    model = RapidOcr(name="rapid", **settings)
    model._engine, model._known = engine, frozenset({"eng_Latn", "zho_Hans"})
    return model


def sample(*colours: tuple[int, int, int], language: str = "eng_Latn", width: int = 30) -> Sample:
    pages = (np.full((20, width, 3), colour, np.uint8) for colour in colours)
    return Sample(id="1", language=language, parts=tuple(Image(encode_image(page)) for page in pages))


def test_reading_order() -> None:
    boxes = np.array([box(300, 12), box(10, 60, height=40), box(10, 0), box(120, 8), box(200, 70), box(0, 110)])
    assert reading_order(boxes) == [2, 3, 0, 1, 4, 5], "a line that hangs a little is one line"
    assert reading_order(np.zeros((0, 4, 2))) == []


def test_pieces_are_one_text_and_blue_comes_first() -> None:
    engine = Engine()
    (english,) = make(engine).generate([sample((255, 0, 1), (9, 9, 9))])
    assert english.text == "up left right up left right"
    assert engine.seen[0].shape == (20, 30, 3) and engine.seen[0][0, 0].tolist() == [1, 0, 255]
    assert engine.seen[0].flags.c_contiguous
    assert make(engine).generate([sample((0, 0, 0), language="zho_Hans")])[0].text == "upleftright"
    assert make(Engine(Said(None))).generate([sample((0, 0, 0))])[0].text == ""


def test_refusals_and_notes() -> None:
    with pytest.raises(SampleError, match=r"has no letters of Russian \(rus_Cyrl\); take model tesseract"):
        make(Engine()).generate([sample((0, 0, 0), language="rus_Cyrl")])
    with pytest.raises(SampleError, match="sample 1: rapid found text on an image and failed to read it"):
        make(Engine(Said(np.array([box(0, 0)])))).generate([sample((0, 0, 0))])
    with pytest.raises(SampleError, match="sample 1 has no image"):
        make(Engine()).generate([sample()])
    (output,) = make(Engine(), max_side=25).generate([sample((0, 0, 0))])
    assert output.notes == ("scaled 30 px to 25",)


def test_languages() -> None:
    assert all(tag(code) == code for code in _READS.split())
    assert {"vie_Latn", "rus_Cyrl", "kor_Hang"}.isdisjoint(_READS.split())
    with pytest.raises(UsageError, match="unknown language 'qqq'"):
        RapidOcr(name="rapid", languages=["qqq"]).load()


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rapidocr", None)
    with pytest.raises(ModelLoadError, match=r"model rapid needs rapidocr .*: pip install 'mmbench\[ocr\]'"):
        RapidOcr(name="rapid").load()


def written(*lines: str) -> Image:
    page = pil.new("RGB", (640, 40 + 60 * len(lines)), "white")
    for index, line in enumerate(lines):
        ImageDraw.Draw(page).text((20, 20 + 60 * index), line, fill="black", font=ImageFont.load_default(28))
    buffer = io.BytesIO()
    page.save(buffer, format="PNG")
    return Image(buffer.getvalue())


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="rapidocr is not installed")
def test_the_weights() -> None:
    model = RapidOcr(name="rapid", threads=1)
    lines = ("The quick brown fox", "jumps over 13 lazy dogs.")
    batch = [
        Sample(id="1", language="eng_Latn", parts=(written(*lines),)),
        Sample(id="2", language="eng_Latn", parts=(written(lines[1]), written(lines[0]))),
        sample((255, 255, 255), width=200),
    ]
    assert [output.text for output in model.generate(batch)] == [" ".join(lines), " ".join(lines[::-1]), ""]
    assert model.content.startswith("sha256:")
    sure = RapidOcr(name="rapid", threads=1, least_confidence=1.01)
    assert sure.generate(batch[:1])[0].text == "", "only a setting leaves lines out"
