"""Labels: macro-F1 against scikit-learn, and the labels that real answers mention."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.schema import Output, Sample, Scorer
from mmbench.scorers.choices import VERSION
from mmbench.scorers.classification import LabelMention, MacroF1, mentions

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"
LABELS = ("travel", "politics", "sports", "health")


def sample(answer, choices=LABELS, language="eng_Latn", references=()):
    return Sample(id="1", language=language, choices=choices, answer=answer, references=references)


def rows(pairs, scorer=None):
    """Statistics of (sample, text) pairs, fitted on them."""
    fitted = (scorer or MacroF1()).fitted([asked for asked, _ in pairs])
    stats = [fitted.stats(asked, None if text is None else Output(text=text)) for asked, text in pairs]
    return fitted, np.stack(stats)


def f1(pairs):
    fitted, stats = rows(pairs)
    return float(fitted.reduce(stats.sum(axis=0)))


known = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(known)
def test_macro_f1_is_that_of_scikit_learn(drawn):
    right, said = zip(*drawn, strict=True)
    expected = f1_score(right, said, labels=sorted(set(right)), average="macro", zero_division=0)
    assert f1([(sample(gold), LABELS[guess]) for gold, guess in drawn]) == pytest.approx(expected)


@given(known, st.randoms())
def test_order_of_samples_and_of_choices_plays_no_part(drawn, random):
    pairs = [(sample(gold), LABELS[guess]) for gold, guess in drawn]
    shuffled = []
    for gold, guess in drawn:
        choices = random.sample(LABELS, 4)
        shuffled.append((sample(choices.index(LABELS[gold]), tuple(choices)), LABELS[guess]))
    random.shuffle(shuffled)
    assert f1(shuffled) == pytest.approx(f1(pairs))
    assert f1([*pairs, (sample(1), "politics")]) >= f1([*pairs, (sample(1), "none of them")]) - 1e-12


def test_always_no_on_medication_qa():
    """XLingHealth's MedicationQA is one right answer in five, so that a constant No has a macro-F1 of 0.444."""
    pairs = [(sample(int(i % 5 > 0), ("Yes", "No")), "No") for i in range(3450)]
    assert f1(pairs) == pytest.approx(4 / 9)
    assert MacroF1().majority([asked for asked, _ in pairs]) == pytest.approx(4 / 9)


def test_unparsed_and_failed_answers_miss_the_right_label_alone():
    fitted, stats = rows([(sample(0), "travel"), (sample(0), "who knows"), (sample(1), None), (sample(1), "politics")])
    assert fitted.labels == ("health", "politics", "sports", "travel")
    true, false, missed = stats[:, :-1].sum(axis=0).reshape(3, 4).tolist()
    assert (true, false, missed) == ([0, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 1])
    assert fitted.unparsed(stats) == 1
    assert float(fitted.reduce(stats.sum(axis=0))) == pytest.approx(2 / 3)


def test_labels_without_a_sample_do_not_count():
    assert f1([(sample(0), "travel"), (sample(1), "politics")]) == 1  # not the mean over four labels
    assert f1([(sample(0), "travel"), (sample(1), "sports")]) == 0.5
    swahili = ("safari", "siasa")
    fitted, stats = rows([(sample(0), "travel"), (sample(0, swahili, "swh_Latn"), "safari")])
    assert fitted.reduce(stats).tolist() == [1, 1]
    assert float(fitted.reduce(stats.sum(axis=0))) == 1


def test_labels_may_be_references():
    pairs = [
        (sample(None, (), references=(gold,)), said) for gold, said in [("yes", "Yes."), ("no", "yes"), ("no", "no")]
    ]
    assert f1(pairs) == pytest.approx((2 / 3 + 2 / 3) / 2)


def test_labels_may_be_ranked():
    fitted = MacroF1(normalization="token").fitted([sample(0), sample(1)])
    ranked = Output(text="", choice_scores=(-4.0, -3.0, -9.0, -9.0), choice_lengths=(4, 1, 1, 1))
    assert fitted.unparsed(fitted.stats(sample(0), ranked)) == 0
    assert float(fitted.reduce(fitted.stats(sample(0), ranked))) == 1
    with pytest.raises(UsageError, match="unknown normalization 'chars'"):
        MacroF1(normalization="chars")


def test_macro_f1_protocol():
    scorer: Scorer = MacroF1()
    assert scorer.fitted([]).reduce(np.zeros(1)).shape == ()
    assert math.isnan(float(scorer.fitted([]).reduce(np.zeros(1))))
    fitted = scorer.fitted([sample(0)])
    np.testing.assert_equal(fitted.reduce(np.zeros((2, 5, 13))), np.full((2, 5), np.nan))
    assert fitted.stats(sample(None), Output(text="travel")).tolist() == [0] * 13
    with pytest.raises(UsageError, match="sample 1: label 'travel' is not among the 0 labels of macro_f1"):
        scorer.stats(sample(0), Output(text="travel"))
    parts = f"labels:of_references|scores:sum|parser:choices/{VERSION}|mode:first|unparsed:missed"
    assert scorer.signature([]) == fitted.signature([]) == f"macro_f1|{parts}|mmbench:{__version__}"
    assert not scorer.proportion


def test_macro_f1_baselines():
    asked = [sample(i, LABELS) for i in (0, 0, 0, 1)]
    assert MacroF1().majority(asked) == pytest.approx(f1([(s, "travel") for s in asked]))
    rng = np.random.default_rng(0)
    many = [
        (sample(int(gold), ("a", "b")), "ab"[guess])
        for gold, guess in zip(rng.random(9000) < 0.2, rng.integers(2, size=9000), strict=True)
    ]
    assert MacroF1().chance([asked for asked, _ in many]) == pytest.approx(f1(many), abs=0.01)
    assert math.isnan(MacroF1().chance([]))
    assert math.isnan(MacroF1().majority([]))


@pytest.mark.parametrize(
    ("text", "labels", "named"),
    [
        ('It is "Science/Technology".', ("science/technology", "travel"), [0]),
        ("a matter of technology, and of Travel", ("science/technology", "travel"), [0, 1]),
        ("sportswear", ("sports", "travel"), []),
        ("a red car, not a car", ("car", "red car"), [1, 0]),
        ("arts", ("arts/science", "science/technology"), [0]),
        ("science", ("arts/science", "science/technology"), []),  # which of both?
        ("POLİTİCS or politıcs", ("politics",), [0, 0]),
        ("这是体育新闻", ("体育", "旅游"), [0]),
        ("ข่าวกีฬา", ("กีฬา", "การเมือง"), [0]),
        ("ไม้", ("ไม",), []),
        ("", ("a",), []),
        ("a", ("", "?"), []),
        ("same", ("same", "same"), []),
    ],
)
def test_mentions(text, labels, named):
    assert mentions(text, labels) == named


@pytest.mark.parametrize(("language", "right", "unparsed"), [("eng_Latn", 166, 3), ("swh_Latn", 158, 10)])
def test_sib_200_of_gpt_4(language, right, unparsed):
    """Published: 81.4 for English and 77.5 for Swahili, of 204 answers."""
    path = SAMPLES / "sib-200" / f"gpt4_output.{language}.tsv"
    if not path.exists():
        pytest.skip("the published samples are not here")
    labels = tuple((SAMPLES / "sib-200" / "labels.txt").read_text(encoding="utf-8").split())
    with path.open(encoding="utf-8", newline="") as file:
        answers = [(labels.index(row["category"]), row["gpt-4"]) for row in csv.DictReader(file, delimiter="\t")]
    total = sum(LabelMention().stats(sample(gold, labels, language), Output(text=text)) for gold, text in answers)
    assert total.tolist() == [right, 204, unparsed]
    assert round(100 * float(LabelMention().reduce(total)), 1) == {"eng_Latn": 81.4, "swh_Latn": 77.5}[language]


def test_label_mention_protocol():
    scorer: Scorer = LabelMention()
    both = Output(text="not sports but health")
    assert scorer.stats(sample(2), both).tolist() == [1, 1, 0]
    assert LabelMention(mode="last").stats(sample(3), both).tolist() == [1, 1, 0]
    assert scorer.stats(sample(2), Output(text="no idea")).tolist() == [0, 1, 1]
    assert scorer.stats(sample(2), None).tolist() == [0, 1, 0]
    assert scorer.stats(sample(None), both).tolist() == [0, 0, 0]
    assert scorer.unparsed(np.array([[1.0, 1, 0], [0, 1, 1]])) == 1
    assert scorer.proportion
    assert scorer.signature([]) == f"label_mention|mode:first|parts:any|unparsed:wrong|mmbench:{__version__}"
    assert scorer.chance([sample(0), sample(1)]) == 0.25
    assert scorer.majority([sample(0), sample(1), sample(1)]) == 2 / 3
    with pytest.raises(UsageError, match="unknown mode 'middle': known are first, last"):
        LabelMention(mode="middle")
