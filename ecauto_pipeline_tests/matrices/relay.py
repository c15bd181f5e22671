"""What lies between a client and a server: passes everything on, and cuts connections while a file says so.

Not for: what an API answers.
"""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

CUT = "cut"
"""The name of the file: while it is there connections are cut; it holds the seed of where."""
_SHARE = 0.4


class Relay:
    """A loopback port that leads to `url`. `cut`: the file that, while it is there, has connections cut; `cuts`:
    so many were."""

    def __init__(self, url: str, cut: Path) -> None:
        self._to, self._cut = (urlsplit(url).hostname, urlsplit(url).port), cut
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._chance: random.Random | None = None
        self.cuts = 0

    def __enter__(self) -> Relay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._to)
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self._cuts():
                    self.cuts += 1
                    target.sendall(data[: len(data) // 2])
                    break
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _cuts(self) -> bool:
        if not self._cut.exists():
            return False
        if self._chance is None:
            self._chance = random.Random(self._cut.read_text(encoding="ascii"))
        return self._chance.random() < _SHARE
