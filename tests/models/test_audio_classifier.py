"""Published speech classifiers: choices are labels by name, probabilities are of all labels, no padding is heard."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.audio_classifier import AudioClassifier
from mmbench.schema import Sample, Text
from tests.models.tiny_ctc import classifier, spectrogram

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FEELINGS = ["ang", "hap", "Neutral"]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AudioClassifier]:
    built: dict[str, Path] = {}

    def build(kind: str = "Wav2Vec2", labels: list[str] = FEELINGS, **settings: Any) -> AudioClassifier:
        key = f"{kind}{'_'.join(labels)}"
        if key not in built:
            folder = tmp_path_factory.mktemp("classifier") / "model"
            name = f"{kind}ForSequenceClassification"
            built[key] = spectrogram(folder, labels) if kind == "AST" else classifier(folder, labels, name)
        return AudioClassifier(**{"name": "feeling", "model": str(built[key]), "device": "cpu", **settings})

    return build


def asked(samples: list[Sample], *choices: str) -> list[Sample]:
    return [replace(sample, choices=choices) for sample in samples]


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert", "WavLM", "Wav2Vec2Conformer", "AST"])
def test_batched_equals_single(make: Callable[..., AudioClassifier], spoken: list[Sample], kind: str) -> None:
    model = make(kind)
    batch = asked(spoken[:4] if kind != "AST" else [spoken[i] for i in (0, 1, 3, 5)], *FEELINGS)
    together = model.loglikelihood(batch)
    for sample, output in zip(batch, together, strict=True):
        (alone,) = model.loglikelihood([sample])
        assert output.choice_scores == pytest.approx(alone.choice_scores, abs=2e-5)
        assert sum(math.exp(score) for score in output.choice_scores) == pytest.approx(1)
        assert output.text == FEELINGS[max(range(3), key=output.choice_scores.__getitem__)]
    assert len({round(output.choice_scores[0], 4) for output in together}) == len(batch)
    assert [output.text for output in model.generate(batch)] == [output.text for output in together]


def test_choices_are_labels_by_name(make: Callable[..., AudioClassifier], spoken: list[Sample]) -> None:
    model = make()
    (whole,) = model.loglikelihood(asked(spoken[:1], *FEELINGS))
    (some,) = model.loglikelihood(asked(spoken[:1], "neutral", "ang"))
    assert some.choice_scores == (whole.choice_scores[2], whole.choice_scores[0]), "shares of all labels, in any order"
    mapped = make(labels=FEELINGS, **{"name": "mapped"})
    mapped.labels = {"happiness": "hap", "anger": "ang", "calm": "Neutral"}
    (named,) = mapped.loglikelihood(asked(spoken[:1], "anger", "happiness", "calm"))
    assert named.choice_scores == whole.choice_scores
    answer = dict(zip(FEELINGS, ("anger", "happiness", "calm"), strict=True))[model.generate(spoken[:1])[0].text]
    assert mapped.generate(spoken[:1])[0].text == answer


def test_languages_are_labels_by_their_code(make: Callable[..., AudioClassifier], spoken: list[Sample]) -> None:
    model = make(labels=["eng", "ara", "swh"])
    (tags,) = model.loglikelihood(asked(spoken[:1], "arb_Arab", "eng_Latn", "swh_Latn"))
    (codes,) = model.loglikelihood(asked(spoken[:1], "ara", "eng", "swh"))
    assert tags.choice_scores == codes.choice_scores
    with pytest.raises(SampleError, match="choice 'deu_Latn' is no label of feeling; its labels are eng, ara, swh"):
        model.loglikelihood(asked(spoken[:1], "deu_Latn"))


def test_what_is_no_label_is_said(make: Callable[..., AudioClassifier], spoken: list[Sample]) -> None:
    with pytest.raises(
        SampleError, match=r"sample s0: choice 'sad' .* ang, hap, Neutral; .*model\.labels=\{sad: LABEL"
    ):
        make().loglikelihood(asked(spoken[:1], "ang", "sad"))
    with pytest.raises(SampleError, match="no choices to rank"):
        make().loglikelihood(spoken[:1])
    with pytest.raises(SampleError, match="no audio"):
        make().generate([Sample(id="mute", language="eng_Latn", parts=(Text("hello"),))])
    broken = make()
    broken.labels = {"sadness": "sad"}
    with pytest.raises(ModelLoadError, match="labels: sadness: there is no label 'sad'"):
        broken.load()


def test_several_clips_of_a_sample_weigh_the_same(make: Callable[..., AudioClassifier], spoken: list[Sample]) -> None:
    model = make()
    one, two = asked(spoken[:2], *FEELINGS)
    both = replace(one, parts=(*one.parts, *two.parts))
    (first, second), (mean,) = model.loglikelihood([one, two]), model.loglikelihood([both])
    raw = [(a + b) / 2 for a, b in zip(first.choice_scores, second.choice_scores, strict=True)]
    total = math.log(sum(math.exp(score) for score in raw))
    assert mean.choice_scores == pytest.approx([score - total for score in raw], abs=1e-5)


def test_what_an_extractor_would_cut_off_in_silence_is_refused(
    make: Callable[..., AudioClassifier], spoken: list[Sample]
) -> None:
    with pytest.raises(SampleError, match=r"lasts 2\.1 s, the model takes 1\.28 s"):
        make("AST").generate([spoken[-1]])
    (cut,) = make("AST", long_audio="truncate").generate([spoken[-1]])
    assert cut.notes == ("truncated 2.1 s to 1.28 s",)
    assert make().generate([spoken[-1]])[0].notes == (), "wav2vec 2.0 takes all of it"


@pytest.mark.gpu
def test_on_the_accelerator(make: Callable[..., AudioClassifier], spoken: list[Sample], cuda: str) -> None:
    (output,) = make(device=cuda).loglikelihood(asked(spoken[:1], *FEELINGS))
    assert sum(math.exp(score) for score in output.choice_scores) == pytest.approx(1)
