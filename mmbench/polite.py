"""Gets files from strangers' web servers as a guest should: slowly, where it is allowed, and never from inside.

One request a host at a time with a pause after it, `robots.txt` is obeyed as Python's parser reads it (which knows no
wildcards), so are Retry-After and Crawl-delay; sizes, times and redirects are limited. Only http and https to addresses
of the public internet are asked: a URL of a corpus may point at the machines behind one's own firewall. Proxies of the
environment are not used, as they would hide that.
"""

from __future__ import annotations

import http.client
import ipaddress
import math
import threading
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request
from urllib.request import build_opener as opener_of
from urllib.robotparser import RobotFileParser

from mmbench import __version__
from mmbench.errors import UsageError, printable

if TYPE_CHECKING:
    from email.message import Message

_BUSY = (429, 503)
_MOVED = (301, 302, 303, 307, 308)
_ROBOTS = 500 * 1024  # RFC 9309, section 2.5
_CHUNK = 1 << 16


class Refused(Exception):
    """There is no file to be had; the message is the reason, in a few words."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to fetch.

    Args:
        contact: who fetches, a mail address or a page; the servers' owners see it in the User-Agent.
        delay: seconds between two requests to one host.
        workers: hosts that are asked at once.
        timeout: seconds that a server may be silent, and for a whole file five times as many.
        max_bytes: largest file.
        max_redirects: of one file.
        attempts: how often a server that is busy (429, 503) is asked.
        max_wait: longest pause in seconds that a busy server may ask for; beyond it the file fails for now.
        private: whether addresses of private networks and of this machine may be asked.
        robots: whether `robots.txt` is obeyed; leave it so for servers that are not your own.
    """

    contact: str = ""
    delay: float = 1.0
    workers: int = 16
    timeout: float = 20.0
    max_bytes: int = 32 << 20
    max_redirects: int = 5
    attempts: int = 3
    max_wait: float = 120.0
    private: bool = False
    robots: bool = True

    def __post_init__(self) -> None:
        """Refuse settings with which every file would fail, or a server would have no rest.

        Raises:
            UsageError: a number is too small or none, or the contact cannot stand in a header.
        """
        for name, least in {"delay": 0, "max_wait": 0, "workers": 1, "attempts": 1, "max_bytes": 1}.items():
            if not least <= getattr(self, name) < math.inf:
                raise UsageError(f"{name}={getattr(self, name)}: give a number of {least} or more")
        if not (self.contact.isascii() and (self.contact.isprintable() or not self.contact)):
            raise UsageError(f"contact={self.contact!r}: give a mail address or a page, in ASCII and on one line")

    @property
    def agent(self) -> str:
        """The User-Agent."""
        return f"mmbench/{__version__}" + (f" ({self.contact})" if self.contact else "")


class _Connection(http.client.HTTPConnection):
    """A connection that ends before anything is sent where it leads inside."""

    private = False

    def connect(self) -> None:
        super().connect()
        # The address that was connected to is what counts: a name can mean another one at each look.
        address = ipaddress.ip_address(self.sock.getpeername()[0].partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        if not self.private and not (mapped or address).is_global:
            self.close()
            raise Refused("private address")


class _Secure(http.client.HTTPSConnection, _Connection):
    """The same with TLS, whose handshake comes after the look at the address: in this order the classes connect."""


class _Plain(HTTPHandler):
    def __init__(self, private: bool) -> None:
        super().__init__()
        self._kind: Any = type("_Connection", (_Connection,), {"private": private})

    def http_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(self._kind, req)


class _Encrypted(HTTPSHandler):
    def __init__(self, private: bool) -> None:
        super().__init__()
        self._kind: Any = type("_Secure", (_Secure,), {"private": private})

    def https_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(self._kind, req)


class _Stay(HTTPRedirectHandler):
    """Redirects are followed by `Client`, which checks each of them."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class _Host:
    """What is known of a host: when it may be asked again, and by the URL of a robots.txt its rules.

    Where they cannot be had, the reason stands in their place.
    """

    asking: threading.Lock = field(default_factory=threading.Lock)
    reading: threading.Lock = field(default_factory=threading.Lock)
    free: float = 0.0
    delay: float = 0.0
    rules: dict[str, RobotFileParser | str] = field(default_factory=dict)


class Client:
    """Gets files; threads may share one."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is asked yet."""
        self._settings = settings
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        private = settings.private
        self._opener: OpenerDirector = opener_of(ProxyHandler({}), _Plain(private), _Encrypted(private), _Stay())

    def get(self, url: str) -> bytes:
        """The bytes of an image.

        Raises:
            Refused: with the reason: "HTTP 404", "robots.txt", "not an image", "too large" ...
        """
        for _ in range(self._settings.max_redirects + 1):
            host = self._host(url)
            try:
                if self._settings.robots and not self._rules(url, host).can_fetch("mmbench", url):
                    raise Refused("robots.txt")
                found = self._ask(url, host, self._settings.max_bytes, image=True)
            except ValueError:  # the URL, or where it has moved to, once its escapes are read
                raise Refused("not a URL") from None
            if isinstance(found, bytes):
                return found
            url = found
        raise Refused("too many redirects")

    def _host(self, url: str) -> _Host:
        try:
            parts = urlsplit(url)
            scheme, name, _ = parts.scheme, parts.hostname, parts.port  # a port may be no number
        except ValueError:
            raise Refused("not a URL") from None
        if scheme not in ("http", "https") or not name:
            raise Refused("not http or https")
        with self._lock:
            return self._hosts.setdefault(name, _Host(delay=self._settings.delay))

    def _rules(self, url: str, host: _Host) -> RobotFileParser:
        """The robots.txt, asked for once: where there is none all is allowed, where it cannot be had nothing."""
        where = urljoin(url, "/robots.txt")
        with host.reading:
            if where not in host.rules:
                host.rules[where] = self._read_rules(where)
            rules = host.rules[where]
            if isinstance(rules, str):
                raise Refused(f"robots.txt: {rules}")
            host.delay = max(host.delay, min(float(rules.crawl_delay("mmbench") or 0), self._settings.max_wait))
            return rules

    def _read_rules(self, where: str) -> RobotFileParser | str:
        """A robots.txt, or why it cannot be had."""
        rules = RobotFileParser()
        rules.modified()  # else it counts as never read
        try:
            for _ in range(self._settings.max_redirects + 1):
                found = self._ask(where, self._host(where), _ROBOTS, image=False)
                if isinstance(found, bytes):
                    rules.parse(found.decode("utf-8-sig", "replace").splitlines())
                    break
                where = found
        except Refused as reason:  # RFC 9309, section 2.3.1
            if not str(reason).startswith("HTTP 4") or str(reason) == "HTTP 429":
                return str(reason)
        except ValueError:  # what Python's parser takes for a number or a URL, and is none
            return "cannot be read"
        return rules

    def _ask(self, url: str, host: _Host, most: int, *, image: bool) -> bytes | str:
        """A file, or where it has moved to."""
        with host.asking:
            for attempt in range(self._settings.attempts):
                time.sleep(max(0.0, host.free - time.monotonic()))
                try:
                    return self._open(url, most, image=image)
                except HTTPError as error:
                    with error:
                        if error.code in _MOVED and error.headers.get("Location"):
                            return urljoin(url, str(error.headers["Location"]))
                        reason, wait = f"HTTP {error.code}", _pause(error.headers, 2.0**attempt)
                    if error.code not in _BUSY or wait > self._settings.max_wait:
                        raise Refused(reason) from None
                finally:
                    host.free = time.monotonic() + host.delay
                host.free = max(host.free, time.monotonic() + wait)
            raise Refused(reason)

    def _open(self, url: str, most: int, *, image: bool) -> bytes:
        plain = quote(url, safe="%/:=&?~#+!$,;'@()*[]")  # corpora hold URLs with spaces and letters of all scripts
        headers = {"User-Agent": self._settings.agent, "Accept": "image/*" if image else "text/plain, */*"}
        end = time.monotonic() + 5 * self._settings.timeout
        try:
            request = Request(_ascii(plain), headers={**headers, "Accept-Encoding": "identity"})
            with self._opener.open(request, timeout=self._settings.timeout) as response:
                kind = response.headers.get_content_type()
                if image and not (kind.startswith("image/") or kind == "application/octet-stream"):
                    raise Refused("not an image")
                return _read(response, most, end)
        except (HTTPError, Refused):
            raise
        except TimeoutError:
            raise Refused("timed out") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, Refused | TimeoutError):
                raise Refused(str(reason) if isinstance(reason, Refused) else "timed out") from None
            raise Refused(f"unreachable ({printable(' '.join(str(reason).split()))[:80]})") from None


def _ascii(url: str) -> str:
    """The URL with the name of its host as servers know it."""
    parts = urlsplit(url)
    return url.replace(parts.netloc, parts.netloc.encode("idna").decode(), 1) if not parts.netloc.isascii() else url


def _read(response: http.client.HTTPResponse, most: int, end: float) -> bytes:
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > most:
        raise Refused("too large")
    data = bytearray()
    while chunk := response.read1(_CHUNK):  # `read` waits for all of it, however slowly it comes
        data += chunk
        if len(data) > most:
            raise Refused("too large")
        if time.monotonic() > end:
            raise Refused("timed out")
    if length.isdigit() and len(data) < int(length):
        raise Refused("broken off")
    return bytes(data)


def _pause(headers: Message, otherwise: float) -> float:
    """Seconds that a busy server asks to wait, as a number or a date."""
    asked = str(headers.get("Retry-After") or "").strip()
    if asked.isdecimal():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return otherwise
