from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures.m3exam import image
from loaders.m3exam import M3exam, answered
from mmbench.errors import UsageError
from mmbench.media import load_image
from mmbench.schema import Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(fixture("m3exam"), tmp_path / "data")
    return tmp_path / "data"


def loader(**settings: Any) -> M3exam:
    return M3exam(**{"location": "fixture://m3exam", **settings})


def shown(sample: Sample) -> list[str]:
    """Texts as they are, pictures by the number in their names."""
    return [
        part.text if isinstance(part, Text) else f"[{str(part.source).rpartition('-')[2].partition('.')[0]}]"
        for part in sample.parts
    ]


def test_questions_with_pictures(caplog: pytest.LogCaptureFixture) -> None:
    samples = list(loader())
    assert [sample.id for sample in samples] == [
        *("image-00000/eng_Latn", "image-00001/eng_Latn", "image-00000/jav_Latn"),
        *("image-00000/tha_Thai", "image-00000/zho_Hans"),
    ]
    assert "1 left out: no option is the answer" in caplog.text, "its answer is 5, and it has two options"
    first = samples[0]
    assert first.choices == ("8", "16", "32", "none") and first.answer == 2
    assert first.group == {
        **{"level": "mid", "subject": "science", "subject_category": "natural-science", "year": "2006"},
        "need_image": "yes",
    }
    assert samples[3].choices == ("4 ช่อง", "16 ช่อง", "6 ช่อง") and samples[3].answer == 1


def test_pictures_by_name_in_background_text_and_options() -> None:
    first, second = loader(languages=["en"])
    assert shown(first) == ["Look at ", "[12]", " first.\nThen at ", "[2]", ". How many tiles do both have?"]
    assert shown(second) == [
        "Which is the older one?",
        "\n(image)[image-4.jpg]: ",
        "[4]",
        "\n(image)[image-3.jpg]: ",
        "[3]",
    ]
    assert second.choices == ("(image)[image-4.jpg]", "(image)[image-3.jpg]", "neither") and second.answer == 1
    widths = [load_image(part).width for part in (*first.parts, *second.parts) if isinstance(part, Image)]
    assert widths == [30 + 12, 30 + 2, 30 + 4, 30 + 3], "a picture's width tells its number"


def test_text_alone_and_both() -> None:
    samples = list(loader(images="none"))
    assert [sample.id for sample in samples] == ["test-00000/eng_Latn", "test-00000/zho_Hans"]
    assert shown(samples[1]) == ["甲比乙高。\n谁更高？"] and samples[1].choices == ("甲", "乙")
    assert not any(isinstance(part, Image) for sample in samples for part in sample.parts)
    assert len(list(loader(images="all"))) == 7 and len({sample.id for sample in loader(images="all")}) == 7
    assert next(iter(loader(images="none", split="dev"))).id == "dev-00000/eng_Latn"


@pytest.mark.parametrize(
    ("options", "answer", "expected"),
    [
        (["(1) Gettysburg", "(2) Sumter"], "2", (("Gettysburg", "Sumter"), 1)),
        (["A. one", "B．two", "C、three", "D: four"], "C", (("one", "two", "three", "four"), 2)),
        (["(A) one", "(B) two"], " (b) ", (("one", "two"), 1)),
        (["ก. หนึ่ง", "ข. สอง"], "ข", (("หนึ่ง", "สอง"), 1)),
        (["（A）一", "（B）二"], "B", (("一", "二"), 1)),
        (["2) even", "1) odd"], "1", (("even", "odd"), 1)),
        (["A.5", "B.7"], "B", (("5", "7"), 1)),
        (["1.5", "2.5", "3.5"], "2", (("1.5", "2.5", "3.5"), None)),
        (["one", "two"], "A", (("one", "two"), None)),
        (["A. one", "A. two"], "A", (("A. one", "A. two"), None)),
        (["A. one", "two"], "A", (("A. one", "two"), None)),
        (["A. one", "B. two"], "C", (("A. one", "B. two"), None)),
        ([], "A", ((), None)),
    ],
)
def test_letters_of_options(options: list[str], answer: str, expected: object) -> None:
    assert answered(options, answer) == expected


def test_a_missing_picture_is_an_error(copy: Path) -> None:
    (copy / "multimodal-questions" / "images-english" / "image-2.jpg").unlink()
    with pytest.raises(UsageError, match=r"question 0: image-2\.jpg is not in multimodal-questions/images-english"):
        list(M3exam(location=str(copy)))
    with pytest.raises(UsageError, match=r"image-2\.jpg is not in data/multimodal-questions/images-english"):
        list(M3exam(location=str(copy.parent)))


def test_the_folder_as_the_readme_spells_it(copy: Path) -> None:
    pictures = copy / "multimodal-questions" / "images-english"
    pictures.rename(pictures.with_name("iamges-english"))
    first = next(iter(M3exam(location=str(copy), languages=["en"])))
    found = [part.source for part in first.parts if isinstance(part, Image)]
    assert [Path(str(path)).read_bytes() for path in found] == [image("english", 12), image("english", 2)]


def test_a_field_that_is_missing(copy: Path) -> None:
    path = copy / "multimodal-questions" / "thai-questions-image.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    del rows[0]["options"]
    path.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"thai-questions-image\.json: question 0: has no options; it has question_text"
    ):
        list(M3exam(location=str(copy)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": "some"}, "images='some' is not known: give one of only, none, all"),
        ({"split": "validation"}, "split='validation' is not known: give one of dev, test"),
        ({"split": "dev"}, "split=dev: questions with pictures have none; with images=only take split=test"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        loader(**settings)


def test_languages_and_card() -> None:
    with pytest.raises(UsageError, match="no files of deu_Latn; there are eng_Latn, jav_Latn, tha_Thai, zho_Hans"):
        list(loader(languages=["de"]))
    assert loader(images="none").card.languages == ("eng_Latn", "zho_Hans")
    assert loader().card.content != loader(images="all").card.content
