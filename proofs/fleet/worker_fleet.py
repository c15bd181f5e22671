"""A small fleet whose runs do nothing but say that they work: a control machine with Dagster's daemon, two workers that
take one run each, PostgreSQL and Redis; deploy/dagster.yaml with shorter times.

What takes how long is the machine's matter: tests wait for what happens, within generous limits, and hold a promise of
seconds against how long an undisturbed run needs here to begin. Not for: shops (shop_fleet.py) or laws (test_*.py).
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import dagster as dg
import psutil

from ecauto_pipeline.fleet.launcher import MISSES
from proofs.fleet.dagster_runs import Runs
from proofs.fleet.machines import ECAUTO, Machine, dagster_home
from proofs.fleet.servers import PostgreSQL, Redis, wait_for

LOCATION = "proofs.fleet.little_jobs"
SHORTER = {
    "run_monitoring.poll_interval_seconds": 2,
    "run_coordinator.config.user_code_failure_retry_delay": 2,
}
AT_LAST_S = 300.0
"""Long enough for whatever happens at all."""
BEGINS_WITHIN_S = 6.0
"""An undisturbed run, from its submission, on the machine the promises were made on; a slower one has more time."""


class WorkerFleet:
    """Started whole by the constructor; `closing` ends what was started, also where the rest failed."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.folder, self.redis, self.postgresql = folder, Redis(), PostgreSQL()
        closing.callback(self.postgresql.close)
        closing.callback(self.redis.close)
        self.work = folder / "work"
        self.work.mkdir()
        self.postgresql.start()
        self.redis.start()
        self.environ = {
            "ECAUTO_DAGSTER_POSTGRES_URL": self.postgresql.url("postgres", "psycopg2"),
            "ECAUTO_REDIS_URL": self.redis.url(),
            "WORK": str(self.work),
        }
        self.control = self._machine(
            "control", {"daemon": [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"]}
        )
        worker = {"worker": [*ECAUTO, "fleet", "worker", "--runs", "1"]}
        self.workers = {name: self._machine(name, worker) for name in ("w1", "w2")}
        self.runs = Runs(dagster_home(folder / "test", SHORTER), LOCATION, self.environ)
        closing.callback(self.runs.close)
        for machine in self.machines:
            closing.callback(machine.kill)
            machine.start()
        self._goes_round()  # once for what is loaded for the first time
        self.undisturbed_s = self._goes_round()
        print(f"\nan undisturbed run begins after {self.undisturbed_s:.1f} s")

    @property
    def machines(self) -> list[Machine]:
        return [self.control, *self.workers.values()]

    def _machine(self, name: str, commands: dict[str, list[str]]) -> Machine:
        home = dagster_home(self.folder / name, SHORTER, LOCATION)
        (home / "ecauto.toml").write_text('mode = "emulated"\n', encoding="utf-8")
        return Machine(home, name, commands, {**self.environ, "DAGSTER_HOME": str(home)})

    def submit(self, tags: Mapping[str, str] | None = None) -> str:
        return self.runs.submit("working", tags)

    def begins(self, run_id: str) -> None:
        wait_for(lambda: self.beats(run_id) > 0, AT_LAST_S, f"{run_id[:8]} to work")

    def goes_on(self, run_id: str, since_s: float, promised_s: float = 60.0) -> float:
        """Seconds since then (monotonic) until it works; no more than promised, of a machine as slow as this one."""
        self.begins(run_id)
        took_s = time.monotonic() - since_s
        slow = max(1.0, self.undisturbed_s / BEGINS_WITHIN_S)
        assert took_s <= promised_s * slow, f"{took_s:.0f} s, where an undisturbed run takes {self.undisturbed_s:.0f} s"
        return took_s

    def beats(self, run_id: str) -> int:
        path = self.work / f"{run_id}.beats"
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0

    def still_works(self, run_id: str, within_s: float = 30.0) -> bool:
        """Whether it beats once more in that time."""
        before = self.beats(run_id)
        with suppress(TimeoutError):
            wait_for(lambda: self.beats(run_id) > before, within_s, "another beat")
        return self.beats(run_id) > before

    def where(self, run_id: str) -> Machine:
        """The machine whose process writes this run's beats."""
        for machine in self.workers.values():
            for process in machine.processes():
                with suppress(psutil.Error):
                    if any(run_id in file.path for file in process.open_files()):
                        return machine
        raise AssertionError(f"nobody works on {run_id}")

    def process_of(self, run_id: str) -> psutil.Process:
        for process in self.where(run_id).processes():
            with suppress(psutil.Error):
                if any(run_id in file.path for file in process.open_files()):
                    return process
        raise AssertionError(f"nobody works on {run_id}")

    def end(self, run_id: str) -> dg.DagsterRunStatus:
        """Its work is done; how Dagster saw it end."""
        (self.work / f"{run_id}.end").touch()
        return self.runs.over(run_id, AT_LAST_S)

    def looks(self, run_id: str) -> int:
        """How often Dagster's monitoring has looked at it."""
        return len(re.findall(rf" - Checking run {run_id}", _plain(self.control.log("daemon"))))

    def stays(self, run_id: str, looks: int = MISSES + 2) -> bool:
        """Whether it goes on working, and Dagster goes on believing it, while it is looked at so many times more."""
        seen, until = self.looks(run_id), time.monotonic() + AT_LAST_S
        while self.looks(run_id) < seen + looks:
            if not self.still_works(run_id) or self.runs.status(run_id) != dg.DagsterRunStatus.STARTED:
                return False
            if time.monotonic() > until:
                raise TimeoutError(f"Dagster looked at {run_id[:8]} {self.looks(run_id) - seen} times of {looks}")
        return True

    def _goes_round(self) -> float:
        """A run from its submission to its end; the seconds until it worked."""
        since_s = time.monotonic()
        run_id = self.submit()
        self.begins(run_id)
        took_s = time.monotonic() - since_s
        assert self.end(run_id) == dg.DagsterRunStatus.SUCCESS
        return took_s


def _plain(log: str) -> str:
    """Without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", log)
