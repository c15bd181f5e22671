"""What state in PostgreSQL costs the process that uses it, beside SQLite: processor time of this side alone.

    python -m benchmarks.state_cost [--url postgresql+psycopg://...] [--works plan diffs call lane_call] [--rounds 3]

Needs the packages of requirements-fleet-dev.txt; without `--url` also PostgreSQL's programs, of which one is started on
loopback. Each measurement has a database of its own (made beside the one that `--url` names, and dropped) and a process
of its own; the two kinds take turns, and the better of all rounds counts.
* plan: a plan of `--listings` ASINs; diffs: price and visibility of so many listings, 2,000 prices moved;
* call: one call of 20 ASINs among `--calls`, answers kept; lane_call: the same for a lane whose lease is held, which
  one machine has no need of: SQLite's column is that of `call`.
`--counts`: statements, transactions, and what the server read of each table, a call. The exit code is 1 where a ratio
is over 1.3. Not for: the server's own time, or how long anything takes.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, event, make_url, text

from benchmarks import diffs as deciding
from benchmarks import stale as planning
from benchmarks.diffs import _NoShop, _tools
from benchmarks.far_emulator import FarEmulator
from ecauto_pipeline.clock import ManualClock, SystemClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.sync import lane_lease
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline_tests.not_needed import NOT_NEEDED
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, plan, tools_at
from proofs.fleet.servers import PostgreSQL
from proofs.fleet.tables import migrated

MOST = 1.3
RATE, BURST = 200.0, 20
MOVED = 2_000


@dataclass(frozen=True, slots=True)
class Case:
    """`far`: the emulator's address, `wanted`: what is asked of it, 20 a call; `count`: who counts statements."""

    url: str
    far: str
    wanted: tuple[str, ...]
    listings: int
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time, user and system, of a plan, of both diffs, of a call; what was counted of it."""

    ms: float
    counted: tuple[str, ...] = ()


def plan_cost(case: Case) -> Cost:
    database = Database(case.url)
    planning.fill(database, case.listings)
    with tempfile.TemporaryDirectory() as folder:
        tools = Tools(
            settings=Settings(root=Path(folder)),
            clock=ManualClock(planning.NOW),
            state=database,
            history=NOT_NEEDED,
            register=NOT_NEEDED,
            log=logging.getLogger("benchmark"),
        )
        took = []
        for attempt in range(3):  # the first finds nothing compiled
            run = Run(f"run_{attempt}", "stock_sync", ("2026-11-23-10:00",), planning.NOW)
            with database.write() as connection:
                run_book.begin(connection, run.run_id, run.job, run.partition_key, run.started_at, run.dry_run)
            began = time.process_time()
            stale_asins.run(tools.for_run(run))
            took.append(time.process_time() - began)
    database.close()
    return Cost(min(took) * 1000)


def diffs_cost(case: Case) -> Cost:
    database = Database(case.url)
    deciding.fill(database, deciding.Case("", case.listings, MOVED, None))
    with tempfile.TemporaryDirectory() as folder:
        settings = parse({"base": {"accounts": [{"id": "shop_1"}]}}, Path(folder))
        tools = _tools(settings, database, ManualClock(deciding.NOW), {AccountKey("base", "shop_1"): _NoShop()})
        run = Run("cost", "full_sync", ("2026-06-01-12:00",), deciding.NOW)
        began = time.process_time()
        price.run(tools.for_run(run))
        visibility.run(tools.for_run(run))
        took = time.process_time() - began
    database.close()
    return Cost(took * 1000)


def call_cost(case: Case) -> Cost:
    return _calls(case, lambda tools, run: nullcontext())


def lane_call_cost(case: Case) -> Cost:
    if make_url(case.url).get_backend_name() == "sqlite":
        return call_cost(case)
    return _calls(case, lambda tools, run: lane_lease.holding(tools, "first", run.run_id))


def _calls(case: Case, holding: Callable[[Tools, Run], AbstractContextManager[object]]) -> Cost:
    clock, limit = SystemClock(), {"rate_per_s": RATE, "burst": float(BURST)}
    limits = {name: limit for name in ("getItemOffersBatch", "getItemOffers")}
    with tempfile.TemporaryDirectory() as folder:
        document = {"sp_api": {"limits": limits}}
        tools = tools_at(Path(folder), case.far, clock, document=document, timeout_s=30.0, state_url=case.url)
        took, counted = [], Counts(tools.state)
        for name in ("first", "second", "third"):  # the first knows nothing, and asks again what is doubtful
            run = a_run(name, clock.now(), 3600)
            plan(tools.for_run(run), detail=case.wanted)
            with holding(tools, run), counted if case.counts and name == "third" else nullcontext():
                began = time.process_time()
                report = fetch.run(tools.for_run(run))
                spent = time.process_time() - began
            made = sum(number for operation, number in report.calls.items() if not operation.endswith("lwaToken"))
            took.append(spent / made)
        tools.state.close()
    return Cost(min(took[1:]) * 1000, counted.of(made))


class Counts:
    """Statements by their beginning, transactions, and rows that PostgreSQL read of each table."""

    def __init__(self, database: Database) -> None:
        self._database, self._seen, self._rows = database, Counter[str](), Counter[str]()

    def __enter__(self) -> None:
        self._rows = self._read()
        event.listen(self._database.engine, "before_cursor_execute", self._executed)
        event.listen(self._database.engine, "commit", self._ended)

    def __exit__(self, *_: object) -> None:
        event.remove(self._database.engine, "before_cursor_execute", self._executed)
        event.remove(self._database.engine, "commit", self._ended)
        self._rows = self._read() - self._rows

    def _executed(self, _connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        self._seen[" ".join(statement.split())[:70]] += 1

    def _ended(self, _connection: Any) -> None:
        self._seen["COMMIT"] += 1

    def _read(self) -> Counter[str]:
        if self._database.sqlite:
            return Counter()
        time.sleep(11)  # a connection that rests reports what it did after ten seconds at most
        asked = "SELECT relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch FROM pg_stat_user_tables"
        found: Counter[str] = Counter()
        with self._database.read() as connection:
            for name, scans, by_scan, looks, by_index in connection.execute(text(asked)):
                found[f"{name}: scans"], found[f"{name}: rows of scans"] = scans, by_scan
                found[f"{name}: looks in an index"], found[f"{name}: rows of an index"] = looks or 0, by_index or 0
        return found

    def of(self, parts: int) -> tuple[str, ...]:
        counted = [*self._seen.most_common(), *self._rows.most_common()]
        return tuple(f"{count / parts:10.2f} {name}" for name, count in counted if count / parts >= 0.05)


WORKS: dict[str, Callable[[Case], Cost]] = {
    "plan": plan_cost,
    "diffs": diffs_cost,
    "call": call_cost,
    "lane_call": lane_call_cost,
}


@contextmanager
def server_at(url: str) -> Iterator[str]:
    """A server whose databases are ours to make: the one given, or one of our own."""
    if url:
        yield url
        return
    with PostgreSQL() as server:
        yield server.url("postgres")


@contextmanager
def new_database(url: str) -> Iterator[str]:
    """An empty one with the tables of state, beside the one that `url` names."""
    name = f"ecauto_cost_{uuid4().hex[:12]}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield migrated(make_url(url).set(database=name).render_as_string(hide_password=False))
    finally:
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        engine.dispose()


@contextmanager
def new_file() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{(Path(folder) / 'state.db').as_posix()}"


def measured(work: Callable[[Case], Cost], case: Case) -> Cost:
    """In a process of its own, which has compiled and cached nothing."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, case).result()


def main() -> int:
    """Print the table; 1 where PostgreSQL costs too much."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", default="", help="of a PostgreSQL in which databases may be made and dropped")
    options.add_argument("--works", choices=WORKS, nargs="+", default=list(WORKS))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--listings", type=int, default=100_000)
    options.add_argument("--calls", type=int, default=100)
    options.add_argument("--counts", action="store_true")
    chosen = options.parse_args()
    too_much = False
    with contextlib.ExitStack() as open_ones:
        folder = Path(open_ones.enter_context(tempfile.TemporaryDirectory()))
        server = open_ones.enter_context(server_at(chosen.url))
        far, wanted = "", ()
        if {"call", "lane_call"} & set(chosen.works):
            emulator = open_ones.enter_context(FarEmulator(folder / "far", chosen.calls * 20 + 50))
            emulator.rates(RATE, BURST)
            far, wanted = emulator.url, tuple(emulator.ask("world/asins")[: chosen.calls * 20])
        print("| what | SQLite ms | PostgreSQL ms | ratio |\n|---|---|---|---|", flush=True)
        for name in chosen.works:
            case = Case("", far, wanted, chosen.listings, chosen.counts)
            costs: dict[str, list[Cost]] = {"sqlite": [], "postgresql": []}
            for _ in range(chosen.rounds):
                for kind, made in (("sqlite", new_file()), ("postgresql", new_database(server))):
                    with made as url:
                        costs[kind].append(measured(WORKS[name], replace(case, url=url)))
            sqlite, postgresql = (min(costs[kind], key=lambda cost: cost.ms) for kind in ("sqlite", "postgresql"))
            ratio = postgresql.ms / sqlite.ms
            too_much |= ratio > MOST
            print(f"| {name} | {sqlite.ms:.1f} | {postgresql.ms:.1f} | {ratio:.2f} |", flush=True)
            for kind, cost in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
                print("".join(f"    {kind} {line}\n" for line in cost.counted), end="", flush=True)
    return int(too_much)


if __name__ == "__main__":
    sys.exit(main())
