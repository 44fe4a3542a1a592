from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from loaders.fixtures import fixture
from loaders.fixtures._mmmu import features, image
from loaders.fixtures._speech import write_parquet
from loaders.mmmu import DISCIPLINES, Mmmu
from loaders.mmmu_pro import MmmuPro
from loaders.published import Published
from loaders.xmmmu import Xmmmu
from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.media import load_image
from mmbench.schema import Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Path]:
    """A folder with the validation questions about art, changed by hand."""

    def make(**changes: Any) -> Path:
        name = "Art/validation-00000-of-00001.parquet"
        rows = pq.read_table(fixture("mmmu") / name).to_pylist()
        rows[0].update(changes)
        write_parquet(tmp_path / name, rows, features())
        return tmp_path

    return make


def mmmu(**settings: Any) -> dict[str, Sample]:
    return {sample.group["item"]: sample for sample in Mmmu(location="fixture://mmmu", **settings)}


def shown(sample: Sample, name: str) -> list[str]:
    """Texts as they are, pictures of a question by their number."""
    known = {image(name, number)["bytes"]: f"[{number}]" for number in range(1, 8)}
    return [part.text if isinstance(part, Text) else known[part.source] for part in sample.parts]


def test_multiple_choice() -> None:
    samples = mmmu()
    assert list(samples) == [*(f"validation_Art_{n}" for n in (1, 2, 3, 4)), "validation_Math_3"]
    first = samples["validation_Art_1"]
    assert (first.id, first.language) == ("validation_Art_1/eng_Latn", "eng_Latn")
    assert first.choices == ("Red", "Painter's blue", "Green") and first.answer == 1 and not first.references
    assert first.group == {
        **{"item": "validation_Art_1", "subject": "Art", "discipline": "Art and Design", "subfield": "Pictures"},
        **{"difficulty": "Easy", "question_type": "multiple-choice"},
    }
    assert samples["validation_Math_3"].choices == ("9", "16", "25", "36", "49")


def test_pictures_by_number_and_by_pixels() -> None:
    samples = mmmu()
    assert shown(samples["validation_Art_2"], "validation_Art_2") == [
        "[2]",
        " was drawn after ",
        "[1]",
        ". Which is older?",
    ]
    third = samples["validation_Art_3"]
    assert third.choices == ("<image 3>", "<image 1>", "None", "<image 2>") and third.answer == 3
    assert shown(third, "validation_Art_3") == [
        *("Which picture has the colours of ", "[4]", "?"),
        *("\n<image 3>: ", "[3]", "\n<image 1>: ", "[1]", "\n<image 2>: ", "[2]"),
    ]
    widths = [load_image(part).width for part in third.parts if isinstance(part, Image)]
    assert widths == [24 + 4, 24 + 3, 24 + 1, 24 + 2], "a picture's width tells its number"
    assert shown(samples["validation_Art_4"], "validation_Art_4")[0] == "[2]", "named nowhere, and yet not lost"


def test_open_questions() -> None:
    samples = mmmu(questions="open")
    assert {name: sample.references for name, sample in samples.items()} == {
        "validation_Math_1": ("24/7", "3.429"),
        "validation_Math_2": ("16",),
    }
    assert all(not sample.choices and sample.answer is None for sample in samples.values())
    assert len(mmmu(questions="all")) == 7


def test_subjects_and_splits() -> None:
    assert set(mmmu(subjects="Math")) == {"validation_Math_3"}
    assert list(mmmu(split="dev")) == ["dev_Art_1"]
    assert sum(len(names.split()) for names in DISCIPLINES.values()) == 30


def test_withheld_answers_are_refused() -> None:
    with pytest.raises(UsageError, match="test_Art_1: its answer is not published; use split=validation"):
        mmmu(split="test")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_1": None}, "validation_Art_1: <image 1> has no image; it has none"),
        ({"image_1": {"bytes": b"", "path": "x"}}, "validation_Art_1, image_1: has no image"),
        ({"question": "What is <image 9>?"}, "validation_Art_1: <image 9> has no image; it has 1"),
        ({"options": "print('x')"}, "validation_Art_1: .* is not the text of a list"),
        ({"answer": "D"}, "validation_Art_1: the answer 'D' is none of its 3 options"),
        ({"id": "validation_Art_2"}, "validation_Art_2/eng_Latn is there twice"),
    ],
)
def test_damaged_rows(edited: Callable[..., Path], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(Mmmu(location=str(edited(**changes))))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"questions": "closed"}, "questions='closed' is not known: give one of all, multiple-choice, open"),
        ({"subjects": ["Arts"]}, "subjects='Arts' is not known: give one of Art, "),
        ({"languages": ["de"]}, "languages: deu_Latn not in the dataset, which has eng_Latn"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Mmmu(**settings)
    with pytest.raises(UsageError, match="setting='10' is not known: give one of standard"):
        MmmuPro(setting="10")  # type: ignore[arg-type]


def test_pro_has_one_to_twelve_options() -> None:
    samples = {s.group["item"]: s for s in MmmuPro(location="fixture://mmmu_pro")}
    assert [len(sample.choices) for sample in samples.values()] == [10, 3, 3, 12]
    assert samples["validation_Accounting_29"].choices == ("A", "B", "Neither")
    assert samples["test_Math_2"].answer == 11 and samples["test_Art_7"].group["discipline"] == "Art and Design"
    assert shown(samples["test_Art_8"], "test_Art_8")[1:] == [
        *("\n<image 2>: ", "[2]", "\n<image 1>: ", "[1]", "\n<image 3>: ", "[3]")
    ]
    (four,) = MmmuPro(location="fixture://mmmu_pro", setting="standard (4 options)")
    assert four.choices == ("Ash", "Elm", "Oak", "Pine") and four.answer == 3


def test_pro_in_a_screenshot_is_the_picture_alone() -> None:
    (sample,) = MmmuPro(location="fixture://mmmu_pro", setting="vision")
    (part,) = sample.parts
    assert isinstance(part, Image) and load_image(part).width == 24 + 9
    assert len(sample.choices) == 10 and sample.answer == 9, "the answer may be read by its content too"


def test_languages_of_xmmmu_share_items() -> None:
    samples = list(Xmmmu(location="fixture://xmmmu"))
    assert [sample.language for sample in samples] == ["eng_Latn"] * 2 + ["fra_Latn"] * 2 + ["jpn_Jpan"] * 2
    assert len({sample.id for sample in samples}) == 6 and len({sample.group["item"] for sample in samples}) == 2
    pictures = {tuple(part.source for part in sample.parts if isinstance(part, Image)) for sample in samples[::2]}
    assert len(pictures) == 1 and samples[2].choices[2] == "Aucune n'en a"
    with pytest.raises(UsageError, match="no files of deu_Latn; there are eng_Latn, fra_Latn, jpn_Jpan"):
        list(Xmmmu(location="fixture://xmmmu", languages=["de"]))


def test_tasks_ask_likelihood_of_multiple_choice_alone() -> None:
    def samples(name: str) -> list[Sample]:
        config = resolve(compose([f"task={name}", "task.loader.location=fixture://mmmu", "model=gold"])["task"])
        return list(build(config).samples())

    assert len(samples("mmmu")) == len(samples("mmmu_letter")) == 5
    asked = samples("mmmu_generated")
    assert len(asked) == 7 and sum(bool(sample.references) for sample in asked) == 2
    assert "B. Painter's blue" in "".join(part.text for part in asked[0].parts if isinstance(part, Text))


def test_cards() -> None:
    card = Mmmu(location="fixture://mmmu").card
    assert (card.name, card.languages, card.revision) == ("mmmu", ("eng_Latn",), "local folder")
    assert card.content != Mmmu(location="fixture://mmmu", split="dev").card.content
    assert MmmuPro(location="fixture://mmmu_pro", setting="vision").card.name == "mmmu_pro_vision"
    assert Xmmmu(location="fixture://xmmmu", languages="fr").card.languages == ("fra_Latn",)


def test_a_first_sample_comes_before_other_files_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Published.parquet

    def counting(self: Published, names: Any) -> Iterator[dict[str, Any]]:
        for row in real(self, names):
            read.append(names[0])
            yield row

    monkeypatch.setattr(Published, "parquet", counting)
    next(iter(Mmmu(location="fixture://mmmu")))
    assert read == ["Art/validation-00000-of-00001.parquet"]
