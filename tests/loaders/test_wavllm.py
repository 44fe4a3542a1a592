from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from loaders.fixtures import wavllm as fixture
from loaders.wavllm import WavLLM, split_options
from mmbench.errors import UsageError
from mmbench.media import load_audio
from mmbench.schema import Audio, Sample, Text

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/wavllm"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fixture.write(tmp_path)
    return tmp_path


def samples(folder: Path, subset: str, **options: Any) -> list[Sample]:
    return list(WavLLM(location=str(folder), subset=cast("Any", subset), **options))


@pytest.mark.parametrize(
    ("text", "question", "options"),
    [
        ("What now? A. One; B. Two; C. Three.", "What now?", ("One", "Two", "Three")),
        ("What now? A. Rich B. Wise C. Funny", "What now?", ("Rich", "Wise", "Funny")),
        ("What now\uff1f A. Sunny, B. Windy; C. Dry", "What now\uff1f", ("Sunny", "Windy", "Dry")),
        (
            "Where? A. Go to New York; B. Meet her; C. Washington, D.C.",
            "Where?",
            ("Go to New York", "Meet her", "Washington, D.C."),
        ),
        ("When? A. 7:00; B. At 4:30 p.m.; C. $5.2.", "When?", ("7:00", "At 4:30 p.m.", "$5.2")),
        ("Is it plan A. Why? A. Yes; B. No", "Is it plan A. Why?", ("Yes", "No")),
        ("Pick. A) one\nB) two\nC) three\nD) four", "Pick.", ("one", "two", "three", "four")),
        ("Only A. one option", "Only A. one option", ()),
        ("", "", ()),
    ],
)
def test_split_options(text: str, question: str, options: tuple[str, ...]) -> None:
    assert split_options(text) == (question, options)


def test_gaokao(folder: Path) -> None:
    first, second, third = samples(folder, "gaokao")
    assert first.id == "gaokao/short_conv_1/eng_Latn"
    assert (first.choices, first.answer) == (("A meeting", "A telephone call", "A meal"), 1)
    assert first.parts[1] == Text("\nWhat is the message about?"), "the options are no longer in the question"
    assert second.choices == ("In Washington, D.C.", "In Paris", "At 3 p.m.") and third.answer == 2
    assert first.references == () and first.transcript is None
    for number, sample in enumerate((first, second, third), 1):
        (audio,) = (part for part in sample.parts if isinstance(part, Audio))
        own = Audio(folder / "gaokao_audio" / f"short_conv_{number}.wav")
        np.testing.assert_array_equal(load_audio(audio, rate=16000), load_audio(own, rate=16000))


def test_sets(folder: Path) -> None:
    (asr,) = samples(folder, "asr")
    assert asr.references == ("press 7 to delete this message.",) and asr.transcript == asr.references[0]
    assert isinstance(asr.parts[0], Audio) and asr.parts[1] == Text("\nGenerate a transcription of the spoken content.")
    (german,) = samples(folder, "en2de")
    assert (german.language, german.source_language) == ("deu_Latn", "eng_Latn"), "another order of columns"
    assert german.references == ("Die Konferenz ist voll.",) and german.transcript is None
    (emotion,) = samples(folder, "emo")
    assert emotion.choices[emotion.answer or 0] == "sad" and emotion.references == ()
    (speakers,) = samples(folder, "sv")
    assert (speakers.choices, speakers.answer) == (("Yes", "No"), 0)
    (spoken,) = samples(folder, "SQQA")
    assert len(spoken.parts) == 1, "the question is in the recording"
    assert spoken.references == ('It is a "call", as one says.',), "quotes mean nothing"
    (several,) = samples(folder, "II-task")
    assert several.references == () and several.group["kinds"] == "ASR+SFT", "kinds of what is asked are no answer"
    (story,) = samples(folder, "CoT-task-story")
    assert story.language == "deu_Latn" and story.transcript == "Press 7 to delete this message."


def test_labels_of_ones_own(folder: Path) -> None:
    (emotion,) = samples(folder, "emo", labels=["sad", "glad"])
    assert (emotion.choices, emotion.answer) == (("sad", "glad"), 0)
    with pytest.raises(UsageError, match=r"row 0: tgt_text 'sad' is none of the choices \['fine', 'glad'\]"):
        samples(folder, "emo", labels=["fine", "glad"])


def test_without_speech(folder: Path) -> None:
    table = folder / "SQQA.tsv"
    table.write_text(table.read_text().replace("\tTrue", "\tFalse").replace("111111\t", "111111\tWhat is it?"))
    (sample,) = samples(folder, "SQQA")
    assert sample.parts == (Text("\nWhat is it?"),)


def test_refused(folder: Path) -> None:
    (folder / "gaokao_audio" / "short_conv_2.wav").unlink()
    with pytest.raises(UsageError, match=r"row short_conv_2: no recording gaokao_audio/short_conv_2\.wav"):
        WavLLM(location=str(folder)).validate()
    table = folder / "SQA.tsv"
    text = table.read_text()
    table.write_text(text + text.splitlines()[1] + "\n")
    with pytest.raises(UsageError, match=r"SQA\.tsv: SQA/0/eng_Latn is there twice"):
        samples(folder, "SQA")
    table.write_text(text.replace("A. A meeting; B. A telephone call; C. A meal.", "Say it."))
    with pytest.raises(UsageError, match=r"tgt_text 'B' is none of the choices \[\]"):
        samples(folder, "SQA")
    table.write_text(text.replace("tgt_text", "target"))
    with pytest.raises(UsageError, match="has no tgt_text; it has id, audio"):
        samples(folder, "SQA")
    with pytest.raises(UsageError, match="subset='SQB' is not known"):
        WavLLM(location=str(folder), subset=cast("Any", "SQB"))
    with pytest.raises(UsageError, match="fra_Latn not in the dataset, which has deu_Latn"):
        WavLLM(location=str(folder), subset="en2de", languages=["fr"])


def test_one_row_at_a_time(folder: Path) -> None:
    (folder / "gaokao_audio" / "short_conv_3.wav").unlink()
    assert next(iter(WavLLM(location=str(folder)))).id == "gaokao/short_conv_1/eng_Latn"


def test_card(folder: Path) -> None:
    card = WavLLM(location=str(folder), subset="en2de").card
    assert (card.name, card.languages) == ("wavllm_en2de", ("deu_Latn",))
    assert card.content != WavLLM(location=str(folder), subset="asr").card.content


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the published tables are not here")
def test_published_tables() -> None:
    with (SAMPLES / "gaokao.head900.tsv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
    parsed = [split_options(row["prompt"]) for row in rows]
    assert Counter(len(options) for _, options in parsed) == {3: len(rows)} and len(rows) == 899
    assert all(option and not option.endswith(";") for _, options in parsed for option in options)
    assert {row["tgt_text"] for row in rows} == {"A", "B", "C"}
    (asr,) = samples(SAMPLES, "asr")
    assert asr.transcript is not None and len(asr.transcript.split()) == 28
    assert isinstance(asr.parts[0], Audio) and len(load_audio(asr.parts[0], rate=16000)) == 166960
    (german,) = samples(SAMPLES, "en2de")
    assert german.references == ("Sie wird schon in Ordnung sein.",)
