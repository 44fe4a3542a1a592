"""A hub of one dataset on this machine, which answers what huggingface_hub asks and writes down what that was."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass
class FakeHub:
    """The repository; used as a context manager it answers at `endpoint`.

    Args:
        repo: its id.
        commits: files of each commit, by its hash.
        refs: commits of branches and tags.
    """

    repo: str
    commits: Mapping[str, Mapping[str, bytes]]
    refs: Mapping[str, str]
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and the range of each request."""

    def __enter__(self) -> FakeHub:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                hub.answer(self, parse_qs(self.rfile.read(length).decode()))

            do_GET = do_HEAD = do_POST = answer

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        """Its address, for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def ranges(self, name: str) -> list[tuple[int, int]]:
        """First and last byte of each range request for a file."""
        wanted = [span for method, path, span in self.asked if method == "GET" and path.endswith(f"/{name}")]
        return [(int(a), int(b)) for a, b in (span.removeprefix("bytes=").split("-") for span in wanted)]

    def downloads(self) -> list[str]:
        """Names of the files that were asked for without a range."""
        return [path.rsplit("/", 1)[1] for m, path, span in self.asked if m == "GET" and "resolve" in path and not span]

    def answer(self, to: BaseHTTPRequestHandler, form: Mapping[str, list[str]]) -> None:
        """One response."""
        path = unquote(urlsplit(to.path).path)
        self.asked.append((to.command, path, to.headers.get("Range") or ""))
        api, files = f"/api/datasets/{self.repo}", f"/datasets/{self.repo}/resolve/"
        kind, _, rest = path.removeprefix(f"{api}/").partition("/") if path.startswith(f"{api}/") else ("", "", "")
        if path.startswith(files):
            revision, _, name = path.removeprefix(files).partition("/")
            return self._file(to, self.refs.get(revision, revision), name)
        if path != api and not kind:
            return self._send(to, 404, b"", {"X-Error-Code": "RepoNotFound"})
        revision, _, below = rest.partition("/")
        commit = self.refs.get(revision or "main", revision)
        if commit not in self.commits:
            return self._send(to, 404, b"", {"X-Error-Code": "RevisionNotFound"})
        if kind == "tree":
            deep = parse_qs(urlsplit(to.path).query).get("recursive", ["false"])[0].lower() == "true"
            return self._json(to, list(self._tree(commit, below, deep)))
        if kind == "paths-info":
            known = {entry["path"]: entry for entry in self._tree(commit, "", True)}
            return self._json(to, [known[name] for name in form.get("paths", ()) if name in known])
        siblings = [{"rfilename": name} for name in self.commits[commit]]
        return self._json(to, {"id": self.repo, "sha": commit, "private": False, "tags": [], "siblings": siblings})

    def _tree(self, commit: str, below: str, deep: bool) -> Iterator[dict[str, Any]]:
        folders = set[str]()
        for name, data in self.commits[commit].items():
            if below and not name.startswith(f"{below}/"):
                continue
            parts = name.split("/")
            depth = len(below.split("/")) if below else 0
            for end in range(depth + 1, len(parts) if deep else min(len(parts), depth + 2)):
                folders.add("/".join(parts[:end]))
            if deep or len(parts) == depth + 1:
                yield {"type": "file", "path": name, "size": len(data), "oid": etag(data)}
        yield from ({"type": "directory", "path": path, "size": 0, "oid": etag(path.encode())} for path in folders)

    def _file(self, to: BaseHTTPRequestHandler, commit: str, name: str) -> None:
        data = self.commits.get(commit, {}).get(name)
        if data is None:
            return self._send(to, 404, b"", {"X-Error-Code": "EntryNotFound"})
        headers = {"ETag": f'"{etag(data)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if not (span := to.headers.get("Range")):
            return self._send(to, 200, data, headers)
        first, last = span.removeprefix("bytes=").split("-")
        start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        return self._send(to, 206, data[start : end + 1], headers)

    def _json(self, to: BaseHTTPRequestHandler, value: object) -> None:
        self._send(to, 200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, to: BaseHTTPRequestHandler, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        to.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            to.send_header(key, value)
        to.end_headers()
        if to.command != "HEAD":
            to.wfile.write(data)


def etag(data: bytes) -> str:
    """Name of a file's content."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
