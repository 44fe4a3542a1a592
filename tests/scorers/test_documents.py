"""Document frequencies are counted by document, keep their weights in a file, and have one name each."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.scorers.documents import Documents, count, digest, ngrams, read, write

DOCUMENTS = st.lists(st.lists(st.lists(st.sampled_from("abว猫"), max_size=5), min_size=1, max_size=3), max_size=5)


def test_ngrams():
    assert list(ngrams(["a", "b"])) == [("a",), ("b",), ("a", "b")]
    assert len(list(ngrams(list("abcdef")))) == 6 + 5 + 4 + 3
    assert list(ngrams([])) == []


def test_an_ngram_counts_once_in_a_document():
    found = count([[["a", "a", "b"], ["a"]], [["a"]], [["c"]]])
    assert found == Documents(3, {("a",): 2})
    assert found.weight(("a",)) == pytest.approx(math.log(3 / 2))
    assert found.weight(("b",)) == found.weight(("never", "seen")) == pytest.approx(math.log(3))


@given(DOCUMENTS)
def test_a_file_gives_back_what_was_written(tmp_path_factory, documents):
    path = tmp_path_factory.mktemp("df") / "df.jsonl"
    corpora = {"tha_Thai": count(documents), "eng_Latn": count(documents[:1])}
    write(path, corpora, str)
    again = read(path, str)
    assert again == corpora
    assert digest(again) == digest(corpora) == digest(dict(sorted(corpora.items())))


def test_the_digest_tells_statistics_apart():
    first = Documents(3, {("a",): 2})
    assert digest({"eng_Latn": first}) == digest({"eng_Latn": Documents(3, {("a",): 2})})
    others = [{"eng_Latn": Documents(4, {("a",): 2})}, {"eng_Latn": Documents(3, {("a",): 3})}, {"swh_Latn": first}, {}]
    assert digest({"eng_Latn": first}) not in [digest(other) for other in others]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '{"tokens": "eng_Latn"}',
        '{"language": "eng_Latn", "tokens": "eng_Latn", "frequency": {"a": "x"}}',
    ],
)
def test_files_that_are_damaged(tmp_path, text):
    path = tmp_path / "df.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"df.jsonl: is no file that Cider.save wrote"):
        read(path, str)


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(UsageError, match=r"df.jsonl: cannot be read \(No such file or directory\); give a file"):
        read(tmp_path / "df.jsonl", str)


def test_statistics_of_other_tokens(tmp_path):
    path = tmp_path / "df.jsonl"
    write(path, {"eng_Latn": Documents(2, {})}, lambda language: "words")
    with pytest.raises(UsageError, match=r"df.jsonl:1: has statistics of words, not of letters; make them anew"):
        read(path, lambda language: "letters")
