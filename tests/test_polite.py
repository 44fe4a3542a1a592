"""What strangers' servers and URLs may say without harm: nothing of it ends the work or holds it up."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from email.message import Message
from typing import TYPE_CHECKING

import pytest

from mmbench.errors import UsageError
from mmbench.polite import Client, Refused, Settings, _pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUICK = Settings(private=True, delay=0.0, timeout=1.0)
HEAD = "HTTP/1.1 {}\r\nContent-Type: image/png\r\nConnection: close\r\n{}\r\n"


@contextmanager
def server(answer: Callable[[socket.socket, str], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives each connection and the path that it asks for to a function, and keeps what was sent."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def work() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        heard.append(connection.recv(65536))
                        answer(connection, heard[-1].split(b" ")[1].decode("latin-1") if b" " in heard[-1] else "")
                    except OSError:
                        pass  # the client has gone

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield listening.getsockname()[1], heard
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def said(status: str, headers: str = "", body: str = "") -> bytes:
    return (HEAD.format(status, headers) + body).encode()


@pytest.mark.parametrize("url", ["http://a%5Bb/", "http://127.0.0.1:9/\ud800", "http://127.0.0.1:port/", "http://[::1"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        Client(QUICK).get(url)


def test_a_redirect_to_what_is_no_url_is_refused() -> None:
    with server(lambda c, _: c.sendall(said("302 Found", "Location: http://[\r\n"))) as (port, _):
        with pytest.raises(Refused, match=r"not a URL|Invalid IPv6 URL"):
            Client(Settings(private=True, delay=0.0, timeout=1.0, robots=False)).get(f"http://127.0.0.1:{port}/a")


@pytest.mark.parametrize("rules", ["User-agent: *\nCrawl-delay: ²", "User-agent: *\nDisallow: http://[x"])
def test_a_robots_txt_that_cannot_be_read_forbids(rules: str) -> None:
    with server(lambda c, _: c.sendall(said("200 OK", body=rules))) as (port, heard):
        client = Client(QUICK)
        for _ in range(2):
            with pytest.raises(Refused, match=r"robots\.txt: cannot be read"):
                client.get(f"http://127.0.0.1:{port}/a")
        assert len(heard) == 1, "it is asked for once"


def test_a_host_that_is_not_there_is_not_said_to_forbid() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Refused, match=r"robots\.txt: unreachable"):
        Client(QUICK).get(f"http://127.0.0.1:{port}/a")


def test_a_file_that_comes_in_drops_is_given_up() -> None:
    """Each drop comes in time, all of them would take hours."""

    def drip(connection: socket.socket, _: str) -> None:
        connection.sendall(said("200 OK", "Content-Length: 60000\r\n"))
        for _number in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    begin = time.monotonic()
    with server(drip) as (port, _), pytest.raises(Refused, match="timed out"):
        Client(Settings(private=True, delay=0.0, timeout=0.1, robots=False)).get(f"http://127.0.0.1:{port}/a")
    assert time.monotonic() - begin < 4


def test_nothing_is_sent_to_a_machine_inside_with_tls_either() -> None:
    with server(lambda *_: None) as (port, heard):
        with pytest.raises(Refused, match="private address"):
            Client(Settings(delay=0.0, timeout=1.0, robots=False)).get(f"https://127.0.0.1:{port}/a")
    assert heard in ([], [b""]), "no handshake"


def test_http_and_https_of_a_host_wait_for_each_other() -> None:
    """Most links to http move to https: two requests at once, of which the pause would hold for neither."""
    times: list[float] = []

    def moved(connection: socket.socket, path: str) -> None:
        times.append(time.monotonic())
        where = f"Location: https://127.0.0.1:{port}/\r\n" if path else ""
        connection.sendall(said("301 Moved Permanently", where))

    with server(moved) as (port, _), pytest.raises(Refused, match="unreachable"):
        settings = Settings(private=True, delay=0.3, timeout=1.0, robots=False)
        Client(settings).get(f"http://127.0.0.1:{port}/a")
    assert len(times) == 2
    assert times[1] - times[0] >= 0.29


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7.0), ("²", 1.0), ("1 Jan 99999999999 00:00:00", 1.0), ("", 1.0)])
def test_how_long_a_busy_server_wants_to_be_left(asked: str, seconds: float) -> None:
    headers = Message()
    headers["Retry-After"] = asked
    assert _pause(headers, 1.0) == seconds


@pytest.mark.parametrize(
    "wrong",
    [
        {"delay": -1.0},
        {"delay": float("nan")},
        {"workers": 0},
        {"attempts": 0},
        {"contact": "a\r\nX: b"},
        {"contact": "é"},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(wrong))}="):
        Settings(**wrong)  # type: ignore[arg-type]
