"""From a corpus of URLs to questions: what the loader wants is fetched, and is what the loader then finds."""

from __future__ import annotations

import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import interleaved as fake
from loaders.interleaved import InterleavedDocuments
from mmbench.fetch import Settings, fetch_images
from mmbench.schema import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("eng_Latn-0-1", "eng_Latn-1-0", "eng_Latn-2-2")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "site"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.png").write_bytes(fake.image(name))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def corpus(home: Path, root: str) -> InterleavedDocuments:
    """Three documents of mOSCAR, each with one image."""
    (home / "eng_Latn").mkdir(parents=True, exist_ok=True)
    lines = []
    for number, name in enumerate(NAMES):
        row = fake.moscar_row("eng_Latn", number, [("i", name), ("t", f"Text of document {number}")])
        row["images"][0]["url"] = f"{root}/{name}.png"
        lines.append(json.dumps(row) + "\n")
    (home / "eng_Latn" / "00000.jsonl").write_text("".join(lines), encoding="utf-8")
    return InterleavedDocuments(location=str(home), images=str(home / "store"))


def test_what_is_wanted_is_fetched_and_found(site: tuple[str, Path], tmp_path: Path) -> None:
    (root, folder), home = site, tmp_path / "corpus"
    loader = corpus(home, root)
    (folder / f"{NAMES[1]}.png").write_bytes(b"another image by now")
    (folder / f"{NAMES[2]}.png").unlink()
    polite = Settings(private=True, delay=0.0)
    counts = fetch_images(loader.wanted_images(), home / "store", polite, yes=True)
    assert (counts.fetched, counts.failed) == (1, {"changed since": 1, "HTTP 404": 1})
    loader = corpus(home, root)
    loader.validate()
    (sample,) = loader
    assert isinstance(sample.parts[0], Image)
    (count,) = loader.counts
    assert (count.present, count.missing, count.failed) == (1, 2, 0)
    assert count.reasons["image missing: changed since"] == count.reasons["image missing: HTTP 404"] == 1
    before = loader.card.content
    for name in NAMES:
        (folder / f"{name}.png").write_bytes(fake.image(name))
    assert fetch_images(loader.wanted_images(), home / "store", polite, yes=True, retry=True).fetched == 2
    assert len(list(corpus(home, root))) == 3
    assert corpus(home, root).card.content != before, "another run must not go on with other images"
    shutil.rmtree(folder)
    assert len(list(corpus(home, root))) == 3, "evaluation needs no network"
