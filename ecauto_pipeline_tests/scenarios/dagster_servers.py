"""Dagster's code server, web server and daemon over the project in the working folder: `-m` this module, OWNER, PORT
[copies].

Dagster's own commands, as `ecauto dev` has them but without `dagster dev` between: each begins as a copy of this
process, so that what all of them load is loaded once; with `copies` that is the project's modules, too, and
each run's process begins as a copy of this one. They are killed at SIGINT or SIGTERM, and when whoever started them is
gone, however that came about. Not for: what is asked of them (webserver.py).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import runpy
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import dagster._cli  # what the three have in common
import dagster._daemon.cli
import psutil

from ecauto_pipeline.cli.dev_code_server import module_of

_LOADED = ("dagster._grpc.impl", "ecauto_pipeline.defs.build")
"""What a run's process has from the first; the definitions themselves are each run's own, with its settings."""


def _begin(module: str, *words: str, first: Callable[[], None] = lambda: None) -> psutil.Process:
    """One of them, with a group of its own, which does `first` before anything else."""
    pid = os.fork()
    if pid:
        return psutil.Process(pid)
    os.setsid()
    first()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    os._exit(0)


def _copy_runs() -> None:
    """Dagster asks for "spawn", whatever the machine has: a run's process then loads all of it anew.

    It gets "forkserver", whose server multiprocessing would begin from nothing; here it is a copy of this process, made
    before this process has a thread.
    """
    copies = multiprocessing.get_context("forkserver")
    copies.set_forkserver_preload([])  # all is loaded
    multiprocessing.resource_tracker.ensure_running()
    begin_anew = multiprocessing.util.spawnv_passfds
    multiprocessing.util.spawnv_passfds = _as_a_copy
    multiprocessing.forkserver.ensure_running()
    multiprocessing.util.spawnv_passfds = begin_anew
    multiprocessing.get_context = lambda method=None: copies  # type: ignore[assignment]  # one context whatever is asked for


def _as_a_copy(path: bytes, args: Sequence[Any], passfds: Sequence[int]) -> int:
    """What `python -c` would do, in a copy of this process; its id."""
    pid = os.fork()
    if pid == 0:
        exec(args[-1], {})
        os._exit(0)
    return pid


def _lives(one: psutil.Process) -> bool:
    return bool(one.is_running() and one.status() != psutil.STATUS_ZOMBIE)


def _end(servers: list[psutil.Process]) -> None:
    """By ids, with whatever they began: nobody waits for what they would still do."""
    for member in [*servers, *(child for one in servers for child in one.children(recursive=True))]:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(servers)


def main(owner: int, port: str, *how: str) -> int:
    """1 where one of them ended before it was asked to."""
    copies = "copies" in how
    for module in _LOADED if copies else ():
        importlib.import_module(module)
    served = module_of(Path("workspace.yaml"))
    assert served is not None, "workspace.yaml has no one module"
    folder = Path(tempfile.mkdtemp(prefix="ecauto-"))
    code, workspace = str(folder / "code"), str(folder / "workspace.yaml")
    entry = {"socket": code, "location_name": served.location, "additional_metadata": served.metadata}
    Path(workspace).write_text(json.dumps({"load_from": [{"grpc_server": entry}]}), encoding="utf-8")
    with dg.DagsterInstance.get():
        pass  # two that make Dagster's database at once break it
    how_loaded = ("--lazy-load-user-code", "--inject-env-vars-from-instance", "--location-name", served.location)
    before = _copy_runs if copies else lambda: None
    servers = [_begin("dagster", "api", "grpc", "--socket", code, *how_loaded, *served.options, first=before)]
    while _lives(servers[0]) and not Path(code).exists():
        time.sleep(0.05)
    servers.append(_begin("dagster_webserver", "-w", workspace, "-h", "127.0.0.1", "-p", port))
    servers.append(_begin("dagster._daemon", "run", "-w", workspace))
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))
    while not asked and psutil.pid_exists(owner) and all(map(_lives, servers)):
        time.sleep(0.2)
    _end(servers)
    shutil.rmtree(folder, ignore_errors=True)
    return 0 if asked else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
