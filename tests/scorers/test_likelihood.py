"""Bits per byte, the gain from images, and which images a document is likeliest with: values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmbench.schema import Output, Reading, Sample
from mmbench.scorers.likelihood import BitsPerByte, ImageGain, VariantAccuracy

SAMPLE = Sample(id="1", language="eng_Latn", group={"candidates": "4"})


def output(**bits: float) -> Output:
    """Two nodes of 10 and 30 bytes in each variant; `bits` of all of the text, a quarter of them in the first one."""
    readings = [
        Reading(variant, node, -share * total * math.log(2), 5, size)
        for variant, total in bits.items()
        for node, (share, size) in enumerate(((0.25, 10), (0.75, 30)))
    ]
    return Output(text="", readings=tuple(readings))


def test_bits_per_byte_pools_bytes_not_documents() -> None:
    scorer = BitsPerByte()
    short = Output(text="", readings=(Reading("images", 0, -8 * math.log(2), 1, 1),))
    rows = np.stack([scorer.stats(SAMPLE, output(images=80.0)), scorer.stats(SAMPLE, short)])
    np.testing.assert_allclose(rows, [[80, 40], [8, 1]])
    assert float(scorer.reduce(rows.sum(axis=0))) == pytest.approx(88 / 41)


def test_another_variant_is_another_metric() -> None:
    scorer = BitsPerByte(variant="none", name="bits_per_byte_none")
    assert float(scorer.reduce(scorer.stats(SAMPLE, output(images=80.0, none=100.0)))) == pytest.approx(2.5)
    assert np.isnan(scorer.reduce(scorer.stats(SAMPLE, output(images=80.0)))), "it was not read without images"
    assert "variant:none" in scorer.signature(["eng_Latn"])


def test_gain_is_what_the_images_save() -> None:
    scorer = ImageGain()
    assert float(scorer.reduce(scorer.stats(SAMPLE, output(images=80.0, none=100.0)))) == pytest.approx(0.5)
    assert float(scorer.reduce(scorer.stats(SAMPLE, output(images=100.0, none=80.0)))) == pytest.approx(-0.5)
    assert float(scorer.reduce(scorer.stats(SAMPLE, output(images=77.7, none=77.7)))) == 0.0, "blind: exactly 0"


def test_documents_without_images_do_not_dilute_the_gain() -> None:
    scorer = ImageGain()
    rows = np.stack([scorer.stats(SAMPLE, output(images=80.0, none=100.0)), scorer.stats(SAMPLE, output(images=50.0))])
    np.testing.assert_array_equal(rows[1], [0, 0])
    assert np.isnan(scorer.reduce(rows[1]))
    assert float(scorer.reduce(rows.sum(axis=0))) == pytest.approx(0.5)


def test_an_impossible_text_is_a_number() -> None:
    broken = Output(text="", readings=(Reading("images", 0, -math.inf, 1, 5),))
    assert np.isfinite(BitsPerByte().stats(SAMPLE, broken)).all()


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ({"images": 70.0, "candidate 1": 80.0, "candidate 2": 71.0}, [1, 1, 0]),
        ({"images": 70.0, "candidate 1": 80.0, "candidate 2": 69.0}, [0, 1, 0]),
        ({"images": 70.0, "candidate 1": 70.0}, [0, 1, 0]),  # a blind model: never by luck
        ({"images": 70.0, "candidate 1": math.nan}, [0, 1, 1]),
        ({"images": 70.0}, [0, 0, 0]),
    ],
)
def test_variant_accuracy(bits: dict[str, float], expected: list[float]) -> None:
    np.testing.assert_array_equal(VariantAccuracy().stats(SAMPLE, output(**bits)), expected)


def test_variant_accuracy_of_failures_and_chance() -> None:
    scorer = VariantAccuracy()
    np.testing.assert_array_equal(scorer.stats(SAMPLE, None), [0, 1, 0])
    two = Sample(id="2", language="eng_Latn", group={"candidates": "2"})
    assert scorer.chance([SAMPLE, two]) == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert math.isnan(scorer.chance([Sample(id="3", language="eng_Latn")]))
