"""From state.db into history: what is settled is written as Parquet, marked, then loaded into DuckDB.

Rows leave state.db only after their file is safe; a crash between the two writes them once more under the same keys,
and history keeps one. Not for: deciding anything (history is never on the path of a decision).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row, delete, select, update

from ecauto_pipeline.clock import from_ms, jst, to_ms
from ecauto_pipeline.domain.model import Decision
from ecauto_pipeline.state import plans
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.schema import api_calls, diffs, journal, observations
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_metrics import metrics_row
from ecauto_pipeline.sync.run_record import as_record

CALLS_LOG = logging.getLogger("ecauto_pipeline.sp_api_calls")
CHUNK = 50_000
"""Rows a file at most: what fits easily in memory as Python rows."""
KEEP_CLOSED = timedelta(days=3)
"""How long closed rows stay in state.db beside history, for `status` and for the journal's own checks."""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """Rows written by table, and how the load into DuckDB went."""

    written: Mapping[str, int]
    loaded_rows: int
    deferred: bool
    rebuilt: bool
    reason: str


def publish(tools: Tools) -> PublishReport:
    """Write everything settled of every run to history, then load it. Raises DiskFull when there is no room."""
    written = {
        "snapshots": _drain(tools, "snapshots", observations, _snapshot_row, observations.c.observed_at),
        "api_calls": _drain(tools, "api_calls", api_calls, _call_row, api_calls.c.started_at),
        "diffs": _mark(tools, "diffs", diffs, diffs.c.diff_id, _diff_row, diffs.c.decided_at, _decided),
        "updates": _mark(tools, "updates", journal, journal.c.update_id, _update_row, journal.c.intent_at, _settled),
        "run_metrics": _metrics(tools),
    }
    report = tools.history.load()
    _forget(tools)
    if report.deferred or report.rebuilt:
        tools.log.warning("history.duckdb: %s", report.reason)
    return PublishReport(written, report.rows, report.deferred, report.rebuilt, report.reason)


def _drain(tools: Tools, name: str, table: Any, to_row: Callable[[Row[Any]], dict[str, object]], at: Any) -> int:
    """Tables with a running `seq`: each chunk is written, then deleted."""
    count = 0
    while True:
        with tools.state.read() as connection:
            chunk = connection.execute(select(table).order_by(table.c.seq).limit(CHUNK)).all()
        if not chunk:
            return count
        for run_id, rows in _by_run(chunk):
            part = f"{rows[0].seq}_{rows[-1].seq}"
            moment = from_ms(min(getattr(row, at.name) for row in rows))
            tools.history.write(name, run_id, [to_row(row) for row in rows], moment, part)
            if table is api_calls:
                _say_calls(rows)
        with tools.state.write() as connection:
            connection.execute(delete(table).where(table.c.seq >= chunk[0].seq, table.c.seq <= chunk[-1].seq))
        count += len(chunk)


def _say_calls(rows: Iterable[Row[Any]]) -> None:
    """One line a call to the SP-API in the dated log that people know."""
    for row in rows:
        if row.api == "sp_api":
            CALLS_LOG.info(
                "%s %s %s items=%s http=%s %s %s %sms request_id=%s",
                jst(from_ms(row.started_at)).strftime("%H:%M:%S.%f")[:-3],
                row.account,
                row.operation,
                row.items,
                row.http_status,
                row.outcome,
                row.error or "-",
                row.duration_ms,
                row.request_id or "-",
                extra={"figures": {name: value for name, value in row._mapping.items() if name != "seq"}},
            )


def _mark(
    tools: Tools,
    name: str,
    table: Any,
    key: Any,
    to_row: Callable[[Row[Any]], dict[str, object]],
    at: Any,
    ready: Callable[[Any], Any],
) -> int:
    """Tables whose rows live on: each chunk is written, then marked as exported."""
    count = 0
    while True:
        with tools.state.read() as connection:
            query = select(table).where(table.c.exported == 0, ready(table)).order_by(key).limit(CHUNK)
            chunk = connection.execute(query).all()
        if not chunk:
            return count
        for run_id, rows in _by_run(chunk):
            moment = from_ms(min(getattr(row, at.name) for row in rows))
            part = f"{getattr(rows[0], key.name)[:16]}_{len(rows)}"
            tools.history.write(name, run_id, [to_row(row) for row in rows], moment, part)
        with tools.state.write() as connection:
            for keys in _slices([getattr(row, key.name) for row in chunk], 500):
                connection.execute(update(table).where(key.in_(keys)).values(exported=1))
        count += len(chunk)


def _metrics(tools: Tools) -> int:
    with tools.state.read() as connection:
        ended = run_book.unexported(connection)
    for run in ended:
        tools.history.write("run_metrics", run.run_id, [metrics_row(as_record(run))], run.started_at)
        with tools.state.write() as connection:
            run_book.mark_exported(connection, run.run_id)
    return len(ended)


def _forget(tools: Tools) -> None:
    """Closed rows that are in history leave state.db after a few days."""
    horizon = to_ms(tools.clock.now() - KEEP_CLOSED)
    with tools.state.write() as connection:
        old_diffs = (diffs.c.exported == 1, diffs.c.decided_at < horizon)
        connection.execute(delete(diffs).where(*old_diffs, diffs.c.decision != Decision.HELD, diffs.c.state != "open"))
        connection.execute(delete(journal).where(journal.c.exported == 1, journal.c.intent_at < horizon))
        plans.forget(connection, tools.clock.now() - KEEP_CLOSED)


def _decided(table: Any) -> Any:
    return table.c.decision != Decision.UNCHANGED


def _settled(table: Any) -> Any:
    return table.c.outcome.is_not(None)  # an unknown one is written again when it is settled


def _by_run(rows: Iterable[Row[Any]]) -> Iterable[tuple[str, list[Row[Any]]]]:
    ordered = sorted(rows, key=lambda row: row.run_id)  # stable: the order within a run stays
    return [(run_id, list(group)) for run_id, group in groupby(ordered, key=lambda row: row.run_id)]


def _slices(values: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _snapshot_row(row: Row[Any]) -> dict[str, object]:
    named = dict(row._mapping)
    del named["seq"]
    flags = {name: _flag(named[name]) for name in ("in_stock", "is_prime", "is_fba")}
    return {**named, **flags, "observed_at": from_ms(row.observed_at)}


def _call_row(row: Row[Any]) -> dict[str, object]:
    named = dict(row._mapping)
    del named["seq"]
    return {**named, "started_at": from_ms(row.started_at)}


def _diff_row(row: Row[Any]) -> dict[str, object]:
    named = {name: value for name, value in row._mapping.items() if name not in ("state", "state_at", "exported")}
    return {**named, "decided_at": from_ms(row.decided_at)}


_JOURNAL_ONLY = ("intent_at", "written_back", "exported")


def _update_row(row: Row[Any]) -> dict[str, object]:
    named = {name: value for name, value in row._mapping.items() if name not in _JOURNAL_ONLY}
    attempted = row.attempted_at if row.attempted_at is not None else row.intent_at
    completed = from_ms(row.completed_at) if row.completed_at is not None else None
    return {**named, "attempted_at": from_ms(attempted), "completed_at": completed}
