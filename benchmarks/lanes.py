"""What a lane of 10 shops costs in an installation of 100, against those 10 shops alone.

    python -m benchmarks.lanes [--shops 100] [--lane 10] [--asins 2000] [--runs 5000] [--url postgresql+psycopg://...]

Measured are the steps whose work could grow with everybody's listings: planning (state read, judged, ordered, the list
written), what `next_slice` asks of a lane, the facts that diffs are judged from, and reading the register. CPU seconds
of this process, the best of five each; both installations have the same 10 shops in them, row by row. The large one has
the records of `--runs` runs of other lanes too. `--url`: state in PostgreSQL, in databases made beside the one that is
named (`server`: in one started for it, docs/fleet.md); the register is SQLite's all the same. The exit code is 1 when
planning costs more than 1.3 times.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from benchmarks.state_cost import new_database, new_file, server_at
from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.domain.lanes import Lane
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.known_asins import known_of
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.state.targets import count_asins
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline.sync.stale_asins.next_slice import decide_next

NOW = datetime(2026, 11, 23, 1, 20, tzinfo=UTC)
KEY = "2026-11-23-10:00"
MOST = 1.3
TRIES = 5


def accounts_of(count: int) -> tuple[AccountKey, ...]:
    return tuple(AccountKey("base", f"shop_{number:03d}") for number in range(count))


def fill(database: Database, shops: int, asins_each: int, other_runs: int) -> None:
    """So many shops with ASINs of their own, one in a hundred failing, and runs of other lanes in the last week."""
    luck = np.random.default_rng(1)
    now = to_ms(NOW)
    for place, account in enumerate(accounts_of(shops)):
        names = [f"B{place * asins_each + number:09d}" for number in range(asins_each)]
        ages = [now - int(hours * 3_600_000) for hours in luck.uniform(0, 26, asins_each)]
        with database.write() as connection:
            connection.execute(insert(listings), [_listing(account, number, asin) for number, asin in enumerate(names)])
            known = zip(names, ages, strict=True)
            connection.execute(insert(asins), [_known(number, *one, now) for number, one in enumerate(known)])
    with database.write() as connection:
        for number in range(other_runs):
            at = NOW - timedelta(days=6) * (number / other_runs) - timedelta(hours=2)
            run_book.begin(connection, f"other_{number}", "stock_sync", KEY, at, False, "", f"lane_{number % 9}")
            keep(connection, f"other_{number}", "sp_api_snapshots", FetchReport(planned=100, asked=100))
            run_book.end(connection, f"other_{number}", at + timedelta(minutes=5))


def _listing(account: AccountKey, number: int, asin: str) -> dict[str, object]:
    key = {"platform": account.platform, "account_id": account.account_id, "item_id": str(number)}
    return {**key, "asin": asin, "listed": 1, "shown_visible": 1, "shown_price_jpy": 1300, "present": 1}


def _known(number: int, asin: str, at: int, now: int) -> dict[str, object]:
    return {
        "asin": asin,
        "status": "success",
        "price_jpy": 1000,
        "in_stock": 1,
        "probe_offer_count": 3,
        **dict.fromkeys(("price_at", "stock_at", "detail_at", "probe_at"), at),
        "last_sold_at": now if number % 100 == 0 else None,
        "last_viewed_at": now if number % 2 == 0 else None,
        "orders_30d": 1.0 if number % 100 == 0 else 0.0,
        "failures": 1 if number % 100 == 7 else 0,
        "failed_at": now if number % 100 == 7 else None,
        "failing_reason": "no_answer" if number % 100 == 7 else "",
    }


def master_of(folder: Path, shops: int, asins_each: int) -> Register:
    """The register of those shops, its ids of accounts spelled as people do."""
    products = [{"asin": f"B{number:09d}", "amazon_price_jpy": 1000} for number in range(shops * asins_each)]
    rows = [
        {
            "asin": f"B{place * asins_each + number:09d}",
            "platform": "BASE",
            "account_id": account.account_id.upper(),
            "platform_item_id": str(number),
            "selling_price": 1300,
            "in_stock_quantity": 1,
            "status": "listed",
            "visibility": "public",
        }
        for place, account in enumerate(accounts_of(shops))
        for number in range(asins_each)
    ]
    return Register.create(folder / "master.db", products, rows)


def best_s(work: Callable[[int], object]) -> float:
    """CPU seconds of the best of some tries."""
    times = []
    for attempt in range(TRIES):
        started = time.process_time()
        work(attempt)
        times.append(time.process_time() - started)
    return min(times)


@contextmanager
def installation(url: str, shops: int, asins_each: int, other_runs: int, lane: Lane) -> Iterator[Tools]:
    """The tools of a lane's run."""
    with tempfile.TemporaryDirectory() as name, new_database(url) if url else new_file() as state_url:
        folder = Path(name)
        database = Database(state_url)
        fill(database, shops, asins_each, other_runs)
        unused: Any = None
        yield Tools(
            settings=Settings(root=folder),
            clock=ManualClock(NOW),
            state=database,
            history=unused,
            register=master_of(folder, shops, asins_each),
            log=logging.getLogger("benchmark"),
            lane=lane,
        )
        database.close()


def measure(tools: Tools) -> dict[str, float]:
    """CPU seconds by step."""
    lane = tools.lane

    def run_no(number: int, step: str) -> Run:
        run = Run(f"{lane.id}_{step}_{number}", "stock_sync", (KEY,), NOW, accounts=lane.shops, lane=lane.id)
        with tools.state.write() as connection:
            run_book.begin(connection, run.run_id, run.job, KEY, run.started_at, False, "", lane.id)
        return run

    def planned(number: int) -> None:
        report = stale_asins.run(tools.for_run(run_no(number, "plan")))
        assert report.survey.total_asins == len(lane.shops) * asins_each

    def looked(_number: int) -> None:
        decide_next(tools, [])

    def known(_number: int) -> None:
        with tools.state.read() as connection:
            known_of(connection, (one.asin for one in listing_facts(connection, lane.shops, NOW, moves={})))

    def register(_number: int) -> None:
        tools.register.read([account.account_id for account in lane.shops])

    with tools.state.read() as connection:
        asins_each = count_asins(connection, lane.shops) // len(lane.shops)
    return {
        "plan": best_s(planned),
        "next_slice": best_s(looked),
        "facts for diffs": best_s(known),
        "register": best_s(register),
    }


def main() -> int:
    """Print the table; 1 when planning costs too much."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--shops", type=int, default=100)
    options.add_argument("--lane", type=int, default=10)
    options.add_argument("--asins", type=int, default=2000, help="of each shop")
    options.add_argument("--runs", type=int, default=5000, help="of other lanes, in the last week")
    options.add_argument("--url", default="")
    chosen = options.parse_args()
    lane = Lane("first", accounts_of(chosen.lane), ("sp_1",))
    own = chosen.url == "server"
    with server_at("" if own else chosen.url) if chosen.url else nullcontext("") as url:
        with installation(url, chosen.lane, chosen.asins, 0, lane) as tools:
            alone = measure(tools)
        with installation(url, chosen.shops, chosen.asins, chosen.runs, lane) as tools:
            among = measure(tools)
            whole = measure(replace(tools, lane=Lane("every", accounts_of(chosen.shops), ("sp_1",))))
    print(f"{chosen.lane} shops of {chosen.asins:,} ASINs, alone and among {chosen.shops}; CPU seconds")
    print("| step | alone | among | ratio | all shops in one lane |\n|---|---|---|---|---|")
    for step, took in alone.items():
        print(f"| {step} | {took:.3f} | {among[step]:.3f} | {among[step] / took:.2f} | {whole[step]:.2f} |")
    return int(among["plan"] > MOST * alone["plan"])


if __name__ == "__main__":
    sys.exit(main())
