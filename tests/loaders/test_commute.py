"""CoMMuTE: neither a preference for a text nor one for a position is rewarded, whatever the model."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loaders.commute import Commute
from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from mmbench.config import compose, load, resolve
from mmbench.errors import UsageError
from mmbench.records import Record
from mmbench.schema import Image, Output, Prediction, Sample, Text
from mmbench.scoring_file import score_records
from tests.published.samples import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FIXTURE = "fixture://commute"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "commute"))


def blind(text: str) -> float:
    """A likelihood that knows the text alone."""
    return -int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**40


def answered(samples: Iterable[Sample], score: Callable[[Sample], tuple[float, ...]]) -> list[Record]:
    return [
        Record(
            one,
            Prediction(
                sample_id=one.id,
                language=one.language,
                output=Output(text="", choice_scores=score(one), choice_lengths=tuple(map(len, one.choices))),
            ),
        )
        for one in samples
    ]


def by_text(one: Sample) -> tuple[float, ...]:
    return tuple(blind(choice) * len(choice) for choice in one.choices)


def test_pairs() -> None:
    samples = list(Commute(location=FIXTURE))
    assert [one.language for one in samples] == ["deu_Latn"] * 6 + ["fra_Latn"] * 6
    assert len({one.id for one in samples}) == 12
    first, second = samples[:2]
    assert (first.id, second.id) == ("test/crane1/deu_Latn", "test/crane2/deu_Latn")
    assert first.choices == second.choices == ("Der Kran ist hoch.", "Der Kranich ist groß."), "no space behind it"
    assert (first.answer, second.answer) == (1, 0)
    assert first.parts[1] == second.parts[1] == Text("The crane is tall.")
    assert (first.spoken, first.written) == ("eng_Latn", "deu_Latn")
    assert first.group == {"pair": "crane1", "kind": "swapped", "item": "crane1.jpeg", "split": "test"}
    assert [one.group["kind"] for one in samples[4::2]] == ["identical", "swapped", "swapped", "inexact"]


def test_each_row_has_its_own_picture() -> None:
    for one in Commute(location=FIXTURE):
        (picture, _) = one.parts
        assert isinstance(picture, Image) and isinstance(picture.source, Path)
        name = one.group["item"]
        assert picture.source.read_bytes() == drawing(name, kind="PNG" if name.endswith("png") else "JPEG")


def test_without_pictures_and_dev() -> None:
    for shown, hidden in zip(Commute(location=FIXTURE), Commute(location=FIXTURE, input="text"), strict=True):
        assert hidden.parts == shown.parts[1:] and hidden.id == shown.id and hidden.choices == shown.choices
    dev = list(Commute(location=FIXTURE, split="dev"))
    assert {one.language for one in dev} == {"fra_Latn"} and dev[0].id == "dev/dev_crane1/fra_Latn"
    assert isinstance(dev[0].parts[0], Image) and Path(str(dev[0].parts[0].source)).parent.name == "images_dev"


def test_the_order_of_choices_does_not_follow_the_answer() -> None:
    for one, other in pairs(Commute(location=FIXTURE)):
        assert {one.answer, other.answer} == {0, 1}
        assert one.choices == other.choices or one.group["kind"] == "inexact"


def pairs(samples: Iterable[Sample]) -> Iterator[tuple[Sample, Sample]]:
    rows = iter(samples)
    return zip(rows, rows, strict=True)


def test_identical_texts_are_a_tie_and_wrong() -> None:
    """One German pair of three is: a third of the questions cannot be won, and half of the others without pictures."""
    records = answered(Commute(location=FIXTURE, languages=["de"]), by_text)
    result = score_records(records, load("scorer", "contrastive"), ["kind"], cluster="pair")
    assert result["by"]["kind"]["identical"]["value"] == 0.0
    assert result["by"]["kind"]["swapped"]["value"] == 0.5
    assert result["overall"]["value"] == 2 / 6


@pytest.fixture
def published(tmp_path: Path) -> Callable[[str], Path]:
    def lay(code: str) -> Path:
        folder = tmp_path / f"en-{code}"
        folder.mkdir()
        for name in ("src.en", f"correct.{code}", f"incorrect.{code}", "img.order"):
            shutil.copy(sample(f"commute/en-{code}.{name}"), folder / name)
        return tmp_path

    return lay


def test_published_german_without_pictures_is_half_exactly(published: Callable[[str], Path]) -> None:
    samples = list(Commute(location=str(published("de")), input="text"))
    assert len(samples) == 300 and {one.group["kind"] for one in samples} == {"swapped"}
    scorers = [load("scorer", "contrastive"), load("scorer", "accuracy")]
    for score in (by_text, lambda one: (0.0, -1.0), lambda one: (-1.0, 0.0)):
        for scorer in scorers:
            result = score_records(answered(samples, score), scorer, cluster="pair")
            assert result["overall"]["value"] == 0.5, "by the text, the first and the second"
    tied = score_records(answered(samples, lambda one: (0.0, 0.0)), scorers[0])
    assert tied["overall"]["value"] == 0.0


def test_published_french_has_two_inexact_pairs(published: Callable[[str], Path]) -> None:
    """Each of them may win or lose a question without its picture; the other 152 pairs give half."""
    samples = list(Commute(location=str(published("fr")), input="text"))
    assert len(samples) == 308
    inexact = [one for one in samples if one.group["kind"] == "inexact"]
    assert [one.parts[0] for one in inexact[::2]] == [Text("My chest is quite heavy..."), Text("Don't eat the bones!")]
    assert len(inexact) == 4 and [one.answer for one in inexact[::2]] != [one.answer for one in inexact[1::2]]
    result = score_records(answered(samples, by_text), load("scorer", "contrastive"), ["kind"])
    assert result["by"]["kind"]["swapped"]["value"] == 0.5
    assert 152 / 308 <= result["overall"]["value"] <= 156 / 308
    first = score_records(answered(samples, lambda one: (0.0, -9.0)), load("scorer", "contrastive"))
    assert first["overall"]["value"] == 0.5, "a preference for a position is never rewarded"


def edited(tmp_path: Path, name: str, change: Callable[[list[str]], list[str]]) -> str:
    folder = shutil.copytree(fixture("commute"), tmp_path / "commute")
    path = folder / name
    path.write_text("\n".join(change(path.read_text(encoding="utf-8").split("\n"))), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("en-de/img.order", lambda rows: rows[:-1], "differ in number: en-de/src.en 6, .*img.order 5"),
        ("en-de/src.en", lambda rows: [rows[2], *rows[1:]], "src.en:1: is another sentence than line 2"),
        ("en-de/img.order", lambda rows: [*rows[:-1], rows[0]], "crane1.jpeg is there twice"),
        ("en-de/img.order", lambda rows: ["no.png", *rows[1:]], "no.png/deu_Latn: no image no.png in .*images"),
        ("en-de/correct.de", lambda rows: [*rows[:2], " ", *rows[3:]], "correct.de:3: is empty"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, change: Callable[[list[str]], list[str]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(Commute(location=edited(tmp_path, name, change)))


def test_settings_and_card(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no files of ita_Latn; there are deu_Latn, fra_Latn"):
        list(Commute(location=FIXTURE, languages=["it"]))
    with pytest.raises(UsageError, match="split='train' is not known"):
        Commute(location=FIXTURE, split="train")  # type: ignore[arg-type]
    folder = shutil.copytree(fixture("commute"), tmp_path / "commute")
    shutil.rmtree(folder / "images")
    with pytest.raises(UsageError, match="images: there is no such folder"):
        next(iter(Commute(location=str(folder))))
    assert next(iter(Commute(location=str(folder), images=str(fixture("commute") / "images")))).choices
    card = Commute(location=FIXTURE).card
    assert card.languages == ("deu_Latn", "fra_Latn") and card.licence == "CC-BY-NC-SA-4.0"


def test_the_task_takes_pairs_for_its_intervals() -> None:
    task = resolve(compose(["+task=commute"], name="empty")["task"])
    assert task["cluster"] == "pair" and list(task["scorers"]) == ["contrastive"]
