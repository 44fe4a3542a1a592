"""Rows and archives become texts and images in the right order."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import interleaved as fixture
from loaders.interleaved.documents import Picture, domain, identity
from loaders.interleaved.formats import mmc4, moscar, obelics, parsed, rows
from loaders.interleaved.webdataset import documents
from loaders.published import Published
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

HASH = "ab" * 64


def test_moscar_goes_by_key() -> None:
    row = {
        "images": [
            {"img_idx": "#000009", "sha512": HASH, "url": "u9"}, {"img_idx": "#000002", "sha512": "", "url": "u2"},
        ],
        "text": [{"text_idx": "#000007", "text": "seven"}, {"text_idx": "#000000", "text": "zero"}],
        "metadata": [{"node_order": "img_#000002|txt_#000000|img_#000009|txt_#000007", "url": "https://a.example/"}],
    }  # fmt: skip
    nodes = [Picture(url="u2"), "zero", Picture(url="u9", sha512=HASH), "seven"]
    assert moscar(row, "x") == ("https://a.example/", nodes)
    columns = {name: {key: [each[key] for each in row[name]] for key in row[name][0]} for name in row}
    assert moscar(columns, "x") == ("https://a.example/", nodes), "lists of objects, or an object of lists"


def test_moscar_with_nodes_that_are_not_there() -> None:
    text = [{"text_idx": "#0", "text": "a"}, {"text_idx": "#9", "text": "no place"}]
    row: dict[str, Any] = {"images": None, "text": text, "metadata": [{"node_order": "img_#1|txt_#0", "url": None}]}
    assert moscar(row, "x") == ("", [Picture(), "a"]), "an image that is not listed is missing"
    for order, message in (
        ("txt_#0|txt_#5", "node_order names txt_#5, which the row does not have"),
        ("txt_#0|txt_#0", "names a node twice"),
    ):
        with pytest.raises(UsageError, match=message):
            moscar({**row, "metadata": [{"node_order": order}]}, "x")
    with pytest.raises(UsageError, match="has txt_#0 twice"):
        moscar({**row, "text": text[:1] * 2}, "x")
    with pytest.raises(UsageError, match="has no node_order"):
        moscar({**row, "metadata": [{"url": "u"}]}, "x")


def test_obelics() -> None:
    row = {"texts": [None, "a\n\nb", None], "images": ["u1", None, None], "general_metadata": '{"url": "https://b/"}'}
    assert obelics(row, "x") == ("https://b/", [Picture(url="u1"), "a\n\nb", Picture()])
    for wrong, message in (
        ({"texts": ["a"]}, "1 texts, but 3 images"),
        ({"texts": ["a", "b", None]}, "both at place 0"),
        ({"general_metadata": "[1]"}, "no JSON object"),
        ({"images": None}, "has no images"),
    ):
        with pytest.raises(UsageError, match=message):
            obelics({**row, **wrong}, "x")


def test_mmc4_puts_images_at_their_sentences() -> None:
    def image(name: str, index: int) -> dict[str, Any]:
        return {"image_name": name, "raw_url": f"/{name}", "matched_text_index": index, "matched_sim": 0.3}

    row = {
        "url": "https://c.example/page/", "text_list": ["one", "two", "three"],
        "image_info": [image("late.png", 2), image("b.png", 0), image("a.png", 0)],
    }  # fmt: skip
    late, b, a = (Picture(url=f"https://c.example/{n}.png", name=f"{n}.png") for n in ("late", "b", "a"))
    assert mmc4(row, "x") == (row["url"], [b, a, "one", "two", late, "three"])
    assert mmc4(row, "x", "after")[1] == ["one", b, a, "two", "three", late]
    with pytest.raises(UsageError, match=r"z.png belongs to sentence 3 of 3"):
        mmc4({**row, "image_info": [image("z.png", 3)]}, "x")


def test_rows_of_all_kinds_of_files(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"n": n}) + "\n" for n in range(3))
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    with zipfile.ZipFile(tmp_path / "a.jsonl.zip", "w") as archive:
        archive.writestr("docs_no_face_shard_0_v3.jsonl", lines)
    published = Published(location=str(tmp_path))
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zip"):
        assert list(rows(published, name)) == [(f"{name}:{n + 1}", {"n": n}) for n in range(3)]
    (tmp_path / "b.jsonl.zip").write_bytes(b"PK no zip")
    with pytest.raises(UsageError, match="download it again"):
        list(rows(published, "b.jsonl.zip"))


def archive(path: Path, members: dict[str, bytes], *, link: bool = False) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        if link:
            entry = tarfile.TarInfo("z.9.jpg")
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(entry)
    return path


def test_webdataset_by_number(tmp_path: Path) -> None:
    members = {
        "a/k.txt": b"first", "a/k.10.jpg": b"J10", "a/k.2.jpg": b"J2", "a/k.jpg": b"J0", "a/k.cls": b"7",
        "a/other.txt": b"alone", "noending": b"x",
    }  # fmt: skip
    found = list(documents(archive(tmp_path / "a.tar", members, link=True)))
    pictures = [Picture(name=name, data=data) for name, data in (("jpg", b"J0"), ("2.jpg", b"J2"), ("10.jpg", b"J10"))]
    assert found[0] == ("a/k", "", [pictures[0], "first", *pictures[1:]])
    assert found[1] == ("a/other", "", ["alone"])
    assert found[2:] == [], "a link is no image"


def test_webdataset_by_json(tmp_path: Path) -> None:
    about = {"url": "u", "texts": ["t", None, None, None], "images": [None, "1.JPG", "k.0.png", "gone.jpg"]}
    members = {"k.json": json.dumps(about).encode(), "k.0.png": b"P", "k.1.jpg": b"J", "k.txt": b"not listed"}
    ((key, url, nodes),) = documents(archive(tmp_path / "a.tar", members))
    assert (key, url) == ("k", "u")
    assert [node.data if isinstance(node, Picture) else node for node in nodes] == ["t", b"J", b"P", None]


def test_names_of_members_lead_nowhere(tmp_path: Path) -> None:
    found = list(documents(archive(tmp_path / "a.tar", {"../../out.txt": b"x", "/abs/out.jpg": b"y"})))
    assert [key for key, _, _ in found] == ["../../out", "/abs/out"]
    assert sorted(path.name for path in tmp_path.parent.glob("out.*")) == []


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"k.json": b"{"}, "not JSON"),
        ({"k.json": b"[]"}, "not a JSON object"),
        ({"k.txt": b"\xff\xfe\xff"}, "not UTF-8"),
        ({"k.TXT": b"a", "k.txt": b"b"}, "twice"),
        ({"k.json": b'{"texts": ["a"], "images": []}'}, "1 texts, but 0 images"),
    ],
)
def test_webdataset_that_is_wrong(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(documents(archive(tmp_path / "a.tar", members)))


def test_a_torn_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", {f"{n}.jpg": bytes(5000) for n in range(4)})
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(UsageError, match="damaged"):
        list(documents(path))


def test_documents_are_known_by_what_they_are() -> None:
    one = identity("u", ["a", Picture(url="v")])
    assert one == identity("u", ["a", Picture(url="v")])
    assert len({one, identity("u", [Picture(url="v"), "a"]), identity("w", ["a", Picture(url="v")])}) == 3
    assert [domain(url) for url in ("https://www.a.example:80/x", "", "http://[")] == ["a.example", "", ""]


def test_the_fixture_is_in_no_easy_order() -> None:
    row = fixture.moscar_row("eng_Latn", 0, fixture.documents("eng_Latn")[0])
    assert row["text"][0]["text_idx"] > row["text"][-1]["text_idx"]
    assert "#000002" not in row["metadata"][0]["node_order"]


@pytest.mark.parametrize(
    ("layout", "row"),
    [
        ("moscar", {"text": [{"text": "a"}], "metadata": [{"node_order": "txt_0"}]}),
        ("moscar", {"text": ["a"], "metadata": [{"node_order": "txt_0"}]}),
        ("moscar", {"text": 5, "metadata": 5}),
        ("obelics", {"texts": 5, "images": []}),
        ("obelics", {"texts": [None], "images": [None], "general_metadata": "[" * 100_000}),
        ("mmc4", {"text_list": ["a"], "image_info": [{"matched_text_index": "x"}]}),
    ],
)
def test_a_row_that_is_not_as_published_is_named(layout: str, row: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"file:7: not a row of {layout}"):
        parsed(layout, row, "file:7", "before")


def test_a_page_of_mmc4_may_name_what_is_no_url() -> None:
    row = {"url": "http://a/", "text_list": ["t"], "image_info": [{"raw_url": "http://[", "matched_text_index": 0}]}
    assert mmc4(row, "x")[1] == [Picture(url="http://["), "t"]


def test_webdataset_members_of_a_document_that_stand_apart(tmp_path: Path) -> None:
    """Else one part of it would be a document, and the other one left out as a copy."""
    members = {"k.txt": b"text", "other.txt": b"x", "k.jpg": b"J"}
    with pytest.raises(UsageError, match="members of k stand apart"):
        list(documents(archive(tmp_path / "a.tar", members)))


def test_an_image_that_is_no_member_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    members = {"k.json": json.dumps({"texts": [None, "t"], "images": ["1.jpg", None]}).encode()}
    ((_, _, nodes),) = documents(archive(tmp_path / "a.tar", members))
    assert nodes == [Picture(), "t"]


def test_a_very_deep_json_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"k\.json: not JSON"):
        list(documents(archive(tmp_path / "a.tar", {"k.json": b"[" * 100_000})))
