from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from loaders.belebele_fleurs import BelebeleFleurs
from loaders.fixtures import fixture
from loaders.fixtures._speech import prompts, write_parquet
from loaders.fixtures.belebele_fleurs import PASSAGES, features
from loaders.published import Published
from mmbench.errors import UsageError
from mmbench.identity import describe
from mmbench.media import audio_seconds, load_audio
from mmbench.schema import Audio, Joined, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Edit = Callable[[list[dict[str, Any]]], None]
NAME = "data/eng_Latn/test-00000-of-00001.parquet"


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield fixture("belebele_fleurs")


@pytest.fixture
def edited(stand_in: Path, tmp_path: Path) -> Callable[[Edit], str]:
    def make(edit: Edit) -> str:
        rows = pq.read_table(stand_in / NAME).to_pylist()
        edit(rows)
        write_parquet(tmp_path / NAME, rows, features())
        return str(tmp_path)

    return make


def loader(**settings: Any) -> BelebeleFleurs:
    return BelebeleFleurs(**{"location": "fixture://belebele_fleurs", **settings})


def clips(sample: Sample) -> list[Audio]:
    return [part for part in sample.parts if isinstance(part, Audio)]


def test_questions_about_passages() -> None:
    samples = list(loader())
    assert Counter(sample.language for sample in samples) == {"eng_Latn": 4, "fra_Latn": 4, "spa_Latn": 4}
    assert len({sample.id for sample in samples}) == 12 == loader().count
    first, second = samples[:2]
    assert first.id == "https://example.org/passages/0#1/eng_Latn"
    assert first.choices == ("a message", "a conference", "a password", "waiting")
    assert (first.answer, second.answer) == (0, 1), "correct_answer_num is text and begins at 1"
    assert first.parts[-1] == Text("\n\nWhat is sentence 1 about?")
    assert first.group["document"] == second.group["document"] == "https://example.org/passages/0"
    assert [sample.group["item"] for sample in samples[4:8]] == [sample.group["item"] for sample in samples[:4]]


def test_sentences_are_in_the_order_of_the_passage(stand_in: Path) -> None:
    published = pq.read_table(stand_in / NAME).to_pylist()[2]["sentence_data"]
    texts = [sentence["sentence"] for sentence in published]
    assert texts == sorted(texts) and [s["id"] for s in published] == [452, 454, 453], "the trap is in the stand-in"
    (spoken,) = prompts("eng_Latn", count=7).values()
    sample = list(loader(languages=["en"]))[2]
    passage = [spoken[index] for index in PASSAGES[1]]
    assert sample.transcript == " ".join(prompt.text for prompt in passage)
    (clip,) = clips(sample)
    whole = np.concatenate([load_audio(Audio(prompt.file), rate=16000) for prompt in passage])
    np.testing.assert_allclose(load_audio(clip, rate=16000), whole, atol=1e-4)


def test_a_gap_is_silence_between_sentences() -> None:
    plain, wide = (next(iter(loader(gap=gap))) for gap in (0.0, 1.5))
    (short,), (long,) = clips(plain), clips(wide)
    assert isinstance(long.source, Joined) and long.source.gap == 1.5 and len(long.source.sources) == 2
    assert audio_seconds(long) == pytest.approx(audio_seconds(short) + 1.5)


def test_sentence_by_sentence() -> None:
    joined, apart = next(iter(loader())), next(iter(loader(passage="sentences")))
    parts = clips(apart)
    assert [part.transcript for part in parts] == [
        "Press 7 to delete this message.",
        "The conference has been extended.",
    ]
    assert (apart.transcript, apart.id, apart.parts[-1]) == (joined.transcript, joined.id, joined.parts[-1])
    assert clips(joined)[0].source == Joined(tuple(part.source for part in parts))  # type: ignore[misc]
    assert dict(parts[0].hypotheses)["whisper"] == "press 7 to delete this"


def test_hypotheses_of_a_passage_are_those_of_its_recordings() -> None:
    said = {
        policy: dict(clips(next(iter(loader(recordings=policy))))[0].hypotheses) for policy in ("first", "best_cer")
    }
    assert said["first"]["whisper"] == "press 7 to delete this the conference has been"
    assert said["best_cer"]["whisper"] == "press 7 to delete this the conference has been extended"
    assert said["first"]["whisper_translation"] == "Press 7 to delete this message. The conference has been extended."


def test_a_system_that_lacks_a_sentence_has_no_text_of_the_passage(edited: Any) -> None:
    def lacking(rows: list[dict[str, Any]]) -> None:
        rows[0]["sentence_data"][1]["seamlessm4t_asr"] = None

    (clip,) = clips(next(iter(BelebeleFleurs(location=edited(lacking)))))
    assert list(dict(clip.hypotheses)) == ["whisper", "whisper_translation", "seamlessm4t_translation"]


def test_the_policy_decides_what_is_heard() -> None:
    levels = {}
    for policy in ("first", "best_cer", "worst_cer"):
        parts = clips(next(iter(loader(recordings=policy, passage="sentences"))))
        levels[policy] = float(np.abs(load_audio(parts[1], rate=16000)).max())
    assert levels["best_cer"] == pytest.approx(levels["first"] / 2, rel=0.01), "the second, quieter recording"
    assert levels["worst_cer"] == levels["first"]
    picked = [loader(recordings="seeded_random", seed=seed) for seed in (0, 0, 1, 2, 3)]
    sources = [[part.source for sample in each for part in clips(sample)] for each in picked]
    assert sources[0] == sources[1] and any(other != sources[0] for other in sources[2:])


def test_splits_of_fleurs_are_said_whatever_is_heard() -> None:
    for policy in ("first", "best_cer"):
        assert {sample.group["split"] for sample in loader(recordings=policy)} == {"test+train"}


def test_text_has_the_same_ids_and_questions() -> None:
    for spoken, written in zip(loader(), loader(input="text"), strict=True):
        assert written.parts == (Text(spoken.transcript or ""), spoken.parts[-1])
        assert replace(written, parts=spoken.parts) == spoken


def unheard(rows: list[dict[str, Any]]) -> None:
    sentence = rows[0]["sentence_data"][0]
    for name in [name for name, value in sentence.items() if isinstance(value, list)]:
        sentence[name] = []


def empty(rows: list[dict[str, Any]]) -> None:
    rows[0]["sentence_data"][0]["audio"] = [{"bytes": None, "path": "a.wav"}]


def part_of(rows: list[dict[str, Any]]) -> None:
    rows[0]["sentence_data"][1]["full_paragraph"] = False


def twice(rows: list[dict[str, Any]]) -> None:
    rows[1]["question_number"] = 1


def repeated(rows: list[dict[str, Any]]) -> None:
    rows[0]["sentence_data"][1]["id"] = 450


def fifth(rows: list[dict[str, Any]]) -> None:
    rows[0]["correct_answer_num"] = "5"


def unequal(rows: list[dict[str, Any]]) -> None:
    rows[0]["sentence_data"][0]["whisper_asr"] = ["one", "two", "three"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (unheard, r"passages/0#1/eng_Latn, sentence 450: has no recording"),
        (empty, r"passages/0#1/eng_Latn, sentence 450, 1000000000000000.wav: has no audio"),
        (part_of, r"passages/0#1/eng_Latn, sentence 451: is of a passage that is not recorded as a whole"),
        (twice, r"passages/0#1 is there twice"),
        (repeated, r"passages/0#1/eng_Latn: has no sentences, or one twice \(ids \[450, 450\]\)"),
        (fifth, "correct_answer_num '5' is none of 1 to 4"),
        (unequal, "sentence 450: 1 recordings, but whisper_asr has 3"),
    ],
)
def test_damaged_rows(edited: Any, edit: Edit, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(BelebeleFleurs(location=edited(edit)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recordings": "all"}, "recordings='all' is not known: give one of first, seeded_random, best_cer, worst_cer"),
        ({"passage": "whole"}, "passage='whole' is not known"),
        ({"gap": -1.0}, "gap=-1: it is in seconds"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        loader(**settings)


def test_card_and_languages() -> None:
    card = loader(languages=["es", "fr"]).card
    assert (card.name, card.languages, card.licence) == ("belebele_fleurs", ("fra_Latn", "spa_Latn"), "CC-BY-SA-4.0")
    assert not {"location", "languages"} & set(describe(loader()))
    with pytest.raises(UsageError, match="no files of isl_Latn"):
        list(loader(languages=["is"]))


def test_a_first_sample_comes_after_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Published.parquet

    def counting(self: Published, names: Any) -> Iterator[dict[str, Any]]:
        for row in real(self, names):
            read.append(names[0])
            yield row

    monkeypatch.setattr(Published, "parquet", counting)
    next(iter(loader()))
    assert read == [NAME]
