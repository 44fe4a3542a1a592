"""Encoder-decoders: an answer belongs to its own audio and language, whatever else is in the batch."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.speech_to_text import SpeechToText
from mmbench.predict import predict
from mmbench.schema import Audio, Sample, Text
from mmbench.store import read_jsonl
from mmbench.task import Task
from tests.fakes import Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@pytest.fixture(scope="module")
def model(whisper: Path) -> SpeechToText:
    return SpeechToText(name="tiny", model=str(whisper), dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def alone(model: SpeechToText, spoken: list[Sample]) -> dict[str, str]:
    """The answer to each sample, asked by itself."""
    return {sample.id: model.generate([sample])[0].text for sample in spoken}


def texts(model: SpeechToText, batch: Sequence[Sample]) -> list[str]:
    return [output.text for output in model.generate(batch)]


def test_answers_differ_by_audio_and_by_language(
    model: SpeechToText, spoken: list[Sample], alone: dict[str, str]
) -> None:
    assert len(set(alone.values())) > 3  # else the tests below would pass with any audio
    told = {texts(model, [replace(spoken[0], language=tag)])[0] for tag in ("eng_Latn", "fra_Latn", "deu_Latn")}
    assert len(told) > 1


@pytest.mark.parametrize("seed", range(4))
def test_any_batch_and_order_gives_the_same(
    model: SpeechToText, spoken: list[Sample], alone: dict[str, str], seed: int
) -> None:
    rng = random.Random(seed)
    order = rng.sample(spoken, len(spoken))
    cut = rng.randrange(1, len(order))
    for batch in (order, order[:cut], order[cut:]):
        assert texts(model, batch) == [alone[sample.id] for sample in batch]


def test_two_tasks_through_predict_hear_their_own_audio(
    model: SpeechToText, spoken: list[Sample], alone: dict[str, str], tmp_path: Path
) -> None:
    # Sample ids are equal in both tasks, and the second has the audio in reverse: mixing them up would show.
    reverse = [replace(one, parts=other.parts) for one, other in zip(spoken, reversed(spoken), strict=True)]
    reverse = [
        replace(sample, language=other.language) for sample, other in zip(reverse, reversed(spoken), strict=True)
    ]
    expected = {"first": alone, "second": {s.id: alone[o.id] for s, o in zip(reverse, reversed(spoken), strict=True)}}
    for size in (1, 3, 8):
        for name, samples in (("first", spoken), ("second", reverse)):
            path = tmp_path / f"{name}{size}.jsonl"
            task = Task(name=name, loader=Listed(items=samples), scorers={})
            outcome = predict(task, model, path, batch_size=size)
            assert (outcome.answered, outcome.failed) == (len(samples), 0)
            rows = {row["sample_id"]: row["prediction"] for _, row in read_jsonl(path, strict=False)}
            assert rows == expected[name], f"batch size {size}"


def test_several_clips_of_a_sample_give_one_text_in_order(
    model: SpeechToText, spoken: list[Sample], alone: dict[str, str]
) -> None:
    first, second = spoken[0], spoken[3]  # both English
    both = replace(first, id="both", parts=(*first.parts, Text(" and "), *second.parts))
    output, other = model.generate([both, spoken[1]])
    assert output.text == f"{alone[first.id]} {alone[second.id]}"
    assert other.text == alone[spoken[1].id]
    assert output.tokens == sum(o.tokens or 0 for o in model.generate([first, second]))


def test_window_of_a_file_is_heard_and_no_more(model: SpeechToText, clips: list[Path]) -> None:
    heard = [Sample(id=str(end), language="eng_Latn", parts=(Audio(clips[7], end=end),)) for end in (None, 2.1, 0.3)]
    whole, same, cut = texts(model, heard)
    assert whole == same != cut


def test_task_and_forced_language_change_what_the_model_is_told(model: SpeechToText, spoken: list[Sample]) -> None:
    translating = replace_settings(model, task="translate")
    assert texts(translating, [replace(one, target_language="eng_Latn") for one in spoken]) != texts(model, spoken)
    with pytest.raises(SampleError, match="sample s1: tiny translates into English alone, not into French"):
        translating.generate(spoken[1:2])
    forced = replace_settings(model, language="fr")
    assert texts(forced, spoken) == texts(model, [replace(sample, language="fra_Latn") for sample in spoken])


def replace_settings(model: SpeechToText, /, **settings: Any) -> SpeechToText:
    known = {name: getattr(model, name) for name in ("name", "model", "dtype", "device")}
    return SpeechToText(**(known | settings))


def test_source_language_is_what_is_spoken(model: SpeechToText, spoken: list[Sample]) -> None:
    from_french = replace(spoken[0], language="eng_Latn", source_language="fra_Latn")
    assert texts(model, [from_french]) == texts(model, [replace(spoken[0], language="fra_Latn")])


def test_english_only_model_takes_no_language(whisper_en: Path, spoken: list[Sample]) -> None:
    model = SpeechToText(name="en", model=str(whisper_en), device="cpu")
    single = [texts(model, [sample])[0] for sample in spoken]
    assert texts(model, spoken) == single
    assert len(set(single)) > 2
    french = [replace(sample, language="fra_Latn") for sample in spoken]
    assert texts(model, french) == single


def test_english_only_model_cannot_translate(whisper_en: Path) -> None:
    with pytest.raises(ModelLoadError, match="task=translate"):
        SpeechToText(name="en", model=str(whisper_en), task="translate", device="cpu").load()


def test_multilingual_whisper_that_cannot_be_told_a_language_is_refused(whisper: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"  # as many that were tuned and saved again
    shutil.copytree(whisper, folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "_from_model_config": True}))
    with pytest.raises(ModelLoadError, match=r"generation_config\.json"):
        SpeechToText(name="tuned", model=str(folder), device="cpu").load()


def test_refusals_name_the_sample(model: SpeechToText, spoken: list[Sample], tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    long = tmp_path / "long.wav"
    soundfile.write(long, np.zeros(6 * 16000, np.float32), 16000)
    with pytest.raises(SampleError, match=r"sample long: the clip lasts 6\.0 s.* 5 s"):
        model.generate([spoken[0], Sample(id="long", language="eng_Latn", parts=(Audio(long),))])
    with pytest.raises(SampleError, match="sample text has no audio"):
        model.generate([Sample(id="text", language="eng_Latn", parts=(Text("hello"),))])
    with pytest.raises(SampleError, match="sample odd: tiny does not know"):
        model.generate([replace(spoken[0], id="odd", language="kik_Latn")])


def test_max_new_tokens_and_generation_arguments(model: SpeechToText, spoken: list[Sample]) -> None:
    short = replace_settings(model, max_new_tokens=3)
    assert {output.tokens for output in short.generate(spoken)} == {3}
    beams = replace_settings(model, generation={"num_beams": 3})
    assert texts(beams, spoken) == [texts(beams, [sample])[0] for sample in spoken]


def test_whisper_gives_its_answers_back_without_their_end(model: SpeechToText) -> None:
    model.load()
    assert model._ended([5, 6], 3, 9) == [5, 6, 9]
    assert model._ended([5, 6, 7], 3, 9) == [5, 6, 7], "broken off"
    assert model._ended([5] * 13, None, 9) == [*[5] * 13, 9]
    assert model._ended([5] * 14, None, 9) == [5] * 14, "the checkpoint has a limit of its own"


def test_models_without_a_window_do_not_hear_padding(
    speech2text: Path, spoken: list[Sample], clips: list[Path]
) -> None:
    model = SpeechToText(name="moonshine", model=str(speech2text), device="cpu")
    twins = [*spoken, *(replace(sample, id=f"{sample.id}b") for sample in spoken)]
    single = [texts(model, [sample])[0] for sample in twins]
    assert len(set(single)) > 2
    assert texts(model, twins) == single
    assert texts(model, twins[::-1]) == single[::-1]


def test_same_settings_same_identity(model: SpeechToText, make_whisper: Callable[..., Path]) -> None:
    assert replace_settings(model).content == model.content
    other = make_whisper(multilingual=True, seed=1)
    assert replace_settings(model, model=str(other)).content != model.content


@pytest.mark.gpu
def test_on_the_accelerator(whisper: Path, spoken: list[Sample], alone: dict[str, str], cuda: str) -> None:
    exact = SpeechToText(name="gpu", model=str(whisper), dtype="float32", device=cuda)
    assert texts(exact, spoken) == [alone[sample.id] for sample in spoken]
    assert len(SpeechToText(name="gpu", model=str(whisper), device=cuda).generate(spoken)) == len(spoken)
