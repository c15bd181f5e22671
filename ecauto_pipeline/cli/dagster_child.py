"""A program of Dagster's as a child of `ecauto dev`, which ends when that is gone, however it came about.

Where the system can, each begins as a copy of one process that has loaded Dagster and nothing of ours: that is done
once in place of three times, and stands in memory once. A killed parent can end nothing: its servers would go on
without the one who looks after them, and hold its ports. Not for: which programs (dev_dagster.py).
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil

from ecauto_pipeline.cli.interrupts import Terminated
from ecauto_pipeline.wiring.parent import EVERY_S, wait_until_gone

if sys.platform == "linux":
    CONTEXT = multiprocessing.get_context("forkserver")
else:  # elsewhere a copy may break in the system's own libraries, or there are none
    CONTEXT = multiprocessing.get_context("spawn")
CONTEXT.set_forkserver_preload(["ecauto_pipeline.cli.dagster_loaded"])
NAMES = {"dagster api": "ecauto-code", "dagster_webserver": "ecauto-web", "dagster._daemon": "ecauto-daemon"}
"""What `ps` and `top` call them, by their first words: a copy's command line is that of what it was copied from."""


def load_once() -> None:
    """Begin the process that all children will be copies of, where the system has copies; returns at once.

    Ctrl-C is held back from it, and from a copy until that lets it through: before it has a log, what Python says of
    one would stand at the terminal.
    """
    if sys.platform == "linux":
        resource_tracker.ensure_running()  # would let Ctrl-C through again, were it begun below
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Child:
    """`python -m WORDS ...` in the folder `root`, with that environment, its words in `log`; begun at once.

    With `go` it has loaded its module by the time that is set, and waits for it.
    """

    def __init__(
        self, words: Sequence[str], root: Path, environ: Mapping[str, str], log: Path, go: Event | None = None
    ) -> None:
        given = (os.getpid(), tuple(words), root, dict(environ), log, go)
        line = " ".join(words)
        name = next((name for first, name in NAMES.items() if line.startswith(first)), words[0])
        self._process = CONTEXT.Process(target=_become, args=given, name=name)
        self._process.start()
        self._seen: psutil.Process | None = None
        with suppress(psutil.NoSuchProcess):  # ended already
            self._seen = psutil.Process(self.pid)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid or 0

    @property
    def code(self) -> int | None:
        """What it ended with; None while it works. 255 where what it is a copy of was killed: nobody knows any more."""
        return self._process.exitcode

    def has_ended(self, within_s: float = 0) -> bool:
        """Whether it has, at the latest when so many seconds are over."""
        self._process.join(within_s)
        return self.code is not None

    def end(self, *, tell: bool) -> None:
        """End it, at first as it would itself, then by ids, with all below it: one of them sometimes stays.

        `tell`: nobody else has asked it to, as a terminal's Ctrl-C does. Whoever asked for the end has it; the code
        that it ends with, 1 on a slow machine, is no failure of ours.
        """
        left = self._with_all_below()
        with suppress(KeyboardInterrupt, Terminated):
            if tell or not self.has_ended(6):
                self._interrupt()
            if not self.has_ended(20):
                self._process.kill()
        _, left = psutil.wait_procs(left, timeout=3)
        for ask in (psutil.Process.terminate, psutil.Process.kill):
            for one in left:
                with suppress(psutil.NoSuchProcess):
                    ask(one)
            _, left = psutil.wait_procs(left, timeout=10)

    def _with_all_below(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            if self._seen is not None and self._seen.is_running():
                return [self._seen, *self._seen.children(recursive=True)]
        return []

    def _interrupt(self) -> None:
        if os.name != "posix":
            self._process.terminate()
        elif self._seen is not None:
            with suppress(psutil.NoSuchProcess):
                self._seen.send_signal(signal.SIGINT)


def take_over(environ: Mapping[str, str], log: Path) -> None:
    """Of what this process is a copy of, nothing is left but what it has loaded: its words stand in that log."""
    with log.open("ab") as output:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(output.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environ)
    with suppress(OSError):  # there is none but on Linux
        Path("/proc/self/comm").write_text(multiprocessing.current_process().name, encoding="utf-8")


def end_with(parent_pid: int, interrupt: Callable[[], None], every_s: float = EVERY_S) -> None:
    """As by Ctrl-C once the parent has gone, so that runs under way end in order and nothing stays below us."""
    wait_until_gone(parent_pid, every_s)
    interrupt()


def _become(
    parent_pid: int, words: Sequence[str], root: Path, environ: Mapping[str, str], log: Path, go: Event | None
) -> None:
    """The module that is named first, with the words after it."""
    take_over(environ, log)
    if sys.platform == "linux":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.chdir(root)
    from dagster_shared.ipc import send_interrupt

    threading.Thread(target=end_with, args=(parent_pid, send_interrupt), daemon=True).start()
    module = words[0]
    if go is not None:
        importlib.import_module(f"{module}.cli")
        go.wait()
    sys.argv = list(words)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
