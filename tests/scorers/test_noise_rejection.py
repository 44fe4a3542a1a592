from __future__ import annotations

import numpy as np
import pytest

from mmbench.errors import UsageError
from mmbench.records import Record
from mmbench.schema import Output, Prediction, Sample
from mmbench.score import score
from mmbench.scorers.noise_rejection import NoiseRejection

NOISE = Sample(id="n", language="eng_Latn", group={"speech": "no"})
SPEECH = Sample(id="s", language="eng_Latn", group={"speech": "yes"})
SILENT = [
    Output(text=""),
    Output(text=" \n. "),
    Output(text="[noise]"),
    Output(text="(wind blowing) *hums* ..."),
    Output(text="<silence>"),
    Output(text="Nice weather today.", notes=("state <2>",)),
    Output(text="I'm sorry, I cannot process audio without speech."),
]
REPLIES = [
    Output(text="Nice weather today."),
    Output(text="42"),
    Output(text="Да."),
    Output(text="[laughs] Of course."),
    Output(text="Hello", notes=("state <1>", "truncated 41.2 s to 30 s")),
]


@pytest.mark.parametrize("output", SILENT)
def test_no_reply(output: Output) -> None:
    scorer = NoiseRejection()
    assert scorer.stats(NOISE, output).tolist() == [1, 1, 1, 1, 0, 0]
    assert scorer.stats(SPEECH, output).tolist() == [0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("output", REPLIES)
def test_reply(output: Output) -> None:
    scorer = NoiseRejection()
    assert scorer.stats(NOISE, output).tolist() == [0, 1, 0, 1, 0, 0]
    assert scorer.stats(SPEECH, output).tolist() == [1, 1, 0, 0, 1, 1]


def test_a_failed_sample_is_wrong_in_either_case() -> None:
    for sample, expected in ((NOISE, [0, 1, 0, 1, 0, 0]), (SPEECH, [0, 1, 0, 0, 0, 1])):
        assert NoiseRejection().stats(sample, None).tolist() == expected


def test_which_states_mean_noise_is_a_setting() -> None:
    silent = Output(text="Hm?", notes=("state <noise>",))
    assert NoiseRejection().stats(NOISE, silent)[0] == 0
    assert NoiseRejection(noise_states=["<noise>", "<2>"]).stats(NOISE, silent)[0] == 1
    assert "states:<2>+<noise>" in NoiseRejection(noise_states=["<noise>", "<2>"]).signature(["eng_Latn"])
    assert NoiseRejection(noise_states="<3>").noise_states == ("<3>",)
    with pytest.raises(UsageError, match="give texts such as '<2>'"):
        NoiseRejection(noise_states=["<2>", " "])


def test_value_and_rates() -> None:
    scorer = NoiseRejection()
    rows = [scorer.stats(NOISE, output) for output in (SILENT[0], SILENT[2], REPLIES[0], None)]
    rows += [scorer.stats(SPEECH, output) for output in (REPLIES[0], SILENT[0])]
    totals = np.sum(rows, axis=0)
    assert float(scorer.reduce(totals)) == pytest.approx(3 / 6)
    assert scorer.counts(totals) == {"noise rejected": 2, "noise": 4, "speech answered": 1, "speech": 2}
    assert np.isnan(scorer.reduce(np.zeros(6))) and scorer.unparsed(np.array(rows)) == 0


def test_always_silent_is_no_good_model() -> None:
    records = [
        Record(
            Sample(id=f"{kind}{number}", language="eng_Latn", group={"speech": kind}),
            Prediction(sample_id=f"{kind}{number}", language="eng_Latn", output=Output(text="")),
        )
        for kind in ("yes", "no")
        for number in range(4)
    ]
    first = score(records, {"noise": NoiseRejection()}, task="t", model="m")[0]
    assert (first.value, first.n, first.fraction) == (0.5, 8, True)
    assert 0 < first.low < 0.5 < first.high < 1, "Wilson's interval"


def test_group_field() -> None:
    assert NoiseRejection().stats(Sample(id="1", language="eng_Latn"), Output(text="")).tolist() == [0] * 6
    wrong = Sample(id="1", language="eng_Latn", group={"speech": "maybe"})
    with pytest.raises(UsageError, match="sample 1: group field 'speech' is 'maybe'; write yes or no"):
        NoiseRejection().stats(wrong, Output(text=""))
