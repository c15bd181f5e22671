"""Ninety days of past for the project of desk_world.py: answers, decisions, edits, runs and orders, in history and, as
long as state.db keeps them, there.

History is written by DuckDB a day at a time and taken in as any other: 3 million answers, of which each tenth is about
one of a few hundred goods that are asked about all the time. Not for: what is now (desk_world.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, update

from ecauto_pipeline.clock import SystemClock, jst, to_ms
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.history.tables import TABLES
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.state.schema_notes import orders
from ecauto_pipeline.state.schema_runs import run_sections, runs
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline.sync.sections import FetchReport, StartReport

DAYS = 90
ANSWERS, DECISIONS, EDITS, ORDERS = 3_000_000, 900_000, 300_000, 27_000
RUNS_A_DAY = 60
LARGE_RUN = "first-fill"
"""The run of long ago with thousands of edits."""
IN_STATE = {"journal": 30, "runs": 30, "orders": 40, "diffs": 3}
"""Days that state.db keeps of each (state/lifetimes.py)."""
_LISTINGS, _ALL_THE_TIME = 100_000, 345
_PART = 20_000


def a_long_past(settings: Settings, connection: Connection, now: datetime) -> None:
    """Write all of it; the listings are those of desk_world.py."""
    store = HistoryStore(settings.data_dir / "history", settings.data_dir / "history.duckdb", SystemClock())
    with duckdb.connect() as maker:
        maker.execute("SET TimeZone = 'UTC'")
        for day in range(DAYS):
            start = now - timedelta(days=DAYS - day)
            for table, query in _QUERIES.items():
                _write(maker, store.directory, table, query, day, start)
        large = _QUERIES["updates"].replace("{run}", f"'{LARGE_RUN}'")
        _write(maker, store.directory, "updates", large, DAYS, now - timedelta(days=DAYS))
        figures = _QUERIES["run_metrics"].replace("{run}", f"'{LARGE_RUN}'") + " LIMIT 1"
        _write(maker, store.directory, "run_metrics", figures, DAYS, now - timedelta(days=DAYS))
    store.load()
    _state(connection, now)


def _write(
    maker: duckdb.DuckDBPyConnection, directory: Path, table: str, query: str, day: int, start: datetime
) -> None:
    hour, a_day = jst(start), _ROWS[table] // DAYS
    folder = directory / table / f"dt={hour:%Y-%m-%d}" / f"hour={hour:%H}"
    folder.mkdir(parents=True, exist_ok=True)
    place = f"(n - {day * a_day})"
    said = query.format(
        first=day * a_day,
        after=(day + 1) * a_day,
        at=f"TIMESTAMPTZ '{start:%Y-%m-%d %H:%M:%S+00}' + to_microseconds({place} * {86_400_000_000 // a_day})",
        run=f"'run-{day:03d}-' || lpad(CAST({place} * {RUNS_A_DAY} // {a_day} AS VARCHAR), 2, '0')",
        listing=_LISTING,
    )
    columns = ", ".join(
        f"""CAST({f'said."{name}"' if f" AS {name}" in said else "NULL"} AS {kind}) AS "{name}\""""
        for name, kind in TABLES[table].columns
    )
    file = (folder / f"day-{day:03d}.parquet").as_posix()
    maker.execute(f"COPY (SELECT {columns} FROM ({said}) AS said) TO '{file}' (FORMAT parquet)")


_ROWS = {
    "snapshots": ANSWERS,
    "diffs": DECISIONS,
    "updates": EDITS,
    "orders": ORDERS,
    "run_metrics": RUNS_A_DAY * DAYS,
}
_LISTING = f"(CASE WHEN n % 10 = 0 THEN n // 10 % {_ALL_THE_TIME} * 100 + 45 ELSE n * 7919 % {_LISTINGS} END)"
"""The number of a listing in desk_world.py; 12,345 is one of those that come all the time."""
_PRICE = "(1000 + l * 7919 % 9000 + n % 7 * 50)"
_KEY = "'base' AS platform, 'shop_' || (l % 2 + 1) AS account_id, CAST(10000000 + l AS VARCHAR) AS item_id"
_ASIN = "'B' || lpad(CAST(l AS VARCHAR), 9, '0') AS asin"
_NUMBERED = "(SELECT n, {listing} AS l, {at} AS t, {run} AS r FROM range({first}, {after}) AS numbers(n))"
_QUERIES = {
    "snapshots": (
        f"SELECT md5('s' || n) AS snapshot_id, r AS run_id, {_ASIN}, t AS observed_at, "
        "'getItemOffersBatch' AS operation, CASE WHEN n % 25 = 0 THEN 'out_of_stock' ELSE 'success' END AS status, "
        f"CASE WHEN n % 25 = 0 THEN NULL ELSE {_PRICE} END AS price_jpy, n % 25 <> 0 AS in_stock, "
        f"n % 9 AS offer_count, 'main' AS sp_account, md5('q' || n) AS request_id FROM {_NUMBERED}"
    ),
    "diffs": (
        f"SELECT md5('d' || n) AS diff_id, r AS run_id, 'price' AS kind, {_KEY}, {_ASIN}, "
        f"CAST({_PRICE} AS VARCHAR) AS shown, CAST({_PRICE} + 200 AS VARCHAR) AS wanted, "
        "CASE WHEN n % 3 = 0 THEN 'push' ELSE 'skipped' END AS decision, "
        "CASE WHEN n % 3 = 0 THEN '' ELSE 'stale' END AS reason, md5('s' || n) AS snapshot_id, t AS decided_at, "
        f"{_PRICE} AS cost_jpy, '{{{{}}}}' AS evidence FROM {_NUMBERED}"
    ),
    "updates": (
        f"SELECT md5('u' || n) AS update_id, md5('d' || n * 3) AS diff_id, r AS run_id, {_KEY}, {_ASIN}, "
        "CASE WHEN n % 3 = 0 THEN 'visibility' ELSE 'price' END AS kind, "
        f"CASE WHEN n % 3 = 0 THEN '1' ELSE CAST({_PRICE} AS VARCHAR) END AS before, "
        f"CASE WHEN n % 3 = 0 THEN '0' ELSE CAST({_PRICE} + 200 AS VARCHAR) END AS after, 'done' AS outcome, "
        f"1 AS attempts, t AS attempted_at, t AS completed_at FROM {_NUMBERED}"
    ),
    "orders": (
        f"SELECT md5('o' || n) AS order_id, md5('k' || n) AS order_key, r AS run_id, {_KEY}, {_ASIN}, 1 AS amount, "
        f"{_PRICE} * 13 // 10 AS price_jpy, {_PRICE} AS cost_then_jpy, {_PRICE} AS cost_at_sale_jpy, "
        f"{_PRICE} // 5 AS profit_jpy, t AS sold_at, t AS seen_at, t AS settled_at, 'success' AS status "
        f"FROM {_NUMBERED}"
    ),
    "run_metrics": (
        "SELECT r AS run_id, 'stock_sync' AS job, t AS started_at, false AS dry_run, 100000 AS total_asins, "
        "550.0 AS execution_time_seconds, 200000 AS targets, 55 AS pushed, 199000 AS unchanged, 0 AS held, "
        f"0 AS blocked, 945 AS skipped, 0 AS failed, 55 AS base_api_calls, 500 AS status_success FROM {_NUMBERED}"
    ),
}


def _state(connection: Connection, now: datetime) -> None:
    for table, all_of_it, make in ((journal, EDITS, _edit), (diffs, EDITS, _decided), (orders, ORDERS, _order)):
        days = IN_STATE[table.name]
        count = all_of_it // DAYS * days
        for start in range(0, count, _PART):
            part = range(start, min(count, start + _PART))
            connection.execute(insert(table), [make(n, now - timedelta(days=days) * (1 - n / count)) for n in part])
    count = RUNS_A_DAY * IN_STATE["runs"]
    at = {f"kept-{n:05d}": now - timedelta(minutes=24 * (count - n)) for n in range(count)}
    connection.execute(insert(runs), [_run(name, start) for name, start in at.items()])
    connection.execute(insert(run_sections), [row for name in at for row in _sections(name)])
    sold = {"orders_30d": 3.0, "demand_at": to_ms(now), "last_sold_at": to_ms(now)}
    connection.execute(update(asins).where(asins.c.asin.like("%5")).values(**sold))


def _listing(n: int) -> int:
    return n // 10 % _ALL_THE_TIME * 100 + 45 if n % 10 == 0 else n * 7919 % _LISTINGS


def _key(n: int) -> dict[str, object]:
    listing = _listing(n)
    account = f"shop_{listing % 2 + 1}"
    item, asin = str(10_000_000 + listing), f"B{listing:09d}"
    return {"platform": "base", "account_id": account, "item_id": item, "asin": asin, "run_id": f"kept-{n // 60:05d}"}


def _edit(n: int, at: datetime) -> dict[str, object]:
    hide = n % 3 == 0
    return _key(n) | {
        "update_id": f"{n:032x}",
        "key": f"{n:064x}",
        "diff_id": f"sent{n:028x}",
        "kind": "visibility" if hide else "price",
        "before": 1 if hide else 2_000,
        "after": 0 if hide else 2_200,
        "outcome": "done",
        "attempts": 1,
        "intent_at": to_ms(at),
        "attempted_at": to_ms(at),
        "completed_at": to_ms(at),
        "exported": 1,
        "written_back": 1,
    }


def _decided(n: int, at: datetime) -> dict[str, object]:
    n += EDITS // DAYS * (IN_STATE["journal"] - IN_STATE["diffs"])  # those of the newest edits
    return _key(n) | {
        "diff_id": f"sent{n:028x}",
        "kind": "price",
        "shown": 2_000,
        "wanted": 2_200,
        "decision": "push",
        "decided_at": to_ms(at),
        "evidence": "{}",
        "state": "sent",
        "state_at": to_ms(at),
        "exported": 1,
    }


def _order(n: int, at: datetime) -> dict[str, object]:
    return _key(n) | {
        "order_id": f"{n:040x}",
        "order_key": f"{n:040x}",
        "amount": 1,
        "price_jpy": 2_200,
        "cost_then_jpy": 1_500,
        "cost_at_sale_jpy": 1_500,
        "profit_jpy": 400,
        "sold_at": to_ms(at),
        "seen_at": to_ms(at),
        "settled_at": to_ms(at),
        "status": "success",
        "message_id": "told",
        "exported": 1,
    }


def _run(name: str, start: datetime) -> dict[str, object]:
    return {
        "run_id": name,
        "job": "stock_sync",
        "partition_key": f"{jst(start):%Y-%m-%d-%H:00}",
        "started_at": to_ms(start),
        "ended_at": to_ms(start + timedelta(minutes=9)),
        "heartbeat_at": to_ms(start + timedelta(minutes=9)),
        "exported": 1,
    }


def _sections(name: str) -> list[dict[str, object]]:
    return [{"run_id": name, "section": section, "document": text} for section, text in _REPORTED.items()]


_COUNTS = RowCounts(targets=200_000, pushed=55, unchanged=199_000, skipped=945)
_REPORTED = {
    name: TypeAdapter(type(report)).dump_json(report).decode()
    for name, report in {
        "start": StartReport(trigger="schedule"),
        "sp_api_snapshots": FetchReport(asked=520, by_status={Status.SUCCESS: 500, Status.OUT_OF_STOCK: 20}),
        "price_diffs": DiffReport(account=_COUNTS, reasons={"skipped:stale": 945}),
        "base_updates": PushReport(account=RowCounts(targets=55, pushed=55), edits=55, base_calls=60),
    }.items()
}
"""What the steps of each run reported."""
