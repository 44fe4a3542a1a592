"""`mmbench fetch-images`: brings the images that a corpus names by URL into a local store. Never during evaluation.

Without `yes` it only says what it would fetch. It can be stopped and started at any time: what is in the store is not
fetched again, and what failed is remembered with its reason and tried again only where that is asked for.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mmbench.errors import CellError, UsageError
from mmbench.image_store import INDEX, ImageStore
from mmbench.polite import Client, Refused, Settings
from mmbench.store import Journal, locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image that a corpus names: its URL, and the SHA-512 of its bytes (hexadecimal) where the corpus says it."""

    url: str
    sha512: str | None = None


@dataclass(slots=True)
class Counts:
    """What became of the images: how many are wanted, were here before, were fetched, and failed, by reason.

    `before` are those that failed in an earlier run, by reason, and were not tried again; `hosts` has how many images
    of each host are left to fetch when it begins.
    """

    wanted: int = 0
    present: int = 0
    fetched: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """A few lines for a terminal."""
        lines = [f"{self.wanted} images wanted, {self.present} here before, {self.hosts.total()} to fetch"]
        if self.hosts:
            shown = ", ".join(f"{host} {n}" for host, n in self.hosts.most_common(5))
            lines.append(f"from {len(self.hosts)} hosts: {shown}{' ...' if len(self.hosts) > 5 else ''}")
        if self.fetched or self.failed:
            lines.append(f"{self.fetched} fetched, {self.failed.total()} failed{_reasons(self.failed)}")
        if self.before:
            lines.append(f"{self.before.total()} failed before{_reasons(self.before)}: --retry asks again")
        return "\n".join(lines)


def _reasons(counts: Counter[str]) -> str:
    return f" ({', '.join(f'{reason}: {n}' for reason, n in counts.most_common())})" if counts else ""


def fetch_images(
    urls: Iterable[Wanted],
    store: Path,
    settings: Settings | None = None,
    *,
    yes: bool = False,
    retry: bool = False,
) -> Counts:
    """Bring images into a store.

    Args:
        urls: what is wanted, such as a loader's `wanted_images()`; one that is named twice is fetched once.
        store: folder of the store.
        settings: how to behave on the web.
        yes: fetch; otherwise only count.
        retry: try again what failed before.

    Raises:
        UsageError: another process fetches into the store.
        CellError: the disk is full.
    """
    home, settings = ImageStore(store), settings or Settings()
    if not yes:
        return _left(urls, home, retry=retry)[0]
    try:
        with locked(store):  # before the index is read, or what another process has just fetched would be asked again
            counts, left = _left(urls, home, retry=retry)
            _fetch(left, home, settings, counts)
    except CellError as error:
        if "at work" in str(error):
            raise UsageError(f"{store}: another process fetches into it; wait for it, or name another store") from error
        raise
    return counts


def _left(urls: Iterable[Wanted], home: ImageStore, *, retry: bool) -> tuple[Counts, dict[str, list[Wanted]]]:
    """What is to be fetched, by host."""
    counts, left = Counts(), dict[str, list[Wanted]]()
    for wanted in dict.fromkeys(urls):
        counts.wanted += 1
        known = wanted.sha512 or home.hash_of(wanted.url)
        if known and home.path(known):
            counts.present += 1
        elif _tried(wanted, home) and not retry:
            counts.before[home.why_not(wanted.url)] += 1
        else:
            host = _host(wanted.url)
            left.setdefault(host, []).append(wanted)
            counts.hosts[host] += 1
    return counts, left


def _tried(wanted: Wanted, home: ImageStore) -> bool:
    """Whether an earlier run failed to get this very image."""
    row = home.index.get(wanted.url, {})
    if row.get("state") == "changed":
        return row.get("wanted") == wanted.sha512
    return row.get("state") == "failed"


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower() or "no host"
    except ValueError:
        return "no host"


def _fetch(left: dict[str, list[Wanted]], home: ImageStore, settings: Settings, counts: Counts) -> None:
    """One thread works through a host's images, so that no host has two requests at once."""
    client, journal, lock, stop = Client(settings), Journal(home.folder / INDEX), threading.Lock(), threading.Event()

    def work(images: Sequence[Wanted]) -> None:
        for wanted in images:
            if stop.is_set():
                return
            row = _one(wanted, client, home)
            with lock:
                journal.append([row])
                if row["state"] == "stored":
                    counts.fetched += 1
                else:
                    counts.failed[str(row["reason"])] += 1

    pool = ThreadPoolExecutor(max_workers=settings.workers)
    try:
        hosts = [pool.submit(work, images) for images in left.values()]
        for host in wait(hosts, return_when=FIRST_EXCEPTION).done:  # a full disk ends all of them at once
            host.result()
    finally:  # also on Ctrl-C: the images in hand are finished, the others are left for the next time
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        journal.close()


def _one(wanted: Wanted, client: Client, home: ImageStore) -> dict[str, str | None]:
    """The row of one image for the index, once the image is in the store."""
    row = {"url": wanted.url, "wanted": wanted.sha512}
    try:
        data = client.get(wanted.url)
    except Refused as reason:
        return {**row, "state": "failed", "reason": str(reason)}
    if not data:
        return {**row, "state": "failed", "reason": "empty"}
    found = hashlib.sha512(data).hexdigest()
    if wanted.sha512 and found != wanted.sha512.lower():
        return {**row, "state": "changed", "sha512": found, "reason": "changed since"}
    return {**row, "state": "stored", "sha512": home.add(data)}
