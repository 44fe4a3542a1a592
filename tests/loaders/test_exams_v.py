from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from datasets import Features, Image, Value

from loaders.exams_v import LANGUAGES, ExamsV
from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.fixtures._speech import write_parquet
from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Output, Text
from mmbench.scorers.accuracy import Accuracy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def loader(**settings: Any) -> ExamsV:
    return ExamsV(**{"location": "fixture://exams_v", **settings})


def test_questions_are_pictures(caplog: pytest.LogCaptureFixture) -> None:
    samples = list(loader())
    tags = {"eng_Latn", "hrv_Latn", "bul_Cyrl", "arb_Arab", "fra_Latn"}
    assert Counter(sample.language for sample in samples) == dict.fromkeys(tags, 4)
    assert "1 left out: the key is no letter from A to E" in caplog.text
    second = samples[5]
    assert second.id == "English_1/eng_Latn" and second.choices == ("A", "B", "C", "D", "E")
    assert second.answer == 3, "a small letter"
    assert [getattr(part, "source", None) for part in second.parts] == [drawing("English_1", width=41, height=30)]
    assert second.group == {
        **{"type": "image_text", "subject": "Biology", "subject_group": "Natural Science", "grade": "12"}
    }


def test_croatian_as_it_was_spelt_at_first() -> None:
    assert {sample.language for sample in loader(languages=["hr"])} == {"hrv_Latn"}
    assert len({tag(name) for name in LANGUAGES}) == 13


def test_kinds_and_splits() -> None:
    assert {sample.group["type"] for sample in loader(kind="text")} == {"text"}
    assert len(list(loader(kind="text"))) + len(list(loader(kind="image_text"))) == 20
    assert [sample.id for sample in loader(split="validation")] == ["English_20/eng_Latn"]


def test_letters_are_read_from_answers_in_any_language() -> None:
    sample = next(iter(loader(languages=["bg"])))
    scorer = Accuracy()
    right = ["A", "(A)", "Отговор: A", "The answer is A."] if sample.answer == 0 else ["B", "(B)", "Отговор: B"]
    assert [float(scorer.reduce(scorer.stats(sample, Output(text=text)))) for text in right] == [1.0] * len(right)


@pytest.mark.parametrize(("answer", "index"), [("Б", 1), ("Отговор: В", 2), ("Г)", 3), ("ب", 1), ("B", 1)])
def test_letters_of_the_picture_are_places(answer: str, index: int) -> None:
    asked = replace(next(iter(loader())), answer=index)
    scorer = Accuracy()
    assert float(scorer.reduce(scorer.stats(asked, Output(text=answer)))) == 1.0, "the third Cyrillic letter looks as B"


def test_the_prompt_says_what_letters_mean_where_the_picture_has_others() -> None:
    task = build(resolve(compose(["task=exams_v", "task.loader.location=fixture://exams_v", "model=gold"])["task"]))
    texts = [part.text for part in next(iter(task.samples())).parts if isinstance(part, Text)]
    assert "A for the first choice, B for the second" in texts[-1] and texts[-1].endswith("Answer:")


def damaged(folder: Path, **changes: Any) -> ExamsV:
    name = "data/test-00000-of-00001.parquet"
    rows = pq.read_table(fixture("exams_v") / name).to_pylist()
    rows[1].update(changes)
    columns = [column for column in rows[0] if column != "image"]
    write_parquet(folder / name, rows, Features({"image": Image(), **{column: Value("string") for column in columns}}))
    return ExamsV(location=str(folder))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": {"bytes": b"", "path": "x"}}, "sample_id Croation_0: has no image"),
        ({"sample_id": "English_0", "language": "English"}, "English_0/eng_Latn is there twice"),
        ({"language": None}, "sample_id Croation_0: has no language"),
        ({"language": "Xyzzyish"}, "unknown language 'Xyzzyish'"),
    ],
)
def test_damaged_rows(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(damaged(tmp_path, **changes))


def test_wrong_settings_and_card() -> None:
    with pytest.raises(UsageError, match="kind='figures' is not known: give one of all, text, image_text"):
        loader(kind="figures")
    with pytest.raises(UsageError, match="languages: jpn_Jpan not in the dataset, which has arb_Arab, bul_Cyrl"):
        loader(languages=["ja"])
    assert loader(languages=["pl", "de"]).card.languages == ("deu_Latn", "pol_Latn")
    assert len(loader().card.languages) == 13 and loader().card.content == loader(languages=["pl"]).card.content
