"""Ctrl-C at any moment of a command: one line, no trace, no alarm, and what was done is counted.

Real processes; the moments are generated, from the first line of the program on, and what a moment meets (imports, the
run's beginning, reading, asking, pushing) is whatever the machine makes of it: no order or span is asserted.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from ecauto_pipeline.cli.interrupts import INTERRUPTED, SAID
from ecauto_pipeline.emulator import process
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.runs import unended
from ecauto_pipeline_tests.pages import ROOT

pytestmark = pytest.mark.long

WORLD: dict[str, Any] = {"seed": 4, "listings": 300, "accounts": 2, "speed": 12.0}
UNANSWERED: dict[str, Any] = {"seed": 5, "listings": 700, "accounts": 2, "speed": 3.0}
BEGIN = """
import os, sys
from ecauto_pipeline.cli import main

sys.argv = ["ecauto", *sys.argv[1:]]
os.write(int(os.environ["READY"]), b"!")
main()
"""
COUNTED = re.compile(r"(sp_api_calls|answers|shop_calls|base_api_updates)\s+([\d,]+)")


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

    def seen(self, api: str) -> int:
        """Calls that the emulator has seen."""
        return len(httpx.get(f"{self.url}/emulator/calls", params={"api": api}, trust_env=False, timeout=60).json())

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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("ctrl_c"), WORLD)
    yield made
    process.stop(made.folder / "data" / "emulator")


@pytest.fixture
def unanswered(tmp_path: Path) -> Iterator[Place]:
    """Where nothing was ever asked, at a pace that leaves a first run minutes from its end at its fourth call."""
    made = Place(tmp_path, UNANSWERED)
    yield made
    process.stop(made.folder / "data" / "emulator")


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


@pytest.mark.parametrize("command", ["sync", "validate", "demo", "status", "doctor"])
@pytest.mark.parametrize("seed", range(3))
def test_in_the_first_second(place: Place, command: str, seed: int) -> None:
    """While the program's own modules, then Dagster, are imported: it is gone at once, in one line."""
    started = place.begin(command)
    lives_after(started, random.Random(f"{command}{seed}").uniform(0.0, 0.5))
    ended = place.interrupt(started)
    if ended.code != INTERRUPTED:  # it was over when the signal came
        assert "Traceback" not in ended.err + ended.out
        assert "Aborted" not in ended.err  # click's word for what reached nobody else
        return
    assert_one_line(ended)


@pytest.mark.parametrize("command", ["sync", "validate", "demo"])
@pytest.mark.parametrize("seed", range(2))
def test_at_any_moment_of_a_run(place: Place, command: str, seed: int) -> None:
    """Wherever it is by then. No run is left open, and Dagster shows none as failed: nobody is alarmed."""
    chance = random.Random(f"{command}{seed} moment")
    started = place.begin(command)
    lives_after(started, chance.uniform(1.0, 9.0))
    ended = place.interrupt(started, times=chance.choice((1, 1, 3)))
    assert "Traceback" not in ended.err + ended.out
    if ended.code == INTERRUPTED:
        assert_one_line(ended)
    assert "FAILURE" not in place.shown_by_dagster()
    assert 0 == place.open_runs()


def test_while_amazon_is_asked_what_was_done_is_counted(unanswered: Place) -> None:
    """The run's steps could not sum up; what they committed is counted all the same, and the run is canceled."""
    before = unanswered.seen("sp_api")
    started = unanswered.begin("sync")
    while unanswered.seen("sp_api") < before + 4 and lives_after(started, 0.05):
        pass
    ended = unanswered.interrupt(started)
    assert_one_line(ended)
    counted = {name: int(text.replace(",", "")) for name, text in COUNTED.findall(ended.out)}
    assert counted["sp_api_calls"] >= 1
    assert counted["answers"] >= 1
    assert "CANCELED" == unanswered.shown_by_dagster()[0]
    assert 0 == unanswered.open_runs()
