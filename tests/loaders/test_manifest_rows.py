"""Rows of a manifest: every field, and every mistake with its message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import manifest_rows
from loaders.manifest import Manifest
from mmbench.errors import UsageError
from mmbench.schema import Audio, Image, Sample, Text, Video
from tests.loaders.manifest_files import BASE, LISTENING, Row, jsonl, one, refused

if TYPE_CHECKING:
    from pathlib import Path

# Fields


def test_smallest_row(tmp_path: Path) -> None:
    assert one(tmp_path, BASE) == Sample(id="a", language="swh_Latn", parts=(Text("habari"),))


def test_every_field(tmp_path: Path) -> None:
    row = {
        "id": 7,
        "language": "sw",
        "source_language": "English",
        "target_language": "fr",
        "audio": "clips/a.wav",
        "start": 1,
        "end": 2.5,
        "transcript": "moja",
        "image": ["b.png", "c.png"],
        "text": "nini?",
        "references": ["un", "deux"],
        "choices": ["x", "y"],
        "answer": 1,
        "group": {"speaker": 3, "topic": "news", "none": None, "old": True, "score": 0.5},
        "_note": {"anything": ["goes"]},
    }
    assert one(tmp_path, row) == Sample(
        id="7",
        language="swh_Latn",
        source_language="eng_Latn",
        target_language="fra_Latn",
        parts=(
            Audio(str(tmp_path / "clips/a.wav"), start=1.0, end=2.5, transcript="moja"),
            Image(str(tmp_path / "b.png")),
            Image(str(tmp_path / "c.png")),
            Text("nini?"),
        ),
        references=("un", "deux"),
        choices=("x", "y"),
        answer=1,
        group={"speaker": "3", "topic": "news", "old": "True", "score": "0.5"},
    )


def test_parts_keep_their_order(tmp_path: Path) -> None:
    parts = [
        {"text": "first"},
        {"image": "p.png", "transcript": "page"},
        {"audio": "a.wav", "start": 0, "end": None},
        {"video": "v.mp4", "start": 2, "end": 3, "transcript": "said"},
        {"text": ""},
    ]
    assert one(tmp_path, {"id": "a", "language": "sw", "parts": parts}).parts == (
        Text("first"),
        Image(str(tmp_path / "p.png"), transcript="page"),
        Audio(str(tmp_path / "a.wav")),
        Video(str(tmp_path / "v.mp4"), start=2.0, end=3.0, transcript="said"),
        Text(""),
    )


def test_null_is_absent(tmp_path: Path) -> None:
    row = {**BASE, **dict.fromkeys(("parts", "audio", "start", "image", "reference", "choices", "answer", "group"))}
    assert one(tmp_path, row) == one(tmp_path, BASE)


def test_one_image_and_one_reference(tmp_path: Path) -> None:
    sample = one(tmp_path, {"id": "a", "language": "sw", "image": "i.png", "reference": ""})
    assert sample.parts == (Image(str(tmp_path / "i.png")),)
    assert sample.references == ("",)


@pytest.mark.parametrize(
    ("answer", "index"), [(0, 0), (2, 2), (1.0, 1), ("A", 0), ("C", 2), ("the king", 1), ("nobody", 2)]
)
def test_answers(tmp_path: Path, answer: object, index: int) -> None:
    assert one(tmp_path, {**BASE, "choices": ["the boy", "the king", "nobody"], "answer": answer}).answer == index


def test_letter_that_is_its_own_text(tmp_path: Path) -> None:
    assert one(tmp_path, {**BASE, "choices": ["A", "B"], "answer": "B"}).answer == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "b"', ("is not JSON (Expecting ',' delimiter at character 12)",)),
        ("nonsense", ("is not JSON",)),
        ("[" * 100_000, ("is not JSON", "recursion")),
        ('{"id": ' + "9" * 5000 + "}", ("is not JSON", "digits")),
        ("[1, 2]", ("is a list, not an object",)),
        ('"text"', ("is a str, not an object",)),
        ("null", ("is a NoneType, not an object",)),
        ('{"id": 1, "language": "sw", "id": 2}', ("field 'id': stands twice",)),
        (b'{"id": "\xff"}', ("is not UTF-8 (invalid start byte at byte 8)",)),
        ('{"id": "b"}'.encode("utf-16"), ("is not UTF-8",)),
    ],
)
def test_lines_that_are_no_objects(tmp_path: Path, line: str | bytes, words: tuple[str, ...]) -> None:
    refused(jsonl(tmp_path, BASE, "", line), *words, line=3)


def test_huge_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert manifest_rows.MAX_LINE == 16 * 2**20
    monkeypatch.setattr(manifest_rows, "MAX_LINE", 1000)
    fits = json.dumps(BASE | {"text": ""})
    fits = json.dumps(BASE | {"text": "x" * (999 - len(fits))})
    jsonl(tmp_path, fits)
    Manifest(path=str(tmp_path / "data.jsonl")).validate()
    refused(jsonl(tmp_path, BASE, json.dumps(BASE | {"text": "x" * 2000})), "longer than 1000 bytes", line=2)


# Mistakes of a row


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "field 'id': is missing"),
        ({"id": ""}, "field 'id': is empty"),
        ({"id": True}, "field 'id': is True, not a string"),
        ({"id": 1.5}, "field 'id': is 1.5, not a string"),
        ({"language": None}, "field 'language': is missing"),
        ({"language": 3}, "field 'language': is 3, not a string"),
        ({"language": "swahilli"}, "field 'language': unknown language 'swahilli'"),
        ({"source_language": "xx-nope"}, "field 'source_language': unknown language"),
        ({"target_language": ""}, "field 'target_language': unknown language ''"),
        ({"text": None}, "field 'parts': there is no audio, image or text"),
        ({"text": 3}, "field 'text': is 3, not a string"),
        ({"text": "\ud800"}, "field 'text': has half a character"),
        ({"refrence": "x"}, "field 'refrence': is not known; did you mean 'reference'?"),
        ({"Audio": "x"}, "field 'Audio': is not known; did you mean 'audio'?"),
        ({"refrence": None}, "did you mean 'reference'?"),
        ({"wholly_else": 1}, "field 'wholly_else': is not known; known are id, language"),
        ({"new\nline": 1}, "field 'new\\nline': is not known"),
        ({"start": 1}, "field 'start': there is no audio"),
        ({"transcript": "x"}, "field 'transcript': there is no audio"),
        ({"parts": [{"text": "x"}]}, "field 'text': stands beside parts"),
        ({"parts": [], "text": None}, "field 'parts': there is no audio, image or text either, or it is empty"),
        ({"parts": "x", "text": None}, "field 'parts': is 'x', not a list"),
        ({"image": []}, None),
        ({"image": [3]}, "field 'image': is 3, not a string"),
        ({"image": {"bytes": "aGk="}}, "field 'image': is {'bytes': 'aGk='}, not a string"),
        ({"reference": ["x"]}, "field 'reference': is ['x'], not a string"),
        ({"references": "x"}, "field 'references': is 'x', not a list"),
        ({"references": ["x", None]}, "field 'references[1]': is missing"),
        ({"reference": "x", "references": ["x"]}, "field 'reference': stands beside references"),
        ({"choices": "AB"}, "field 'choices': is 'AB', not a list"),
        ({"choices": ["A", 2]}, "field 'choices[1]': is 2, not a string"),
        ({"group": "x"}, "field 'group': is 'x', not an object"),
        ({"group": {"a": [1]}}, "field 'group.a': is [1], not a string"),
    ],
)
def test_fields_that_are_wrong(tmp_path: Path, change: Row, words: str | None) -> None:
    path = jsonl(tmp_path, {**BASE, "id": "first"}, {**BASE, **change})
    if words is None:
        Manifest(path=str(path)).validate()
    else:
        refused(path, words, line=2)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("x", "field 'parts[1]': has none of text, audio, image, video"),
        ({}, "field 'parts[1]': has none"),
        ({"sound": "x"}, "field 'parts[1]': has none"),
        ({"text": "x", "image": "y"}, "field 'parts[1]': has text and image of text"),
        ({"text": 1}, "field 'parts[1].text': is 1, not a string"),
        ({"text": "x", "transcript": "y"}, "field 'parts[1].transcript': is not known"),
        ({"image": "x", "start": 1}, "field 'parts[1].start': is not known"),
        ({"audio": "x", "strat": 1}, "field 'parts[1].strat': is not known; did you mean 'start'?"),
        ({"audio": "x", "_note": 1}, "field 'parts[1]._note': is not known"),
        ({"audio": "x", "transcript": 1}, "field 'parts[1].transcript': is 1, not a string"),
        ({"video": "x", "end": -1}, "field 'parts[1].end': is -1, no time"),
        ({"video": ""}, "field 'parts[1].video': is no path"),
    ],
)
def test_parts_that_are_wrong(tmp_path: Path, part: object, words: str) -> None:
    row = {"id": "a", "language": "sw", "parts": [{"text": "x"}, part]}
    refused(jsonl(tmp_path, row), words, line=1)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ('"start": NaN', "field 'start': is nan, no time; give a finite number"),
        ('"start": Infinity', "field 'start': is inf"),
        ('"end": -Infinity', "field 'end': is -inf"),
        ('"end": 1e999', "field 'end': is inf"),
        ('"start": -0.5', "field 'start': is -0.5"),
        ('"start": "1"', "field 'start': is '1'"),
        ('"start": true', "field 'start': is True"),
        (f'"start": 1{"0" * 400}', "field 'start'"),
        ('"start": 2, "end": 1', "field 'end': 1.0 is not after start, 2.0"),
        ('"end": 0', "field 'end': 0.0 is not after start, 0.0"),
    ],
)
def test_times_that_are_wrong(tmp_path: Path, times: str, words: str) -> None:
    refused(jsonl(tmp_path, f'{{"id": "a", "language": "sw", "audio": "a.wav", {times}}}'), words, line=1)


@pytest.mark.parametrize("answer", [3, -1, 0.5, True, "D", "a", "", "The king", [0], "10"])
def test_answers_that_are_wrong(tmp_path: Path, answer: object) -> None:
    row = {**BASE, "choices": ["the boy", "the king", "nobody"], "answer": answer}
    refused(jsonl(tmp_path, row), "field 'answer': is", "none of 3 choices; give the 0-based index", line=1)


def test_answers_that_are_not_clear(tmp_path: Path) -> None:
    refused(jsonl(tmp_path, {**BASE, "choices": ["B", "A"], "answer": "A"}), "names 2 of 2 choices", line=1)
    refused(jsonl(tmp_path, {**BASE, "choices": ["x", "x"], "answer": "x"}), "names 2 of 2 choices", line=1)
    refused(jsonl(tmp_path, {**BASE, "answer": "A"}), "none of 0 choices", line=1)


# Paths


@pytest.mark.parametrize("path", ["../x.wav", "a/../../x.wav", "..", "a/..//../b"])
def test_paths_that_leave_the_root(tmp_path: Path, path: str) -> None:
    (tmp_path / "in").mkdir()
    file = jsonl(tmp_path / "in", {**LISTENING, "audio": path})
    refused(file, f"field 'audio': {path!r} leaves the root folder", "allow_outside=true", line=1)
    (sample,) = Manifest(path=str(file), allow_outside=True)
    assert sample.parts == (Audio(str(tmp_path / "in" / path)),)


def test_paths_that_stay(tmp_path: Path) -> None:
    for path in ("a/../x.wav", "./x.wav", "..x/a.wav", "a b/ü.wav", "x" * 5000):
        assert one(tmp_path, {**LISTENING, "audio": path}).parts == (Audio(str(tmp_path / path)),)


def test_symbolic_links(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    (root / "file.wav").symlink_to(tmp_path / "far.wav")
    (root / "near").symlink_to(root)
    (root / "loop").symlink_to(root / "loop")
    for path in ("out/x.wav", "file.wav", "near/out/x.wav"):
        file = jsonl(root, {**LISTENING, "audio": path})
        refused(file, "leaves the root folder", line=1)
        Manifest(path=str(file), allow_outside=True).validate()
    for path in ("near/x.wav", "loop", "loop/x.wav"):
        assert one(root, {**LISTENING, "audio": path}).parts == (Audio(str(root / path)),)
    alias = tmp_path / "alias"
    alias.symlink_to(root)
    assert one(alias, LISTENING).parts == (Audio(str(alias / "a.wav")),)


@pytest.mark.parametrize("path", ["", "a\0b.wav"])
def test_paths_that_are_none(tmp_path: Path, path: str) -> None:
    refused(jsonl(tmp_path, {**LISTENING, "audio": path}), "field 'audio': is no path", line=1)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*manifest_rows.FIELDS, "_x", "y"]), anything), st.booleans())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_row_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, change: Row, whole: bool) -> None:
    path = jsonl(tmp_path_factory.mktemp("any"), {**BASE, **change} if whole else change)
    try:
        samples = list(Manifest(path=str(path)))
    except UsageError as error:
        assert str(error).startswith(f"{path}:1: ")
        assert "\n" not in str(error)
    else:
        assert len(samples) == 1
