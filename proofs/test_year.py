"""A year of a small shop on a clock moved by hand: what is on the disk at the end of each quarter.

`RUNS` runs spread over the year, each a whole run of the line against the emulator of the same clock
(`pytest proofs/test_year.py -s` prints the table of docs/performance.md). Not for: Dagster's own records, which are
kept to a number (defs/housekeeping.py), or single rows (ecauto_pipeline_tests/state/test_lifetimes.py).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state.lifetimes import LIFETIMES
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

START = datetime(2026, 1, 5, 3, tzinfo=UTC)
RUNS, EVERY = 122, timedelta(days=3)
QUARTERS = (31, 61, 92, 122)
LISTINGS = 60


def _rows(state: Path) -> dict[str, int]:
    with closing(sqlite3.connect(state)) as connection:
        return {
            life.table: connection.execute(f"SELECT count(*) FROM {life.table}").fetchone()[0] for life in LIFETIMES
        }


def _bytes(path: Path) -> int:
    return (
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size
    )


@pytest.mark.timeout(3600)
def test_a_year_leaves_no_more_than_its_first_half(tmp_path: Path) -> None:
    """Rows and size of state.db and of the logs at the end of the year are those of its first half."""
    clock = ManualClock(START)
    with EmulatorServer(clock=clock, seed=5, listings=LISTINGS, accounts=2, speed=1000.0, data=None) as emulator:
        day = ShopDay(tmp_path, emulator, clock)
        data = day.settings.data_dir
        quarters = []
        for number in range(1, RUNS + 1):
            day.run()
            clock.set(START + number * EVERY)
            if number in QUARTERS:
                sizes = {name: _bytes(data / name) for name in ("state.db", "logs", "history", "history.duckdb")}
                quarters.append((sizes, _rows(data / "state.db")))
    for sizes, rows in quarters:
        print({name: f"{size / 1024:,.0f} KiB" for name, size in sizes.items()}, {k: v for k, v in rows.items() if v})
    earlier, (last, last_rows) = quarters[:2], quarters[-1]
    most = {name: max(sizes[name] for sizes, _ in earlier) for name in ("state.db", "logs")}
    rows_most = {table: max(rows[table] for _, rows in earlier) for table in last_rows}
    assert [] == [name for name, size in most.items() if last[name] > size * 1.25]
    assert [] == [table for table, count in last_rows.items() if count > rows_most[table] * 1.25 + 20]
