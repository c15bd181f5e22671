"""What one lane asks of PostgreSQL: transactions, log and processor time a call to SP-API, a plan and a look.

    python -m benchmarks.lane_load [--calls 200] [--shops 10] [--asins 10000]

Needs the packages of requirements-fleet-dev.txt and PostgreSQL's programs (docs/fleet.md). The server is started for
it on loopback, fsync off; SP-API is the emulator, at 20 calls a second. The server counts itself: pg_stat_database,
pg_stat_wal, and the processor time of its processes. Not for: comparing with SQLite, or how fast a disk is.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

from benchmarks.far_emulator import FarEmulator
from benchmarks.fetch import CLOCK
from benchmarks.lanes import KEY, NOW, accounts_of, fill, master_of
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.lanes import Lane
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import locks, migrations
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline.sync.stale_asins.next_slice import decide_next
from ecauto_pipeline_tests.not_needed import NOT_NEEDED
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, plan, tools_at
from proofs.fleet.servers import PostgreSQL

RATE = 20.0
SETTLES_S = 11.0
"""A connection that rests reports what it did after ten seconds at most."""

COUNTED = (
    "SELECT xact_commit, xact_rollback, tup_returned, tup_inserted + tup_updated + tup_deleted,"
    " (SELECT wal_bytes FROM pg_stat_wal), pg_database_size(current_database())"
    " FROM pg_stat_database WHERE datname = current_database()"
)


@dataclass(frozen=True, slots=True)
class Load:
    """So much since the server began; `client_s`, `server_s` of processor time."""

    commits: float
    rollbacks: float
    rows_read: float
    rows_written: float
    wal_bytes: float
    database_bytes: float
    client_s: float
    server_s: float

    def since(self, before: Load, parts: int) -> Load:
        """The difference, a part of so many."""
        pairs = zip(astuple(self), astuple(before), strict=True)
        return Load(*((now - then) / parts for now, then in pairs))


def load_of(server: PostgreSQL, name: str) -> Load:
    time.sleep(SETTLES_S)
    commits, rollbacks, read, written, log, size = map(float, server.sql(COUNTED, name).split("|"))
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    times = [process.cpu_times() for process in family]
    busy = sum(one.user + one.system for one in times)
    busy += times[0].children_user + times[0].children_system  # of connections that have ended
    return Load(commits, rollbacks, read, written, log, size, time.process_time(), busy)


def counted(server: PostgreSQL, name: str, parts: int, work: Callable[[], object]) -> Load:
    """What `work`, which does something `parts` times, asked of the server each time."""
    before = load_of(server, name)
    work()
    return load_of(server, name).since(before, parts)


def line(what: str, load: Load) -> str:
    return (
        f"| {what} | {load.commits:.1f} | {load.rows_read:,.0f} | {load.rows_written:.1f} "
        f"| {load.wal_bytes / 1000:.1f} | {load.database_bytes / 1000:.1f} "
        f"| {load.client_s * 1000:.1f} | {load.server_s * 1000:.1f} |"
    )


def a_state(server: PostgreSQL) -> tuple[str, Database]:
    """A database of its own with the tables of state."""
    name = server.new_database()
    database = Database(server.url(name), unmigrated=True)
    with database.write(locks.schema()) as connection:
        migrations.migrate_postgresql(connection)
    return name, database


def calls(server: PostgreSQL, folder: Path, count: int) -> str:
    """Detail calls of 20 ASINs, all known before, one account."""
    name, database = a_state(server)
    database.close()
    with FarEmulator(folder / "world", count * 20 + 100) as emulator:
        emulator.rates(RATE, 5)
        limits = {
            operation: {"rate_per_s": RATE, "burst": 5.0} for operation in ("getItemOffersBatch", "getItemOffers")
        }
        tools = tools_at(
            folder,
            emulator.url,
            CLOCK,
            document={"sp_api": {"limits": limits}},
            timeout_s=30.0,
            state_url=server.url(name),
        )
        asins = emulator.ask("world/asins")[: count * 20]
        for run_id in ("first", "again"):
            run = a_run(run_id, CLOCK.now(), 3600)
            plan(tools.for_run(run), detail=asins)
            before = load_of(server, name)
            report = fetch.run(tools.for_run(run))
            made = sum(number for operation, number in report.calls.items() if not operation.endswith("lwaToken"))
            load = load_of(server, name).since(before, made)
        tools.state.close()
    return line(f"a call of 20 ASINs ({made} counted)", load)


def plans(server: PostgreSQL, folder: Path, shops: int, asins_each: int) -> list[str]:
    """A plan of a lane and a look of `next_slice`, with nobody else in the database."""
    name, database = a_state(server)
    fill(database, shops, asins_each, 0)
    lane = Lane("first", accounts_of(shops), ("sp_1",))
    register = master_of(folder, 1, 1)
    tools = Tools(
        settings=Settings(root=folder),
        clock=ManualClock(NOW),
        state=database,
        history=NOT_NEEDED,
        register=register,
        log=logging.getLogger("benchmark"),
        lane=lane,
    )

    def planned() -> None:
        for number in range(3):
            run = Run(f"plan_{number}", "stock_sync", (KEY,), NOW, accounts=lane.shops, lane=lane.id)
            with database.write(locks.run(run.run_id)) as connection:
                run_book.begin(connection, run.run_id, run.job, KEY, run.started_at, False, "", lane.id)
            stale_asins.run(tools.for_run(run))

    def looked() -> None:
        for _ in range(3):
            decide_next(tools, [])

    size = load_of(server, name).database_bytes / (shops * asins_each)
    told = [line(f"a plan of {shops * asins_each:,} ASINs", counted(server, name, 3, planned))]
    told.append(line("a look of `next_slice`", counted(server, name, 3, looked)))
    database.close()
    return [*told, f"\nstate with nothing but listings and ASINs: {size:.0f} bytes a listing"]


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=200)
    options.add_argument("--shops", type=int, default=10)
    options.add_argument("--asins", type=int, default=10_000, help="of each shop")
    chosen = options.parse_args()
    server = PostgreSQL()
    try:
        server.start()
        print("| what | commits | rows read | rows written | log KB | growth KB | client ms | server ms |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        with tempfile.TemporaryDirectory() as name:
            print(calls(server, Path(name), chosen.calls), flush=True)
            print("\n".join(plans(server, Path(name), chosen.shops, chosen.asins)), flush=True)
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
