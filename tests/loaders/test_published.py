from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from loaders.published import Published, need, recording, stem
from mmbench.errors import UsageError
from tests.loaders.fake_hub import FakeHub

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = "a" * 40, "b" * 40
PARQUET = "data/en/test-00000-of-00002.parquet"


def parquet(start: int, *, rows: int = 3) -> bytes:
    """A file with a ClassLabel and audio that is no audio, so that decoding it would fail."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import Audio, ClassLabel, Features, List, Value

    features = Features(
        {"n": Value("int64"), "kind": ClassLabel(names=["x", "y"]), "audio": Audio(), "takes": List(Audio())}
    )
    audio = {"bytes": b"no audio", "path": "a.wav"}
    table = [{"n": start + n, "kind": n % 2, "audio": audio, "takes": [audio, audio]} for n in range(rows)]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(table, schema=features.arrow_schema), buffer, row_group_size=1)
    return buffer.getvalue()


def tar(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, data in files.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def files() -> dict[str, bytes]:
    return {
        "data/en/test.tsv": b'id\ttext\n1\ta "quoted" word\n\n2\tnan\n',
        "data/fr/test.tsv": "\ufeffid\ttext\n1\tété\n".encode(),
        "data/en/audio/test.tar.gz": tar(test__a=b"sound"),
        PARQUET: parquet(0),
        PARQUET.replace("00000-of", "00001-of"): parquet(3),
    }


@pytest.fixture
def folder(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))
    for name, data in files.items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(data)
    return tmp_path / "set"


def test_names_of_files(folder: Path) -> None:
    published = Published(location=str(folder))
    assert published.glob("data/*/test.tsv") == ("data/en/test.tsv", "data/fr/test.tsv")
    assert published.glob("none/*", "data/fr/*", "data/*/*") == ("data/fr/test.tsv",), "the first pattern that matches"
    assert published.glob("*.wav") == ()
    with pytest.raises(UsageError, match=r"no \*\.wav or x/\* in it; the dataset's published files are needed"):
        published.find("*.wav", "x/*")
    with pytest.raises(UsageError, match=r"gone\.tsv: there is no such file"):
        published.path("gone.tsv")


@pytest.mark.parametrize("location", ["./not_here", "/not/here", "~/not_here_at_all", "word", "a/b/c"])
def test_a_folder_that_is_not_there_is_not_asked_of_the_hub(location: str) -> None:
    with pytest.raises(UsageError, match="there is no such folder; give one, or an id on the hub"):
        Published(location=location).glob("*")


def test_tables(folder: Path) -> None:
    published = Published(location=str(folder))
    assert list(published.table("data/en/test.tsv")) == [
        {"id": "1", "text": 'a "quoted" word'},
        {"id": "2", "text": "nan"},
    ], "quotes are text, empty lines are none, nan is a word"
    assert list(published.table("data/fr/test.tsv")) == [{"id": "1", "text": "été"}], "without the byte order mark"
    assert next(iter(published.table("data/fr/test.tsv", columns=("a", "b")))) == {"a": "id", "b": "text"}
    (folder / "x.tsv").write_text('id\ttext\n1\t"a\tb"\n', encoding="utf-8")
    assert list(published.table("x.tsv", quoted=True)) == [{"id": "1", "text": "a\tb"}]
    with pytest.raises(UsageError, match=r"x\.tsv:2: 3 fields where 2 are expected"):
        list(published.table("x.tsv"))
    (folder / "y.csv.gz").write_bytes(gzip.compress(b'a,b\n"1,5",2\n'))
    assert list(published.table("y.csv.gz")) == [{"a": "1,5", "b": "2"}]
    (folder / "z.tsv").write_bytes(b"a\tb\n\xff\t1\n")
    with pytest.raises(UsageError, match=r"z\.tsv: cannot be read"):
        list(published.table("z.tsv"))


def test_json(folder: Path) -> None:
    published = Published(location=str(folder))
    (folder / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    (folder / "b.json").write_text('[{"a": 1}]', encoding="utf-8")
    assert [row["a"] for row in published.lines("a.jsonl")] == [1, 2]
    assert list(published.lines("b.json")) == [{"a": 1}]
    for text, message in (('{"a": 1}\n[2]', r"a\.jsonl:2: not a JSON object"), ("{", r"a\.jsonl:1: not JSON")):
        (folder / "a.jsonl").write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=message):
            list(published.lines("a.jsonl"))


def test_parquet_is_not_decoded(folder: Path) -> None:
    published = Published(location=str(folder))
    names = published.find("data/*/test-*.parquet")
    rows = list(published.parquet(names))
    assert [row["n"] for row in rows] == [0, 1, 2, 3, 4, 5], "file after file"
    assert rows[0]["audio"] == {"bytes": b"no audio", "path": "a.wav"} and len(rows[0]["takes"]) == 2
    assert recording(rows[0]["takes"][1], "row 0") == b"no audio" and rows[1]["kind"] == 1
    assert published.labels(names, "kind") == ("x", "y") and published.labels(names, "n") == ()
    (folder / PARQUET).write_bytes((folder / PARQUET).read_bytes()[:50])
    with pytest.raises(UsageError, match=f"{PARQUET}: cannot be read"):
        list(published.parquet(names))


def test_archives(folder: Path) -> None:
    name = "data/en/audio/test.tar.gz"
    found = Published(location=str(folder)).unpacked(name)
    assert (found / "test" / "a").read_bytes() == b"sound" and found == Published(location=str(folder)).unpacked(name)
    beside = folder / "data/en/audio/test"
    beside.mkdir()
    assert Published(location=str(folder)).unpacked(name) == beside, "a folder beside it of its name"


def test_content_changes_with_the_files_and_not_with_the_place(folder: Path, tmp_path: Path) -> None:
    names = ("data/en/test.tsv", PARQUET)
    published = Published(location=str(folder))
    before = published.content(names)
    assert published.described == "local folder" and published.commit == ""
    folder.rename(tmp_path / "moved")
    moved = Published(location=str(tmp_path / "moved"))
    assert moved.content(names) == before != moved.content(names[:1])
    (tmp_path / "moved" / PARQUET).write_bytes(parquet(1))
    assert moved.content(names) != before


def test_fields() -> None:
    assert need({"a": 0}, "a", "row 1") == 0
    with pytest.raises(UsageError, match="row 1: has no b; it has a"):
        need({"a": 1}, "b", "row 1")
    for value in (None, {"bytes": None, "path": "x"}, {"bytes": b""}, "x"):
        with pytest.raises(UsageError, match="row 1: has no audio"):
            recording(value, "row 1")
    assert stem("a/b/c.d.wav") == "c.d"


SCRIPT = """
import json
from loaders.published import Published
from mmbench.errors import UsageError

def error(call):
    try:
        return repr(call())
    except UsageError as error:
        return str(error)

new, old = Published(location="org/speech"), Published(location="org/speech", revision="v1")
names = new.find("data/*/test-*.parquet")
print(json.dumps({
    "commits": [new.commit, old.commit],
    "described": old.described,
    "names": [new.glob("data/*/test.tsv"), old.glob("data/*/test.tsv"), new.glob("no/*")],
    "texts": [[row["text"] for row in each.table("data/en/test.tsv")] for each in (new, old)],
    "rows": [row["n"] for row in new.parquet(names)],
    "labels": new.labels(names, "kind"),
    "unpacked": (new.unpacked("data/en/audio/test.tar.gz") / "test" / "a").read_text(),
    "contents": [new.content(names), old.content(names)],
    "errors": [
        error(lambda: Published(location="org/speech", revision="v9").commit),
        error(lambda: Published(location="org/other").glob("*")),
        error(lambda: new.path("gone.tsv")),
    ],
}))
"""


def run(endpoint: str, home: Path, code: str = SCRIPT) -> Any:
    """What the code prints, as a process that knows the hub at the endpoint and keeps its files in a folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "MMBENCH_"))}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(home / "hub"), "MMBENCH_CACHE": str(home / "cache")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_hub(files: dict[str, bytes], tmp_path: Path) -> None:
    older = {"data/en/test.tsv": b"id\ttext\n1\tolder\n", "README.md": b"#"}
    with FakeHub("org/speech", {OLD: older, NEW: files}, {"main": NEW, "v1": OLD}) as hub:
        found = run(hub.endpoint, tmp_path)
        first, ranges = sorted(hub.downloads()), hub.ranges(Path(PARQUET).name)
        hub.asked.clear()
        again = run(hub.endpoint, tmp_path)
        second = hub.downloads()
        revisions = {path.split("/resolve/")[1][:40] for _, path, _ in hub.asked if "/resolve/" in path}
        endpoint = hub.endpoint
    assert found["commits"] == [NEW, OLD] and found["described"] == f"org/speech@{OLD}"
    assert found["names"] == [["data/en/test.tsv", "data/fr/test.tsv"], ["data/en/test.tsv"], []]
    assert found["texts"] == [['a "quoted" word', "nan"], ["older"]], "the revision that is pinned"
    assert found["rows"] == [0, 1, 2, 3, 4, 5] and found["labels"] == ["x", "y"] and found["unpacked"] == "sound"
    assert len(set(found["contents"])) == 2, "the commit is the identity"
    missing, other, gone = found["errors"]
    assert "org/speech: neither a folder nor to be had from the hub (RevisionNotFoundError" in missing
    assert "org/other: neither a folder nor to be had from the hub (" in other
    assert gone.startswith("gone.tsv: location=org/speech: neither") and "\n" not in "".join(found["errors"])
    assert first == ["test.tar.gz", "test.tsv", "test.tsv"], "each file once, no Parquet file as a whole"
    assert ranges, "which is read by ranges"
    assert again == found and second == [], "nothing is downloaded a second time"
    assert revisions <= {OLD, NEW}, "files are asked for by commit, so that a branch that moves changes nothing"
    code = SCRIPT.split("new, old")[0] + 'print(json.dumps(error(lambda: Published(location="org/speech").glob("*"))))'
    closed = run(endpoint, tmp_path, code)
    assert closed.startswith("location=org/speech: neither a folder nor to be had from the hub (ConnectError")
    assert closed.endswith("; give a folder with the published files") and "\n" not in closed


def test_a_process_that_stops_reading_ends(tmp_path: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    noise = np.random.default_rng(0)
    table = pa.Table.from_pylist([{"n": n, "audio": noise.bytes(1 << 22)} for n in range(16)])
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=2, compression="none")
    begin = "it = iter(p.parquet(p.find('data/*/*.parquet'))); print(json.dumps(next(it)['n']))"
    (tmp_path / PARQUET).parent.mkdir(parents=True)
    (tmp_path / PARQUET).write_bytes(buffer.getvalue())
    with FakeHub("org/speech", {NEW: {PARQUET: buffer.getvalue()}}, {"main": NEW}) as hub:
        for location in ("org/speech", str(tmp_path)):
            code = (
                f"import json\nfrom loaders.published import Published\np = Published(location={location!r})\n{begin}"
            )
            assert run(hub.endpoint, tmp_path, code) == 0
        read = sum(last - first for first, last in hub.ranges(Path(PARQUET).name))
    assert read < 24 << 20, "of 64 MiB"
