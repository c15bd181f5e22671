"""A command in a process of its own that Ctrl-C meets: where it lives, how it is begun, how it ends.

Not for: laws (cli/test_ctrl_c.py, proofs/test_ctrl_c.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import httpx

from ecauto_pipeline.cli.interrupts import INTERRUPTED, SAID
from ecauto_pipeline.emulator import process
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.runs import unended
from ecauto_pipeline_tests.pages import ROOT

WORLD: dict[str, Any] = {"seed": 4, "listings": 300, "accounts": 2, "speed": 12.0}
BEGIN = """
import os, sys
from ecauto_pipeline.cli import main

sys.argv = ["ecauto", *sys.argv[1:]]
os.write(int(os.environ["READY"]), b"!")
main()
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class Place:
    """An installation with an emulator of its own, slow enough that a first run is long under way."""

    def __init__(self, folder: Path, world: dict[str, Any]) -> None:
        self.folder = folder
        for name in ("workspace.yaml", "dagster.yaml"):
            (folder / name).write_bytes((ROOT / name).read_bytes())
        lines = "".join(f"{name} = {value}\n" for name, value in world.items())
        (folder / "ecauto.toml").write_text(f"[emulator]\n{lines}", encoding="utf-8")
        hidden = ("DAGSTER_HOME", "ECAUTO_DATA_DIR")
        self.environ = {name: value for name, value in os.environ.items() if name not in hidden}
        self.environ |= {"ECAUTO_CONFIG": str(folder / "ecauto.toml"), "PYTHONPATH": str(ROOT)}
        self.url = process.ensure(folder / "data" / "emulator", **world)
        self._asking = httpx.Client(trust_env=False, verify=False, timeout=60)  # once: its certificates take long

    def seen(self, api: str) -> int:
        """Calls that the emulator has seen."""
        return len(self._asking.get(f"{self.url}/emulator/calls", params={"api": api}).json())

    def begin(self, command: str) -> subprocess.Popen[str]:
        """The command as a process, at its first line."""
        here, there = os.pipe()
        started = subprocess.Popen(
            [sys.executable, "-c", BEGIN, *command.split()],
            cwd=self.folder,
            env={**self.environ, "READY": str(there)},
            pass_fds=[there],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        os.close(there)
        assert b"!" == os.read(here, 1)
        os.close(here)
        return started

    def interrupt(self, started: subprocess.Popen[str], times: int = 1) -> Ended:
        """Ctrl-C, once or by an impatient person, and how the command ends."""
        for _ in range(times):
            started.send_signal(signal.SIGINT)
        out, err = started.communicate()
        return Ended(started.returncode, out, err)

    def shown_by_dagster(self) -> list[str]:
        """The states of all runs, as the UI shows them."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            with dg.DagsterInstance.from_config(str(self.folder)) as instance:
                return [run.status.value for run in instance.get_runs()]
        finally:
            os.chdir(before)

    def open_runs(self) -> int:
        """Runs without an end in state.db."""
        database = Database(load(self.folder / "ecauto.toml", {}).state_url())
        with database.read() as connection:
            count = len(unended(connection))
        database.close()
        return count


def assert_one_line(ended: Ended) -> None:
    assert INTERRUPTED == ended.code, ended
    assert SAID == ended.err.strip().splitlines()[-1]
    assert 1 == ended.err.count(SAID)
    assert "Traceback" not in ended.err + ended.out
    assert "KeyboardInterrupt" not in ended.err + ended.out
    assert "エラー" not in ended.err


def lives_after(started: subprocess.Popen[str], seconds: float) -> bool:
    """Whether the command still works after so long."""
    with suppress(subprocess.TimeoutExpired):
        started.wait(seconds)
    return started.poll() is None


def assert_ends_well(place: Place, command: str, after_s: float, times: int) -> None:
    """Interrupted so long after its first line: in one line or over by then, no run left open or shown as failed."""
    started = place.begin(command)
    lives_after(started, after_s)
    ended = place.interrupt(started, times=times)
    assert "Traceback" not in ended.err + ended.out
    if ended.code == INTERRUPTED:
        assert_one_line(ended)
    assert "FAILURE" not in place.shown_by_dagster()
    assert 0 == place.open_runs()
