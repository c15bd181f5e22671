"""Pictures of goods, fetched once from where the catalogue names them and kept in data/pictures/.

A page shows pictures from the desk's own address alone, so that no browser tells others what is looked at. Whatever
names the address is not believed: hosts are a fixed list, an answer is a picture only by its first bytes.
Not for: which picture goods have (views/goods_picture.py), or what is answered meanwhile (picture_answers.py).
Sources: Amazon's catalogue items name m.media-amazon.com; BASE's, of its API documentation, docs.thebase.in (2026-11).
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import os
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.clock import Clock, SystemClock

HOSTS = (
    *("media-amazon.com", "ssl-images-amazon.com", "images-amazon.com"),
    *("base-ec2.akamaized.net", "baseec-img-mng.akamaized.net"),
)
"""Pictures of Amazon's and BASE's goods come from these hosts and those below them."""
MOST_BYTES = 2 * 1024 * 1024
TIMEOUT_S = 5.0
AGAIN_AFTER = timedelta(days=1)
AT_ONCE, MOST_WAITING = 4, 200
_NONE = ".none"
LOG = logging.getLogger("ecauto_pipeline")


class NoPicture(Exception):
    """What came is none, and why; it is not asked for again for a day."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where pictures may come from. `hosts`: of https addresses, those below them too; `loopback`: this machine may be
    asked as well, and nobody else, which is how an emulated world is shown."""

    hosts: tuple[str, ...] = HOSTS
    loopback: bool = False

    def allow(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return False
        if parts.username or parts.password or not host:
            return False
        if self.loopback:
            return parts.scheme in ("http", "https") and host in ("127.0.0.1", "::1", "localhost")
        known = any(host == one or host.endswith(f".{one}") for one in self.hosts)
        return parts.scheme == "https" and port in (None, 443) and known


LIVE, EMULATED = Sources(), Sources(loopback=True)


class Pictures:
    """Those of one data folder, bounded by count and bytes; the oldest go. Safe to share between threads."""

    def __init__(
        self, folder: Path, clock: Clock | None = None, *, most: int = 5000, most_bytes: int = 300 * 1024 * 1024
    ) -> None:
        self._folder, self._clock = folder, clock or SystemClock()
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[None]] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pictures")

    def kept(self, asin: str, address: str) -> Path | None:
        """The picture, where it was fetched."""
        path = self._path(asin, address)
        return path if path.is_file() else None

    def fetch(self, asin: str, address: str, sources: Sources) -> Future[None] | None:
        """Have it fetched in the background; None where it is not (not allowed, failed within a day, too many wait).

        The end of what is returned says nothing about whether there is a picture now: ask `kept`.
        """
        if not sources.allow(address) or self._failed_lately(asin, address):
            return None
        name = self._path(asin, address).name
        with self._lock:
            if name in self._under_way:
                return self._under_way[name]
            if len(self._under_way) >= MOST_WAITING:
                return None
            future = self._under_way[name] = self._threads.submit(self._fetch, asin, address, sources)
        future.add_done_callback(lambda _: self._forget(name))
        return future

    def close(self) -> None:
        """What waits is dropped; what is in flight ends by its time-out."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _path(self, asin: str, address: str) -> Path:
        return self._folder / f"{asin}-{hashlib.sha256(address.encode()).hexdigest()[:16]}"

    def _forget(self, name: str) -> None:
        with self._lock:
            self._under_way.pop(name, None)

    def _failed_lately(self, asin: str, address: str) -> bool:
        try:
            failed_at = self._path(asin, address).with_suffix(_NONE).stat().st_mtime
        except OSError:
            return False
        return self._clock.now().timestamp() - failed_at < AGAIN_AFTER.total_seconds()

    def _fetch(self, asin: str, address: str, sources: Sources) -> None:
        path = self._path(asin, address)
        try:
            try:
                self._keep(path, _download(address, sources, self._clock))
            except (NoPicture, requests.RequestException, OSError) as error:
                LOG.info("no picture of %s: %s", asin, str(error) if isinstance(error, NoPicture) else type(error))
                self._keep(path.with_suffix(_NONE), b"")
            self._drop_oldest()
        except OSError as error:
            LOG.warning("pictures can't be kept: %s", error.strerror)

    def _keep(self, path: Path, content: bytes) -> None:
        replace_file(path, content)
        at = self._clock.now().timestamp()
        os.utime(path, (at, at))

    def _drop_oldest(self) -> None:
        with self._lock, os.scandir(self._folder) as found:
            files = sorted(((one.stat().st_mtime, one.path, one.stat().st_size) for one in found), reverse=True)
            total = 0
            for place, (_, path, size) in enumerate(files):
                total += size
                if place >= self._most or total > self._most_bytes:
                    Path(path).unlink(missing_ok=True)


def media_type(beginning: bytes) -> str:
    """The type of a picture by its first bytes, "" where it is none that is shown; a drawing (SVG) may hold scripts."""
    if beginning.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if beginning.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if beginning.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP" else ""


def _download(address: str, sources: Sources, clock: Clock) -> bytes:
    """Raises NoPicture, requests.RequestException, OSError."""
    until = clock.monotonic() + TIMEOUT_S
    with requests.Session() as session:
        session.trust_env = not sources.loopback
        if not sources.loopback and not get_environ_proxies(address):
            _require_public(urlsplit(address).hostname or "")
        with session.get(address, stream=True, allow_redirects=False, timeout=TIMEOUT_S) as answer:
            if answer.status_code != 200:
                raise NoPicture(f"HTTP {answer.status_code}")
            content = b""
            for part in answer.iter_content(64 * 1024):
                content += part
                if len(content) > MOST_BYTES:
                    raise NoPicture("too large")
                if clock.monotonic() > until:
                    raise NoPicture("too slow")
    if not media_type(content[:16]):
        raise NoPicture("no picture by its first bytes")
    return content


def _require_public(host: str) -> None:
    """A name of the list that leads into a private network is not followed. Raises NoPicture, OSError."""
    for *_, place in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM):
        if not ipaddress.ip_address(str(place[0]).partition("%")[0]).is_global:
            raise NoPicture("a private address")
