"""How long the planner takes for 100,000 and 1,000,000 ASINs, against a loop over one JSON file an ASIN.

    python -m benchmarks.stale [--listings 100000 1000000] [--files 20000]

Reading state, judging, ordering and writing the run's list are all inside the measured time. The loop does what the
scripts before this program did for each ASIN: stat, open and parse its file, judge it, and count the hit in
metadata.json, which is read and written anew each time. It is measured over `--files` files, warm, and scaled.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.stale_asins import plan as stale_asins

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LIMITS_S = {100_000: 0.5, 1_000_000: 6.0}
LEAST_RATIO = 40.0


def fill(database: Database, count: int, seed: int = 1) -> None:
    """A shop in its steady state: 1% sold lately, half viewed lately, ages spread over each tier's period and more."""
    luck = np.random.default_rng(seed)
    age_h = luck.uniform(0, 26, count)
    now = to_ms(NOW)
    for start in range(0, count, 50_000):
        numbers = range(start, min(count, start + 50_000))
        with database.write() as connection:
            connection.execute(
                insert(listings),
                [
                    {"platform": "base", "account_id": "shop_1", "item_id": str(n), "asin": f"B{n:09d}", "listed": 1}
                    for n in numbers
                ],
            )
            connection.execute(insert(asins), [_known(n, now - int(age_h[n] * 3_600_000), now) for n in numbers])


def _known(number: int, at: int, now: int) -> dict[str, object]:
    return {
        "asin": f"B{number:09d}",
        "status": "success",
        "price_jpy": 1000,
        "in_stock": 1,
        "probe_offer_count": 3,
        **dict.fromkeys(("price_at", "stock_at", "detail_at", "probe_at"), at),
        "last_sold_at": now if number % 100 == 0 else None,
        "last_viewed_at": now if number % 2 == 0 else None,
        "orders_30d": 1.0 if number % 100 == 0 else 0.0,
    }


def planner_s(folder: Path, count: int) -> float:
    """Seconds for one plan, the better of three."""
    database = Database(f"sqlite:///{(folder / f'{count}.db').as_posix()}")
    fill(database, count)
    log = logging.getLogger("benchmark")
    unused: Any = None
    clock = ManualClock(NOW)
    tools = Tools(settings=Settings(root=folder), clock=clock, state=database, history=unused, register=unused, log=log)
    times = []
    for attempt in range(3):
        run = Run(f"run_{attempt}", "stock_sync", ("2026-11-23-10:00",), NOW)
        with database.write() as connection:
            run_book.begin(connection, run.run_id, run.job, run.partition_key, run.started_at, run.dry_run)
        started = time.perf_counter()
        report = stale_asins.run(tools.for_run(run))
        times.append(time.perf_counter() - started)
    if report.survey.total_asins != count:
        raise SystemExit(f"planned {report.survey.total_asins} of {count}")
    database.close()
    return min(times)


def loop_s(folder: Path, files: int) -> float:
    """Seconds an ASIN of the loop over JSON files: look at the file's age, parse it, keep the count of hits on disk."""
    cache, counts = folder / "amazon_products", folder / "metadata.json"
    cache.mkdir()
    counts.write_text(json.dumps({"total_cached": files, "cache_hits": 0, "cache_misses": 0}), encoding="utf-8")
    text = {"title_ja": "商品名" * 20, "description_ja": "説明文" * 200, "brand": "ブランド", "category": "Toys"}
    for number in range(files):
        stamp = (NOW - timedelta(hours=number % 26)).replace(tzinfo=None).isoformat()
        document = {"price": 1000.0, "in_stock": True, "price_updated_at": stamp, "stock_updated_at": stamp, **text}
        (cache / f"B{number:09d}.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    started = time.perf_counter()
    stale = []
    for number in range(files):
        path = cache / f"B{number:09d}.json"
        if path.exists() and path.stat().st_mtime > 0:
            document = json.loads(path.read_text(encoding="utf-8"))
            metadata = json.loads(counts.read_text(encoding="utf-8"))
            metadata["cache_hits"] += 1
            counts.write_text(json.dumps(metadata, indent=2), encoding="utf-8")
            price_at = datetime.fromisoformat(document["price_updated_at"]).replace(tzinfo=UTC)
            stock_at = datetime.fromisoformat(document["stock_updated_at"]).replace(tzinfo=UTC)
            if NOW - price_at > timedelta(hours=24) or NOW - stock_at > timedelta(hours=1):
                stale.append(path.stem)
    return (time.perf_counter() - started) / files


def main() -> int:
    """Print the table; 1 when a limit is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--listings", type=int, nargs="+", default=list(LIMITS_S))
    options.add_argument("--files", type=int, default=20_000)
    chosen = options.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a_file_s = loop_s(folder, chosen.files)
        print("| ASINs | planner s | loop over JSON files s | ratio |\n|---|---|---|---|")
        for count in chosen.listings:
            took = planner_s(folder, count)
            ratio = a_file_s * count / took
            print(f"| {count:,} | {took:.2f} | {a_file_s * count:.1f} | {ratio:.0f} |")
            missed |= took > LIMITS_S.get(count, float("inf")) or ratio < LEAST_RATIO
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
