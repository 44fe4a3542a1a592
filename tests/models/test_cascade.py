"""Cascades: every part keeps its place, no stage sees a reference, and one ASR transcribes once for all."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import CellError, ModelLoadError, SampleError, UsageError
from mmbench.media import audio_seconds
from mmbench.models.cascade import Cascade
from mmbench.models.echo import Echo, Gold
from mmbench.predict import predict
from mmbench.schema import Audio, Image, Output, Sample, Step, Text, Video
from mmbench.store import read_jsonl
from mmbench.task import Task
from tests.fakes import Listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(kw_only=True)
class Spy:
    """A stage that says its name, what it was given and in which languages, and remembers every question."""

    name: str = "spy"
    weights: str = "1"
    bad: str = ""
    unloadable: bool = False
    asked: list[Sample] = field(default_factory=list, init=False, compare=False)
    loads: int = field(default=0, init=False, compare=False)

    @property
    def content(self) -> str:
        return self.weights

    def load(self) -> None:
        self.loads += 1
        if self.unloadable:
            raise RuntimeError("no such weights")

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        self.asked += batch
        return [Output(text=self._say(sample)) for sample in batch]

    def _say(self, sample: Sample) -> str:
        (part,) = sample.parts
        said = part.text if isinstance(part, Text) else type(part).__name__
        if isinstance(part, Audio):
            said = f"{audio_seconds(part):.1f}"
        if self.bad and self.bad in said:
            raise SampleError(f"sample {sample.id} is too much")
        return f"<{self.name} {said} {sample.spoken}>{sample.written}"


@pytest.fixture
def document(clips: list[Path]) -> Sample:
    """Text and two clips in turns, with everything in it that no stage may see."""
    parts = (
        Text("Read: ", instruction=True), Text("first "), Audio(clips[0], transcript="gold one"), Text(" then "),
        Audio(clips[1], transcript="gold two"), Text(" What is it?", instruction=True),
    )  # fmt: skip
    return Sample(
        id="doc", language="swh_Latn", parts=parts, references=("secret",), choices=("secret", "b"), answer=0,
        group={"topic": "secret"},
    )  # fmt: skip


def test_parts_keep_their_places_and_steps_name_them(document: Sample) -> None:
    cascade = Cascade(name="c", asr=Spy(name="asr"), llm=Echo())
    plain = Sample(id="plain", language="eng_Latn", parts=(Text("no audio"),))
    output, other = cascade.generate([document, plain])
    one, two = "<asr 0.5 swh_Latn>swh_Latn", "<asr 0.9 swh_Latn>swh_Latn"
    assert output.text == f"Read: first {one} then {two} What is it?"
    assert output.steps == (Step("asr", 2, one), Step("asr", 4, two))
    assert (other.text, other.steps) == ("no audio", ())


def test_stages_work_in_order_and_leave_instructions_alone(document: Sample) -> None:
    asr, mt = Spy(name="asr"), Spy(name="mt")
    (output,) = Cascade(name="c", mt=mt, asr=asr, llm=Echo(), pivot="fra_Latn").generate([document])
    one = "<mt <asr 0.5 swh_Latn>swh_Latn swh_Latn>fra_Latn"
    assert output.text.startswith(f"Read: <mt first  swh_Latn>fra_Latn{one}")
    assert output.text.endswith(" What is it?")
    assert [(step.stage, step.part) for step in output.steps] == [
        ("asr", 2),
        ("asr", 4),
        *(("mt", i) for i in (1, 2, 3, 4)),
    ]
    assert [type(sample.parts[0]) for sample in asr.asked + mt.asked] == [Audio] * 2 + [Text] * 4


def test_translating_stage_is_told_the_pivot(document: Sample) -> None:
    spy = Spy()
    Cascade(name="c", s2tt=spy, llm=Echo()).generate([document])
    assert [(sample.spoken, sample.written) for sample in spy.asked] == [("swh_Latn", "eng_Latn")] * 2


def test_images_and_sound_each_have_their_stage(document: Sample) -> None:
    from PIL import Image as Pillow

    picture = io.BytesIO()
    Pillow.new("RGB", (4, 4)).save(picture, "png")
    sample = replace(document, parts=(Image(picture.getvalue()), *document.parts[2:3]))
    output = Cascade(name="c", asr=Spy(name="asr"), caption=Spy(name="see"), llm=Echo()).generate([sample])[0]
    assert output.text == "<see Image swh_Latn>swh_Latn<asr 0.5 swh_Latn>swh_Latn"
    # What has no stage is left for the model that answers.
    assert Cascade(name="c", asr=Spy(name="a"), llm=Echo()).generate([sample])[0].text.startswith("<image 4x4>")


def test_references_never_reach_a_stage(document: Sample) -> None:
    asr, mt = Spy(), Spy()
    Cascade(name="c", asr=asr, mt=mt, llm=Echo()).generate([document])
    for sample in asr.asked + mt.asked:
        assert "secret" not in repr(sample)
        assert (sample.references, sample.choices, sample.answer, dict(sample.group)) == ((), (), None, {})
        assert len(sample.parts) == 1


def test_gold_stage_is_the_topline(document: Sample) -> None:
    cascade = Cascade(name="top", asr=Gold(), llm=Echo())
    assert cascade.generate([document])[0].text == "Read: first gold one then gold two What is it?"
    bare = replace(document, parts=(Audio(b"", transcript=None),))
    with pytest.raises(SampleError, match="neither reference nor transcript"):
        cascade.generate([bare])


def test_choices_and_answer_reach_the_model_that_answers(document: Sample) -> None:
    cascade = Cascade(name="c", asr=Spy(), llm=Gold())
    (output,) = cascade.loglikelihood([document])
    assert (output.text, output.choice_scores, len(output.steps)) == ("secret", (0.0, -100.0), 2)


def test_a_cascade_inside_a_cascade_keeps_its_steps(document: Sample) -> None:
    inner = Cascade(name="inner", mt=Spy(name="mt"), llm=Echo())
    (output,) = Cascade(name="outer", asr=Spy(name="asr"), llm=inner).generate([document])
    assert {step.stage for step in output.steps} == {"asr", "mt"}


def test_what_makes_no_sense_is_refused() -> None:
    spy = Spy()
    with pytest.raises(UsageError, match="asr and s2tt"):
        Cascade(name="c", asr=spy, s2tt=spy, llm=Echo())
    with pytest.raises(UsageError, match="ocr and caption"):
        Cascade(name="c", ocr=spy, caption=spy, llm=Echo())
    with pytest.raises(UsageError, match="needs a stage"):
        Cascade(name="c", llm=Echo())


def test_it_offers_what_its_last_model_offers() -> None:
    both = Cascade(name="c", asr=Spy(), llm=Echo())
    assert both.offers("generate")
    assert both.offers("loglikelihood")
    text = Cascade(name="c", asr=Spy(), llm=Spy())
    assert not text.offers("loglikelihood")
    with pytest.raises(CellError, match="no loglikelihood"):
        Task(name="t", loader=Listed(items=[]), scorers={}, method="loglikelihood").check(text)
    nested = Cascade(name="c", asr=Spy(), llm=text)
    assert not nested.offers("loglikelihood")


def questions(clips: list[Path]) -> list[Sample]:
    return [Sample(id=f"q{i}", language="eng_Latn", parts=(Audio(clip),)) for i, clip in enumerate(clips)]


def test_three_models_behind_one_asr_transcribe_once(clips: list[Path], tmp_path: Path) -> None:
    cache, samples, asr = str(tmp_path / "s.sqlite"), questions(clips), Spy()
    said = []
    for name in ("one", "two", "three"):
        cascade = Cascade(name=name, asr=asr, llm=Echo(), cache=cache)
        cascade.load()
        said.append(cascade.generate([*samples, replace(samples[0], id="twin")]))
    assert len(asr.asked) == len(samples)
    assert said[0] == said[1] == said[2]
    fresh = Spy()  # another process would see the same
    assert Cascade(name="c", asr=fresh, llm=Echo(), cache=cache).generate(samples) == said[0][:-1]
    assert (fresh.asked, fresh.loads) == ([], 0)


def test_two_processes_share_the_cache(clips: list[Path], tmp_path: Path) -> None:
    code = """
import json, sys
from dataclasses import dataclass, field
from mmbench.models.cascade import Cascade
from mmbench.models.echo import Echo
from mmbench.schema import Audio, Output, Sample
@dataclass(kw_only=True)
class Stage:
    name: str = "asr"
    content: str = "1"
    calls: int = field(default=0, init=False, compare=False)
    def load(self): pass
    def generate(self, batch):
        self.calls += len(batch)
        return [Output(text=f"heard {sample.id}") for sample in batch]
stage = Stage()
cascade = Cascade(name="c", asr=stage, llm=Echo(), cache=sys.argv[1])
cascade.load()
samples = [Sample(id=path, language="eng_Latn", parts=(Audio(path),)) for path in sys.argv[2:]]
print(json.dumps([stage.calls, [output.text for output in cascade.generate(samples)], stage.calls]))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "s.sqlite"), *map(str, clips)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout) for _ in range(2)]
    assert (runs[0][2], runs[1][2]) == (len(clips), 0)
    assert runs[0][1] == runs[1][1]


def test_whatever_changes_the_answer_changes_the_key(clips: list[Path], tmp_path: Path) -> None:
    sample = questions(clips)[4]
    clip: Any = sample.parts[0]
    asr, cache = Spy(), str(tmp_path / "s.sqlite")

    def asked(sample: Sample, **stages: Any) -> int:
        (stage,) = stages.values()
        before = len(stage.asked)
        Cascade(name="c", llm=Echo(), cache=cache, **stages).generate([sample])
        return len(stage.asked) - before

    assert asked(sample, asr=asr) == 1
    assert asked(sample, asr=asr) == asked(replace(sample, id="other", references=("x",)), asr=asr) == 0
    copy = tmp_path / "copy.wav"
    copy.write_bytes(clips[4].read_bytes())
    assert asked(replace(sample, parts=(Audio(copy),)), asr=asr) == 0  # the content counts, not the place
    for other in (replace(clip, start=0.1), replace(clip, end=0.9), replace(clip, transcript="gold"), Audio(clips[5])):
        assert asked(replace(sample, parts=(other,)), asr=asr) == 1
    assert asked(replace(sample, language="fra_Latn"), asr=asr) == 1
    assert asked(replace(sample, source_language="fra_Latn"), asr=asr) == 0  # the same words in French
    assert asked(sample, asr=Spy(weights="2")) == 1
    assert asked(sample, asr=Spy(name="other")) == 1
    assert asked(sample, s2tt=Spy(name="spy")) == 0  # one model, one question: English to English
    assert asked(replace(sample, language="swh_Latn"), s2tt=Spy()) == 1


def test_the_precision_that_a_machine_comes_to_changes_the_key(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asr = Spy()
    for dtype in ("torch.float32", "torch.bfloat16", "torch.float32"):
        monkeypatch.setattr("mmbench.models.cascade.precision", lambda model, found=dtype: found)
        Cascade(name="c", asr=asr, llm=Echo(), cache=str(tmp_path / "c.sqlite")).generate(questions(clips))
    assert len(asr.asked) == 2 * len(questions(clips))


def test_what_a_stage_did_to_a_clip_is_noted_from_the_cache_too(clips: list[Path], tmp_path: Path) -> None:
    class Deaf(Spy):
        def generate(self, batch: Sequence[Sample]) -> list[Output]:
            return [replace(output, notes=("truncated 9.0 s to 5 s",)) for output in super().generate(batch)]

    stages = {"asr": Deaf(), "mt": Spy(), "llm": Echo()}
    for cache in (None, str(tmp_path / "c.sqlite"), str(tmp_path / "c.sqlite")):
        cascade = Cascade(name="c", cache=cache, **stages)
        outputs = cascade.generate(questions(clips))
        assert {output.notes for output in outputs} == {("asr: truncated 9.0 s to 5 s",)}
    assert len(stages["asr"].asked) == 2 * len(questions(clips)), "the third time it is known"


def test_a_stage_that_fails_costs_one_sample(clips: list[Path], tmp_path: Path) -> None:
    samples = questions(clips)
    broken = Sample(id="broken", language="eng_Latn", parts=(Audio(tmp_path / "missing.wav"),))
    film = Sample(id="film", language="eng_Latn", parts=(Video(clips[0]), Audio(clips[0])))
    for cache in (None, str(tmp_path / "s.sqlite")):
        cascade = Cascade(name="c", asr=Spy(bad="1.3"), llm=Echo(), cache=cache)
        task = Task(name="t", loader=Listed(items=[*samples, broken, film]), scorers={})
        path = tmp_path / f"{cache is None}.jsonl"
        outcome = predict(task, cascade, path, batch_size=4)
        assert (outcome.answered, outcome.failed) == (10, 3)
        errors = {
            row["sample_id"]: row["error"]["message"] for _, row in read_jsonl(path, strict=False) if "error" in row
        }
        assert set(errors) == {"q2", "broken", "film"}
        assert "q2#0" in errors["q2"]


def test_a_stage_that_cannot_be_loaded_ends_the_cell_at_once(clips: list[Path], tmp_path: Path) -> None:
    stage = Spy(unloadable=True)
    task = Task(name="t", loader=Listed(items=questions(clips)), scorers={})
    with pytest.raises(ModelLoadError, match="spy cannot be loaded"):
        predict(task, Cascade(name="c", asr=stage, llm=Echo()), tmp_path / "p.jsonl", batch_size=4)
    assert stage.loads == 1


def test_a_stage_may_have_a_prompt_and_translation_leaves_the_pivot_alone() -> None:
    model = Cascade(name="c", llm=Echo(), mt=Echo(name="mt"), prompts={"mt": "{source}: {input} {target}:"})
    french = Sample(id="1", language="fra_Latn", parts=(Text("bonjour"),))
    english = Sample(id="2", language="eng_Latn", parts=(Text("hello"),))
    said = [output.text for output in model.generate([french, english])]
    assert said == ["French: bonjour English:", "hello"]
