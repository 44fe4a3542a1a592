"""Translation models: each is told its languages in its own way, and nothing that it does not know is translated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.models.cascade import Cascade
from mmbench.models.ctc import CTC
from mmbench.models.echo import Echo
from mmbench.models.translation import Translation
from mmbench.schema import Audio, Sample, Text
from tests.models import tiny_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAGS = ["eng_Latn", "fra_Latn", "swh_Latn"]
BUILD: dict[str, Callable[[Path], Path]] = {
    "nllb": lambda folder: tiny_text.nllb(folder, TAGS),
    "m2m100": tiny_text.m2m100,
    "mbart50": tiny_text.mbart50,
    "madlad": lambda folder: tiny_text.madlad(folder, ["en", "fr", "sw"]),
    "marian": lambda folder: tiny_text.marian(folder, "en", "fr"),
    "marian_many": lambda folder: tiny_text.marian(folder, "mul", "mul", ("eng", "fra", "swh")),
}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Translation]:
    """A wrapper around a tiny model, which is built once."""
    built: dict[str, Path] = {}

    def build(kind: str, **settings: Any) -> Translation:
        if kind not in built:
            built[kind] = BUILD[kind](tmp_path_factory.mktemp("mt") / kind)
        return Translation(
            **{"name": kind, "model": str(built[kind]), "device": "cpu", "max_new_tokens": 12, **settings}
        )

    return build


def ask(text: str, source: str = "eng_Latn", target: str = "fra_Latn") -> Sample:
    return Sample(id="s", language=source, target_language=target, parts=(Text(text),))


BATCH = [
    ask("the capital of france"),
    ask("no one", "fra_Latn", "eng_Latn"),
    ask("two three is a question answer paris is the capital of france"),
    ask("yes", "eng_Latn", "swh_Latn"),
    ask("no one", "fra_Latn", "swh_Latn"),
]


@pytest.mark.parametrize("kind", BUILD)
def test_batched_equals_single_in_mixed_languages(make: Callable[..., Translation], kind: str) -> None:
    model = make(kind)
    batch = [sample for sample in BATCH if kind != "marian" or (sample.spoken, sample.written) == tuple(TAGS[:2])]
    single = [model.generate([sample])[0] for sample in batch]
    assert model.generate(batch) == single
    assert model.generate(batch[::-1]) == single[::-1]
    assert len({output.text for output in single}) >= len(batch) - 1
    assert all(output.text and output.tokens for output in single)


class Spy:
    """Keeps what a model is asked."""

    def __init__(self, model: Translation, monkeypatch: pytest.MonkeyPatch) -> None:
        model.load()
        self.calls: list[dict[str, Any]] = []
        self._generate = model._model.generate
        monkeypatch.setattr(model._model, "generate", self)

    def __call__(self, **options: Any) -> Any:
        self.calls.append(options)
        return self._generate(**options)


@pytest.mark.parametrize(
    ("kind", "first", "forced"),
    [("nllb", "fra_Latn", "swh_Latn"), ("m2m100", "__fr__", "__sw__"), ("mbart50", "fr_XX", "sw_KE")],
)
def test_the_source_goes_before_the_text_and_the_target_is_forced(
    make: Callable[..., Translation], monkeypatch: pytest.MonkeyPatch, kind: str, first: str, forced: str
) -> None:
    model = make(kind)
    spy = Spy(model, monkeypatch)
    pairs = [ask("yes", *TAGS[:2]), ask("no one", "fra_Latn", "swh_Latn"), ask("no", "fra_Latn", "swh_Latn")]
    assert not any("_" in output.text for output in model.generate(pairs)), "the forced token is no part of the text"
    assert len(spy.calls) == 2, "one call for each pair"
    asked = spy.calls[1]
    ids, mask = asked["input_ids"], asked["attention_mask"]
    name = model._tokenizer.convert_ids_to_tokens
    assert [name(row[0].item()) for row in ids] == [first, first]
    assert name(asked["forced_bos_token_id"]) == forced
    ends = [row[: own.sum()][-1].item() for row, own in zip(ids, mask, strict=True)]
    assert ends == [model._tokenizer.eos_token_id] * 2
    assert mask.sum(1).tolist()[0] == ids.shape[1] > mask.sum(1).tolist()[1], "the shorter one is padded on the right"
    assert (asked["num_beams"], asked["do_sample"]) == (1, False)


@pytest.mark.parametrize(("kind", "token"), [("madlad", "<2sw>"), ("marian_many", ">>swh<<")])
def test_the_target_is_asked_for_with_a_token(
    make: Callable[..., Translation], monkeypatch: pytest.MonkeyPatch, kind: str, token: str
) -> None:
    model = make(kind)
    spy = Spy(model, monkeypatch)
    model.generate([ask("yes", "fra_Latn", "swh_Latn")])
    tokens = model._tokenizer.convert_ids_to_tokens(spy.calls[0]["input_ids"][0].tolist())
    assert token in tokens[:2] and tokens[-1] == "</s>"
    assert "forced_bos_token_id" not in spy.calls[0]


def test_empty_text_stays_empty_and_reaches_no_model(
    make: Callable[..., Translation], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make("nllb")
    spy = Spy(model, monkeypatch)
    outputs = model.generate([ask(" \n"), ask("yes"), replace(ask(""), parts=())])
    assert [bool(output.text) for output in outputs] == [False, True, False]
    assert [call["input_ids"].shape[0] for call in spy.calls] == [1]


def test_the_instruction_is_not_translated_and_media_are_refused(make: Callable[..., Translation]) -> None:
    model = make("nllb")
    told = replace(ask(""), parts=(Text("Translate: ", instruction=True), Text("no "), Text("one")))
    assert model.generate([told]) == model.generate([ask("no one")])
    with pytest.raises(SampleError, match="holds audio"):
        model.generate([replace(ask(""), parts=(Audio("x.wav"),))])


@pytest.mark.parametrize("kind", ["nllb", "m2m100", "madlad"])
@pytest.mark.parametrize("pair", [("tlh_Latn", "eng_Latn"), ("eng_Latn", "tlh_Latn")])
def test_unknown_languages_are_named(make: Callable[..., Translation], kind: str, pair: tuple[str, str]) -> None:
    with pytest.raises(SampleError, match=rf"sample s: {kind} does not know Klingon \(tlh_Latn\)"):
        make(kind).generate([ask("yes", *pair)])


def test_the_user_may_pick_a_near_language(make: Callable[..., Translation]) -> None:
    near = make("nllb", languages={"oci_Latn": "fra_Latn"})
    assert near.generate([ask("yes", "eng_Latn", "oci_Latn")]) == near.generate([ask("yes")])
    with pytest.raises(UsageError, match="no code 'oci'"):
        make("nllb", languages={"oci_Latn": "oci"}).generate([ask("yes", "eng_Latn", "oci_Latn")])


def test_a_model_of_one_pair_translates_no_other(make: Callable[..., Translation], tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="translates eng_Latn into fra_Latn, not fra_Latn into eng_Latn"):
        make("marian").generate([BATCH[1]])
    with pytest.raises(SampleError, match="not eng_Latn into swh_Latn"):
        make("marian").generate([BATCH[3]])
    group = str(tiny_text.marian(tmp_path / "group", "roa", "not a language"))
    with pytest.raises(ModelLoadError, match=r"model group: .*not_a_language.*; set model\.target"):
        Translation(name="group", model=group, source="fr", device="cpu").load()
    told = Translation(name="group", model=group, source="fr", target="en", device="cpu", max_new_tokens=4)
    assert told.generate([BATCH[1]])[0].text


def test_long_text_is_refused_or_cut_and_noted(make: Callable[..., Translation]) -> None:
    long = ask("no one " * 40)
    with pytest.raises(SampleError, match=r"tokens, nllb takes 64; cut it, or set model\.long_text"):
        make("nllb").generate([long])
    cut, short = make("nllb", long_text="truncate").generate([long, ask("yes")])
    assert cut.notes[0].startswith("truncated ") and cut.notes[0].endswith("tokens to 64")
    assert not any("truncated" in note for note in short.notes)
    with pytest.raises(UsageError, match="long_text=chop"):
        make("nllb", long_text="chop").load()


def test_a_translation_that_is_broken_off_says_so(make: Callable[..., Translation]) -> None:
    (output,) = make("nllb", max_new_tokens=5).generate([ask("yes")])
    assert (output.tokens, output.notes) == (5, ("stopped after 5 tokens",))


def test_beams_are_a_setting(make: Callable[..., Translation], monkeypatch: pytest.MonkeyPatch) -> None:
    model = make("nllb", generation={"num_beams": 3})
    spy = Spy(model, monkeypatch)
    single = [model.generate([sample])[0] for sample in BATCH]
    assert model.generate(BATCH) == single
    assert {call["num_beams"] for call in spy.calls} == {3}


def test_a_cascade_of_real_stages(
    make: Callable[..., Translation], make_wav2vec2: Callable[..., Path], spoken: list[Sample]
) -> None:
    asr = CTC(name="asr", model=str(make_wav2vec2("layer")), device="cpu")
    mt = make("nllb", long_text="truncate")
    cascade = Cascade(name="c", asr=asr, mt=mt, llm=Echo())
    outputs = cascade.generate(spoken[:3])
    for sample, output in zip(spoken, outputs, strict=False):
        (heard,) = asr.generate([sample])
        said = [(step.stage, step.text) for step in output.steps]
        if sample.language == "eng_Latn":
            assert (said, output.text) == ([("asr", heard.text)], heard.text), "the pivot itself is left alone"
            continue
        (written,) = mt.generate([replace(sample, parts=(Text(heard.text),), target_language="eng_Latn")])
        assert said == [("asr", heard.text), ("mt", written.text)]
        assert output.text == written.text != heard.text


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["nllb", "madlad"])
def test_on_the_accelerator(make: Callable[..., Translation], kind: str, cuda: str) -> None:
    model = make(kind, device=cuda, dtype="float32")
    assert model.generate(BATCH) == [model.generate([sample])[0] for sample in BATCH]
    assert all(output.text for output in make(kind, device=cuda).generate(BATCH)), "bfloat16"
