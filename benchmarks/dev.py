"""What starting `ecauto dev` costs now against a commit before, in turn on one machine.

    python -m benchmarks.dev [--before dc0d528] [--rounds 3]

Each round starts it in a fresh folder for each of the two, in turn: seconds until it says the UI's address and until
the UI lists our jobs, seconds of processor by then and memory (each page once, however many share it) of all that it
started, and how long it takes to end after Ctrl-C. The medians and their ratio are printed; the figures to keep stand
in docs/performance.md. Linux only: memory is read as it is there. `--before` is by default the last commit whose
servers loaded Dagster one by one. Not for: passing or failing; machines are shared and noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.before import beside, clean_environ, table
from benchmarks.idle import ECAUTO
from ecauto_pipeline.emulator import process
from ecauto_pipeline.wiring.ports import free_port

ONE_BY_ONE = "dc0d528"
STARTS_WITHIN_S = 120.0
_LISTED = "{ repositoriesOrError { ... on RepositoryConnection { nodes { jobs { name } } } } }"


@dataclass(frozen=True, slots=True)
class Start:
    """Of one start: seconds by the clock, seconds of processor, MB."""

    said_s: float
    listed_s: float
    cpu_s: float
    memory_mb: float
    ended_s: float


FIGURES = (
    ("until it says the address, s", "said_s", 2),
    ("until the UI lists our jobs, s", "listed_s", 2),
    ("processor by then, s", "cpu_s", 2),
    ("memory of all it started, MB", "memory_mb", 0),
    ("its end after Ctrl-C, s", "ended_s", 2),
)


def start(tree: Path, folder: Path) -> Start:
    """Types `ecauto dev` in a fresh project, by the program of `tree`. Raises RuntimeError with what it said."""
    folder.mkdir()
    for name in ("dagster.yaml", "workspace.yaml"):
        (folder / name).write_bytes((tree / name).read_bytes())
    port, desk_port = free_port(), free_port()
    config = f"[emulator]\nlistings = 12\naccounts = 2\n[desk]\nport = {desk_port}\n"
    (folder / "ecauto.toml").write_text(config, encoding="utf-8")
    began, said = time.monotonic(), folder / "said.txt"
    with said.open("wb") as output:
        dev = subprocess.Popen(
            [*ECAUTO, "dev", "--port", str(port)],
            cwd=folder,
            env={**clean_environ(), "PYTHONPATH": str(tree), "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        said_s = _seconds_until(lambda: f"127.0.0.1:{port}" in said.read_text(encoding="utf-8"), dev, began, said)
        listed_s = _seconds_until(lambda: "stock_sync" in _asked(port), dev, began, said)
        cpu_s, memory_mb = _taken(psutil.Process(dev.pid))
    finally:
        asked = time.monotonic()
        os.killpg(dev.pid, signal.SIGINT)  # as a terminal does
        dev.wait(60)
        ended_s = time.monotonic() - asked
        process.stop(folder / "data" / "emulator")
    return Start(said_s, listed_s, cpu_s, memory_mb, ended_s)


def _seconds_until(happened: Callable[[], bool], dev: subprocess.Popen[bytes], began: float, said: Path) -> float:
    while not happened():
        if dev.poll() is not None or time.monotonic() - began > STARTS_WITHIN_S:
            raise RuntimeError(said.read_text(encoding="utf-8", errors="replace")[-2000:])
        time.sleep(0.02)
    return time.monotonic() - began


def _asked(port: int) -> str:
    """What the UI answers when it is asked for our jobs; "" where nobody answers."""
    body = json.dumps({"query": _LISTED}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with suppress(OSError), urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return str(answer.read().decode())
    return ""


def _taken(root: psutil.Process) -> tuple[float, float]:
    """Seconds of processor of a process and all below it, those that ended included, and their memory in MB."""
    cpu_s = memory = 0.0
    for one in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            cpu_s += sum(one.cpu_times()[:4])
            memory += one.memory_full_info().pss
    return cpu_s, memory / 1e6


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--before", default=ONE_BY_ONE, help="the commit to compare with")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    starts = beside(chosen.before, chosen.rounds, start, FIGURES)
    print("\n".join(table("`ecauto dev`", FIGURES, starts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
