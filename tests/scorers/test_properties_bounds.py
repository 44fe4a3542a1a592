"""A perfect sample never makes a score worse, and a failed one is never better than an answer: where that is so.

Proofs in short, for what is not a mean over samples (whose perfect sample has the highest value there is):

- Error rates and TER: a perfect sample adds nothing above the fraction line and something below it.
- BLEU: each precision m/g becomes (m+a)/(g+a), and a smoothed 1/2g becomes a/(g+a), which is not below it for whole
  numbers; answer and reference grow by the same length, so that the brevity penalty does not fall.
- chrF: the same for precision and recall of every order, but an order that nothing counted in before (all answers are
  shorter) comes in as one more term of the mean, and may lower it. With answers that have all orders it cannot.
- Macro-F1: true positives of a label raise its F1; but the first sample of a label that was guessed before makes it
  one of the labels that the mean is of.
- CIDEr: a new document changes the weights of all. With weights that stay (`statistics`) it is a mean.
- Relative judge scores: a pair with the highest ratio raises a ratio of sums.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.measure import fit, measure
from mmbench.schema import Output, Sample
from tests.scorers.image_cases import RETRIEVAL, UNANSWERED
from tests.scorers.property_cases import CALL, LABELS, NAMES, SOUND, chosen, heard, kind, records, scorer_of

few = settings(max_examples=8, deadline=None, derandomize=True)
POOLED = ("bleu", "spbleu", "chrf", "chrf++", "ter")
RATES = ("wer", "cer", "mer", "wer_mean", "cer_mean")
JUDGES = tuple(name for name in NAMES if name.startswith("judge"))
OTHERS = ("wer_asr", "cer_asr", "wer_ocr", "cer_ocr", "macro_f1", *UNANSWERED)
MEANS = [name for name in NAMES if name not in (*POOLED, *RATES, *JUDGES, *OTHERS)]


def value(scorer, drawn):
    return float(scorer.reduce(measure(records(drawn), scorer).stats.sum(axis=0)))


def worse(scorer, one, other):
    """Whether one score is worse than another, beyond rounding."""
    return other - one > 1e-9 if scorer.higher_is_better else one - other > 1e-9


@pytest.mark.parametrize("name", [name for name in NAMES if name not in RETRIEVAL])
@few
@given(data=st.data())
def test_a_perfect_sample_never_makes_it_worse(name, data):
    drawn = [kind(name).question(f"q{index}", data.draw) for index in range(data.draw(st.integers(1, 5)))]
    perfect = kind(name).perfect("perfect", data.draw)
    if name in ("chrf", "chrf++", "cider"):
        drawn.append(SOUND)
    if name == "macro_f1":
        labels = {
            sample.choices[sample.answer] for question in drawn for sample, _ in question if sample.answer is not None
        }
        right = LABELS.index(sorted(labels)[0]) if labels else 0
        perfect = [(Sample(id="p", language="eng_Latn", choices=LABELS, answer=right), chosen(LABELS[right], right, 4))]
    scorer = fit(scorer_of(name), records([*drawn, perfect]))
    before, alone, after = (value(scorer, each) for each in (drawn, [perfect], [*drawn, perfect]))
    assert not worse(scorer, after, before)
    if name not in ("bleu", "spbleu"):  # of fewer than four tokens a perfect answer alone has no score above 0
        assert not worse(scorer, alone, after), "nothing is better than perfect"
    assert np.isfinite(after)


def test_a_perfect_sample_of_a_label_that_was_only_guessed_may_lower_macro_f1():
    """As for scikit-learn: the mean is over labels that have samples, and the new one was guessed wrongly before."""

    def asked(name, right, guess):
        sample = Sample(id=name, language="eng_Latn", choices=LABELS, answer=right)
        return [(sample, chosen(LABELS[guess], guess, 4))]

    drawn = [asked("1", 0, 0), asked("2", 0, 0), asked("3", 0, 1)]
    scorer = fit(scorer_of("macro_f1"), records(drawn))
    assert value(scorer, drawn) == pytest.approx(0.8)
    assert value(scorer, [*drawn, asked("4", 1, 1)]) == pytest.approx((0.8 + 2 / 3) / 2)


def test_a_perfect_sample_may_bring_in_an_order_of_chrf():
    """Nothing said has four letters, so that recall of four is left out, until a perfect answer has four."""
    short = [[heard(str(index), "eng_Latn", ("abc",), "abc")] for index in range(300)]
    drawn, scorer = [*short, [heard("long", "eng_Latn", ("x" * 200,), None)]], scorer_of("chrf")
    added = [heard("perfect", "eng_Latn", ("wxyz",), "wxyz")]
    assert value(scorer, drawn) - value(scorer, [*drawn, added]) > 10
    assert value(scorer, [added]) == pytest.approx(100)


@pytest.mark.parametrize("name", MEANS)
@few
@given(data=st.data())
def test_a_failed_sample_is_never_better_than_an_answer(name, data):
    question = kind(name).question("q", data.draw)
    failed = [[(sample, None) for sample, _ in question]]
    scorer = fit(scorer_of(name), records([question, SOUND]))
    lowest, said = value(scorer, failed), value(scorer, [question])
    assert np.isnan(lowest) == np.isnan(said)
    assert not worse(scorer, said, lowest)
    assert np.isnan(lowest) or lowest == (0.0 if scorer.higher_is_better else 1.0)


@pytest.mark.parametrize("name", [*RATES, *POOLED])
@few
@given(data=st.data())
def test_a_failed_sample_is_an_empty_answer_or_worse(name, data):
    """A rate is 1 there; only an answer with more errors than the reference has units costs more than a failure."""
    ((sample, output),) = kind(name).question("q", data.draw)
    scorer = scorer_of(name)
    failed, empty = ([[(sample, answer)]] for answer in (None, Output(text="")))
    rest = [kind(name).question(f"q{index}", data.draw) for index in range(3)]
    for others in ([], rest):
        if name in RATES and value(scorer, [*empty, *others]) > 1:
            continue  # whatever has a rate of 1 lowers a pooled rate above it
        assert not worse(scorer, value(scorer, [*empty, *others]), value(scorer, [*failed, *others]))
    if name in RATES:
        alone = value(scorer, failed)
        assert np.isnan(alone) or alone == 1
    elif output is not None and name != "ter":
        assert not worse(scorer, value(scorer, [[(sample, output)]]), value(scorer, failed))


def test_where_an_answer_costs_more_than_a_failure():
    """More errors than the reference has words, n-grams that are wrong beside right ones, a label that is wrong."""
    sound = [heard(str(index), "eng_Latn", ("the cat sat on a mat",), "the cat sat on a mat now") for index in range(9)]
    wrong, failed = (heard("x", "eng_Latn", ("yes",), text) for text in ("no it is not so", None))
    for name in ("wer", "ter", "bleu", "chrf"):
        scorer = scorer_of(name)
        assert worse(scorer, value(scorer, [sound, [wrong]]), value(scorer, [sound, [failed]])), name
    asked = [Sample(id=str(index), language="eng_Latn", choices=LABELS, answer=index) for index in (0, 1)]
    right = (asked[0], chosen(LABELS[0], 0, 4))
    scorer = fit(scorer_of("macro_f1"), records([[right]]))
    guessed, nothing = ([[right], [(asked[1], said)]] for said in (chosen(LABELS[0], 0, 4), None))
    assert value(scorer, guessed) == pytest.approx(1 / 3)
    assert value(scorer, nothing) == pytest.approx(1 / 2)


def test_a_failed_sample_says_nothing_of_a_stage_or_of_a_judge():
    for name in ("wer_asr", "cer_asr", *UNANSWERED, "judge", "judge_label", "judge_pairwise", "judge_relative"):
        sample = Sample(id="1", language="eng_Latn", group={"pair": "1", "order": "ab"})
        asked = [(sample, None), (Sample(id="2", language="eng_Latn", group={"pair": "1", "order": "ba"}), None)]
        assert np.isnan(value(scorer_of(name), [asked])), name
    assert value(scorer_of("judge"), [[(Sample(id="1", language="eng_Latn", group={"failed": "yes"}), None)]]) == 0


def test_a_hallucinated_tool_is_worse_than_no_tool_and_a_failure_as_bad():
    asked = Sample(id="1", language="eng_Latn", choices=("search",), references=('{"action": "search", "input": {}}',))
    answers = {text: [(asked, None if text is None else Output(text=text))] for text in (CALL, "", "Action: no", None)}
    found = [value(scorer_of("tool_hallucination"), [pair]) for pair in answers.values()]
    assert found == [0, 0, 1, 1]
