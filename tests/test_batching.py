"""Batches: every sample once, longest first, and the same ones whatever is shuffled or answered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from mmbench.batching import batches, chunks, cost, held, windows
from mmbench.schema import Audio, Joined, Sample, Text

if TYPE_CHECKING:
    import random


def wav(seconds):
    out = io.BytesIO()
    soundfile.write(out, np.zeros(int(seconds * 8000)), 8000, format="WAV")
    return out.getvalue()


def text(name, length):
    return Sample(id=name, language="eng_Latn", parts=(Text("x" * length),))


samples = st.lists(st.integers(0, 9), max_size=40).map(
    lambda lengths: [text(f"s{index}", length) for index, length in enumerate(lengths)]
)
sizes = st.integers(1, 7)


@given(samples, sizes, st.integers(1, 20))
def test_every_sample_once_in_batches_of_at_most_the_size(items, size, window):
    found = list(batches(items, size, window=window))
    assert sorted(sample.id for batch in found for sample in batch) == sorted(sample.id for sample in items)
    assert all(1 <= len(batch) <= size for batch in found)


@given(samples, sizes)
def test_longest_first_so_that_too_large_a_batch_shows_at_once(items, size):
    lengths = [len(sample.parts[0].text) for batch in batches(items, size) for sample in batch]
    assert lengths == sorted(lengths, reverse=True)


@given(samples, sizes, st.randoms(use_true_random=False))
def test_order_of_the_data_plays_no_part_within_a_window(items, size, rng: random.Random):
    shuffled = rng.sample(items, len(items))
    assert list(batches(shuffled, size)) == list(batches(items, size))


def test_data_are_streamed():
    endless = (text(str(index), 1) for index in iter(int, 1))
    assert len(next(batches(endless, 4, window=8))) == 4


def test_chunks():
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []


def test_cost_is_seconds_then_characters():
    sound = Audio(wav(1.5), start=0.5)
    sample = Sample(id="a", language="eng_Latn", parts=(sound, Text("abc"), Audio(wav(2))))
    assert cost(sample) == (3.0, 3)


def test_unreadable_media_cost_nothing():
    sample = Sample(id="a", language="eng_Latn", parts=(Audio(b"junk"), Audio("no/such.wav"), Text("a")))
    assert cost(sample) == (0.0, 1)


def test_a_window_ends_where_its_media_fill_the_memory(monkeypatch):
    monkeypatch.setattr("mmbench.batching.HELD", 100)
    clips = [Sample(id=str(i), language="eng_Latn", parts=(Audio(b"x" * 40), Text("t"))) for i in range(7)]
    assert [len(group) for group in windows(clips, 1024)] == [3, 3, 1]
    assert [len(group) for group in windows(clips, 2)] == [2, 2, 2, 1]
    joined = Sample(id="j", language="eng_Latn", parts=(Audio(Joined((b"x" * 60, b"y" * 50))),))
    assert held(joined) == 110
    assert held(Sample(id="p", language="eng_Latn", parts=(Audio("file.wav"),))) == 0
