"""How much memory does history take where there is much of it? Loaded in bulk, and compared with its files.

    python -m benchmarks.history_memory [--load 3000000] [--verify 30000000]

Rows as wide as real ones: a file for each month that ended, files of 20,000 rows for the one under way. Each case is a
process of its own. What is loaded is loaded by the program; for what is only compared, DuckDB writes the keys, since a
load of so many rows takes many minutes. The figures to keep stand in docs/performance.md. Not for: speed beside other
ways to load (history.py).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from ecauto_pipeline.history.database import ensure_schema

LIMIT_MB = 400
KEY = "printf('%08x%024x', (i * 2654435761) % 4294967296, i)"
ROWS = (
    f"SELECT {KEY} AS snapshot_id, 'run-' || (i // 2000) AS run_id, '2026-01-01-00' AS partition_key, "
    "'B' || printf('%09d', i % 100000) AS asin, "
    "TIMESTAMPTZ '2026-09-01 00:00:00+09' + to_microseconds(i * {step}) AS observed_at, "
    "'getItemOffersBatch' AS operation, 'success' AS status, 1000 + i % 9000 AS price_jpy, true AS in_stock, "
    "i % 20 AS offer_count, 24 AS ship_hours_max, i % 2 = 0 AS is_fba, 'sp' AS sp_account, "
    "printf('%016x', i) AS request_id, 200 AS http_status, "
    "'A' || (i % 500) AS seller_id FROM range({first}, {end}) t(i)"
)
DAYS, SMALL = 70, 20_000
CHILD = """
import sys, time
from pathlib import Path
from benchmarks.runs.one_run import peak_mb
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.history.store import HistoryStore
folder, what = Path(sys.argv[1]), sys.argv[2]
done = getattr(HistoryStore(folder / "history", folder / "history.duckdb", SystemClock()), what)()
rows = done.rows if what == "load" else next(one.parquet_rows for one in done.tables if one.table == "snapshots")
assert what == "load" or done.ok, done
print(f"{peak_mb() or float('nan'):.0f} {time.process_time():.1f} {rows}")
"""


def write_files(folder: Path, rows: int) -> None:
    """Two closed months in one file each, and the third in many."""
    months = [0, rows * 30 // DAYS, rows * 61 // DAYS]
    root, step = folder / "history" / "snapshots", DAYS * 86_400_000_000 // rows
    parts = [
        (months[0], months[1], "month=2026-09/compacted-0001"),
        (months[1], months[2], "month=2026-10/compacted-0001"),
    ]
    for first in range(months[2], rows, SMALL):
        hour = (first - months[2]) * 9 * 24 // (rows - months[2])
        name = f"dt=2026-11-{1 + hour // 24:02d}/hour={hour % 24:02d}/run{first}"
        parts.append((first, min(first + SMALL, rows), name))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        for first, end, name in parts:
            path = root / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            query = ROWS.format(first=first, end=end, step=step)
            connection.execute(f"COPY ({query}) TO '{path.as_posix()}' (FORMAT parquet, COMPRESSION zstd)")


def write_keys(folder: Path, rows: int) -> None:
    """The database that those files make, of which `verify` reads the keys alone."""
    with duckdb.connect(str(folder / "history.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        ensure_schema(connection)
        connection.execute(f"INSERT INTO snapshots (snapshot_id) SELECT {KEY} FROM range({rows}) t(i)")


def measured(what: str, rows: int) -> bool:
    """A line of the table; whether it keeps the limit."""
    with tempfile.TemporaryDirectory(prefix="ecauto_history_") as name:
        folder = Path(name)
        write_files(folder, rows)
        if what == "verify":
            write_keys(folder, rows)
        command = [sys.executable, "-c", CHILD, name, what]
        peak, cpu, seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    print(f"| {what} | {int(seen):,} | {peak} MB | {cpu} s | <= {LIMIT_MB} MB |", flush=True)
    return float(peak) <= LIMIT_MB and int(seen) == rows


def main() -> int:
    """Print the table; 1 where a limit is broken, or rows are missing."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--load", type=int, default=3_000_000, help="rows")
    options.add_argument("--verify", type=int, default=30_000_000, help="rows")
    chosen = options.parse_args()
    print("| what | rows | memory at most | processor time | limit |\n|---|---|---|---|---|")
    kept = [measured("load", chosen.load), measured("verify", chosen.verify)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
