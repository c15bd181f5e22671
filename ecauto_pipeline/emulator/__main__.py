"""`python -m ecauto_pipeline.emulator --data DIR`: the emulator as a program of its own.

For: a server that outlives its users or ends with them. Writes DIR/endpoint.json when it is listening and removes it
at its end. Not for: tests in one process (`EmulatorServer`).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from ecauto_pipeline.emulator.server import EmulatorServer

_LOOK_EVERY_S = 0.25


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to end. Returns the exit code: 0 ended as asked, 2 cannot start."""
    parser = argparse.ArgumentParser(prog="python -m ecauto_pipeline.emulator", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the world and of endpoint.json")
    parser.add_argument("--host", default="127.0.0.1", choices=("127.0.0.1", "localhost", "::1"))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, help="default: the folder's, else 1")
    parser.add_argument("--listings", type=int, help="default: the folder's, else 1000")
    parser.add_argument("--accounts", type=int, help="default: the folder's, else 3")
    parser.add_argument("--speed", type=float, help="multiplies the SP-API rates; default: the folder's, else 1")
    parser.add_argument("--idle-exit-s", type=float, help="end after so long without a call")
    parser.add_argument("--parent-pid", type=int, help="end when this process has gone")
    options = parser.parse_args(arguments)
    options.data.mkdir(parents=True, exist_ok=True)
    lock = FileLock(options.data / "emulator.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"another emulator serves {options.data}", file=sys.stderr)
        return 2
    with lock:
        try:
            server = EmulatorServer(
                seed=options.seed,
                listings=options.listings,
                accounts=options.accounts,
                speed=options.speed,
                data=options.data,
                host=options.host,
                port=options.port,
            )
        except (OSError, ValueError) as error:
            print(f"cannot start: {error}", file=sys.stderr)
            return 2
        return _serve(server, options)


def _serve(server: EmulatorServer, options: argparse.Namespace) -> int:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    endpoint = options.data / "endpoint.json"
    with server:
        about = server.control.about()
        content = {"pid": os.getpid(), "port": server.port, "url": server.url}
        content |= {name: about[name] for name in ("seed", "listings", "accounts", "speed")}
        temporary = endpoint.with_suffix(".json.new")
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(endpoint)
        print(f"emulator at {server.url}", flush=True)
        try:
            while not told.wait(_LOOK_EVERY_S):
                if options.parent_pid is not None and not _lives(options.parent_pid):
                    break
                idle_s = time.monotonic() - server.last_request_s
                if options.idle_exit_s is not None and idle_s > options.idle_exit_s:
                    break
        finally:
            endpoint.unlink(missing_ok=True)
    return 0


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    sys.exit(main())
