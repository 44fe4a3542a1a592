"""Alignments have the counts that are scored, and their columns stand one below the other in every script."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mmbench.alignment import Aligned, align, confusions, utterances, view, worst, worst_view
from mmbench.errors import UsageError
from mmbench.records import from_row
from mmbench.scorers.accuracy import Accuracy
from mmbench.scorers.edit import ErrorRate, UtteranceMean, edits

WER = ErrorRate(name="wer", unit="word")
CER = ErrorRate(name="cer", unit="char")
WORDS = st.lists(st.sampled_from("the cat नमस्ते 日本語 שלום سَلام ํา \u0301 é น้ำ 12 \x1b[2J".split()), max_size=12)
ISOLATES = {ord("\u2068"): None, ord("\u2069"): None}


def record(sample_id, reference, prediction, language="eng_Latn", **row):
    references = [reference] if isinstance(reference, str) else reference
    fields = {"sample_id": sample_id, "language": language, "references": references, "prediction": prediction}
    return from_row({**fields, **row}, where="test")


@given(WORDS, WORDS)
def test_an_alignment_is_both_texts_and_has_the_counts_that_are_scored(reference, hypothesis):
    steps = align(reference, hypothesis)
    assert [step.reference for step in steps if step.reference is not None] == reference
    assert [step.hypothesis for step in steps if step.hypothesis is not None] == hypothesis
    count = Counter(step.op for step in steps)
    assert (count["S"], count["D"], count["I"], len(reference)) == edits(reference, hypothesis)
    for op, left, right in steps:
        assert op == ("D" if right is None else "I" if left is None else "C" if left == right else "S")


def test_the_view_is_as_sclite_writes_it():
    steps = align("the cat sat on the mat".split(), "the dog sat the mat here".split())
    assert view(steps).splitlines() == [
        "REF:  the cat sat on the mat ****",
        "HYP:  the dog sat ** the mat here",
        "Eval:     S       D          I",
    ]
    assert align("ab", "b") == (Aligned("D", "a", None), Aligned("C", "b", "b"))


def columns(line):
    """Words of a line with the cell in which each begins; a line ends before its padding."""
    found, cell = [], 0
    for word in line.split(" "):
        found += [(cell, word)] if word else []
        cell += cell_len(word) + 1
    return found


@given(WORDS, WORDS, st.integers(20, 60))
def test_columns_are_aligned_by_cells_and_lines_are_not_too_wide(reference, hypothesis, width):
    steps = align(reference, hypothesis)
    text = view(steps, width=width)
    assert all(char == "\n" or char.isprintable() for char in text.translate(ISOLATES))
    seen = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        assert [line[:5].rstrip() for line in lines] == ["REF:", "HYP:", "Eval:"]
        assert all(cell_len(line) <= width for line in lines)
        left, right, marks = (columns(line)[1:] for line in lines)
        assert [cell for cell, _ in left] == [cell for cell, _ in right]
        at = dict(marks)
        seen += [at.get(cell, "C") for cell, _ in left]
    assert seen == [step.op for step in steps]


def test_wide_characters_and_marks():
    assert view(align(["日本", "a"], ["日", "a"])).splitlines() == [
        "REF:  日本 a",
        "HYP:  日   a",
        "Eval: S",
    ]
    assert view(align("कि", "की")).splitlines() == [
        "REF:  क ◌ि",
        "HYP:  क ◌ी",
        "Eval:   S",
    ]


def test_right_to_left_words_are_isolated_one_by_one():
    """Else a terminal that reorders text turns the whole line, but not its Eval line."""
    peace, world, other = "שלום", "לעולם", "سلام"
    lines = view(align([peace, world, "good", other], [peace, world[1:], "good"])).splitlines()
    assert lines == [
        f"REF:  \u2068{peace}\u2069 \u2068{world}\u2069 good \u2068{other}\u2069",
        f"HYP:  \u2068{peace}\u2069 \u2068{world[1:]}\u2069  good ****",
        "Eval:      S          D",
    ]
    outside = "".join(part.partition("\u2069")[2] for line in lines for part in line.split("\u2068")[1:])
    assert not any(unicodedata.bidirectional(char) in ("R", "AL") for char in outside)


def test_what_cannot_be_seen_is_written_as_an_escape():
    raw = ErrorRate(name="wer", unit="word", normalizer="none")
    text = worst_view([record("1\x1b[2J\n", "ab \x1b[31mred", "a\u200bb \u202ered")], raw, 1)
    assert "REF:  ab       \\x1b[31mred\nHYP:  a\\u200bb \\u202ered\nEval: S        S\n" in text
    assert all(char == "\n" or char.isprintable() for char in text)


def test_a_unit_wider_than_a_line_goes_on_in_the_next_block():
    lines = view(align(["y" * 10, "b"], ["x" * 30, "b"]), width=26).splitlines()
    assert lines == [
        *("REF:  yyyyyyyyyy", "HYP:  " + "x" * 20, "Eval: S", ""),
        *("REF:             b", "HYP:  xxxxxxxxxx b", "Eval:"),
    ]


RECORDS = [
    record("perfect", "a b c", "a b c"),
    record("z", "a b c d", "a x y d"),
    record("short", "no", "yes"),
    record("b", "a b", "x y"),
    record("a", "a b", "y x"),
    record("silence", "", "thank you so much"),
    record("none", [], "whatever"),
    record("failed", "a b c", None, error={"kind": "OutOfMemory", "message": "at\nlast"}),
]


def test_the_worst_have_most_errors_then_the_highest_rate_then_the_first_id():
    assert [u.record.sample.id for u in worst(RECORDS, WER, 10)] == ["silence", "failed", "a", "b", "z", "short"]
    assert [u.record.sample.id for u in worst(reversed(RECORDS), WER, 2)] == ["silence", "failed"]
    silence, failed = worst(RECORDS, WER, 2)
    assert (silence.errors, silence.units, silence.rate, silence.count("I")) == (4, 0, float("inf"), 4)
    assert (failed.errors, failed.units, failed.rate, failed.count("D")) == (3, 3, 1.0, 3)


def test_errors_are_those_of_the_score():
    for scorer in (WER, CER):
        totals = sum(scorer.stats(r.sample, r.prediction.output) for r in RECORDS)
        found = utterances(RECORDS, scorer)
        assert [sum(u.count(op) for u in found) for op in "SDI"] == totals[:3].tolist()
        assert sum(u.units for u in found) == totals[3]


def test_confusions_leave_out_what_was_not_heard():
    found = confusions(utterances(RECORDS, WER))
    pairs = {("a", "x"): 1, ("a", "y"): 1, ("b", "x"): 2, ("b", "y"): 1, ("c", "y"): 1, ("no", "yes"): 1}
    assert found.substitutions == pairs
    assert found.deletions == {}
    assert found.insertions == {"thank": 1, "you": 1, "so": 1, "much": 1}


def test_the_whole_text():
    records = [
        *RECORDS[:1],
        record("2", "the cat sat and the end", "the dog sat the end", system="whisper"),
        record("1", "a cat sat", "a dog sat now"),
        record("3", "no more", None, error={"kind": "OutOfMemory", "message": "at\nlast"}),
    ]
    assert worst_view(records, WER, 2) == (
        "wer: 2 of 4 utterances, with 4 of 6 errors\n\n"
        "1. 3, eng_Latn: errors 2 / 2 (100.0 %): 0 substituted, 2 deleted, 0 inserted\n"
        "failed, OutOfMemory: at last\n"
        "REF:  no more\n"
        "HYP:  ** ****\n"
        "Eval: D  D\n\n"
        "2. 1, eng_Latn: errors 2 / 3 (66.7 %): 1 substituted, 0 deleted, 1 inserted\n"
        "REF:  a cat sat ***\n"
        "HYP:  a dog sat now\n"
        "Eval:   S       I\n\n"
        "most often substituted (2 in all):\n"
        "  2  cat -> dog\n\n"
        "most often deleted (1 in all):\n"
        "  1  and\n\n"
        "most often inserted (1 in all):\n"
        "  1  now\n"
    )
    assert "3. 2, eng_Latn, whisper: errors 2 / 6 (33.3 %)" in worst_view(records, WER, 3)
    assert worst_view(RECORDS[:1], WER, 3) == "wer: no errors in 1 utterances\n"


def test_a_mean_of_rates_and_other_scorers():
    mean = UtteranceMean(name="wer_mean", unit="word")
    assert [u.record.sample.id for u in worst(RECORDS, mean, 1)] == ["silence"]
    with pytest.raises(UsageError, match="accuracy: has no alignments; choose an error rate"):
        worst_view(RECORDS, Accuracy(), 3)
