"""CTC with an adapter for each language, as MMS has: the right one for each clip, switched as rarely as can be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.models.ctc import CTC
from tests.models.tiny_ctc import ADAPTERS, mms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mmbench.schema import Sample

CODES = {"eng_Latn": "eng", "fra_Latn": "fra", "swh_Latn": "swh", "urd_Arab": "urd-script_arabic"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mms(tmp_path_factory.mktemp("mms") / "model")


@pytest.fixture
def model(folder: Path) -> CTC:
    return CTC(name="mms", model=str(folder), adapters=True, device="cpu")


def texts(model: CTC, batch: Sequence[Sample]) -> list[str]:
    return [output.text for output in model.generate(batch)]


def letters(text: str) -> set[str]:
    for special in ("<s>", "</s>", "<unk>", " "):
        text = text.replace(special, "")
    return set(text)


@pytest.fixture
def mixed(spoken: list[Sample]) -> list[Sample]:
    tags = list(CODES)
    return [replace(sample, language=tags[index % 4]) for index, sample in enumerate(spoken)]


def watched(model: CTC, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The adapters that are switched to from now on."""
    model.load()
    switched: list[str] = []
    switch: Callable[..., Any] = model._model.load_adapter

    def load_adapter(code: str, **options: Any) -> None:
        switched.append(code)
        switch(code, **options)

    monkeypatch.setattr(model._model, "load_adapter", load_adapter)
    return switched


def test_a_mixed_batch_is_answered_language_by_language(model: CTC, mixed: list[Sample]) -> None:
    single = [texts(model, [sample])[0] for sample in mixed]
    assert texts(model, mixed) == single
    assert texts(model, mixed[::-1]) == single[::-1]
    assert len(set(single)) == len(mixed)
    for sample, text in zip(mixed, single, strict=True):
        own = letters(text)
        assert own and own <= set(ADAPTERS[CODES[sample.language]]), "an adapter writes its own alphabet"


def test_adapters_are_switched_as_rarely_as_can_be(
    model: CTC, mixed: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    switched = watched(model, monkeypatch)
    model.generate(mixed)
    assert sorted(set(switched)) == sorted(switched), "each language at most once a batch"
    last = switched[-1]
    del switched[:]
    model.generate(mixed)
    assert len(switched) == 3 and last not in switched, "the one in place goes first"
    del switched[:]
    one = [sample for sample in mixed if CODES[sample.language] == model._adapter]
    model.generate(one)
    assert switched == []


def test_models_that_share_weights_do_not_take_each_other_s_adapter(folder: Path, mixed: list[Sample]) -> None:
    one, two = (CTC(name=name, model=str(folder), adapters=True, device="cpu") for name in ("one", "two"))
    english, french = mixed[0], mixed[1]
    before = texts(one, [english])
    texts(two, [french])
    assert one._model is two._model
    assert texts(one, [english]) == before


def test_weights_that_are_used_as_they_are_stay_so(folder: Path, mixed: list[Sample]) -> None:
    plain = CTC(name="plain", model=str(folder), device="cpu")
    before = texts(plain, mixed[:2])
    adapted = CTC(name="mms", model=str(folder), adapters=True, device="cpu")
    texts(adapted, mixed)
    assert plain._model is not adapted._model
    assert texts(plain, mixed[:2]) == before


def test_languages_without_an_adapter_are_named(model: CTC, spoken: list[Sample]) -> None:
    with pytest.raises(SampleError, match=r"sample s0: mms does not know German \(deu_Latn\)"):
        model.generate([replace(spoken[0], language="deu_Latn")])
    with pytest.raises(SampleError, match=r"urd_Latn.*but urd-script_arabic"):
        model.generate([replace(spoken[0], language="urd_Latn")])


def test_the_user_may_pick_another_adapter(folder: Path, spoken: list[Sample]) -> None:
    german = replace(spoken[0], language="deu_Latn")
    near = CTC(name="mms", model=str(folder), adapters=True, languages={"de": "fra"}, device="cpu")
    assert texts(near, [german]) == texts(near, [replace(german, language="fra_Latn")])
    wrong = CTC(name="mms", model=str(folder), adapters=True, languages={"deu_Latn": "deu"}, device="cpu")
    with pytest.raises(UsageError, match="no code 'deu'"):
        wrong.generate([german])


def test_what_cannot_have_adapters_is_refused(
    tmp_path: Path, make_wav2vec2: Callable[..., Path], spoken: list[Sample]
) -> None:
    plain = CTC(name="plain", model=str(make_wav2vec2("layer")), adapters=True, device="cpu")
    with pytest.raises(ModelLoadError, match="adapters=true, but"):
        plain.load()
    torn = CTC(name="torn", model=str(mms(tmp_path / "torn", unfinished="fra")), adapters=True, device="cpu")
    with pytest.raises(ModelLoadError, match="adapter fra"):
        torn.generate([replace(spoken[0], language="fra_Latn")])


@pytest.mark.gpu
def test_adapters_on_the_accelerator(folder: Path, mixed: list[Sample], cuda: str) -> None:
    model = CTC(name="mms", model=str(folder), adapters=True, dtype="float32", device=cuda)
    single = [texts(model, [sample])[0] for sample in mixed]
    assert texts(model, mixed) == single and all(single)
    assert all(CTC(name="mms", model=str(folder), adapters=True, device=cuda).generate(mixed))
