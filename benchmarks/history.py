"""How much cheaper is a bulk load than row by row? Both measured in the same run, on the same rows; CPU time compared.

Run it with `python benchmarks/history.py [ROWS]`. Ratios travel between machines, seconds do not.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.history.tables import SNAPSHOTS

ROW_BY_ROW = 2_000
"""So many rows are enough to know what one costs that way."""


def rows_of(count: int) -> list[dict[str, object]]:
    """`count` answers about `count / 10` ASINs, over the last two days."""
    start = datetime.now(UTC) - timedelta(days=2)
    step = timedelta(days=2) / count
    return [
        {
            "snapshot_id": f"s{number:012d}",
            "run_id": "bench",
            "asin": f"B{number % max(1, count // 10):09d}",
            "observed_at": start + number * step,
            "operation": "getItemOffersBatch",
            "status": "success",
            "price_jpy": 1000 + number % 9000,
            "in_stock": True,
            "offer_count": number % 20,
        }
        for number in range(count)
    ]


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes, all threads together."""
    before = time.process_time()
    work()
    return time.process_time() - before


def main(count: int = 100_000) -> dict[str, float]:
    """Measure and print; returns CPU microseconds a row and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        store = HistoryStore(Path(folder, "history"), Path(folder, "history.duckdb"), SystemClock())
        store.load()
        rows = rows_of(count)
        write = cpu_s(lambda: store.write("snapshots", "bench", rows, datetime.now(UTC))) / count
        load = cpu_s(store.load) / count
        again = cpu_s(store.load)
        single = cpu_s(lambda: _row_by_row(Path(folder, "single.duckdb"), rows[:ROW_BY_ROW])) / min(count, ROW_BY_ROW)
        reader, now = HistoryReader(store), datetime.now(UTC)
        loaded = cpu_s(lambda: reader.latest_prices_as_of(now, within=timedelta(days=2)))
        with duckdb.connect(str(store.database)):
            files = cpu_s(lambda: reader.latest_prices_as_of(now, within=timedelta(days=2)))
    figures = {
        "write_us_a_row": write * 1e6,
        "load_us_a_row": load * 1e6,
        "row_by_row_us_a_row": single * 1e6,
        "row_by_row_to_bulk_ratio": single / load,
        "row_by_row_to_write_and_load_ratio": single / (write + load),
        "empty_load_s": again,
        "as_of_question_s": loaded,
        "as_of_question_from_files_s": files,
    }
    for name, figure in figures.items():
        print(f"{name:36} {figure:12.3f}")
    return figures


def _row_by_row(path: Path, rows: list[dict[str, object]]) -> None:
    names = SNAPSHOTS.schema.names
    columns = ", ".join(f'"{name}" {kind}' for name, kind in SNAPSHOTS.columns)
    values = [[row.get(name) for name in names] for row in rows]
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE snapshots ({columns})")
        connection.executemany(f"INSERT INTO snapshots VALUES ({', '.join('?' * len(names))})", values)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
