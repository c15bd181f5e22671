"""Dagster's servers beside `ecauto dev`: the code server (dev_code_server.py), and web server and daemon, told of it.

A workspace.yaml with more in it than our module is left to `dagster dev` whole, which starts its own. Not for: the desk
(dev_desk.py) or what the servers show (defs/).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from ecauto_pipeline.cli.dagster_child import command
from ecauto_pipeline.cli.dev_code_server import CodeServer, module_of
from ecauto_pipeline.cli.dev_desk import has_ended
from ecauto_pipeline.cli.interrupts import Terminated


def servers_environ(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What Dagster's servers are started with; what is set already wins.

    Their home is the folder of dagster.yaml: without one they make a temporary home and leave it when they are killed.
    Other people's warnings about their own software are no news for the shop owner.
    """
    ours = {"DAGSTER_HOME": str(root), "DAGSTER_DISABLE_TELEMETRY": "1", "PYTHONWARNINGS": "ignore"}
    return ours | dict(environ)


class DagsterServers:
    """All of them, from their start to their end."""

    def __init__(self, root: Path, port: int, log: Path) -> None:
        self.log = log
        self._root, self._port = root, port
        self._folder = Path(tempfile.mkdtemp(prefix="ecauto-"))
        self._code: CodeServer | None = None
        self._others: list[subprocess.Popen[bytes]] = []

    def start(self) -> bool:
        """Start them; False where the code server ended before it served."""
        workspace = self._root / "workspace.yaml"
        origin, place = module_of(workspace), ("-h", "127.0.0.1", "-p", str(self._port))
        if origin is None:
            self._others = [self._begin(("dagster", "dev", "-w", str(workspace), *place))]
            return True
        self._code = CodeServer(origin, self._folder, self._begin, self.log)
        self._code.start()
        if not self._code.wait_until_it_listens():
            return False
        told = ("-w", str(self._code.workspace))
        programs = (("dagster_webserver", *told, *place), ("dagster._daemon", "run", *told))
        self._others = [self._begin(words) for words in programs]
        return True

    def have_ended(self, within_s: float) -> bool:
        """Whether web server or daemon has, at the latest when so many seconds are over: one alone is of no use."""
        return not self._others or has_ended(self._others[0], within_s) or self._ended != []

    @property
    def returncode(self) -> int:
        """What the first of them ended with; 1 where none ever began, for none ends by itself unless it fails."""
        return next((one.returncode for one in self._ended if one.returncode), 1)

    @property
    def _ended(self) -> list[subprocess.Popen[bytes]]:
        return [one for one in self._others if one.poll() is not None]

    def look_after(self) -> None:
        """Whatever has ended of what Dagster does not look after itself is started again."""
        if self._code is not None:
            self._code.look_after()

    def end(self, *, tell: bool) -> None:
        """End them; `tell`: nobody else has asked them to, as a terminal's Ctrl-C does."""
        code = self._code.child if self._code is not None else None
        for child in (*self._others, code):
            if child is not None:
                _end(child, tell)
        self._others, self._code = [], None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        line, environ = command(os.getpid(), *words), servers_environ(self._root, os.environ)
        with self.log.open("ab") as output:
            return subprocess.Popen(line, cwd=self._root, env=environ, stdout=output, stderr=output)


def _end(child: subprocess.Popen[bytes], tell: bool) -> None:
    """End one of Dagster's servers, at first as it would itself, then by ids: one of them sometimes stays.

    Whoever asked for the end has it; the code they end with, 1 on a slow machine, is no failure of ours.
    """
    family = psutil.Process(child.pid).children(recursive=True) if psutil.pid_exists(child.pid) else []
    try:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=0 if tell else 6)  # a terminal's Ctrl-C has reached it by itself
        if child.poll() is None:
            child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        child.wait(timeout=20)
    except (subprocess.TimeoutExpired, KeyboardInterrupt, Terminated):
        child.kill()
        child.wait()
    _, left = psutil.wait_procs(family, timeout=3)
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for one in left:
            with suppress(psutil.NoSuchProcess):
                ask(one)
        _, left = psutil.wait_procs(left, timeout=10)
