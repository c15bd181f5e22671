"""Dagster's servers beside `ecauto dev`: the code server (dev_code_server.py), and web server and daemon, told of it.

A workspace.yaml with more in it than our module is left to `dagster dev` whole, which starts its own. Not for: the desk
(dev_desk.py) or what the servers show (defs/).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.synchronize import Event
from pathlib import Path

from ecauto_pipeline.cli.dagster_child import CONTEXT, Child
from ecauto_pipeline.cli.dev_code_server import CodeServer, ServedModule
from ecauto_pipeline.settings import places


def servers_environ(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What Dagster's servers are started with, in the project's root; what is set already wins.

    Their home is the folder of dagster.yaml: without one they make a temporary home and leave it when they are killed.
    """
    ours = {"DAGSTER_HOME": str(root), "DAGSTER_DISABLE_TELEMETRY": "1"}
    return ours | dict(environ) | places(environ)


class DagsterServers:
    """All of them, from their start to their end."""

    def __init__(self, root: Path, port: int, log: Path) -> None:
        self.log = log
        self._root, self._port = root, port
        self._folder = Path(tempfile.mkdtemp(prefix="ecauto-"))
        self._code: CodeServer | None = None
        self._others: list[Child] = []

    def start(self, served: ServedModule | None) -> bool:
        """Start them, over that module or, with None, over what workspace.yaml says; False where the code server ended
        before it served."""
        place = ("-h", "127.0.0.1", "-p", str(self._port))
        if served is None:
            self._others = [self._begin(("dagster", "dev", "-w", str(self._root / "workspace.yaml"), *place))]
            return True
        self._code = CodeServer(served, self._folder, self._begin, self.log)
        self._code.start()
        told, go = ("-w", str(self._code.workspace)), CONTEXT.Event()
        programs = (("dagster_webserver", *told, *place), ("dagster._daemon", "run", *told))
        self._others = [self._begin(words, go) for words in programs]
        if not self._code.wait_until_it_listens():
            return False
        go.set()
        return True

    def have_ended(self, within_s: float) -> bool:
        """Whether web server or daemon has, at the latest when so many seconds are over: one alone is of no use."""
        return not self._others or self._others[0].has_ended(within_s) or self._ended != []

    @property
    def returncode(self) -> int:
        """What the first of them ended with; 1 where none ever began, for none ends by itself unless it fails."""
        return next((one.code for one in self._ended if one.code), 1)

    @property
    def _ended(self) -> list[Child]:
        return [one for one in self._others if one.has_ended()]

    def look_after(self) -> None:
        """Whatever has ended of what Dagster does not look after itself is started again."""
        if self._code is not None:
            self._code.look_after()

    def end(self, *, tell: bool) -> None:
        """End them; `tell`: nobody else has asked them to, as a terminal's Ctrl-C does."""
        code = self._code.child if self._code is not None else None
        for child in (*self._others, code):
            if child is not None:
                child.end(tell=tell)
        self._others, self._code = [], None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self, words: Sequence[str], go: Event | None = None) -> Child:
        return Child(words, self._root, servers_environ(self._root, os.environ), self.log, go)
