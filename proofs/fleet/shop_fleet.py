"""A fleet that keeps the emulator's shops: a machine with Dagster's daemon, workers, PostgreSQL and Redis, the world
on one more; each machine a folder, a DAGSTER_HOME and a copy of ecauto.toml of its own.

An hour of the shops is a minute here: rates are multiplied by SPEED, ages divided by it. Not for: laws (test_*.py).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.register.postgresql import open_postgresql
from ecauto_pipeline.settings import parse
from ecauto_pipeline.wiring.history_place import history_of
from ecauto_pipeline.wiring.ports import free_port
from ecauto_pipeline_tests.desk.test_metrics import samples
from proofs.fleet.dagster_runs import Runs
from proofs.fleet.machines import ECAUTO, Machine, dagster_home
from proofs.fleet.servers import S3, PostgreSQL, Redis, wait_for

LOCATION = "ecauto_pipeline.definitions"
SPEED = 60
LANES, SHOPS, SP_ACCOUNTS = 4, 12, 8
AGES = {
    "ttl": {"basic": "168m", "category": "720m", "price": "24m", "stock": "60s"},
    "tiers": {"high_every": "60s", "medium_every": "6m", "low_every": "24m"},
}
SOONER = {"run_monitoring.poll_interval_seconds": 4, "run_coordinator.config.user_code_failure_retry_delay": 3}


@dataclass(frozen=True, slots=True)
class Published:
    """Rows of history on a machine that has just asked for it, and what state has of them."""

    answers: int
    different_answers: int
    unpublished_answers: int
    runs: int
    different_runs: int
    ended: int


class ShopFleet:
    """Started whole by the constructor; `closing` ends what was started, also where the rest failed. `environ`, `toml`,
    `postgresql`, `redis`: further variables, tables and servers with secrets in them; `services`: more processes of the
    control machine."""

    def __init__(
        self,
        folder: Path,
        closing: ExitStack,
        *,
        listings: int = 1_200,
        workers: int = 3,
        runs_each: int = 2,
        document: Mapping[str, Mapping[str, object]] | None = None,
        environ: Mapping[str, str] | None = None,
        toml: str = "",
        postgresql: PostgreSQL | None = None,
        redis: Redis | None = None,
        services: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.folder, self.postgresql, self.redis, self.s3 = folder, postgresql or PostgreSQL(), redis or Redis(), S3()
        for server in (self.postgresql, self.redis, self.s3):
            closing.callback(server.close)
            server.start()
        self.bucket = self.s3.new_bucket()
        self.state, self.register, dagster = (self.postgresql.new_database() for _ in range(3))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.lanes = [f"lane_{number}" for number in range(1, LANES + 1)]
        kept = {"history": {"url": self.bucket.url()}, **(document or {})}
        state, register = self.postgresql.url(self.state), self.postgresql.url(self.register)
        self.toml = _toml(self.url, state, register, kept) + toml
        self.environ = {
            **self.bucket.environ,
            "ECAUTO_DAGSTER_POSTGRES_URL": self.postgresql.url(dagster, "psycopg2"),
            "ECAUTO_REDIS_URL": self.redis.url(),
            "ECAUTO_FLEET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            **(environ or {}),
        }
        world = ["--seed", "7", "--listings", str(listings), "--accounts", str(SHOPS), "--speed", str(SPEED)]
        port = self.url.rpartition(":")[2]
        emulator = [sys.executable, "-m", "ecauto_pipeline.emulator", "--data", "emulator", "--port", port, *world]
        daemon = [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"]
        self.world = self._machine("world", {"emulator": emulator})
        self.control = self._machine("control", {"daemon": daemon, **(services or {})})
        worker = {"worker": [*ECAUTO, "fleet", "worker", "--runs", str(runs_each)]}
        self.workers = {name: self._machine(name, worker) for name in [f"w{n}" for n in range(1, workers + 1)]}
        self._start(closing)
        self.runs = Runs(
            dagster_home(folder / "test", SOONER), LOCATION, {**self.environ, **self._own(self.control.folder)}
        )
        closing.callback(self.runs.close)
        self.runs.start_sensor("dead_runs")  # in live mode it is on by itself

    def _start(self, closing: ExitStack) -> None:
        for machine in (self.world, self.control, *self.workers.values()):
            closing.callback(machine.kill)
        self.world.start()
        wait_for(self._world_answers, 60, "the emulator")
        rows = self.ask("/emulator/register")
        open_postgresql(self.postgresql.url(self.register)).seed(rows["products"], rows["listings"])
        done = self.command("fleet", "migrate")
        assert done.returncode == 0, done.stdout + done.stderr
        for machine in (self.control, *self.workers.values()):
            machine.start()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What `ecauto` says on the control machine."""
        return subprocess.run(
            [*ECAUTO, *words],
            cwd=self.control.folder,
            env=self.control.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def _machine(self, name: str, commands: Mapping[str, Sequence[str]]) -> Machine:
        home = dagster_home(self.folder / name, SOONER, LOCATION)
        (home / "ecauto.toml").write_text(self.toml, encoding="utf-8")
        return Machine(home, name, commands, {**self.environ, **self._own(home)})

    @staticmethod
    def _own(home: Path) -> dict[str, str]:
        """What is another machine's own folder there."""
        return {
            "DAGSTER_HOME": str(home),
            "ECAUTO_CONFIG": str(home / "ecauto.toml"),
            "ECAUTO_DATA_DIR": str(home / "data"),
        }

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The emulator's control plane."""
        data = None if body is None else json.dumps(dict(body)).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.loads(answer.read())

    def _world_answers(self) -> bool:
        try:
            return bool(self.ask("/emulator"))
        except OSError:
            return False

    def submit(self, lane: str, job: str = "stock_sync") -> str:
        """What the schedule asks for in one lane; returns the run's id."""
        tags = {"ecauto/lane": lane, "dagster/partition": hour_key(datetime.now(UTC))}
        config = {"resources": {"pipeline": {"config": {"trigger": "schedule", "lane": lane}}}}
        return self.runs.submit(job, tags, config)

    def round(self, within_s: float = 600.0, job: str = "stock_sync") -> dict[str, list[str]]:
        """A run in every lane, all at once, to their ends: lane -> the run that was asked for, and those after it."""
        asked = {lane: self.submit(lane, job) for lane in self.lanes}
        return {lane: self.ended(run_id, within_s) for lane, run_id in asked.items()}

    def ended(self, run_id: str, within_s: float = 600.0) -> list[str]:
        """This run and those that Dagster launched in its place, the last of which ended well; else it fails here."""
        tried = [run_id]
        while (status := self.runs.over(tried[-1], within_s)) == dg.DagsterRunStatus.FAILURE:
            tried.append(self.runs.retry_of(tried[-1]))
        assert status == dg.DagsterRunStatus.SUCCESS, self.runs.failure(tried[-1])
        return tried

    def calls(self, since: int = 0, api: str = "sp_api") -> list[dict[str, Any]]:
        """What the emulator saw, oldest first."""
        return list(self.ask(f"/emulator/calls?since={since}&api={api}"))

    def last_call(self) -> int:
        """The number of the last call that the emulator saw."""
        return max((int(call["seq"]) for api in ("sp_api", "base") for call in self.calls(api=api)), default=0)

    def calls_of(self, lane: str, since: int, apis: Sequence[str] = ("sp_api", "base")) -> int:
        """How many calls this lane has made to Amazon and to its shops since that number."""
        own = {*self.shops_of(lane), *self.sp_accounts_of(lane)}
        return sum(call["account"] in own for api in apis for call in self.calls(since, api))

    def sp_accounts_of(self, lane: str) -> list[str]:
        number, each = self.lanes.index(lane), SP_ACCOUNTS // LANES
        return [f"sp_{n}" for n in range(number * each + 1, (number + 1) * each + 1)]

    def change_prices(self, share: float) -> list[str]:
        """Another price at Amazon for this share of the ASINs that have offers, from now on; returns them."""
        asins = sorted(self.ask("/emulator/world/asins"))
        changed = []
        for asin in asins[:: round(1 / share)]:
            truth = self.ask(f"/emulator/world/asins/{asin}")
            if truth["offers"]:
                self.ask(f"/emulator/world/asins/{asin}", {"price_jpy": round(truth["level_jpy"] * 1.2)})
                changed.append(asin)
        return changed

    def metrics(self) -> dict[str, dict[str, float]]:
        """What Prometheus would read of a desk of this fleet: value by labels by metric."""
        code = "from ecauto_pipeline.settings import load; from ecauto_pipeline.wiring.open import open_tools\n"
        code += "from ecauto_pipeline.views.metrics import prometheus\n"
        code += "with open_tools(load(), offline=True) as tools: print(prometheus(tools))"
        told = subprocess.run(
            [sys.executable, "-c", code], env=self.control.environ, capture_output=True, text=True, check=True
        )
        return samples(told.stdout)

    def history(self, folder: Path) -> Published:
        """What is published, as a machine sees it that begins with this empty folder. Raises AssertionError where
        something in it is damaged."""
        settings = parse({"history": {"url": self.bucket.url()}, "paths": {"data": str(folder)}}, folder)
        store = history_of(settings, os.environ, SystemClock())
        store.load()
        with duckdb.connect(str(store.database), read_only=True) as connection:
            query = "SELECT count(*), count(DISTINCT snapshot_id) FROM snapshots"
            answers = connection.execute(query).fetchall()[0]
            runs = connection.execute("SELECT count(*), count(DISTINCT run_id) FROM run_metrics").fetchall()[0]
        assert store.verify().ok
        left, ended = (
            int(self.postgresql.sql(f"SELECT count(*) FROM {rows}", self.state))
            for rows in ("observations", "runs WHERE ended_at IS NOT NULL")
        )
        return Published(answers[0], answers[1], left, runs[0], runs[1], ended)

    def shops_of(self, lane: str) -> list[str]:
        number = self.lanes.index(lane)
        each = SHOPS // LANES
        return [f"base_account_{n}" for n in range(number * each + 1, (number + 1) * each + 1)]


def _toml(url: str, state: str, register: str, document: Mapping[str, Mapping[str, object]]) -> str:
    """`document`: further keys by table, over AGES."""
    lines = ['mode = "emulated"', "", "[fleet]", "on = true", "", "[state]", f'url = "{state}"', ""]
    lines += ["[paths]", f'master_db = "{register}"', ""]
    lines += ["[sp_api]", f'endpoint = "{url}"', f'lwa_endpoint = "{url}"', "", "[base]", f'endpoint = "{url}/1"', ""]
    for table, keys in {**AGES, **document}.items():
        lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""]
    for number in range(1, SP_ACCOUNTS + 1):
        lines += ["[[sp_api.accounts]]", f'id = "sp_{number}"', ""]
    for number in range(1, SHOPS + 1):
        callback = f"http://127.0.0.1/emulated/callback/{number}"
        lines += ["[[base.accounts]]", f'id = "base_account_{number}"', f'redirect_uri = "{callback}"', ""]
    for number in range(LANES):
        shops = [f"base_account_{number * SHOPS // LANES + n}" for n in range(1, SHOPS // LANES + 1)]
        accounts = [f"sp_{number * SP_ACCOUNTS // LANES + n}" for n in range(1, SP_ACCOUNTS // LANES + 1)]
        lines += ["[[lanes]]", f'id = "lane_{number + 1}"', f"shops = {json.dumps(shops)}"]
        lines += [f"sp_accounts = {json.dumps(accounts)}", ""]
    return "\n".join(lines)
