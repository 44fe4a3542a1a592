from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from loaders.fixtures import fixture
from loaders.fixtures._speech import prompts, write_parquet
from loaders.fixtures.sib_fleurs import TOPICS, features
from loaders.published import Published
from loaders.sib_fleurs import LABELS, SibFleurs, choose, takes
from mmbench.config import build, compose, resolve
from mmbench.errors import UsageError
from mmbench.identity import describe
from mmbench.media import load_audio
from mmbench.models.echo import Gold
from mmbench.predict import predict
from mmbench.schema import Audio, Sample, Text
from mmbench.score import read_records, score

if TYPE_CHECKING:
    from pathlib import Path

Edit = Callable[[list[dict[str, Any]]], None]


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("sib_fleurs")


@pytest.fixture
def edited(stand_in: Path, tmp_path: Path) -> Callable[[Edit], Path]:
    """A copy of the English file whose rows were edited by hand; of other languages there is none."""

    def make(edit: Edit, types: Any = None) -> Path:
        name = "data/eng_Latn/test-00000-of-00001.parquet"
        rows = pq.read_table(stand_in / name).to_pylist()
        edit(rows)
        write_parquet(tmp_path / name, rows, types or features())
        return tmp_path

    return make


def loader(**settings: Any) -> SibFleurs:
    return SibFleurs(**{"location": "fixture://sib_fleurs", **settings})


def clip(sample: Sample) -> Audio:
    (part,) = sample.parts
    assert isinstance(part, Audio)
    return part


def test_topics() -> None:
    samples = list(loader())
    assert len(samples) == loader().count == 72
    assert Counter(sample.language for sample in samples) == {"eng_Latn": 24, "fra_Latn": 24, "spa_Latn": 24}
    assert len({sample.id for sample in samples}) == 72
    first = samples[0]
    assert first.id == "100/eng_Latn" and first.choices == TOPICS and first.answer == 0 and not first.references
    assert first.transcript == "Press 7 to delete this message."
    assert first.group["category"] == "message" and first.group["speaker"] == "1" and first.group["gender"] == "female"
    same = [sample for sample in samples if sample.group["sentence"] == first.group["sentence"]]
    assert [sample.language for sample in same] == ["eng_Latn", "fra_Latn", "spa_Latn"], "parallel by index_id"
    assert len({sample.answer for sample in same}) == 1


def test_the_recording_is_of_its_text() -> None:
    spoken = {(prompt.tag, prompt.text): prompt for each in prompts("fra_Latn", count=24).values() for prompt in each}
    for sample in loader(languages=["fr"]):
        whole = load_audio(Audio(spoken["fra_Latn", sample.transcript or ""].file), rate=16000)
        np.testing.assert_allclose(load_audio(clip(sample), rate=16000), whole, atol=1e-4)


def test_all_recordings_are_samples_of_their_sentence() -> None:
    samples = list(loader(recordings="all", languages=["eng"]))
    assert len(samples) == 32 and loader(recordings="all").count is None
    two = [sample for sample in samples if sample.group["sentence"] == "100"]
    assert [sample.id for sample in two] == ["100/eng_Latn/1000000000000000", "100/eng_Latn/2000000000000000"]
    assert [sample.group["speaker"] for sample in two] == ["1", "2"]
    loud, quiet = (load_audio(clip(sample), rate=16000) for sample in two)
    np.testing.assert_allclose(quiet, loud / 2, atol=1e-4)


def test_hypotheses_are_of_their_recording() -> None:
    one, two = (clip(s) for s in loader(recordings="all", languages=["en"]) if s.group["sentence"] == "100")
    assert dict(one.hypotheses)["whisper"] == "press 7 to delete this"
    assert dict(two.hypotheses)["whisper"] == "press 7 to delete this message"
    assert dict(two.hypotheses)["seamlessm4t"] == "press 7 to delete this"
    assert dict(one.hypotheses)["whisper_translation"] == "Press 7 to delete this message."
    assert list(dict(one.hypotheses)) == ["whisper", "whisper_translation", "seamlessm4t", "seamlessm4t_translation"]


def test_best_cer_is_a_real_argmin_and_first_is_what_the_reference_code_takes() -> None:
    def picked(**settings: Any) -> str:
        return next(s for s in loader(languages=["en"], **settings) if s.group["sentence"] == "100").group["recording"]

    first, second = "1000000000000000.wav", "2000000000000000.wav"
    assert picked() == first
    assert picked(recordings="best_cer") == second, "Whisper errs less on the second"
    assert picked(recordings="best_cer", cer_of="seamlessm4t") == first
    assert picked(recordings="worst_cer") == first
    assert picked(recordings="worst_cer", cer_of="seamlessm4t") == second


def test_a_seed_picks_the_same_recordings_again() -> None:
    def picked(seed: int) -> list[str]:
        return [s.group["recording"] for s in loader(languages=["en"], recordings="seeded_random", seed=seed)]

    assert picked(0) == picked(0) != picked(1)
    both = [n for n, name in enumerate(picked(0)) if name.startswith("2")]
    assert 0 < len(both) < 8, "not always the same one"


def test_equal_error_rates_pick_the_first(edited: Any) -> None:
    def equal(rows: list[dict[str, Any]]) -> None:
        rows[0]["whisper_asr_cer"] = [0.5, 0.5]

    samples = list(SibFleurs(location=str(edited(equal)), recordings="best_cer"))
    assert samples[0].group["recording"] == "1000000000000000.wav"


def test_text_has_the_same_ids_and_questions() -> None:
    for spoken, written in zip(loader(), loader(input="text"), strict=True):
        assert written.parts == (Text(spoken.transcript or ""),)
        assert replace(written, parts=spoken.parts) == spoken


def test_recognition() -> None:
    sample = next(iter(loader(task="asr", languages=["spa"])))
    assert sample.references == (sample.transcript,) == ("Marque 7 para borrar el mensaje.",)
    assert not sample.choices and sample.answer is None


def test_the_labels_of_a_file_without_classes(edited: Any) -> None:
    from datasets import Features, Value

    def name(rows: list[dict[str, Any]]) -> None:
        for number, row in enumerate(rows):
            row["category"] = LABELS[number % 7]

    types = Features({**features(), "category": Value("string")})
    samples = list(SibFleurs(location=str(edited(name, types))))
    assert samples[0].choices == LABELS and [sample.answer for sample in samples[:8]] == [0, 1, 2, 3, 4, 5, 6, 0]


def test_cantonese_is_spoken_in_the_traditional_chinese_config(stand_in: Path, tmp_path: Path) -> None:
    shutil.copytree(stand_in / "data" / "fra_Latn", tmp_path / "data" / "zho_Hant")
    sample = next(iter(SibFleurs(location=str(tmp_path))))
    assert (sample.language, sample.spoken, sample.written) == ("zho_Hant", "yue_Hant", "zho_Hant")


def shorter(rows: list[dict[str, Any]]) -> None:
    rows[3]["speaker_id"] = rows[3]["speaker_id"][:1]


def unheard(rows: list[dict[str, Any]]) -> None:
    rows[1]["audio"] = [{"bytes": b"", "path": "x.wav"}]


def twice(rows: list[dict[str, Any]]) -> None:
    rows[5]["index_id"] = rows[0]["index_id"]


def doubled(rows: list[dict[str, Any]]) -> None:
    rows[0]["filename"] = [rows[0]["filename"][0]] * 2


def silent(rows: list[dict[str, Any]]) -> None:
    for name in ("audio", "filename", "speaker_id", "gender"):
        rows[1][name] = []
    for name in rows[1]:
        if name.startswith(("whisper", "seamless")):
            rows[1][name] = []


def outside(rows: list[dict[str, Any]]) -> None:
    rows[0]["category"] = 9


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (shorter, "index_id 121: 2 recordings, but speaker_id has 1; download it again"),
        (unheard, "index_id 107, 1000000000007919.wav: has no audio"),
        (twice, "index_id 100 is there twice"),
        (doubled, r"index_id 100: a recording is there twice \(1000000000000000.wav, 1000000000000000.wav\)"),
        (silent, "index_id 107: has no recording"),
        (outside, "category 9 is none of message, conference, password, wait"),
    ],
)
def test_damaged_rows(edited: Any, edit: Edit, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(SibFleurs(location=str(edited(edit))))


def test_a_file_without_system_outputs(edited: Any) -> None:
    def bare(rows: list[dict[str, Any]]) -> None:
        for name in [name for name in rows[0] if "_asr" in name]:
            for row in rows:
                row[name] = None

    folder = str(edited(bare))
    assert clip(next(iter(SibFleurs(location=folder)))).hypotheses == ()
    with pytest.raises(UsageError, match="100/eng_Latn: recordings=best_cer needs whisper_asr_cer of each recording"):
        list(SibFleurs(location=folder, recordings="best_cer"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recordings": "best"}, "recordings='best' is not known: give one of first, all, seeded_random, best_cer"),
        ({"task": "emotion"}, "task='emotion' is not known: give one of topic, asr"),
        ({"cer_of": "mms"}, "cer_of='mms' is not known: give one of whisper, seamlessm4t"),
        ({"task": "asr", "input": "text"}, "of speech recognition the transcript is the answer"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        loader(**settings)


def test_languages_and_splits_that_are_not_there() -> None:
    with pytest.raises(UsageError, match=r"no files of swh_Latn; there are eng"):
        list(loader(languages=["sw", "en"]))
    with pytest.raises(UsageError, match="no data/\\*/train-"):
        list(loader(split="train"))
    assert [sample.language for sample in loader(languages=["fr", "en"])][::24] == ["eng_Latn", "fra_Latn"]


def test_card_and_identity() -> None:
    card = loader(languages="es").card
    assert (card.name, card.languages, card.licence) == ("sib_fleurs", ("spa_Latn",), "CC-BY-SA-4.0")
    assert len(card.content) == 64 and card.content != loader().card.content
    settings = describe(loader(languages=["es"]))
    assert settings["recordings"] == "first" and not {"location", "languages", "revision"} & set(settings)


def test_a_first_sample_comes_before_other_files_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Published.parquet

    def counting(self: Published, names: Any) -> Iterator[dict[str, Any]]:
        for row in real(self, names):
            read.append(names[0])
            yield row

    monkeypatch.setattr(Published, "parquet", counting)
    next(iter(loader()))
    assert read == ["data/eng_Latn/test-00000-of-00001.parquet"], "one row of one file"


def test_choosing_needs_no_file() -> None:
    row = {
        "audio": [b"a", b"b", b"c"],
        "filename": ["1.wav", "2.wav", "3.wav"],
        "speaker_id": [1, 2, 3],
        "gender": ["MALE"] * 3,
        "whisper_asr_cer": [0.3, 0.1, None],
    }
    found = takes(row, "here")
    assert [take.file for take in choose(found, "first", cer_of="whisper", seed=0, where="x")] == ["1.wav"]
    with pytest.raises(UsageError, match="x: recordings=best_cer needs whisper_asr_cer"):
        choose(found, "best_cer", cer_of="whisper", seed=0, where="x")
    assert choose(found[:2], "best_cer", cer_of="whisper", seed=0, where="x")[0].file == "2.wav"


def test_the_vote_over_recordings_counts_sentences(tmp_path: Path) -> None:
    task = build(
        resolve(
            compose(["task=sib_fleurs_majority", "task.loader.location=fixture://sib_fleurs", "model=gold"])["task"]
        )
    )
    predict(task, Gold(), tmp_path / "predictions.jsonl", batch_size=8)
    records = list(read_records(tmp_path / "predictions.jsonl", strict=True).values())
    rows = score(records, task.scorers, task="t", model="m", method="loglikelihood", cluster="sentence")
    found = {(row.metric, row.language): (row.value, row.n) for row in rows}
    assert found["accuracy", "eng_Latn"] == (1.0, 32) and found["majority", "eng_Latn"] == (1.0, 24)
