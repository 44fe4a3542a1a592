from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from datasets import Features, Value
from datasets import Image as ImageColumn

from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.fixtures._speech import write_parquet
from loaders.fixtures.mtvqa import DOTTED
from loaders.mtvqa import Mtvqa
from mmbench.config import build, compose, load, resolve
from mmbench.errors import UsageError
from mmbench.models.echo import Gold
from mmbench.predict import predict
from mmbench.schema import Image, Output, Text
from mmbench.score import ALL, MACRO, read_records, score

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def loader(**settings: Any) -> Mtvqa:
    return Mtvqa(**{"location": "fixture://mtvqa", **settings})


def test_questions() -> None:
    samples = list(loader())
    assert len(samples) == len({sample.id for sample in samples}) == 18
    assert len({sample.language for sample in samples}) == 9
    german, second = loader(languages=["de"])
    assert german.id == "101-0/deu_Latn" and german.references == ("Zur Palme", "Palme")
    assert second.references == (DOTTED,) and german.group == {"image": "101/deu_Latn", "code": "DE"}
    image, question = german.parts
    assert isinstance(image, Image) and image.source == drawing("mtvqa DE", width=41, height=30)
    assert question == Text("Wie heißt der Laden?") and second.parts[0] == image


def published(answer: str, annotations: tuple[str, ...]) -> float:
    """The rule of the published program: full stops are taken out of the answer alone."""
    return float(any(each.strip().lower() in answer.strip().lower().replace(".", "") for each in annotations))


def test_an_annotation_with_a_full_stop_can_be_found() -> None:
    scorer = load("scorer", "contains")
    for sample in loader():
        for answer in (sample.references[0], f"Es ist {sample.references[0]}."):
            output = Output(text=answer if sample.language not in ("tha_Thai", "jpn_Jpan") else sample.references[0])
            assert float(scorer.reduce(scorer.stats(sample, output))) == 1.0
    dotted = next(sample for sample in loader() if sample.references == (DOTTED,))
    assert published(DOTTED, dotted.references) == 0.0, "what the published program makes of the right answer"
    for wrong in ("U.S. 35", "3.5", ""):
        assert float(scorer.reduce(scorer.stats(dotted, Output(text=wrong)))) == 0.0


def test_the_mean_over_languages_is_not_the_pool(tmp_path: Path) -> None:
    """MTVQA reports the one, VLMEvalKit the other, under one name."""
    chosen = ["task=mtvqa", "task.loader.location=fixture://mtvqa", "model=gold"]
    task = build(resolve(compose(chosen)["task"]))
    path = tmp_path / "predictions.jsonl"
    predict(task, Gold(), path, batch_size=4)
    records = list(read_records(path, strict=True).values())
    french = [record for record in records if record.sample.language == "fra_Latn"][:1]
    rest = [record for record in records if record.sample.language == "ita_Latn"]
    wrong = [replace(each, prediction=replace(each.prediction, output=Output(text="?"))) for each in rest]
    rows = score([*french, *wrong], task.scorers, task="t", model="m", method="generate")
    found = {(row.metric, row.language): row.value for row in rows}
    assert found["contains", "fra_Latn"] == 1.0 and found["contains", "ita_Latn"] == 0.0
    assert found["contains", MACRO] == 0.5 and found["contains", ALL] == pytest.approx(1 / 3)


def damaged(folder: Path, **changes: Any) -> Mtvqa:
    name = "data/test-00000-of-00001.parquet"
    rows = pq.read_table(fixture("mtvqa") / name).to_pylist()
    rows[0].update(changes)
    text = Value("string")
    write_parquet(folder / name, rows, Features({"image": ImageColumn(), "id": text, "qa_pairs": text, "lang": text}))
    return Mtvqa(location=str(folder))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"qa_pairs": "nothing"}, "id 100: 'nothing' is not the text of a list"),
        ({"qa_pairs": "[{'answer': 'a'}]"}, "id 100: its question 0 has no text"),
        ({"qa_pairs": "[{'question': 'a'}]"}, "id 100, question 0: has no answer"),
        ({"image": None}, "id 100: has no image"),
        ({"id": "101", "lang": "DE"}, "101-0/deu_Latn is there twice"),
    ],
)
def test_damaged_rows(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(damaged(tmp_path, **changes))


def test_languages_and_card() -> None:
    with pytest.raises(UsageError, match="languages: eng_Latn not in the dataset, which has arb_Arab"):
        loader(languages=["en"])
    with pytest.raises(UsageError, match="no data/train-"):
        list(loader(split="train"))
    card = loader(languages=["ja"]).card
    assert (card.licence, card.languages) == ("CC-BY-NC-4.0", ("jpn_Jpan",))
