"""AVMuST-TED: the published averages are means over five signal-to-noise ratios; clean speech is not in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from mmbench.measure import measure, split
from mmbench.records import from_row
from mmbench.score import macro
from mmbench.scorers.mean import MeanOfSamples

RATIOS = ("-20", "-10", "0", "10", "20")
# BLEU by ratio, the published average, and clean; audio only, then audio and video
PUBLISHED = {
    "spa cascaded A": ((1.4, 5.8, 21.1, 25.5, 26.3), 16.0, 26.6),
    "spa AV-HuBERT A": ((1.5, 6.7, 22.3, 27.7, 28.6), 17.6, 28.9),
    "fra cascaded A": ((1.3, 4.5, 16.6, 20.9, 21.3), 12.9, 21.7),
    "fra AV-HuBERT A": ((1.4, 5.5, 18.5, 23.2, 23.6), 14.5, 23.9),
    "ita cascaded A": ((0.9, 4.0, 16.1, 20.7, 21.2), 12.6, 21.5),
    "ita AV-HuBERT A": ((1.0, 5.1, 18.3, 22.7, 23.6), 14.1, 23.8),
    "por cascaded A": ((1.1, 5.4, 20.1, 24.9, 26.0), 15.5, 26.2),
    "por AV-HuBERT A": ((1.2, 6.3, 22.2, 27.4, 28.4), 17.1, 28.6),
    "spa cascaded AV": ((6.7, 15.3, 24.6, 26.3, 26.7), 19.9, 26.9),
    "spa AV-HuBERT AV": ((6.9, 16.4, 26.6, 28.7, 28.9), 21.5, 29.1),
}
# cells that do not give the average printed behind them
OTHERWISE = {"spa AV-HuBERT A": 17.36, "fra AV-HuBERT A": 14.44}


@dataclass(frozen=True, kw_only=True)
class Number(MeanOfSamples):
    """The number that an answer is: here BLEU that somebody else has computed."""

    name: ClassVar[str] = "number"

    def stats(self, sample, output):
        return np.array([float(output.text), 1.0])


def conditions(system: str) -> dict:
    """What was measured in each condition."""
    values, _, clean = PUBLISHED[system]
    records = []
    for ratio, value in zip((*RATIOS, "clean"), (*values, clean), strict=True):
        given = {"sample_id": ratio, "language": system[:3], "prediction": str(value), "group": {"snr": ratio}}
        records.append(from_row(given, where="test"))
    return split(measure(records, Number()), lambda record: record.sample.group["snr"])


@pytest.mark.parametrize("system", PUBLISHED)
def test_published_average_is_that_of_noisy_speech(system):
    found = conditions(system)
    noisy = macro({ratio: found[ratio] for ratio in RATIOS}, Number())
    assert noisy.n == 5
    assert noisy.value == pytest.approx(OTHERWISE.get(system, PUBLISHED[system][1]), abs=0.05 + 1e-9)
    assert (abs(noisy.value - PUBLISHED[system][1]) > 0.05 + 1e-9) is (system in OTHERWISE)
    assert macro(found, Number()).value > noisy.value + 0.5, "clean speech would raise it"


def test_spanish_to_the_second_digit():
    found = conditions("spa cascaded A")
    assert macro({ratio: found[ratio] for ratio in RATIOS}, Number()).value == pytest.approx(16.02)


@pytest.mark.parametrize(("language", "gain"), [("spa", 2.3), ("fra", 2.2), ("ita", 2.3), ("por", 2.4)])
def test_here_end_to_end_beats_the_cascade(language, gain):
    """The other way round than on Fleurs-SLU: which one wins is a result, not a premise."""
    clean = [conditions(f"{language} {model} A")["clean"] for model in ("cascaded", "AV-HuBERT")]
    cascade, end_to_end = (macro({"clean": one}, Number()).value for one in clean)
    assert end_to_end - cascade == pytest.approx(gain, abs=1e-9)
