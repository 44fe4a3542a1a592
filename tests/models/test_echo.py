"""The models without weights: they fail where a real model would, and say what is right."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from loaders.fixtures import fixture
from mmbench.errors import MediaError, SampleError
from mmbench.models.echo import Echo, Gold
from mmbench.schema import Audio, Generator, Image, Ranker, Sample, Text, Video

if TYPE_CHECKING:
    from pathlib import Path


def ask(*parts: object, **more: object) -> Sample:
    return Sample(id="s", language="eng_Latn", parts=parts, **more)  # type: ignore[arg-type]


def test_both_are_models() -> None:
    for model in (Echo(), Gold()):
        assert isinstance(model, Generator)
        assert isinstance(model, Ranker)
        model.load()


def test_echo_says_what_it_was_given_in_order(clips: list[Path]) -> None:
    from PIL import Image as Pillow

    picture = io.BytesIO()
    Pillow.new("RGB", (7, 5)).save(picture, "png")
    sample = ask(
        Text("one "), Audio(clips[1]), Text(" two "), Image(picture.getvalue()), Audio(clips[2], start=0.5, end=1.0)
    )
    assert Echo().generate([sample, ask(Text("x"))])[0].text == "one <audio 0.90 s> two <image 7x5><audio 0.50 s>"


def test_echo_decodes_media_so_that_broken_ones_fail(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    with pytest.raises(MediaError, match="broken"):
        Echo().generate([ask(Audio(broken))])
    with pytest.raises(MediaError, match="broken"):
        Echo().generate([ask(Video(broken))])


def test_echo_decodes_frames_of_a_video() -> None:
    (found,) = list((fixture("avmust_ted")).rglob("*.avi"))[:1]
    (output,) = Echo().generate([ask(Video(found))])
    assert re.fullmatch(r"<video 8 frames of \d+x\d+>", output.text)


def test_echo_ranks_by_characters_and_ties_go_to_the_first() -> None:
    (output,) = Echo().loglikelihood([ask(Text("abc"), choices=("xyz", "cab", "bac"))])
    assert (output.text, output.choice_scores, output.choice_lengths) == ("cab", (-3.0, 0.0, 0.0), (3, 3, 3))
    with pytest.raises(SampleError, match="no choices"):
        Echo().loglikelihood([ask(Text("abc"))])


def test_gold_gives_reference_then_choice_then_transcript() -> None:
    clip = Audio(b"", transcript="said")
    samples = [
        ask(clip, references=("first", "second")),
        ask(clip, choices=("a", "b"), answer=1),
        ask(clip, Text("x"), Audio(b"", transcript="more")),
    ]
    assert [output.text for output in Gold().generate(samples)] == ["first", "b", "said more"]
    with pytest.raises(SampleError, match="sample s has neither"):
        Gold().generate([ask(clip, Audio(b""))])


def test_gold_ranks_the_right_choice_first() -> None:
    (output,) = Gold().loglikelihood([ask(choices=("a", "b", "c"), answer=2)])
    assert output.text == "c"
    assert output.choice_scores == (-100.0, -100.0, 0.0)
    with pytest.raises(SampleError, match="sample s has no answer"):
        Gold().loglikelihood([ask(choices=("a", "b"))])
