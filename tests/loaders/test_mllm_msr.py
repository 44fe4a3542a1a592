"""MLLM-MSR: candidates of a user are questions of their own, joined by the user, and none is dropped in silence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.mllm_msr import MllmMsr
from mmbench.config import load as configured
from mmbench.errors import UsageError
from mmbench.records import Record
from mmbench.schema import Image, Output, Prediction, Text
from mmbench.score import score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mmbench.schema import Sample

PUBLISHED = Path(__file__).resolve().parents[2] / "../shared/samples/mllm-msr"
SCORERS = ("user_recall@3", "user_recall@5", "user_recall@10", "user_mrr@10", "user_ndcg@10", "user_auc")


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("mllm_msr")


def load(location: object = "fixture://mllm_msr", **settings: Any) -> dict[str, Sample]:
    loader = MllmMsr(location=str(location), **settings)
    found = {one.id: one for one in loader}
    assert loader.count == len(found)
    return found


def scored(samples: list[Sample], says: Callable[[Sample], float]) -> dict[str, float]:
    """Values of all scorers, where `says` is the log-likelihood of yes and that of no is 0."""
    records = [
        Record(
            one,
            Prediction(sample_id=one.id, language=one.language, output=Output(text="", choice_scores=(0, says(one)))),
        )
        for one in samples
    ]
    scorers = {name: configured("scorer", name) for name in SCORERS}
    rows = score(records, scorers, task="t", model="m", method="loglikelihood")
    return {row.metric: row.value for row in rows if row.language == "eng_Latn"}


def test_samples() -> None:
    found = load()
    assert len(found) == 3 * 21 and sum(one.answer == 1 for one in found.values()) == 3
    first = found["7/6/eng_Latn"]
    assert first.choices == ("no", "yes") and first.answer == 1 and first.group == {"query": "7", "item": "6"}
    titles = [part.text for part in first.parts if isinstance(part, Text) and not part.instruction]
    assert titles == [*(f'{i}. Video {i}, the "blue" one\n' for i in range(1, 6)), 'Video 6, the "blue" one\n']
    covers = [Path(str(part.source)).read_bytes() for part in first.parts if isinstance(part, Image)]
    assert covers == [drawing(f"cover {i}", width=32, height=32, kind="JPEG") for i in range(1, 7)]
    other = found["7/9/eng_Latn"]
    assert other.answer == 0 and other.parts[:-2] == first.parts[:-2], "only the further item differs"


def test_settings() -> None:
    short = load(history=2, negatives=4, covers=False)
    assert len(short) == 3 * 5 and not any(isinstance(part, Image) for one in short.values() for part in one.parts)
    texts = [part.text for part in short["7/6/eng_Latn"].parts if isinstance(part, Text) and not part.instruction]
    assert texts == ['1. Video 4, the "blue" one\n', '2. Video 5, the "blue" one\n', 'Video 6, the "blue" one\n']
    assert len(load(negatives=None)) == 63
    with pytest.raises(UsageError, match="history=0"):
        MllmMsr(history=0)
    with pytest.raises(UsageError, match=r"user 7 needs 2 items or more and 21 negatives"):
        load(negatives=21)


def test_scores() -> None:
    samples = list(load().values())
    chance = scored(samples, lambda one: 0.0)
    assert chance["user_recall@3"] == pytest.approx(3 / 21)
    assert chance["user_recall@5"] == pytest.approx(5 / 21) and chance["user_recall@10"] == pytest.approx(10 / 21)
    assert chance["user_mrr@10"] == pytest.approx(sum(1 / rank for rank in range(1, 11)) / 21)
    assert chance["user_auc"] == 0.5
    assert set(scored(samples, lambda one: float(one.answer or 0)).values()) == {1.0}
    # what pooling hides: a user whose scores are all high changes no ranking
    high = scored(samples, lambda one: float(one.answer or 0) + (5.0 if one.group["query"] == "8" else 0.0))
    assert high["user_auc"] == 1.0 == high["user_recall@3"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\t1,2,", "\t1,99,", r"user 7: item 99: has no title in MicroLens-50k_titles.csv"),
        ("\t1,2,3,4,5,6\t", "\t6\t", r"user 7 needs 2 items or more"),
        (", 8,", ", 6,", r"all different and none of them the last item"),
        (", 8,", ", 7,", r"all different"),
        ("\n8\t", "\n7\t", r"test.tsv:2: user 7 is there twice"),
        ("7\t1", "7 1", r"test.tsv:1: 2 fields where 3 are expected"),
    ],
)
def test_bad_rows(stand_in: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    shutil.copytree(stand_in, tmp_path / "copy")
    path = tmp_path / "copy/MicroLens-50k_user_items_negs_test.tsv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        load(tmp_path / "copy")


def test_a_missing_cover_drops_no_candidate(stand_in: Path, tmp_path: Path) -> None:
    shutil.copytree(stand_in, tmp_path / "copy")
    (tmp_path / "copy/MicroLens-50k_covers/9.jpg").unlink()
    with pytest.raises(
        UsageError, match=r"user 7: item 9: has no cover in MicroLens-50k_covers; download it, or set cov"
    ):
        load(tmp_path / "copy")
    assert len(load(tmp_path / "copy", covers=False)) == 63


def test_card() -> None:
    card = MllmMsr(location="fixture://mllm_msr").card
    assert card.name == "mllm_msr" and card.languages == ("eng_Latn",) and card.licence.startswith("none given")


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published files are not here")
def test_published_tables(tmp_path: Path) -> None:
    shutil.copy(
        PUBLISHED / "Video_Games_user_items_negs_test.head200.tsv", tmp_path / "Video_Games_user_items_negs_test.csv"
    )
    users = (tmp_path / "Video_Games_user_items_negs_test.csv").read_text(encoding="utf-8").splitlines()
    items = {item for line in users for cell in line.split("\t")[1:] for item in cell.split(",")}
    rows = "".join(f"{item}\t\tGame {item}\n" for item in sorted(items))
    (tmp_path / "Video_Games_item_desc.tsv").write_text(f"item_id\timage\tsummary\n{rows}", encoding="utf-8")
    with pytest.raises(UsageError, match="20 negatives"):
        load(tmp_path, dataset="Video_Games", covers=False)
    found = load(tmp_path, dataset="Video_Games", covers=False, negatives=5, history=10)
    assert len(found) == 200 * 6 and "23/136/eng_Latn" in found
    assert scored(list(found.values()), lambda one: 0.0)["user_recall@3"] == pytest.approx(3 / 6), "one of 6, not of 21"


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published files are not here")
def test_published_titles(tmp_path: Path) -> None:
    shutil.copy(PUBLISHED / "MicroLens-50k_titles.head200.csv", tmp_path / "MicroLens-50k_titles.csv")
    (tmp_path / "user_items_negs.tsv").write_text("1\t1, 2, 3\t4, 5\n", encoding="utf-8")
    found = load(tmp_path, covers=False, negatives=2)
    (_, first, *_) = found["1/3/eng_Latn"].parts
    assert isinstance(first, Text) and first.text.startswith("1. Gu long song gaga bad, even three hundred years old")
