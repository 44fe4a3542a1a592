"""Error rates beside the reference implementations, and the defects of other suites with the right value."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import Counter

import jiwer
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from mmbench.schema import Output, Sample
from mmbench.scorers.edit import ErrorRate, UtteranceMean, edits
from mmbench.text import normalize, units

RAW = {unit: ErrorRate(name=unit, unit=unit, normalizer="none") for unit in ("word", "char", "mixed")}
MER = ErrorRate(name="mer", unit="mixed")
TEXTS = st.text(alphabet="ab \u00e9\u0301我用ก็17\u0915\u093f\u3042", max_size=12)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6)
LETTERS = st.text(alphabet="abc", max_size=9)


def stats(scorer, reference, answer, language="eng_Latn"):
    return scorer.stats(Sample(id="1", language=language, references=(reference,)), Output(text=answer))


def total(scorer, pairs):
    return np.sum([stats(scorer, *pair) for pair in pairs], axis=0)


@given(LETTERS, LETTERS)
@example("ab", "ba")
@example("abca", "bcab")
def test_edits_are_the_fewest_and_split_as_rapidfuzz_splits_them(reference, hypothesis):
    found = Counter(edit.tag for edit in Levenshtein.editops(reference, hypothesis))
    assert edits(reference, hypothesis) == (found["replace"], found["delete"], found["insert"], len(reference))
    assert edits(list(reference), list(hypothesis)) == edits(reference, hypothesis)
    assert sum(edits(reference, hypothesis)[:3]) == table_distance(reference, hypothesis)


def table_distance(reference, hypothesis):
    """Wagner and Fischer's table, as in any textbook."""
    row = list(range(len(hypothesis) + 1))
    for i, left in enumerate(reference, 1):
        last, row = row, [i]
        for j, right in enumerate(hypothesis, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (left != right)))
    return row[-1]


@given(PAIRS)
def test_every_unit_agrees_with_jiwer(pairs):
    """To 1e-9 and in the number of errors, on texts joined as our units are."""
    for unit, scorer in RAW.items():
        split = [[units(normalize(t, name="none", language="eng_Latn"), unit=unit) for t in pair] for pair in pairs]
        references, hypotheses = (
            [("" if unit == "char" else " ").join(t) for t in side] for side in zip(*split, strict=True)
        )
        assume(any(references))
        if unit == "char":
            theirs = jiwer.process_characters(references, hypotheses)
            rate = theirs.cer
        else:
            theirs = jiwer.process_words(references, hypotheses)
            rate = theirs.wer
        totals = total(scorer, pairs)
        assert float(scorer.reduce(totals)) == pytest.approx(rate, abs=1e-9)
        assert totals[:3].sum() == theirs.substitutions + theirs.deletions + theirs.insertions
        assert totals[3] == theirs.hits + theirs.substitutions + theirs.deletions == sum(len(r) for r, _ in split)


@given(PAIRS, st.integers(1, 6))
def test_shards_and_batches_play_no_part(pairs, size):
    """NVIDIA-NeMo/Speech #3495: a mean of ratios per batch, so that WER depended on the batch size."""
    for scorer in (RAW["word"], UtteranceMean(name="wer_mean", unit="word")):
        shards = [total(scorer, pairs[start : start + size]) for start in range(0, len(pairs), size)]
        np.testing.assert_allclose(scorer.reduce(np.sum(shards, axis=0)), scorer.reduce(total(scorer, pairs)))


@given(TEXTS)
def test_a_text_beside_itself_has_no_errors(text):
    for scorer in (*RAW.values(), MER):
        assert stats(scorer, text, text)[:3].sum() == 0


SPACES = [chr(code) for code in range(0x110000) if chr(code).isspace()]


@pytest.mark.parametrize("normalizer", ["none", "basic", "mmbench"])
def test_any_white_space_separates_words(normalizer):
    """Jiwer 2.2 to 4.0 split at U+0020 alone: wer("a<tab>b<line end>c", "a b c") is 3, with a no-break space 2."""
    scorer = ErrorRate(name="wer", unit="word", normalizer=normalizer)
    assert {"\t", "\n", "\u00a0", "\u3000", "\u2028", "\u202f"} < set(SPACES)
    for space in SPACES:
        for text in (f"a{space}b{space}{space}c", f"{space}a b{space} c{space}"):
            assert stats(scorer, "a b c", text).tolist() == stats(scorer, text, "a b c").tolist() == [0, 0, 0, 3]


@pytest.mark.parametrize(
    ("pairs", "pooled", "mean"),
    [
        ([("", "")], np.nan, 0.0),  # jiwer 4: 0; torchmetrics: nan; s3prl: 0 of 1
        ([("", "a b")], np.nan, 1.0),  # jiwer 4: 2; torchmetrics: inf; s3prl: 2 of 1
        ([("a b", "x y"), ("", "")], 1.0, 0.5),
        ([("a b", "a b"), ("", "x")], 0.5, 0.5),
        ([("a b", ""), ("", "x y")], 2.0, 1.0),  # AudioBench puts "empty" in: it would be 4 errors of 3
    ],
)
def test_empty_references(pairs, pooled, mean):
    for scorer, value in ((RAW["word"], pooled), (UtteranceMean(name="wer_mean", unit="word"), mean)):
        np.testing.assert_equal(float(scorer.reduce(total(scorer, pairs))), value)


def test_counts_do_not_stop_at_16_million():
    """Torchmetrics keeps them in float32, where 2**24 + 1 is 2**24."""
    one = stats(RAW["word"], "a b", "a x")
    assert one.dtype == np.float64
    many = np.array([2.0**24, 0, 0, 2.0**25]) + one
    assert many.tolist() == [2**24 + 1, 0, 0, 2**25 + 2]
    assert float(RAW["word"].reduce(many)) == (2**24 + 1) / (2**25 + 2)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts"),
    [
        ("我 用 iPhone 手机", "我用iphone手鸡", [1, 0, 0, 5]),  # kaldi PR 1436: English was split into letters
        ("check 一下 email", "check 一下 mail", [1, 0, 0, 4]),
        ("签约17万套", "签 约 17 万 套", [0, 0, 0, 5]),  # AudioBench kept "约17万" one word
        ("签约17万套", "签约18万套", [1, 0, 0, 5]),
        ("百分之4", "百分之 4", [0, 0, 0, 4]),
        ("ไป shopping กัน", "ไปshoppingกัน", [0, 0, 0, 6]),
        ("i like 你", "i like", [0, 1, 0, 3]),
    ],
)
def test_mixed_units(reference, hypothesis, counts):
    assert stats(MER, reference, hypothesis, "zho_Hans").tolist() == counts


def sclite(pairs, folder):
    """Substitutions, deletions and insertions of each pair as NIST sclite counts them."""
    found = shutil.which("sclite") or shutil.which("sctk")
    if found is None:
        pytest.skip("NIST sclite is not installed (Debian package sctk)")
    for name, side in (("ref", 0), ("hyp", 1)):
        lines = [f"{pair[side]} (s_{number:05d})\n" for number, pair in enumerate(pairs)]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    command = [found] if found.endswith("sclite") else [found, "sclite"]
    options = "-r ref trn -h hyp trn -i rm -e utf-8 -o pralign stdout".split()
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, encoding="utf-8", check=True)
    scores = r"id: \(s_(\d+)\)\nScores: \(#C #S #D #I\) \d+ (\d+) (\d+) (\d+)"
    counts = {int(number): tuple(map(int, rest)) for number, *rest in re.findall(scores, done.stdout)}
    return [counts[number] for number in range(len(pairs))]


def noisy(draw, words, vocabulary, rate):
    for word in words:
        fate = draw.random() / rate
        if fate >= 0.3:
            yield word if fate >= 0.7 else draw.choice(vocabulary)
        if 0.7 <= fate < 1:
            yield draw.choice(vocabulary)


@pytest.mark.parametrize(
    ("vocabulary", "rate", "other_totals"),
    [
        ([f"w{a}{b}" for a in "abcdefghij" for b in "abcdefghijklmnopqrst"], 0.2, 0),
        (["नमस्ते", "दुनिया", "जल", "घर", "सुप्रभात", "été", "мир", "你"], 0.3, 0),
        (["a", "b", "c", "d"], 0.5, 3),
    ],
)
def test_sclite(vocabulary, rate, other_totals, tmp_path):
    """Sclite minimises 4 S + 3 D + 3 I. It may so find more errors than there need be; that takes words which repeat.

    How the errors split differs in one utterance of 7 to 20, because alignments tie.
    """
    draw = random.Random(0)
    references = [draw.choices(vocabulary, k=draw.randrange(25)) for _ in range(400)]
    pairs = [(" ".join(words), " ".join(noisy(draw, words, vocabulary, rate))) for words in references]
    more = 0
    for pair, (s, d, i) in zip(pairs, sclite(pairs, tmp_path), strict=True):
        reference, hypothesis = (text.split() for text in pair)
        assert 4 * s + 3 * d + 3 * i == Levenshtein.distance(reference, hypothesis, weights=(3, 3, 4))
        ours = stats(RAW["word"], *pair)[:3].sum()
        assert s + d + i >= ours
        more += s + d + i > ours
    assert more <= other_totals
