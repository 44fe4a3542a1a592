"""Manifests as files: lines, cards, filters, ids, paths, JSONL against Parquet, and memory on many rows."""

from __future__ import annotations

import hashlib
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import manifest as module
from loaders import manifest_rows
from loaders.manifest import Manifest
from mmbench.errors import UsageError
from mmbench.schema import Audio, Image, Text
from tests.loaders.manifest_files import BASE, LISTENING, jsonl, one, parquet, refused


def test_root(tmp_path: Path) -> None:
    root = tmp_path / "media"
    assert one(tmp_path, LISTENING, root=str(root)).parts == (Audio(str(root / "a.wav")),)
    for path in ("/else/where.wav", str(tmp_path / "a.wav")):
        assert one(tmp_path, {**LISTENING, "audio": path}, root=str(root)).parts == (Audio(path),)


def test_languages_filter(tmp_path: Path) -> None:
    rows = [{**BASE, "id": index, "language": code} for index, code in enumerate(["sw", "fr", "swh_Latn", "hi"])]
    manifest = Manifest(path=str(jsonl(tmp_path, *rows)), languages=["Swahili", "hin_Deva"])
    assert [sample.id for sample in manifest] == ["0", "2", "3"]
    assert manifest.count == 3
    assert manifest.card.languages == ("hin_Deva", "swh_Latn")
    with pytest.raises(UsageError, match="no row in tha_Thai"):
        Manifest(path=str(tmp_path / "data.jsonl"), languages=["th"]).validate()
    with pytest.raises(UsageError, match="unknown language"):
        Manifest(path="a.jsonl", languages=["qqqq"])


def test_card(tmp_path: Path) -> None:
    path = jsonl(tmp_path, BASE, {**BASE, "id": "b", "language": "hi"}, name="my.v1.jsonl")
    card = Manifest(path=str(path), licence="CC0", source="us", citation="@us").card
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (card.name, card.revision, card.content) == ("my.v1", f"sha256:{content[:12]}", content)
    assert (card.licence, card.source, card.citation) == ("CC0", "us", "@us")
    assert card.languages == ("hin_Deva", "swh_Latn")
    assert Manifest(path=str(path), name="mine").card.name == "mine"


def test_file_is_read_once_for_card_count_and_validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = Manifest(path=str(jsonl(tmp_path, BASE)))
    manifest.validate()
    monkeypatch.setattr(Manifest, "_rows", None)
    manifest.validate()
    assert (manifest.count, manifest.card.languages) == (1, ("swh_Latn",))


def test_lines(tmp_path: Path) -> None:
    text = json.dumps({**BASE, "text": "a\u2028b\x85c"}, ensure_ascii=False)
    path = jsonl(tmp_path, b"\xef\xbb\xbf" + text.encode() + b"\r", "", " \t", json.dumps({**BASE, "id": "b"}))
    samples = list(Manifest(path=str(path)))
    assert [sample.id for sample in samples] == ["a", "b"]
    assert samples[0].parts == (Text("a\u2028b\x85c"),)
    path.write_bytes(path.read_bytes().rstrip())
    assert list(Manifest(path=str(path))) == samples


def test_gzip(tmp_path: Path) -> None:
    path = jsonl(tmp_path, BASE, {**BASE, "id": "b"}, name="data.jsonl.gz")
    manifest = Manifest(path=str(path))
    assert [sample.id for sample in manifest] == ["a", "b"]
    assert manifest.card.name == "data"
    path.write_bytes(path.read_bytes()[:-9])
    refused(path, "cannot be read", "whole")
    path.write_bytes(b"not gzip")
    refused(path, "cannot be read after row 0", "zipped")


def test_examples_of_the_documentation(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "manifest.md").read_text(encoding="utf-8")
    examples = re.findall(r"```json\n(.*?)\n```", text, re.DOTALL)
    assert Manifest(path=str(jsonl(tmp_path, *examples))).count == 6
    documented = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))))
    assert documented >= set(manifest_rows.FIELDS)


# Mistakes of a file


def test_no_file(tmp_path: Path) -> None:
    for name in ("no.jsonl", "no.jsonl.gz", "no.parquet"):
        refused(tmp_path / name, "No such file")
    (tmp_path / "folder.jsonl").mkdir()
    refused(tmp_path / "folder.jsonl", "Is a directory")


@pytest.mark.parametrize("name", ["data.csv", "data.json", "data", "data.parquet.gz"])
def test_unknown_kind(name: str) -> None:
    with pytest.raises(UsageError, match=r"no known kind; give a \.jsonl"):
        Manifest(path=name)


def test_no_rows(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    refused(tmp_path / "empty.jsonl", "has no rows")
    refused(jsonl(tmp_path, "", " "), "has no rows", line=None)
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), tmp_path / "empty.parquet")
    refused(tmp_path / "empty.parquet", "has no rows")


def test_damaged_parquet(tmp_path: Path) -> None:
    path = parquet(tmp_path, *[{**BASE, "id": str(index), "text": f"{index}" * 50} for index in range(500)])
    whole = path.read_bytes()
    for broken in (b"", b"PAR1", whole[:-50], whole[:400] + bytes(600) + whole[1000:]):
        path.write_bytes(broken)
        refused(path, "cannot be read after row 0")


def test_duplicate_ids(tmp_path: Path) -> None:
    rows = [{**BASE, "id": name} for name in ("x", 5, "y", "5", "y")]
    refused(jsonl(tmp_path, *rows), "field 'id': '5' is also in row 2; make ids unique", line=4)
    refused(parquet(tmp_path, BASE, BASE), "field 'id': 'a' is also in row 1", line=2)
    rows = [{**BASE, "language": "fr"}, BASE]
    refused(jsonl(tmp_path, *rows), "is also in row 1", line=2, languages=["sw"])


def test_equal_hashes_are_no_duplicates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "hash", lambda _: 1, raising=False)
    path = jsonl(tmp_path, *[{**BASE, "id": name} for name in "abc"])
    assert [sample.id for sample in Manifest(path=str(path))] == ["a", "b", "c"]
    refused(jsonl(tmp_path, *[{**BASE, "id": name} for name in "aba"]), "'a' is also in row 1", line=3)


# Parquet


def test_media_in_parquet(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "language": "sw", "audio": {"bytes": b"one", "path": "x.wav"}, "image": b"two"},
        {"id": 2, "language": "sw", "audio": {"bytes": None, "path": "x.wav"}, "image": None},
        {"id": 3, "language": "sw", "audio": {"bytes": b"", "path": None}, "image": b""},
    ]
    assert [sample.parts for sample in Manifest(path=str(parquet(tmp_path, *rows)))] == [
        (Audio(b"one"), Image(b"two")),
        (Audio(str(tmp_path / "x.wav")),),
        (Audio(b""), Image(b"")),
    ]
    parts = [{"text": "look", "image": None}, {"text": None, "image": {"bytes": b"png", "path": None}}]
    (sample,) = Manifest(path=str(parquet(tmp_path, {"id": 1, "language": "sw", "parts": parts})))
    assert sample.parts == (Text("look"), Image(b"png"))


def test_wrong_media_in_parquet(tmp_path: Path) -> None:
    good = {"id": 1, "language": "sw", "audio": {"bytes": b"x", "path": None}}
    bad: dict[str, Any] = {"id": 2, "language": "sw", "audio": {"bytes": None, "path": None}}
    refused(parquet(tmp_path, good, bad), "field 'audio': is missing", line=2)
    bad["audio"] = {"bytes": None, "path": "../x"}
    refused(parquet(tmp_path, good, bad), "leaves the root", line=2)
    refused(parquet(tmp_path, {**LISTENING, "audio": {"array": [0.5], "path": "x"}}), "not a string", line=1)


def test_parquet_skips_underscores_and_names_the_unknown(tmp_path: Path) -> None:
    (sample,) = Manifest(path=str(parquet(tmp_path, {**BASE, "_index": 1})))
    assert sample.id == "a"
    refused(parquet(tmp_path, {**BASE, "transcripts": "x"}), "did you mean 'transcript'?", line=1)
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"]), pa.array(["sw"])], ["id", "id", "language"])
    pq.write_table(table, tmp_path / "twice.parquet")
    refused(tmp_path / "twice.parquet", "cannot be read", "two columns have one name")


plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
files = st.from_regex(re.compile(r"[a-z]{1,6}\.(wav|png)", re.ASCII), fullmatch=True)
times = st.floats(0, 1e6)
sound = st.fixed_dictionaries({"audio": files, "start": times, "transcript": st.none() | plain})
rows = st.fixed_dictionaries(
    {"language": st.sampled_from(["sw", "fra_Latn", "cmn_hans_cn"])},
    optional={
        "source_language": st.sampled_from(["en", "hi"]),
        "references": st.lists(plain, max_size=3),
        "choices": st.just(["w", "x", "y"]),
        "answer": st.none(),
        "group": st.fixed_dictionaries({"topic": st.none() | plain, "number": st.none() | st.integers(0, 99)}),
    },
)
prompts = st.one_of(
    sound,
    st.fixed_dictionaries({"image": st.lists(files, min_size=1, max_size=3), "text": plain}),
    st.fixed_dictionaries(
        {
            "parts": st.lists(
                sound | st.fixed_dictionaries({"image": files}) | st.fixed_dictionaries({"text": plain}), min_size=1
            )
        }
    ),
)


@given(st.lists(st.tuples(rows, prompts), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_parquet_and_jsonl_give_equal_samples(tmp_path_factory: pytest.TempPathFactory, drawn: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("both")
    found = [{"id": index, **row, **prompt} for index, (row, prompt) in enumerate(drawn)]
    keys = {key for row in found for key in row}
    samples = list(Manifest(path=str(jsonl(folder, *found))))
    # Parquet has every column in every row, and every field of a struct in every struct.
    assert samples == list(Manifest(path=str(parquet(folder, *[dict.fromkeys(keys) | row for row in found]))))
    assert len(samples) == len(found)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    for name in ("a.jsonl", "a.jsonl.gz", "a.parquet"):
        path = tmp_path_factory.mktemp("any") / name
        path.write_bytes(content)
        with pytest.raises(UsageError):
            Manifest(path=str(path)).validate()


@pytest.mark.parametrize(("kind", "count"), [("jsonl", 100_000), ("parquet", 20_000)])
def test_memory_is_that_of_the_ids(tmp_path: Path, kind: str, count: int) -> None:
    path = tmp_path / f"many.{kind}"
    if kind == "jsonl":
        with path.open("w") as file:
            file.writelines(json.dumps({**BASE, "id": f"s{index}", "text": "x" * 300}) + "\n" for index in range(count))
    else:
        pq.write_table(pa.table({"id": range(count), "language": ["sw"] * count, "text": ["x" * 300] * count}), path)
    manifest = Manifest(path=str(path))
    next(iter(manifest))  # the tables of languages and pyarrow are loaded before memory is measured
    tracemalloc.start()
    try:
        assert sum(1 for _ in manifest) == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 2**20 + 100 * count  # a row of the file has more than 300 bytes, a sample more than 1,000
