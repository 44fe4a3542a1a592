from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures._pictures import drawing
from loaders.fixtures._speech import write_parquet
from loaders.fixtures.m3gia import answers_of, features, rows_of
from loaders.m3gia import CLUSTERS, GIA_COLUMNS, M3gia, abilities
from mmbench.errors import UsageError
from mmbench.measure import cluster_field
from mmbench.media import load_image
from mmbench.records import Record
from mmbench.schema import Image, Prediction, Text
from tests.loaders.corpus_files import rows_read
from tests.published.samples import sample

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURE = "fixture://m3gia"
Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path_factory.getbasetemp() / "m3gia"))


def written(folder: Path, rows: Rows, answers: Rows | None = None) -> M3gia:
    write_parquet(folder / "en_final.parquet", rows, features())
    path = folder / "answer_dict_english.jsonl"
    path.write_text(json.dumps(answers_of() if answers is None else answers), encoding="utf-8")
    return M3gia(location=str(folder))


def test_questions() -> None:
    samples = list(M3gia(location=FIXTURE))
    assert Counter(one.language for one in samples) == {"eng_Latn": 12, "fra_Latn": 12, "zho_Hans": 12}
    assert len({one.id for one in samples}) == 36
    by_id = {one.id: one for one in samples}
    assert by_id["1/eng_Latn"].parts == (Text("What is number 1?"),), "an item without a picture, and without hint"
    assert by_id["111/eng_Latn"].parts == (Text("Read it with care.\nWhat is number 111?"),)
    series = by_id["211/zho_Hans"]
    assert len(series.choices) == 6 and series.choices[series.answer or 0] == "选项 211f"
    assert [len(by_id[f"{number}/fra_Latn"].choices) for number in (1, 51, 211)] == [4, 5, 6]
    assert "item" not in series.group, "questions of one number are no translations"


def test_each_question_has_its_own_picture() -> None:
    for one in M3gia(location=FIXTURE):
        shown = [part for part in one.parts if isinstance(part, Image)]
        assert bool(shown) == (one.group["image"] == "yes")
        if shown:
            number, _, tag = one.id.partition("/")
            assert shown[0].source == drawing(f"{tag} {number}") and load_image(shown[0]).size == (64, 64)


def test_types_clusters_and_abilities() -> None:
    groups = {one.id: one.group for one in M3gia(location=FIXTURE, languages=["en"])}
    assert groups["211/eng_Latn"]["type"] == "Number Series", "Number Seres, as it is published"
    assert groups["211/eng_Latn"]["cluster"] == "Reasoning" and groups["211/eng_Latn"]["abilities"] == "Gf+RQ+I"
    seen, told = groups["176/eng_Latn"], groups["196/eng_Latn"]
    assert seen["type"] == told["type"] == "Math Facts"
    assert (seen["abilities"], told["abilities"], seen["Gv"], told["Gv"]) == ("Gv+Gq", "Gq", "yes", "no")
    assert sorted(kind for kinds in CLUSTERS.values() for kind in kinds) == sorted(GIA_COLUMNS)
    records = [Record(one, Prediction(sample_id=one.id, language=one.language)) for one in M3gia(location=FIXTURE)]
    assert cluster_field(records) is None, "a cluster of types is none of samples that depend on each other"


def test_abilities_are_those_published() -> None:
    published = json.loads(sample("m3gia/ability_label_dict.json").read_text(encoding="utf-8"))
    answers = json.loads(sample("m3gia/answer_dict_english.jsonl").read_text(encoding="utf-8"))
    kinds = {row["question_id"]: row["question_type"].replace("Seres", "Series") for row in answers}
    assert len(kinds) == 300 and set(kinds.values()) == set(GIA_COLUMNS)
    for language in published.values():
        for ability, numbers in language.items():
            assert set(numbers) == {n for n, kind in kinds.items() if ability in abilities(kind, int(n))}


def test_order_and_kind_of_index_do_not_matter(tmp_path: Path) -> None:
    rows = rows_of("eng_Latn")
    shuffled = [{**row, "index": f"{row['index']}.0"} for row in reversed(rows)]
    given = {one.id: one for one in M3gia(location=FIXTURE, languages=["en"])}
    found = {one.id: one for one in written(tmp_path, shuffled, list(reversed(answers_of())))}
    assert found == given


def test_options_end_at_the_first_that_is_nothing(tmp_path: Path) -> None:
    rows = rows_of("eng_Latn")
    rows[0] |= {"C": "None", "E": "NaN", "F": None}
    assert next(iter(written(tmp_path, rows))).choices == ("option 1a", "option 1b", "None", "option 1d")


def hole(rows: Rows, answers: Rows) -> None:
    rows[0]["B"] = None


def other_type(rows: Rows, answers: Rows) -> None:
    answers[0]["question_type"] = "Algebra"


def unknown_type(rows: Rows, answers: Rows) -> None:
    rows[0]["QuestionTypes"] = answers[0]["question_type"] = "Riddles"


def beyond(rows: Rows, answers: Rows) -> None:
    answers[0]["ground_truth"] = "E"


def unanswered(rows: Rows, answers: Rows) -> None:
    del answers[0]


def twice(rows: Rows, answers: Rows) -> None:
    rows[1]["index"] = "1"


def answered_twice(rows: Rows, answers: Rows) -> None:
    answers[1]["question_id"] = "1"


def blank(rows: Rows, answers: Rows) -> None:
    rows[2]["image"] = {"bytes": None, "path": "36.png"}


def wordless(rows: Rows, answers: Rows) -> None:
    rows[0]["question"] = "nan"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (hole, "1/eng_Latn: option B is empty, and one behind it is not"),
        (other_type, "1/eng_Latn: is of type Oral Vocabulary, and its answer of type Algebra"),
        (unknown_type, "1/eng_Latn: is of type Riddles"),
        (beyond, "1/eng_Latn: the answer 'E' is none of 4 options"),
        (unanswered, "question 1 has no answer in answer_dict_english.jsonl"),
        (twice, "question 1 is there twice"),
        (answered_twice, "answer_dict_english.jsonl: question_id 1 is there twice"),
        (blank, "36/eng_Latn: has no image"),
        (wordless, "1/eng_Latn: has neither question nor hint"),
    ],
)
def test_damaged_rows(tmp_path: Path, change: Callable[[Rows, Rows], None], message: str) -> None:
    rows, answers = rows_of("eng_Latn"), list[dict[str, Any]](answers_of())
    change(rows, answers)
    with pytest.raises(UsageError, match=message):
        list(written(tmp_path, rows, answers))


def test_questions_that_are_missing_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert len(list(written(tmp_path, rows_of("eng_Latn")[:-2]))) == 10
    assert "2 of 12 questions with an answer are not in it" in caplog.text


def test_answers_elsewhere(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(fixture("m3gia"), tmp_path / "m3gia"))
    (folder / "ground_truth").rename(tmp_path / "answers")
    with pytest.raises(UsageError, match=r"no answer_dict_english\.jsonl; give answers=FOLDER"):
        next(iter(M3gia(location=str(folder))))
    apart = M3gia(location=str(folder), answers=str(tmp_path / "answers"))
    assert list(apart) == list(M3gia(location=FIXTURE))
    before = apart.card.content
    path = tmp_path / "answers" / "answer_dict_french.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"A"', '"B"'), encoding="utf-8")
    again = M3gia(location=str(folder), answers=str(tmp_path / "answers"))
    assert again.card.content != before, "the answers are part of the data"
    path.write_text("\n".join(map(json.dumps, answers_of())), encoding="utf-8")
    assert len(list(again)) == 36, "lines of objects are read too"


def test_languages_and_card() -> None:
    with pytest.raises(UsageError, match="no files of kor_Hang"):
        list(M3gia(location=FIXTURE, languages=["ko"]))
    with pytest.raises(UsageError, match="languages: deu_Latn not in the dataset"):
        M3gia(location=FIXTURE, languages=["de"])
    card = M3gia(location=FIXTURE, languages=["zh", "en"]).card
    assert card.languages == ("eng_Latn", "zho_Hans") and card.licence == "Apache-2.0"


def test_a_first_sample_comes_early(monkeypatch: pytest.MonkeyPatch) -> None:
    read = rows_read(monkeypatch)
    next(iter(M3gia(location=FIXTURE)))
    assert len(read) == 1
