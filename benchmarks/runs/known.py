"""Lets an installation's state know what its register believes of every ASIN, as if Amazon had just said so.

    python benchmarks/runs/known.py CONFIG

Run as a file with the program's checkout in PYTHONPATH: its own schema, its own writer. ASINs without a price in
master.db stay unknown. Not for: a first fill (there Amazon is asked about each).
"""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from ecauto_pipeline.clock import SystemClock, to_ms
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.wiring.open import open_tools

CHUNK = 20_000
OFFERS = 3


def main() -> int:
    """Prints how many ASINs are known."""
    settings = load(Path(sys.argv[1]), dict(os.environ))
    query = "SELECT asin, amazon_price_jpy, amazon_in_stock FROM products WHERE amazon_price_jpy > 0"
    with sqlite3.connect(settings.master_db) as register:
        believed = register.execute(query).fetchall()
    clock = SystemClock()
    now = to_ms(clock.now())
    with open_tools(settings, clock=clock, offline=True) as tools, tools.state.write() as connection:
        for start in range(0, len(believed), CHUNK):
            rows = [_row(one, now) for one in believed[start : start + CHUNK]]
            connection.execute(insert(asins), rows)
    print(len(believed))
    return 0


def _row(believed: tuple[str, int, int | None], now: int) -> dict[str, Any]:
    asin, price_jpy, in_stock = believed
    there = in_stock != 0
    return {
        "asin": asin,
        "status": "success" if there else "out_of_stock",
        "price_jpy": int(price_jpy) if there else None,
        "in_stock": int(there),
        "offer_count": OFFERS if there else 0,
        "snapshot_id": f"known-{asin}",
        "probe_price_jpy": int(price_jpy) if there else None,
        "probe_offer_count": OFFERS if there else 0,
        **{name: now for name in ("price_at", "stock_at", "detail_at", "probe_at", "basic_at", "category_at")},
    }


if __name__ == "__main__":
    sys.exit(main())
