"""Dagster's code server, web server and daemon over the project in the working folder: `-m` this module, OWNER, PORT
[copies].

Dagster's own commands, as `ecauto dev` has them but without `dagster dev` between: each begins as a copy of this
process, so that what all of them load is loaded once; with `copies` each run's process does, too, as a copy of one that
has the project's modules. They are killed at SIGINT or SIGTERM, and when whoever started them is gone, however that
came about. Not for: what is asked of them (webserver.py).
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import runpy
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg
import dagster._cli  # what the three have in common
import dagster._daemon.cli
import psutil

from ecauto_pipeline.cli.dev_code_server import module_of

_LOADED = ("dagster._grpc.impl", "ecauto_pipeline.defs.build")
"""By whoever a run's process begins as a copy of; the definitions themselves are each run's own, with its settings."""


def _begin(module: str, *words: str) -> psutil.Process:
    """One of them, with a group of its own."""
    pid = os.fork()
    if pid:
        return psutil.Process(pid)
    os.setsid()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    os._exit(0)


def _copy_runs() -> None:
    """Dagster asks for "spawn", whatever the machine has: a run's process then loads all of it anew."""
    copies = multiprocessing.get_context("forkserver")
    copies.set_forkserver_preload(list(_LOADED))
    multiprocessing.get_context = lambda method=None: copies  # type: ignore[assignment]  # one context whatever is asked for


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
    if "copies" in how:
        _copy_runs()
    served = module_of(Path("workspace.yaml"))
    assert served is not None, "workspace.yaml has no one module"
    folder = Path(tempfile.mkdtemp(prefix="ecauto-"))
    code, workspace = str(folder / "code"), str(folder / "workspace.yaml")
    entry = {"socket": code, "location_name": served.location, "additional_metadata": served.metadata}
    Path(workspace).write_text(json.dumps({"load_from": [{"grpc_server": entry}]}), encoding="utf-8")
    with dg.DagsterInstance.get():
        pass  # two that make Dagster's database at once break it
    how_loaded = ("--lazy-load-user-code", "--inject-env-vars-from-instance", "--location-name", served.location)
    servers = [_begin("dagster", "api", "grpc", "--socket", code, *how_loaded, *served.options)]
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
