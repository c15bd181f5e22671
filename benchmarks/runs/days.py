"""What some days of ten-minute slices leave in state.db, and what publishing costs then when there is nothing new.

    python -m benchmarks.runs.days [--listings 1000 3000] [--days 3] [--minutes 10] [--spend due]

The steps of the line themselves, slice after slice, on a clock moved by hand, at Amazon's documented rates; customers
and prices are the emulated world's. 100,000 listings take three quarters of an hour; of two sizes or more a line is
drawn, and what it says of 100,000 is said to be drawn. Not for: what a run costs (python -m benchmarks.runs).
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.credentials import base_account_id, base_app
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.publish import publish
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

BEGAN = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
STATE_MB, PUBLISH_S = 250.0, 0.2
"""At most, of 100,000 listings after three days."""
OF = 100_000
SHOPS = 2
"""All of them active: a shop that is off leaves nothing."""
TOLD_EVERY = 36
"""Slices: six hours."""
COLUMNS = ("listings", "slices", "edits", "state.db MB", "rows of diffs", "rows of journal", "idle publish s")
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


@dataclass(frozen=True, slots=True)
class Left:
    """What the days left: `publish_s` are processor seconds of one that finds nothing new."""

    listings: int
    slices: int
    edits: int
    state_mb: float
    diffs: int
    journal: int
    publish_s: float


def play(folder: Path, listings: int, days: float, minutes: int, spend: str) -> Left:
    """One installation, slice after slice; a slice that took longer than its minutes is followed at once."""
    clock, slices = ManualClock(BEGAN), 0
    with EmulatorServer(clock, seed=7, listings=listings, accounts=SHOPS, speed=1.0) as emulator:
        limits = {"per_hour": 1_000_000, "per_day": 10_000_000}
        accounts = [
            {"id": account, "redirect_uri": base_app(account).redirect_uri}
            for account in (base_account_id(number) for number in range(1, SHOPS + 1))
        ]
        day = ShopDay(folder, emulator, clock, {"base": {"limits": limits, "accounts": accounts}})
        emulator.control.set_base_limits(per_hour=1_000_000, per_day=10_000_000)
        end = BEGAN + timedelta(days=days)
        while clock.now() < end:
            next_at = clock.now() + timedelta(minutes=minutes)
            day.run("stock_sync", slice_s=minutes * 60, spend=spend, include_price="all", slice_no=slices + 1)
            slices += 1
            if slices % TOLD_EVERY == 0:
                print(f"{slices} slices: state.db {_megabytes(day):.1f} MB", file=sys.stderr, flush=True)
            clock.advance(max(0.0, (next_at - clock.now()).total_seconds()))
        with day.tools() as tools:
            publish(tools)
            began = time.process_time()
            publish(tools)
            publish_s = time.process_time() - began
        edits = len(day.edits())
    with closing(sqlite3.connect(day.settings.data_dir / "state.db")) as state:
        diffs, journal = (
            state.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("diffs", "journal")
        )
    return Left(listings, slices, edits, _megabytes(day), diffs, journal, publish_s)


def _megabytes(day: ShopDay) -> float:
    """What state.db takes on the disk, its log included."""
    return sum(file.stat().st_size for file in day.settings.data_dir.glob("state.db*")) / 2**20


def line(left: Left) -> str:
    """A line of the table."""
    numbers = (left.listings, left.slices, left.edits)
    done = (f"{left.state_mb:.1f}", f"{left.diffs:,}", f"{left.journal:,}", f"{left.publish_s:.3f}")
    return f"| {' | '.join((*(f'{one:,}' for one in numbers), *done))} |"


def drawn(found: Sequence[Left], listings: int = OF) -> float | None:
    """MB of state.db for so many listings, on the line through the smallest and the largest; None of one size."""
    small, large = min(found, key=lambda one: one.listings), max(found, key=lambda one: one.listings)
    if small.listings == large.listings:
        return None
    each = (large.state_mb - small.state_mb) / (large.listings - small.listings)
    return large.state_mb + each * (listings - large.listings)


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--listings", type=int, nargs="+", default=[1_000, 3_000])
    options.add_argument("--days", type=float, default=3.0)
    options.add_argument("--minutes", type=int, default=10)
    options.add_argument("--spend", choices=("due", "budget"), default="due")
    chosen = options.parse_args()
    print(HEAD, flush=True)
    found = []
    for listings in chosen.listings:
        with tempfile.TemporaryDirectory(prefix="ecauto_days_") as folder:
            found.append(play(Path(folder), listings, chosen.days, chosen.minutes, chosen.spend))
        print(line(found[-1]), flush=True)
    size = drawn(found)
    if size is not None:
        print(f"\n{OF:,} listings, drawn from these: state.db {size:.0f} MB (limit {STATE_MB:.0f})")
    print(f"idle publish at most {max(one.publish_s for one in found):.3f} s (limit {PUBLISH_S})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
