from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures._pictures import drawing
from mmbench.errors import CellError, UsageError
from mmbench.fetch import Settings, Wanted, fetch_images
from mmbench.image_store import ImageStore
from mmbench.polite import Client, Refused
from mmbench.store import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = Settings(private=True, delay=0.0, timeout=2.0, contact="me@example.org")
PNG = drawing("fetched")


class Web:
    """A server whose pages are (status, headers, body), or a list of them that are given one after the other."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}
        self.asked: Counter[str] = Counter()
        self.times: list[float] = []
        self.agents: set[str] = set()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked[self.path] += 1
                web.times.append(time.monotonic())
                web.agents.add(self.headers["User-Agent"])
                page = web.pages.get(self.path, (404, {}, b""))
                if isinstance(page, list):
                    page = page.pop(0) if len(page) > 1 else page[0]
                status, headers, body = page
                self.send_response(status)
                for name, value in {"Content-Type": "image/png", "Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def web() -> Iterator[Web]:
    found = Web()
    yield found
    found.server.shutdown()
    found.server.server_close()


def rows(store: Path) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in (store / "index.jsonl").read_text(encoding="utf-8").splitlines()]
    return {line["url"].rpartition("/")[2]: line for line in lines}


def test_nothing_is_fetched_unless_it_is_said(web: Web, tmp_path: Path) -> None:
    counts = fetch_images([Wanted(f"{web.root}/a"), Wanted("http://b.example/b")], tmp_path / "store", QUICK)
    assert counts.hosts == {"127.0.0.1": 1, "b.example": 1}
    assert "2 images wanted, 0 here before, 2 to fetch" in str(counts)
    assert not web.asked
    assert not (tmp_path / "store").exists()


def test_images_are_stored_by_their_hash(web: Web, tmp_path: Path) -> None:
    digest = hashlib.sha512(PNG).hexdigest()
    web.pages = {"/a": (200, {}, PNG), "/same": (200, {}, PNG), "/with%20space": (200, {}, PNG + b"x")}
    urls = [Wanted(f"{web.root}/{name}") for name in ("a", "same", "with space", "gone")]
    counts = fetch_images([*urls, urls[0]], tmp_path, QUICK, yes=True)
    assert (counts.wanted, counts.present, counts.fetched, counts.failed) == (4, 0, 3, {"HTTP 404": 1})
    store = ImageStore(tmp_path)
    path = store.path(digest)
    assert path == tmp_path / "sha512" / digest[:2] / digest
    assert path.read_bytes() == PNG
    assert store.hash_of(f"{web.root}/a") == store.hash_of(f"{web.root}/same") == digest
    assert store.why_not(f"{web.root}/gone") == "HTTP 404"
    assert store.why_not("http://never.example") == "not fetched"
    assert web.agents == {QUICK.agent}
    assert QUICK.agent.endswith("(me@example.org)")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4, "two images, index and lock"


def test_a_second_run_asks_for_nothing_that_is_here_or_failed(web: Web, tmp_path: Path) -> None:
    web.pages = {"/a": (200, {}, PNG)}
    urls = [Wanted(f"{web.root}/a"), Wanted(f"{web.root}/gone")]
    fetch_images(urls, tmp_path, QUICK, yes=True)
    before = ImageStore(tmp_path).content
    web.asked.clear()
    counts = fetch_images(urls, tmp_path, QUICK, yes=True)
    assert not web.asked
    assert (counts.present, counts.fetched, counts.before) == (1, 0, {"HTTP 404": 1})
    assert "--retry" in str(counts)
    fetch_images(urls, tmp_path, QUICK, yes=True, retry=True)
    assert web.asked == {"/robots.txt": 1, "/gone": 1}
    assert ImageStore(tmp_path).content == before, "another failure changes nothing"
    web.pages["/gone"] = (200, {}, PNG + b"x")
    fetch_images(urls, tmp_path, QUICK, yes=True, retry=True)
    assert ImageStore(tmp_path).content != before


def test_it_goes_on_after_a_kill(web: Web, tmp_path: Path) -> None:
    web.pages = {f"/{i}": (200, {}, PNG + bytes([i])) for i in range(12)}
    code = (
        "from mmbench.fetch import *; from pathlib import Path; import sys\n"
        "urls = [Wanted(f'{sys.argv[1]}/{i}') for i in range(12)]\n"
        "fetch_images(urls, Path(sys.argv[2]), Settings(private=True, delay=0.2), yes=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, web.root, str(tmp_path)])
    end = time.monotonic() + 15
    while web.asked.total() < 6 and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with (tmp_path / "index.jsonl").open("a", encoding="utf-8") as index:
        index.write('{"url": "http://half')  # as a kill leaves it
    urls = [Wanted(f"{web.root}/{i}") for i in range(12)]
    counts = fetch_images(urls, tmp_path, QUICK, yes=True)
    assert counts.present >= 3
    assert counts.present + counts.fetched == 12
    assert max(web.asked[f"/{i}"] for i in range(12)) <= 2
    assert sum(web.asked[f"/{i}"] == 2 for i in range(12)) <= 2, "only what was in hand is fetched again"
    assert not list(tmp_path.rglob("sha512/*/.*")) or counts.fetched, "a half-written file is no image"


def test_an_image_that_has_changed_is_not_stored(web: Web, tmp_path: Path) -> None:
    web.pages = {"/a": (200, {}, PNG)}
    wanted = Wanted(f"{web.root}/a", "ab" * 64)
    counts = fetch_images([wanted], tmp_path, QUICK, yes=True)
    assert counts.failed == {"changed since": 1}
    store = ImageStore(tmp_path)
    assert store.path("ab" * 64) is None
    assert store.path(hashlib.sha512(PNG).hexdigest()) is None
    assert (store.hash_of(wanted.url), store.why_not(wanted.url)) == (None, "changed since")
    right = Wanted(wanted.url, hashlib.sha512(PNG).hexdigest())
    assert fetch_images([right], tmp_path, QUICK, yes=True).fetched == 1, "another hash is another wish"
    assert fetch_images([right], tmp_path, QUICK, yes=True).present == 1


def test_a_busy_server_is_waited_for(web: Web, tmp_path: Path) -> None:
    web.pages = {
        "/a": [(429, {"Retry-After": "1"}, b""), (200, {}, PNG)],
        "/b": (503, {"Retry-After": "9999"}, b""),
    }
    begin = time.monotonic()
    counts = fetch_images([Wanted(f"{web.root}/{name}") for name in "ab"], tmp_path, QUICK, yes=True)
    assert (counts.fetched, counts.failed) == (1, {"HTTP 503": 1})
    assert 1.0 <= time.monotonic() - begin < 10
    assert web.asked["/b"] == 1, "what asks for hours is left for another day"


def test_a_host_is_asked_slowly(web: Web, tmp_path: Path) -> None:
    web.pages = {f"/{i}": (200, {}, PNG) for i in range(3)}
    urls = [Wanted(f"{web.root}/{i}") for i in range(3)]
    fetch_images(urls, tmp_path, Settings(private=True, delay=0.15), yes=True)
    gaps = [after - before for before, after in zip(web.times, web.times[1:], strict=False)]
    assert len(gaps) == 3
    assert min(gaps) >= 0.14


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>"), "not an image"),
        ((200, {}, b"x" * 5000), "too large"),
        ((200, {"Content-Length": 9_999_999}, b"x"), "too large"),
        ((200, {"Content-Length": 100}, b"x"), "broken off"),
        ((200, {}, b""), "empty"),
        ((302, {"Location": "/page"}, b""), "too many redirects"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "not http or https"),
        ((500, {}, b""), "HTTP 500"),
    ],
)
def test_what_is_no_image(web: Web, tmp_path: Path, page: Any, reason: str) -> None:
    web.pages = {"/page": page}
    settings = Settings(private=True, delay=0.0, max_bytes=4096, timeout=1.0, attempts=1)
    assert fetch_images([Wanted(f"{web.root}/page")], tmp_path, settings, yes=True).failed == {reason: 1}
    assert rows(tmp_path)["page"]["reason"] == reason
    assert not (tmp_path / "sha512").exists()


def test_redirects_are_followed(web: Web, tmp_path: Path) -> None:
    web.pages = {"/old": (301, {"Location": "new"}, b""), "/new": (200, {}, PNG)}
    assert fetch_images([Wanted(f"{web.root}/old")], tmp_path, QUICK, yes=True).fetched == 1


@pytest.mark.parametrize(
    ("robots", "reasons"),
    [
        ((200, {}, b"User-agent: *\nDisallow: /private/\n"), {"robots.txt": 1}),
        ((200, {}, b"User-agent: mmbench\nDisallow: /\n"), {"robots.txt": 2}),
        ((200, {}, b"User-agent: other\nDisallow: /\n"), {}),
        ((404, {}, b""), {}),
        ((500, {}, b""), {"robots.txt: HTTP 500": 2}),
        ((301, {"Location": "/rules"}, b""), {"robots.txt": 1}),
    ],
)
def test_robots(web: Web, tmp_path: Path, robots: Any, reasons: dict[str, int]) -> None:
    rules = (200, {}, b"User-agent: *\nDisallow: /private/\n")
    web.pages = {
        "/robots.txt": robots, "/rules": rules, "/a": (200, {}, PNG), "/private/b": (200, {}, PNG),
    }  # fmt: skip
    counts = fetch_images([Wanted(f"{web.root}/a"), Wanted(f"{web.root}/private/b")], tmp_path, QUICK, yes=True)
    assert counts.failed == reasons
    assert web.asked["/robots.txt"] == 1
    assert not (reasons and web.asked["/private/b"])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/a", "http://localhost:{port}/a", "http://[::ffff:127.0.0.1]:{port}/a"]
)
def test_machines_inside_are_not_asked(web: Web, tmp_path: Path, url: str) -> None:
    web.pages = {"/a": (200, {}, PNG)}
    settings = Settings(delay=0.0, timeout=2.0, robots=False)
    counts = fetch_images([Wanted(url.format(port=web.server.server_port))], tmp_path, settings, yes=True)
    assert counts.failed == {"private address": 1}
    assert not web.asked, "nothing was sent"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/a", "data:image/png;base64,AA", "no url", "http://[", ""]
)
def test_other_schemes(tmp_path: Path, url: str) -> None:
    with pytest.raises(Refused, match=r"not http or https|not a URL"):
        Client(QUICK).get(url)
    assert fetch_images([Wanted(url)], tmp_path, QUICK, yes=True).failed.total() == 1


def test_a_silent_server_times_out(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        settings = Settings(private=True, delay=0.0, timeout=0.2, robots=False)
        assert fetch_images([Wanted(url)], tmp_path, settings, yes=True).failed == {"timed out": 1}
    assert fetch_images([Wanted(url + "b")], tmp_path, settings, yes=True).failed.total() == 1, "nobody is there"


def test_one_process_at_a_time(web: Web, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(UsageError, match="another process fetches into it"):
        fetch_images([Wanted(f"{web.root}/a")], tmp_path, QUICK, yes=True)


def test_a_hash_is_no_path(tmp_path: Path) -> None:
    assert ImageStore(tmp_path).path("../../etc/passwd") is None
    assert ImageStore(tmp_path).path("") is None


def test_what_another_process_has_fetched_meanwhile_is_not_asked_again(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.pages = {"/a": (200, {}, PNG)}

    @contextmanager
    def after_another(store: Path) -> Iterator[None]:
        monkeypatch.setattr("mmbench.fetch.locked", locked)
        assert fetch_images([Wanted(f"{web.root}/a")], store, QUICK, yes=True).fetched == 1
        yield

    monkeypatch.setattr("mmbench.fetch.locked", after_another)
    assert fetch_images([Wanted(f"{web.root}/a")], tmp_path, QUICK, yes=True).present == 1
    assert web.asked["/a"] == 1


def test_a_full_disk_ends_all_hosts_at_once(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web.pages = {f"/{i}": (200, {}, b"" if i else PNG) for i in range(30)}

    def full(store: ImageStore, data: bytes) -> str:
        raise CellError("No space left on device")

    monkeypatch.setattr(ImageStore, "add", full)
    slow = [Wanted(f"{web.root}/{i}") for i in range(1, 30)]  # its own images are empty and need no room
    urls = [*slow, Wanted(f"{web.root}/0".replace("127.0.0.1", "localhost"))]
    with pytest.raises(CellError, match="No space"):
        fetch_images(urls, tmp_path, Settings(private=True, delay=0.3), yes=True)
    assert web.asked.total() < 12
