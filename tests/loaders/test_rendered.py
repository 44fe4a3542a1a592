"""Pictures of texts keep everything of their samples, so that reading and being told pair."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from loaders.fixtures import fixture
from loaders.fixtures.sib_200 import TEXTS
from loaders.rendered import Rendered
from loaders.sib_200 import Sib200
from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.identity import describe
from mmbench.media import load_image
from mmbench.media.fonts import find_font
from mmbench.models.cascade import Cascade
from mmbench.models.echo import Echo, Gold
from mmbench.schema import ITEM, Card, Image, Sample, Text
from mmbench.scorers.edit import ErrorRate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LATIN = {"default": "DejaVu Sans"}


def installed(*families: str) -> bool:
    try:
        return all(find_font(family) is not None for family in families)
    except UsageError:
        return False


dejavu = pytest.mark.skipif(not installed("DejaVu Sans"), reason="needs fonts-dejavu-core")
noto = pytest.mark.skipif(
    not installed("Noto Sans", "Noto Sans Thai", "Noto Sans CJK SC"), reason="needs fonts-noto-core, fonts-noto-cjk"
)


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("sib_200")


def sib(*languages: str) -> Sib200:
    return Sib200(location="fixture://sib_200", languages=languages or None)


def rendered(**settings: Any) -> Rendered:
    return Rendered(**{"of": sib("eng", "ell", "rus"), "fonts": LATIN, **settings})


class Own:
    """A dataset of one sample."""

    def __init__(self, **fields: Any) -> None:
        self._sample = Sample(**{"id": "1", "language": "spa_Latn", **fields})

    def __iter__(self) -> Iterator[Sample]:
        yield self._sample

    @property
    def card(self) -> Card:
        return Card(name="own", revision="", content="0", languages=("spa_Latn",), licence="", source="")


def only(loader: Rendered) -> Sample:
    (sample,) = loader
    return sample


@dejavu
def test_nothing_but_the_text_changes() -> None:
    for drawn, written in zip(rendered(), sib("eng", "ell", "rus"), strict=True):
        (picture,), (text,) = drawn.parts, written.parts
        assert isinstance(picture, Image) and isinstance(text, Text)
        assert picture.transcript == text.text
        assert replace(drawn, parts=written.parts) == written
        assert load_image(picture).size[0] == 800
    assert [one.parts for one in rendered()] == [one.parts for one in rendered()], "the same bytes each time"


@dejavu
def test_reading_it_again() -> None:
    found = list(rendered(task="ocr"))
    greek = sorted(one.references for one in found if one.language == "ell_Grek")
    assert greek == sorted((text,) for text in TEXTS["ell_Grek"])
    assert all(not one.choices and one.answer is None for one in found)
    assert [one.id for one in found] == [one.id for one in rendered()]


@dejavu
def test_the_language_of_the_text_is_that_of_the_input() -> None:
    sample = only(
        Rendered(
            of=Own(
                source_language="rus_Cyrl",
                parts=(Text("Read:", instruction=True), Text("один"), Text("два")),
                variants={ITEM: (Text("uno"),)},
                references=("uno",),
            ),
            fonts={"Cyrl": "DejaVu Sans"},
            task="ocr",
        )
    )
    assert [type(part) for part in sample.parts] == [Text, Image, Image], "an instruction stays a text"
    assert sample.references == ("один\nдва",) and sample.written == "rus_Cyrl" and sample.language == "spa_Latn"
    assert not sample.variants
    kept = only(Rendered(of=Own(parts=(Text("a"),), variants={ITEM: (Text("uno"),)}), fonts=LATIN))
    assert kept.variants == {ITEM: (Text("uno"),)}, "the other side of a pair is not drawn"


@dejavu
def test_a_cascade_that_reads() -> None:
    samples = list(rendered(languages=["en"]))
    outputs = Cascade(name="ocr+echo", ocr=Gold(), llm=Echo()).generate(samples)
    assert [output.text for output in outputs] == [str(sample.transcript) for sample in samples]
    cer = ErrorRate(name="cer@ocr", unit="char", normalizer="mmbench", stage="ocr")
    assert cer.reduce(np.sum([cer.stats(*pair) for pair in zip(samples, outputs, strict=True)], axis=0)) == 0


@dejavu
def test_languages_and_numbers() -> None:
    assert {one.language for one in rendered(languages=["el"])} == {"ell_Grek"}
    found = list(rendered(per_language=2))
    assert [one.id for one in found[:2]] == [one.id for one in sib("ell")][:2] and len(found) == 6
    with pytest.raises(UsageError, match="per_language=0: give a number from 1"):
        rendered(per_language=0)


@dejavu
def test_wrong_settings() -> None:
    with pytest.raises(UsageError, match="task='read' is not known: give one of same, ocr"):
        rendered(task="read")
    with pytest.raises(UsageError, match=r'fonts=DejaVu Sans: give "auto", or fonts by script'):
        rendered(fonts="DejaVu Sans")
    with pytest.raises(UsageError, match="fonts: Missing Sans for ell_Grek is neither a family"):
        rendered(fonts={"Grek": "Missing Sans"}, languages=["el"]).validate()
    with pytest.raises(UsageError, match=r"sample 100/tha_Thai: no font for tha_Thai has .* \(U\+0E14 THAI CHARACTER"):
        list(rendered(of=Own(id="100/tha_Thai", language="tha_Thai", parts=(Text("ดวง"),))))
    with pytest.raises(UsageError, match="sample 1: has no text to make a picture of"):
        list(rendered(of=Own(parts=(Text("Read:", instruction=True),))))


@dejavu
def test_identity() -> None:
    card, inner = rendered().card, sib("eng", "ell", "rus").card
    assert card.name == "rendered_sib_200" and card.languages == inner.languages and card.licence == inner.licence
    assert card.content == rendered().card.content
    others = [rendered(size=20), rendered(task="ocr"), rendered(of=Sib200(location="fixture://sib_200", split="dev"))]
    others.append(rendered(fonts={"default": ["DejaVu Sans", "DejaVu Sans Mono"]}))
    assert len({card.content, *(other.card.content for other in others[:3])}) == 4
    settings = describe(rendered())
    assert settings["of"] == {"class": "loaders.sib_200.Sib200", "split": "test"}, "where the data are says nothing"
    assert settings["fonts"] == LATIN and "languages" not in settings
    assert describe(others[3]) != settings


@noto
def test_every_script_of_the_fixture() -> None:
    loader = Rendered(of=sib())
    loader.validate()
    assert len(list(loader)) == 7 * len(TEXTS)


@noto
def test_configs() -> None:
    node = resolve(compose(["+task=rendered_sib_200_ocr", "+data.sib_200=fixture://sib_200"], name="empty"))["task"]
    task = build(node)
    samples = list(task.samples(limit=1))
    assert len(samples) == len(TEXTS) and all(len(one.references) == 1 for one in samples)
    topic = build(
        resolve(compose(["+task=rendered_sib_200_topic", "+data.sib_200=fixture://sib_200"], name="empty"))["task"]
    )
    assert {scorer.name for scorer in topic.scorers.values()} >= {"accuracy", "cer@ocr"}
    assert [one.id for one in topic.samples(limit=1)] == [one.id for one in samples]
