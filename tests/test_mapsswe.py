"""MAPSSWE cuts where NIST's sc_stats cuts, and has its Z and p."""

from __future__ import annotations

import math
import random
import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from mmbench.mapsswe import Mapsswe, mapsswe, mapsswe_of, segments
from mmbench.records import Record
from mmbench.schema import Output, Prediction, Sample
from tests.fakes import WER

WORDS = st.lists(st.sampled_from("abcd"), max_size=12)


@pytest.mark.parametrize(
    ("reference", "a", "b", "expected"),
    [
        ("a b c d e f", "a b c d e f", "a b c d e f", []),
        ("a b c d e f", "a X c d e f", "a b c d Y f", [(1, 0), (0, 1)]),  # two correct words part errors
        ("a b c d e f", "a X c d e f", "a b c Y e f", [(1, 1)]),  # one does not
        ("a b c d e f", "a X c d e f", "a b c Y d e f", [(1, 1)]),  # nor do two with an insertion between
        ("a b c d e f", "a X c d e f", "a b c d Y e f", [(1, 0), (0, 1)]),  # behind them it is the next segment's
        ("a b c d e f", "X b c d e Y", "a b c d e f", [(1, 0), (1, 0)]),  # the ends of an utterance are ends
        ("a b c", "a b c X", "Y a b c", [(0, 1), (1, 0)]),
        ("a b c", "", "a b", [(3, 1)]),
        ("", "X Y", "", [(2, 0)]),
        ("", "", "", []),
    ],
)
def test_segments(reference, a, b, expected):
    assert segments(reference.split(), a.split(), b.split()) == expected


def test_how_many_correct_units_part_segments():
    reference, a, b = "a b c d".split(), "X b c d".split(), "a b Y d".split()
    assert segments(reference, a, b) == [(1, 1)]
    assert segments(reference, a, b, correct=1) == [(1, 0), (0, 1)]


@settings(max_examples=200, deadline=None)
@given(WORDS, WORDS, WORDS)
def test_segments_hold_all_errors_and_none_is_free_of_them(reference, a, b):
    found = segments(reference, a, b)
    assert sum(left for left, _ in found) == Levenshtein.distance(reference, a)
    assert sum(right for _, right in found) == Levenshtein.distance(reference, b)
    assert all(left or right for left, right in found)
    assert segments(reference, b, a) == [(right, left) for left, right in found]
    assert len(found) <= len(segments(reference, a, b, correct=1))


def test_z_and_p():
    differences = [1, 0, -1, 2, 1, 1, 0, 3, -1, 1]
    z, p, count = mapsswe(differences)
    assert z == pytest.approx(scipy.stats.ttest_1samp(differences, 0).statistic)  # the same quotient
    assert p == pytest.approx(2 * scipy.stats.norm.sf(z))
    assert count == 10
    back = mapsswe([-value for value in differences])
    assert (back.z, back.p) == (-z, p)


def test_no_spread():
    assert mapsswe([]) == (0, 1, 0)
    assert mapsswe([0, 0, 0]) == (0, 1, 3)
    for differences in ([1], [2, 2, 2]):
        z, p, count = mapsswe(differences)
        assert math.isnan(z)
        assert math.isnan(p)
        assert count == len(differences)


def utterances(rates, words=0, count=500):
    """References and what two systems make of them, each by so many errors a word.

    Without `words`, a reference repeats no word, errors are no words of it, and a hypothesis never has both deletions
    and insertions: then there is hardly a choice of alignment.
    """
    chance = random.Random(3)

    def draw(below):
        return int(chance.random() * below)

    def wrong():
        return f"w{draw(words)}" if words else f"x{draw(50)}"

    found = []
    for _ in range(count):
        reference = [f"w{draw(words) if words else i}" for i in range(1 + draw(25))]
        hypotheses = []
        for rate in rates:
            hypothesis, deletes = [], draw(2)
            for word in reference:
                what = chance.random()
                if what < rate / 2:
                    hypothesis.append(wrong())
                elif what >= rate:
                    hypothesis.append(word)
                elif not deletes:
                    hypothesis += [word, wrong()]
            hypotheses.append(hypothesis)
        found.append((reference, *hypotheses))
    return found


def measured(rows):
    """Segments, errors of both systems, Z and p."""
    found = [pair for row in rows for pair in segments(*row)]
    z, p, count = mapsswe([left - right for left, right in found])
    return count, sum(left for left, _ in found), sum(right for _, right in found), z, p


def nist(rows, folder):
    """The same by SCTK, whose p is that of Z rounded down in a table."""
    for place, name in enumerate(("reference", "a", "b")):
        lines = (f"{' '.join(row[place])} (speaker{i % 12:02}_{i:04})\n" for i, row in enumerate(rows))
        (folder / name).write_text("".join(lines))

    def sctk(*arguments, **settings):
        return subprocess.run(["sctk", *arguments], cwd=folder, capture_output=True, check=True, **settings).stdout

    reference = ("sclite", "-r", "reference", "trn", "-i", "rm", "-o", "sgml", "stdout")
    aligned = b"".join(sctk(*reference, "-h", name, "trn") for name in "ab")
    for flag in ("-v", "-u"):
        sctk("sc_stats", "-p", "-t", "mapsswe", flag, "-n", "out", "-O", ".", input=aligned)
    report, unified = ((folder / f"out.stats.{kind}").read_text(errors="replace") for kind in ("mapsswe", "unified"))
    errors = re.search(r"^Totals +\d+ +(\d+) +(\d+)", report, re.M)
    (p,) = re.findall(r"\|\| +a +\|.*?<?(\d\.\d{3})", unified)
    count, z = re.search(r"# segs: (\d+)", report), re.search(r"Z Stat: ([-.\d]+)", report)
    return int(count[1]), int(errors[1]), int(errors[2]), float(z[1]), float(p)


# Rates of error, number of words, and what sclite and sc_stats of sctk 2.4.10 (Debian) said: segments, errors of both,
# Z, and p, where 0.001 is any below.
GOLDEN = [
    ((0.1, 0.11), 0, (936, 666, 711, -1.246, 0.215)),
    ((0.3, 0.33), 0, (1193, 1916, 2167, -4.656, 0.001)),
    ((0.1, 0.115), 30, (939, 605, 741, -3.973, 0.001)),
    ((0.3, 0.33), 30, (1220, 1910, 2157, -4.557, 0.001)),
]


@pytest.mark.parametrize(("rates", "words", "expected"), GOLDEN)
def test_agrees_with_nist(rates, words, expected):
    """Without a choice of alignment to the last digit; else in all errors, 1 % of segments and 0.03 of Z."""
    *errors, z, p = measured(utterances(rates, words))
    assert errors[1:] == list(expected[1:3])
    assert errors[0] == (pytest.approx(expected[0], rel=0.01) if words else expected[0])
    assert z == pytest.approx(expected[3], abs=0.03 if words else 0.0005)
    assert -0.0005 <= expected[4] - p < 0.005


@pytest.mark.skipif(shutil.which("sctk") is None, reason="needs NIST's SCTK: apt-get install sctk")
@pytest.mark.parametrize(("rates", "words", "expected"), GOLDEN)
def test_the_golden_values_are_nists(rates, words, expected, tmp_path):
    assert nist(utterances(rates, words), tmp_path) == expected


def record(name, reference, answer, language="eng_Latn"):
    output = None if answer is None else Output(text=answer)
    references = () if reference is None else (reference,) if isinstance(reference, str) else tuple(reference)
    sample = Sample(id=name, language=language, references=references)
    return Record(sample, Prediction(sample_id=name, language=language, output=output))


def test_of_records():
    rows = utterances((0.1, 0.11), count=60)
    names = [f"u{i}" for i in range(60)]
    a = [record(name, " ".join(row[0]), " ".join(row[1])) for name, row in zip(names, rows, strict=True)]
    b = [record(name, " ".join(row[0]), " ".join(row[2])) for name, row in zip(names, rows, strict=True)]
    count, *_, z, p = measured(rows)
    expected = (pytest.approx(z), pytest.approx(p), count)
    assert mapsswe_of(WER, a, b) == expected
    assert mapsswe_of(WER, a, b[::-1]) == expected
    others = [record("alone", "a b", "c d"), record("u0", "a b", "c d", "swh_Latn"), record("u60", None, "a")]
    assert mapsswe_of(WER, [*a, *others], [*b, record("u60", None, "b")]) == expected


def test_a_failed_answer_is_all_deletions():
    a, b = ([record("u", "a b c", text), record("v", "a b c", "a b c")] for text in (None, "a b X"))
    a[1] = record("v", "a b c", "a X c")
    assert mapsswe_of(WER, a, b) == mapsswe([2, 1])


def test_nothing_to_compare_is_not_known_and_equals_do_not_differ():
    assert all(map(math.isnan, mapsswe_of(WER, [record("u", None, "a")], [record("u", None, "a")])[:2]))
    assert all(map(math.isnan, mapsswe_of(WER, [], [])[:2]))
    same = [record("u", "a b", "a c"), record("v", "a b", "a b")]
    assert mapsswe_of(WER, same, same) == Mapsswe(0, 1, 1)


@dataclass
class Closest:
    """A metric whose reference is the one closest to the answer."""

    name: str = "closest"

    def pair(self, sample, output):
        texts = [reference.split() for reference in sample.references]
        answer = output.text.split()
        return min(texts, key=lambda text: Levenshtein.distance(text, answer)), answer


def test_utterances_with_different_best_references_are_one_segment():
    both = ("a b c d e f g h", "p q r s t u v w")
    a, b = "a X c d e f Y h", "p q r s t u v X"
    shared = [record("v", both, "a b c d e f g X")], [record("v", both, "a X c d e f g h")]
    found = mapsswe_of(Closest(), [record("u", both, a), *shared[0]], [record("u", both, b), *shared[1]])
    assert found == mapsswe([2 - 1, -1, 1])
    free = mapsswe_of(Closest(), [record("u", both, both[0])], [record("u", both, both[1])])
    assert free == (0, 1, 0)


def test_a_metric_without_units_is_refused():
    with pytest.raises(TypeError, match="accuracy compares no units"):
        mapsswe_of(type("Other", (), {"name": "accuracy"})(), [], [])
