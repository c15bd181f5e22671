"""Dagster's code server, web server and daemon over the project in the working folder: `-m` this module, OWNER, PORT.

Dagster's own commands, as `ecauto dev` has them but without `dagster dev` between: each begins as a copy of this
process, so that what all of them load is loaded once. They end at SIGINT or SIGTERM, and when whoever started them is
gone, however that came about. Not for: what is asked of them (webserver.py).
"""

from __future__ import annotations

import contextlib
import json
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

_PATIENCE_S = 8.0


def _begin(module: str, *words: str) -> psutil.Process:
    """One of them, with a group of its own."""
    pid = os.fork()
    if pid:
        return psutil.Process(pid)
    os.setsid()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    os._exit(0)


def _lives(one: psutil.Process) -> bool:
    return bool(one.is_running() and one.status() != psutil.STATUS_ZOMBIE)


def _end(servers: list[psutil.Process]) -> None:
    """As each ends by itself, then by ids: a run's process may be left."""
    family = [*servers, *(child for one in servers for child in one.children(recursive=True))]
    for one in servers:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGINT)
    _, left = psutil.wait_procs(servers, _PATIENCE_S)
    for one in {*left, *family}:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()


def main(owner: int, port: str) -> int:
    """1 where one of them ended before it was asked to."""
    origin = module_of(Path("workspace.yaml"))
    assert origin is not None, "workspace.yaml has no one module"
    folder = Path(tempfile.mkdtemp(prefix="ecauto-"))
    code, workspace = str(folder / "code"), str(folder / "workspace.yaml")
    target, name = origin.loadable_target_origin, origin.location_name
    entry = {"socket": code, "location_name": name, "additional_metadata": target.as_dict}
    Path(workspace).write_text(json.dumps({"load_from": [{"grpc_server": entry}]}), encoding="utf-8")
    with dg.DagsterInstance.get():
        pass  # two that make Dagster's database at once break it
    served = ("--lazy-load-user-code", "--inject-env-vars-from-instance", "--location-name", name)
    servers = [_begin("dagster", "api", "grpc", "--socket", code, *served, *target.get_cli_args())]
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
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
