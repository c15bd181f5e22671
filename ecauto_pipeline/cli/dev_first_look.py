"""What `ecauto dev` has to know of Dagster before it starts Dagster's servers, asked in a process of its own.

Dagster and our tools, which it loads, would stay in a process that lives for weeks. Not for: the servers themselves
(dev_dagster.py).
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from ecauto_pipeline.cli.dagster_child import CONTEXT, take_over
from ecauto_pipeline.cli.dev_code_server import ServedModule, module_of
from ecauto_pipeline.doctor import disk_errors
from ecauto_pipeline.errors import EcautoError


class FirstLook:
    """Begun at once. What it says by itself stands in `log`."""

    def __init__(self, workspace: Path, environ: Mapping[str, str], log: Path) -> None:
        self._answer, told = CONTEXT.Pipe(duplex=False)
        given = (told, workspace, dict(environ), log)
        CONTEXT.Process(target=_look, args=given, name="ecauto-look").start()
        told.close()

    def found(self) -> tuple[int, ServedModule | None]:
        """How many runs that had died it marked failed; what workspace.yaml serves. Waits for it.

        Raises EcautoError with what a person can do about it; EOFError where the log alone has the reason.
        """
        answer = self._answer.recv()
        if isinstance(answer, EcautoError):
            raise answer
        dead, served = answer
        return dead, served


def _look(told: Connection, workspace: Path, environ: Mapping[str, str], log: Path) -> None:
    """A terminal's Ctrl-C reaches it, too: it is done in a second, and who waits for it says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    take_over(environ, log)
    from ecauto_pipeline.cli.dagster_run import instance, mark_dead_runs

    try:
        with instance() as opened:  # before the servers: two that make Dagster's database at once break it
            told.send((mark_dead_runs(opened), module_of(workspace)))
    except Exception as error:
        if not disk_errors.told(error):
            raise
        told.send(EcautoError(disk_errors.told(error, "en"), ja=disk_errors.told(error, "ja")))
