from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace

import pytest

from loaders.spoken import by_folder, by_language, check, classified, facts, only, transcribed, usable, warn
from mmbench.errors import UsageError


def test_languages_are_in_the_order_of_their_tags(caplog: pytest.LogCaptureFixture) -> None:
    found = ["de-DE", "zh-CN", "ar-SA", "de-DE", "qqq"]
    assert by_language(found, None, where="x") == (
        ("ar-SA", "arb_Arab"),
        ("de-DE", "deu_Latn"),
        ("zh-CN", "zho_Hans"),
    )
    assert "qqq left out" in caplog.text, "a code without a tag is said, and the rest is still to be had"
    assert by_language(["de", "fr"], ["German"], where="x") == (("de", "deu_Latn"),)
    assert by_language(["de", "fr"], "fra_Latn", where="x") == (("fr", "fra_Latn"),)
    with pytest.raises(UsageError, match=r"here/\*\.tsv: no files of swh_Latn; there are deu_Latn, fra_Latn"):
        by_language(["de", "fr"], ["sw", "de"], where="here/*.tsv")
    with pytest.raises(UsageError, match="qqq"):
        by_language(["de"], ["qqq"], where="x")


def test_labels() -> None:
    sample = transcribed("1", "eng_Latn", b"x", "wake me", {})
    made = classified(sample, "alarm_set", ("alarm_query", "alarm_set"), readable=True)
    assert (made.choices, made.answer, made.references) == (("alarm query", "alarm set"), 1, ())
    assert made.transcript == "wake me"
    with pytest.raises(UsageError, match=r"1/eng_Latn: 'alarm' is none of the 1 labels \(x\)"):
        classified(sample, "alarm", ("x",))


def test_ids_are_unique_and_references_not_empty(caplog: pytest.LogCaptureFixture) -> None:
    one, empty, blank = (
        transcribed(name, "eng_Latn", b"x", text, {}) for name, text in zip("123", ("a", "", " \n"), strict=True)
    )
    assert list(usable([one], "here")) == [one] and not caplog.text
    with pytest.raises(UsageError, match="here: 1/eng_Latn is there twice"):
        list(usable([one, one], "here"))
    asked = replace(empty, id="4", references=(), choices=("x", "y"), answer=0)
    translated = replace(empty, id="5", references=("", "b"))
    assert list(usable([empty, one, blank, asked, translated], "here")) == [one, asked, translated]
    assert "here: 2 left out: no text to compare with" in caplog.text
    with pytest.raises(UsageError, match="2/eng_Latn is there twice"):
        list(usable([empty, empty], "here"))


def test_only() -> None:
    known = ("spa_Latn", "eng_Latn")
    assert only(None, known) == known
    assert only(["en", "es"], known) == known, "in the order of the dataset"
    assert only("spanish", iter(known)) == ("spa_Latn",)
    with pytest.raises(UsageError, match="languages: fra_Latn not in the dataset, which has spa_Latn, eng_Latn"):
        only(["fr", "es"], known)


def test_small_things(caplog: pytest.LogCaptureFixture) -> None:
    assert facts(a=None, b="", c="None", d=False, e=7) == {"d": "False", "e": "7"}
    with pytest.raises(UsageError, match="task='x' is not known: give one of asr, gender"):
        check("task", "x", ("asr", "gender"))
    caplog.set_level(logging.WARNING)
    warn(Counter({"no clip": 2}), "test.tsv")
    assert "test.tsv: 2 left out: no clip" in caplog.text


def test_files_by_folder() -> None:
    names = ["fr/test-0.parquet", "de/test-0.parquet", "fr/test-1.parquet"]
    assert by_folder(names) == {"fr": (names[0], names[2]), "de": (names[1],)}
    assert by_folder([]) == {}
