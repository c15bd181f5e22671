"""What an installation in live mode takes of a core while nothing is due, by process.

    python -m benchmarks.idle [--minutes 5] [--limit 3.0] [--no-desk]

An own folder with a first fill that is minutes old and schedules that are hours away; then `ecauto dev`, whose sensors
live mode switches on, and the seconds of processor time (own and of ended children) of it and of each process below it,
by the system's counters. Amazon and BASE are an emulator, which live mode has not: it is nobody's child here and not
counted. Ends by itself two minutes after what it measures, on a quiet machine. The exit code is 1 where the sum is
above the limit, and where something was not as said: a run began, no sensor looked, a process went.
Not for: what a run costs (benchmarks.changed).
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import httpx
import psutil

from benchmarks.before import ROOT, clean_environ
from ecauto_pipeline.clock import SystemClock, jst
from ecauto_pipeline.emulator import credentials, process
from ecauto_pipeline.wiring.ports import free_port

LISTINGS, SHOPS = 300, 2
SETTLES_S = 40.0
"""What starting costs is over by then: modules, definitions, the first look of each sensor."""
ECAUTO = [sys.executable, "-c", "from ecauto_pipeline.cli import main; main()"]
NAMES = (
    ("ecauto-daemon", "Dagster's daemon"),
    ("ecauto-web", "Dagster's web server"),
    ("ecauto-code", "the code server, where sensors look"),
    ("multiprocessing.forkserver", "what these three are copies of"),
    ("multiprocessing.resource_tracker", "what clears up behind killed processes"),
    (" desk", "the owner's desk"),
    (" dev", "ecauto dev"),
)
"""What stands in a process's name and command line, and what people call it; the first that fits."""


def toml(url: str, desk_port: int, *, live: bool) -> str:
    """Settings of the same shops in emulated mode, for the first fill, or in live mode, for the measurement."""
    far = jst(SystemClock().now() + timedelta(hours=12))
    shops = [credentials.base_app(credentials.base_account_id(number)) for number in range(1, SHOPS + 1)]
    lines = [
        f'mode = "{"live" if live else "emulated"}"',
        f'[sp_api]\nendpoint = "{url}"\nlwa_endpoint = "{url}"',
        f'[base]\nendpoint = "{url}/1"',
        *(f'[[base.accounts]]\nid = "{one.account}"\nredirect_uri = "{one.redirect_uri}"' for one in shops),
        '[tiers]\nspend = "due"',
        f'[schedules]\nstock = "{far.minute} {far.hour} * * *"\nprice = "{far.minute} {far.hour} * * *"',
        f"[desk]\nport = {desk_port}",
    ]
    return "\n\n".join(lines) + "\n"


def environ(folder: Path) -> dict[str, str]:
    """The well-known secrets of the emulator's accounts under the names that live mode asks for."""
    given = clean_environ()
    account = credentials.SP_ACCOUNTS[0]
    given |= {
        "SP_API_REFRESH_TOKEN": account.refresh_token,
        "LWA_APP_ID": account.client_id,
        "LWA_CLIENT_SECRET": account.client_secret,
    }
    for number in range(1, SHOPS + 1):
        app = credentials.base_app(credentials.base_account_id(number))
        given |= {f"BASE_ACCOUNT_{number}_CLIENT_ID": app.client_id}
        given |= {f"BASE_ACCOUNT_{number}_CLIENT_SECRET": app.client_secret}
    return given | {"ECAUTO_CONFIG": str(folder / "ecauto.toml"), "PYTHONPATH": str(ROOT)}


@contextmanager
def installation(folder: Path, desk: bool) -> Iterator[psutil.Process]:
    """`ecauto dev` in live mode over shops whose first fill has just been done; ended with all that it started."""
    for name in ("workspace.yaml", "dagster.yaml"):
        shutil.copy(ROOT / name, folder / name)
    url = process.ensure(
        folder / "world", seed=1, listings=LISTINGS, accounts=SHOPS, speed=1000.0, parent_pid=os.getpid()
    )
    port, desk_port = free_port(), free_port()
    config = folder / "ecauto.toml"
    config.write_text(toml(url, desk_port, live=False), encoding="utf-8")
    said = (folder / "said.txt").open("wb")
    try:
        _sync(folder, said)
        config.write_text(toml(url, desk_port, live=True), encoding="utf-8")
        _sync(folder, said)  # what the first fill changed is settled
        options = ["dev", "--port", str(port), *([] if desk else ["--no-desk"])]
        dev = subprocess.Popen([*ECAUTO, *options], cwd=folder, env=environ(folder), stdout=said, stderr=said)
        try:
            _wait_for(f"http://127.0.0.1:{port}/server_info", dev)
            yield psutil.Process(dev.pid)
        finally:
            dev.send_signal(signal.SIGTERM)
            dev.wait(60)
    finally:
        said.close()
        process.stop(folder / "world")


def _sync(folder: Path, said: BinaryIO) -> None:
    subprocess.run([*ECAUTO, "sync"], cwd=folder, env=environ(folder), stdout=said, stderr=said, check=False)


def _wait_for(url: str, dev: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with suppress(httpx.HTTPError):
            if httpx.get(url, trust_env=False, timeout=5).status_code == 200:
                return
        if dev.poll() is not None:
            break
        time.sleep(0.2)
    raise SystemExit("ecauto dev did not start")


def looks_and_runs(folder: Path) -> tuple[int, int]:
    """How often sensors have looked so far, and how many runs there are, by Dagster's records."""
    home = folder / "data" / "dagster"
    with closing(sqlite3.connect(home / "schedules" / "schedules.db")) as ticks:
        (looks,) = ticks.execute("SELECT count(*) FROM job_ticks").fetchone()
    with closing(sqlite3.connect(home / "history" / "runs.db")) as book:
        (runs,) = book.execute("SELECT count(*) FROM runs").fetchone()
    return int(looks), int(runs)


def used_s(root: psutil.Process) -> dict[str, float]:
    """Seconds of processor time so far, by name, of a process and all below it, with what their ended children used."""
    found: dict[str, float] = {}
    for one in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times, name = one.cpu_times(), name_of([one.name(), *one.cmdline()])
            found[name] = found.get(name, 0.0) + sum(times[:4])  # user, system, and those of children that ended
    return found


def name_of(command: list[str]) -> str:
    """What people call a process with this name and command line."""
    line = " ".join(command)
    return next((name for part, name in NAMES if part in line), "others")


def shares(before: Mapping[str, float], after: Mapping[str, float], span_s: float) -> list[tuple[str, float]]:
    """Percent of a core, by process, the most first. One that began in between counts from its beginning."""
    found = [(name, 100 * (used - before.get(name, 0.0)) / span_s) for name, used in after.items()]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def table(found: list[tuple[str, float]], limit: float) -> list[str]:
    """A line for each process, their sum, and the limit."""
    lines = ["| process | of a core |", "|---|---|"]
    lines += [f"| {name} | {share:.2f}% |" for name, share in found]
    return [*lines, f"| all (limit {limit:.1f}%) | {sum(share for _, share in found):.2f}% |"]


def main() -> int:
    """Print the table; 1 where the sum is above the limit, or a process went while it was measured."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--limit", type=float, default=3.0, help="percent of a core")
    options.add_argument("--no-desk", action="store_true", help="without the owner's desk")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecauto_idle_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with installation(folder, desk=not chosen.no_desk) as dev:
            time.sleep(SETTLES_S)
            looks, runs = looks_and_runs(folder)
            before, began = used_s(dev), time.monotonic()
            time.sleep(chosen.minutes * 60)
            after, span_s = used_s(dev), time.monotonic() - began
            looked, ran = (now - then for now, then in zip(looks_and_runs(folder), (looks, runs), strict=True))
    found = shares(before, after, span_s)
    gone = sorted(set(before) - set(after))
    wrong = [f"went while it was measured: {', '.join(gone)}"] if gone else []
    wrong += ["no sensor looked"] if not looked else []
    wrong += [f"not idle: {ran} runs began"] if ran else []
    print(f"{span_s:.0f} s, {LISTINGS} listings in {SHOPS} shops, {looked} looks of sensors, {ran} runs\n")
    print("\n".join(table(found, chosen.limit)))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong or sum(share for _, share in found) > chosen.limit else 0


if __name__ == "__main__":
    sys.exit(main())
