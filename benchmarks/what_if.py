"""What `ecauto what-if` costs a large shop: 100,000 listings, a month of answers, one setting changed.

    python -m benchmarks.what_if [--listings 100000] [--days 30] [--moved 0.05]

History holds one answer an ASIN a day, of which a share (`--moved`) says another price than the day before. Beside the
whole, the plan alone (--days 0) is measured in the same run. Exit code 1 over 60 s.
Not for: whether the answer is right (ecauto_pipeline_tests/reports/test_what_if.py).
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.diffs import NOW, Case, fill
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.reports.what_if import what_if
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.sync.context import Tools

LIMIT_S = 60.0
SHOP = AccountKey("base", "shop_1")


def main(argv: list[str] | None = None) -> int:
    """Print the table; 1 when the limit is exceeded."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--listings", type=int, default=100_000)
    words.add_argument("--days", type=int, default=30)
    words.add_argument("--moved", type=float, default=0.05)
    asked = words.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = _shop(folder, asked.listings)
        rows = _past(tools.history, asked.listings, asked.days, asked.moved)
        changed = parse({"base": {"accounts": [{"id": "shop_1"}]}, "pricing": {"markup_ratio": 1.25}}, folder)
        print(
            f"{asked.listings:,} listings, {asked.days} days, {rows:,} answers, {asked.moved:.0%} of them another price"
        )
        seconds = {}
        for what, days in (("the plan alone", 0), ("with the past", asked.days)):
            began, cpu = time.perf_counter(), time.process_time()
            found = what_if(tools, changed, (SHOP,), days)
            seconds[what] = time.perf_counter() - began
            edits = f"{found.now.edits:,} -> {found.then.edits:,} edits now"
            past = f", {found.past_now.edits:,} -> {found.past_then.edits:,} in the past" if days else ""
            print(f"| {what} | {seconds[what]:.1f} s | {time.process_time() - cpu:.1f} s of CPU | {edits}{past} |")
        tools.state.close()
    kept = seconds["with the past"] <= LIMIT_S
    print(f"limit {LIMIT_S:.0f} s: {'kept' if kept else 'exceeded'}")
    return 0 if kept else 1


def _shop(folder: Path, count: int) -> Tools:
    settings = parse({"base": {"accounts": [{"id": "shop_1"}]}}, folder)
    database = Database(f"sqlite:///{folder}/state.db")
    fill(database, Case("", count, 0, None))
    return Tools(
        settings=settings,
        clock=ManualClock(NOW),
        state=database,
        history=HistoryStore(folder / "history", folder / "history.duckdb", ManualClock(NOW)),
        register=Register(folder / "master.db"),
        log=logging.getLogger("what_if"),
    )


def _past(history: HistoryStore, count: int, days: int, moved: float) -> int:
    """One Parquet file a day, in the form of a run's, and one from before the first day."""
    luck = np.random.default_rng(1)
    prices = 1000 + np.arange(count) % 9_000
    for ago in range(days + 1, 0, -1):
        chosen = luck.random(count) < moved
        prices = np.where(chosen, np.maximum(300, prices * luck.uniform(0.9, 1.12, count)).astype(np.int64), prices)
        at = NOW - timedelta(days=ago)
        said = {"run_id": f"day-{ago}", "observed_at": at, "operation": "getItemOffersBatch", "status": "success"}
        rows = [
            {"snapshot_id": f"{ago}-{number}", "asin": f"B{number:09d}", "price_jpy": price, "in_stock": True, **said}
            for number, price in enumerate(prices.tolist())
        ]
        history.write("snapshots", f"day-{ago}", rows, at)
    history.load()
    return count * (days + 1)


if __name__ == "__main__":
    sys.exit(main())
