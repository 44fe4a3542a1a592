"""`mmbench fetch-images` and `mmbench score --format csv` as a person types them."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from typing import TYPE_CHECKING

import pytest

from loaders.fixtures._pictures import drawing
from mmbench.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PICTURE = drawing("a page's picture")


class _Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        there = self.path == "/picture.png"
        self.send_response(200 if there else 404)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        if there:
            self.wfile.write(PICTURE)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


def corpus(folder: Path, url: str) -> Path:
    """A corpus of one mOSCAR document with two pictures, one of which is nowhere."""
    images = [
        {"img_idx": "#000001", "sha512": hashlib.sha512(PICTURE).hexdigest(), "url": f"{url}/picture.png"},
        {"img_idx": "#000002", "sha512": "0" * 128, "url": f"{url}/gone.png"},
    ]
    row = {
        "images": images,
        "text": [{"text_idx": "#000000", "text": "A page."}, {"text_idx": "#000003", "text": "Its end."}],
        "metadata": [{"node_order": "txt_#000000|img_#000001|img_#000002|txt_#000003", "url": url}],
    }
    (folder / "eng_Latn").mkdir(parents=True)
    (folder / "eng_Latn" / "part.jsonl").write_text(json.dumps(row) + "\n")
    return folder


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return int(stopped.value.code or 0)


def test_it_counts_first_fetches_when_told_and_goes_on(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["fetch-images", "moscar", f"location={corpus(tmp_path / 'data', server)}", "--delay", "0", "--private"]
    assert run(*asked) == 0
    said = capsys.readouterr().out
    assert "2 images wanted, 0 here before, 2 to fetch" in said
    assert "nothing is fetched yet: --yes fetches it" in said
    assert not list(tmp_path.rglob("sha512")), "counting writes nothing"
    assert run(*asked, "--yes") == 1, "one of them is gone"
    assert "1 fetched, 1 failed (HTTP 404: 1)" in capsys.readouterr().out
    stored = [path for path in tmp_path.rglob("sha512/*/*") if path.is_file()]
    assert [path.read_bytes() for path in stored] == [PICTURE]
    assert run(*asked, "--yes") == 0, "nothing new failed"
    said = capsys.readouterr().out
    assert "1 here before, 0 to fetch" in said
    assert "1 failed before (HTTP 404: 1): --retry asks again" in said


def test_addresses_of_this_machine_are_refused_unless_allowed(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["fetch-images", "moscar", f"location={corpus(tmp_path / 'data', server)}", "--delay", "0", "--yes"]
    assert run(*asked) == 1
    assert "0 fetched, 2 failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fleurs",), "loader fleurs names no images by URL"),
        (("moscar", "at_most"), "at_most: a setting of the loader is written KEY=VALUE"),
        (("moskar",), "loader 'moskar' is not known; did you mean moscar"),
        (("moscar", "location=/nowhere"), "location=/nowhere: there is no such folder"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fetch-images", *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_right_answers_as_a_wide_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"sample_id": str(n), "language": "eng_Latn", "prediction": said, "choices": ["yes", "no"], "answer": 0}
        | {"group": {"type": kind}, "system": "m"}
        for n, (kind, said) in enumerate((("logic", "yes"), ("logic", "no"), ("space", "yes")))
    ]
    file = tmp_path / "made.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("score", str(file), "--scorer", "accuracy", "--by", "type", "--format", "csv") == 0
    assert capsys.readouterr().out == "system,logic,space,total,n,language\nm,1,1,2,3,eng_Latn\n"
    headed = ["--columns", "space=Space", "logic=Logic = 1"]
    assert run("score", str(file), "--scorer", "accuracy", "--by", "type", "--format", "csv", *headed) == 0
    assert capsys.readouterr().out == "system,Space,Logic = 1,total,n,language\nm,1,1,2,3,eng_Latn\n"
    assert run("score", str(file), "--scorer", "accuracy", "--by", "type", "--format", "csv", "--columns", "x") == 2
    assert "write VALUE=HEADING" in capsys.readouterr().err
    assert run("score", str(file), "--scorer", "accuracy", "--format", "csv") == 2
    assert "give --by FIELD" in capsys.readouterr().err
