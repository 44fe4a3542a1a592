from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from loaders.fixtures._corpora import write_files
from loaders.published import Published
from loaders.spoken import Clips, by_language, check, classified, facts, transcribed, unique, warn
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


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


def test_archives_are_unpacked_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"a/in/1.wav": b"1", "b/2.wav": b"2", "b/empty.wav": b""})
    opened: list[str] = []
    plain = Published.unpacked

    def counted(self: Published, name: str) -> Path:
        opened.append(name)
        return plain(self, name)

    monkeypatch.setattr(Published, "unpacked", counted)
    clips = Clips(published=Published(location=str(tmp_path)), archives=("a", "b"))
    found = clips.get("1.wav")
    assert found and found.read_bytes() == b"1" and opened == ["a"]
    found = clips.get("2.wav")
    assert found and found.read_bytes() == b"2" and opened == ["a", "b"]
    assert clips.get("3.wav") is None and clips.get("empty.wav") is None and opened == ["a", "b"]


def test_labels() -> None:
    sample = transcribed("1", "eng_Latn", b"x", "wake me", {})
    made = classified(sample, "alarm_set", ("alarm_query", "alarm_set"), readable=True)
    assert (made.choices, made.answer, made.references) == (("alarm query", "alarm set"), 1, ())
    assert made.transcript == "wake me"
    with pytest.raises(UsageError, match=r"1/eng_Latn: 'alarm' is none of the 1 labels \(x\)"):
        classified(sample, "alarm", ("x",))


def test_ids_are_unique() -> None:
    one = transcribed("1", "eng_Latn", b"x", "a", {})
    assert list(unique([one], "here")) == [one]
    with pytest.raises(UsageError, match="here: 1/eng_Latn is there twice"):
        list(unique([one, one], "here"))


def test_small_things(caplog: pytest.LogCaptureFixture) -> None:
    assert facts(a=None, b="", c="None", d=False, e=7) == {"d": "False", "e": "7"}
    with pytest.raises(UsageError, match="task='x' is not known: give one of asr, gender"):
        check("task", "x", ("asr", "gender"))
    caplog.set_level(logging.WARNING)
    warn(Counter({"no clip": 2}), "test.tsv")
    assert "test.tsv: 2 left out: no clip" in caplog.text
