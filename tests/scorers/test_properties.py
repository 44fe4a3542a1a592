"""What must hold for every scorer of conf/scorer, whatever it measures.

Statistics are what is summed: `measure` makes a row of each question, in batches where a scorer has them. So shards are
batches too, and those of a scorer that joins samples (rotations, both orders of a pair) are shards of questions.

BERTScore and COMET need weights, and have their own tests with a small model: see test_learned.py.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench import __version__
from mmbench.measure import baselines, fit, measure
from mmbench.schema import Sample
from mmbench.scoring_file import score_records
from mmbench.store import dumps
from tests.scorers.image_cases import RETRIEVAL
from tests.scorers.property_cases import NAMES, kind, records, scorer_of

few = settings(max_examples=6, deadline=None, derandomize=True)
CANDIDATES = tuple(f"c{index}" for index in range(13))


def questions(data, name, least=1, most=6):
    count = data.draw(st.integers(least, most))
    return [kind(name).question(f"q{index}", data.draw) for index in range(count)]


def rows(scorer, drawn):
    return measure(records(drawn), scorer).stats


@pytest.mark.parametrize("name", NAMES)
@few
@given(data=st.data())
def test_neither_order_nor_sharding_plays_a_part(name, data):
    scorer, drawn = scorer_of(name), questions(data, name)
    fitted = fit(scorer, records(drawn))
    whole = rows(fitted, drawn)
    moved = data.draw(st.permutations(drawn))
    moved = [data.draw(st.permutations(question)) for question in moved]
    again = rows(fit(scorer, records(moved)), moved)
    np.testing.assert_array_equal(again, whole)
    if name in RETRIEVAL:
        return  # a shard is a smaller pool
    size = data.draw(st.integers(1, 3))
    shards = [rows(fitted, moved[start : start + size]).sum(axis=0) for start in range(0, len(moved), size)]
    np.testing.assert_allclose(np.sum(shards, axis=0), whole.sum(axis=0), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", NAMES)
@few
@given(data=st.data())
def test_reduce_takes_any_number_of_totals(name, data):
    scorer, drawn = scorer_of(name), questions(data, name)
    fitted = fit(scorer, records(drawn))
    stats = rows(fitted, drawn)
    totals = np.concatenate([stats, stats.sum(axis=0)[None], np.zeros_like(stats[:1])])
    values = fitted.reduce(totals)
    assert values.shape == (len(totals),)
    np.testing.assert_array_equal(values, [float(fitted.reduce(row)) for row in totals])
    np.testing.assert_array_equal(fitted.reduce(np.stack([totals, totals[::-1]])), [values, values[::-1]])
    assert np.isnan(values[-1]), "nothing to score is no score"


@pytest.mark.parametrize("name", NAMES)
@settings(few, max_examples=3)
@given(data=st.data())
def test_the_printed_object_does_not_depend_on_order_and_every_score_has_an_interval(name, data):
    """Lmms-eval gives WER and all metrics of a task's own no error bar ("N/A"), lighteval wrong ones but for means."""
    scorer = scorer_of(name)
    perfect = [kind(name).perfect(f"p{index}", data.draw) for index in range(3)]
    answered = records([*perfect, *questions(data, name)])
    found, again = (score_records(order, scorer) for order in (answered, answered[::-1]))
    baselines = [each.pop("baselines", {}) for each in (found, again)]
    assert dumps(again) == dumps(found)
    assert baselines[1] == pytest.approx(baselines[0])
    for entry in [found["overall"], *found["languages"].values()]:
        both = name.startswith("judge")  # a judge that failed leaves an answer unparsed, and is counted as both
        assert (max if both else np.add)(entry["failed"], entry["unparsed"]) <= entry["n"]
        assert not entry["low"] > entry["high"]
    assert np.isfinite([found["overall"][key] for key in ("value", "low", "high")]).all()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("accuracy", [(2, {"answer": 0}), (2, {"answer": 0}), (2, {"answer": 0}), (6, {"answer": 0})]),
        ("macro_f1", [(3, {"answer": index}) for index in (0, 0, 0, 1, 1, 2)]),
        ("mrr@10", [*[(13, {"answer": 0})] * 4, (13, {"references": ("c0", "c1")})]),
    ],
)
def test_chance_is_the_same_to_the_last_digit_in_every_order(name, fields):
    asked = [
        Sample(id=str(index), language="eng_Latn", choices=CANDIDATES[:count], **given)
        for index, (count, given) in enumerate(fields)
    ]
    found = {baselines(scorer_of(name), order)["chance"] for order in itertools.permutations(asked)}
    assert len(found) == 1


@pytest.mark.parametrize("name", NAMES)
def test_signature(name):
    scorer = scorer_of(name)
    for languages in ((), ("eng_Latn",), ("eng_Latn", "hin_Deva", "tha_Thai", "zho_Hans")):
        signature = scorer.signature(languages)
        assert signature == signature.strip()
        assert signature.isprintable(), "one line"
        assert signature.split("|")[0] == scorer.name
        assert signature.endswith(f"|mmbench:{__version__}")
        assert all(":" in pair for pair in signature.split("|")[1:])
        assert signature == scorer.signature(tuple(reversed(languages)))
