from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast, get_args

import pyarrow.parquet as pq
import pytest

from loaders.fixtures import voicebench as fixture
from loaders.published import Published
from loaders.voicebench import Subset, VoiceBench
from mmbench.errors import UsageError
from mmbench.media import audio_seconds
from mmbench.schema import Audio, Sample

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voicebench")
    fixture.write(folder)
    return folder


def samples(folder: Path, subset: str, **options: Any) -> list[Sample]:
    return list(VoiceBench(location=str(folder), subset=cast("Any", subset), **options))


def edited(folder: Path, target: Path, subset: str, column: str, values: list[Any]) -> Path:
    """A copy of a subset with other values in a column; None takes the column away."""
    for source in (folder / subset).glob("*.parquet"):
        table = pq.read_table(source)
        index = table.column_names.index(column)
        field = table.schema.field(index)
        table = table.remove_column(index)
        table = table.append_column(field, [values]) if values else table
        (target / subset).mkdir(exist_ok=True)
        pq.write_table(table, target / subset / source.name)
    return target


@pytest.mark.parametrize("subset", get_args(Subset))
def test_what_is_asked_is_heard_alone(written: Path, subset: str) -> None:
    found = samples(written, subset)
    assert len({sample.id for sample in found}) == len(found) >= 2
    for sample in found:
        (audio,) = sample.parts
        assert isinstance(audio, Audio) and isinstance(audio.source, bytes) and audio.transcript
        assert audio_seconds(audio) > 0.5
        assert sample.group["subset"] == subset and sample.language == "eng_Latn"


@pytest.mark.parametrize("subset", ["alpacaeval", "commoneval", "wildvoice", "advbench"])
def test_open_questions_have_no_reference(written: Path, subset: str) -> None:
    (first, _) = samples(written, subset)
    assert first.id == f"{subset}/test/00000/eng_Latn"
    assert (first.references, first.choices, first.answer) == ((), (), None)


def test_accents(written: Path) -> None:
    found = samples(written, "sd-qa")
    assert [sample.group["split"] for sample in found] == ["aus", "aus", "ind_n", "ind_n", "usa", "usa"]
    assert found[0].references == ("a telephone",)
    assert found[0].group["item"] == found[2].group["item"] != found[1].group["item"], "one question, several accents"
    assert [sample.id for sample in samples(written, "sd-qa", splits=["ind_n"])] == [
        "sd-qa/ind_n/00000/eng_Latn",
        "sd-qa/ind_n/00001/eng_Latn",
    ]
    with pytest.raises(UsageError, match="splits: 'gbr' not in sd-qa, which has aus, ind_n, usa"):
        samples(written, "sd-qa", splits="gbr")


def test_spoken_options(written: Path, tmp_path: Path) -> None:
    first, second = samples(written, "openbookqa")
    assert first.choices == ("a telephone", "a bicycle", "a garden", "a river")
    assert (first.answer, second.answer) == (0, 1)
    folder = edited(written, tmp_path, "openbookqa", "prompt", ["No options can be told here"] * 2)
    assert samples(folder, "openbookqa")[1].choices == ("A", "B", "C", "D"), "the letters are what is left"
    assert samples(folder, "openbookqa")[1].answer == 1


def test_reasoning(written: Path) -> None:
    yes, option, no = samples(written, "bbh")
    assert (yes.choices, yes.answer) == (("Yes", "No"), 0)
    assert (no.choices, no.answer) == (("Yes", "No"), 1)
    assert (option.choices, option.answer) == (("A", "B"), 1)
    assert [sample.group["task"] for sample in (yes, option, no)] == ["sports_understanding", "hyperbaton", "navigate"]
    assert yes.id == "bbh/test/00000-sports_understanding_3/eng_Latn"


def test_instructions(written: Path) -> None:
    comma, words = samples(written, "ifeval")
    assert json.loads(comma.group["instructions"]) == [{"id": "punctuation:no_comma", "kwargs": {}}]
    (given,) = json.loads(words.group["instructions"])
    assert given["kwargs"] == {"num_words": 3, "relation": "at least"}, "arguments of None are left out"
    assert words.id == "ifeval/test/00001-1005/eng_Latn"


def test_refused(written: Path, tmp_path: Path) -> None:
    folder = edited(written, tmp_path, "mmsu", "reference", ["A", "E"])
    with pytest.raises(UsageError, match=r"mmsu/law: row 1: the reference 'E' is no option"):
        samples(folder, "mmsu")
    folder = edited(written, tmp_path, "sd-qa", "reference", [])
    with pytest.raises(UsageError, match="sd-qa/aus: row 0: has no reference; it has"):
        samples(folder, "sd-qa")
    folder = edited(written, tmp_path, "commoneval", "audio", [{"bytes": b"", "path": "a.wav"}, None])
    with pytest.raises(UsageError, match="commoneval/test: row 0: has no audio"):
        samples(folder, "commoneval")
    with pytest.raises(UsageError, match=r"no ifeval/\*\.parquet in it"):
        VoiceBench(location=str(folder), subset="ifeval").validate()
    with pytest.raises(UsageError, match="subset='mtbench' is not known"):
        VoiceBench(subset=cast("Any", "mtbench"))
    with pytest.raises(UsageError, match="fra_Latn not in the dataset"):
        VoiceBench(languages="fr")


def test_splits_are_read_one_after_the_other(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    parquet = Published.parquet
    monkeypatch.setattr(Published, "parquet", lambda self, names: (opened.extend(names), parquet(self, names))[1])
    first = next(iter(VoiceBench(location=str(written), subset="sd-qa")))
    assert first.group["split"] == "aus" and opened == ["sd-qa/aus-00000-of-00001.parquet"]


def test_card(written: Path) -> None:
    card = VoiceBench(location=str(written), subset="mmsu").card
    assert (card.name, card.licence, card.languages) == ("voicebench_mmsu", "Apache-2.0", ("eng_Latn",))
    assert VoiceBench(location=str(written), subset="mmsu", splits=["law"]).card.content != card.content
