"""From state.db into history: what is settled is written as Parquet, marked, then loaded into DuckDB.

Rows leave state.db only after their file is safe; a crash between the two writes them once more under the same keys,
and history keeps one. Not for: deciding anything (history is never on the path of a decision).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection

from ecauto_pipeline import process_memory
from ecauto_pipeline.clock import jst, to_ms
from ecauto_pipeline.errors import EcautoError, Stopped
from ecauto_pipeline.history.damage import NO_DAMAGE, Damage
from ecauto_pipeline.history.load_report import LoadReport
from ecauto_pipeline.state import calls, decisions_for_history, journal_for_history, observations, orders
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.exporting import ForHistory
from ecauto_pipeline.state.lifetimes import end_lives
from ecauto_pipeline.sync.context import Context, Tools
from ecauto_pipeline.sync.faults import concerns_everybody, place_of
from ecauto_pipeline.sync.history_section import HistoryReport
from ecauto_pipeline.sync.publisher import Publisher, as_publisher
from ecauto_pipeline.sync.run_metrics import metrics_row
from ecauto_pipeline.sync.run_record import as_record, keep, read_record

if TYPE_CHECKING:
    from ecauto_pipeline.history.compact import CompactReport

CALLS_LOG = logging.getLogger("ecauto_pipeline.sp_api_calls")
CHUNK = 5_000
"""Rows a file at most: as Python rows these take some 15 MB."""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """Rows written by table, how the load into DuckDB went, and what damaged files it met."""

    written: Mapping[str, int]
    loaded_rows: int
    deferred: bool
    rebuilt: bool
    reason: str
    damage: Damage = NO_DAMAGE
    set_aside: tuple[str, ...] = ()


def publish_and_report(tools: Tools) -> HistoryReport:
    """Publish, and say how it went: history is never a reason for a run to end. Raises DiskFull, and what is no error
    of history (a full or read-only disk, state.db itself)."""
    try:
        done = publish(tools)
    except Exception as error:
        ours = isinstance(error, EcautoError)  # of history: which error exactly would load Arrow at every start
        if isinstance(error, Stopped) or (ours and isinstance(error, OSError)):  # DiskFull is both
            raise
        if not ours and concerns_everybody(error):
            raise
        tools.log.exception("not published; the rows stay in state.db and the next run tries again")
        said = str(error) if ours else f"{type(error).__name__} at {place_of(error)}"
        return HistoryReport(problem=said)
    damage = done.damage
    return HistoryReport(
        written=done.written,
        loaded_rows=done.loaded_rows,
        deferred=done.deferred,
        damaged=damage.files,
        rows_again=damage.again,
        rows_lost=damage.lost,
        set_aside=done.set_aside,
    )


def publish_run(context: Context) -> HistoryReport:
    """Publish, and keep how it went with the run, joined to what it published before; as publish_and_report.

    In a fleet a run leaves it to the publisher, and has nothing to say of it.
    """
    if context.settings.fleet.on:
        return HistoryReport()
    report = publish_and_report(context)
    run_id = context.run.run_id
    with context.state.write() as connection:
        before = read_record(connection, run_id)
        whole = before.history + report if before is not None and before.history is not None else report
        keep(connection, run_id, "history", whole)
    return report


def publish(tools: Tools) -> PublishReport:
    """Write everything settled of every run to history, then load it. Raises DiskFull when there is no room.

    Where a file proves damaged, what state still has of it is written and loaded once more, before it may leave state.
    """
    with as_publisher(tools) as publisher:
        written = _write(tools, publisher)
        if sum(written.values()) > CHUNK:  # what writing took is free, and loading takes as much again
            tools.state.close_idle()
            process_memory.give_back()
        report = tools.history.load() if tools.history.asked_here else LoadReport(0, 0, False, False, "")
        damage, set_aside = give_back(tools, report, publisher)
    _end_lives(tools)
    if report.reason:
        tools.log.warning("history.duckdb: %s", report.reason)
    return PublishReport(written, report.rows, report.deferred, report.rebuilt, report.reason, damage, set_aside)


def compact(tools: Tools, before: date) -> CompactReport:
    """Merge the files of what ended before that Japanese day, and give back what state has of files that were damaged.

    Raises DiskFull, NotThePublisher.
    """
    with as_publisher(tools) as publisher:
        report = tools.history.compact(before)
        damage, set_aside = give_back(tools, report, publisher)
    return replace(report, damage=damage, set_aside=set_aside)


def rebuild(tools: Tools) -> tuple[LoadReport, Damage]:
    """Build history.duckdb anew; the damage as it is once state gave back what it has. Raises DiskFull,
    NotThePublisher."""
    with as_publisher(tools) as publisher:
        report = tools.history.rebuild()
        return report, give_back(tools, report, publisher)[0]


def give_back(tools: Tools, found: DamageFound, publisher: Publisher) -> tuple[Damage, tuple[str, ...]]:
    """Write and load once more what state still has of damaged files' tables and the database lacks.

    So too for files that an earlier run set aside and did not come to this. Snapshots and calls leave state as soon as
    they are written: of them it has none. Returns the damage and the files set aside as they are then. Raises DiskFull.
    """
    rows, again = 0, False
    for name in sorted({*found.damage.tables, *(path.split("/", 1)[0] for path in found.set_aside)}):
        kept = _KEPT.get(name)
        if kept is None:
            continue
        with tools.state.read() as connection:
            known = dict(kept.exported_keys(connection))
        absent = tools.history.absent(name, list(known)) if known else []
        missing = absent if absent is not None else []  # the next run asks again
        later = _of_the_runs(found.damage, name, known)  # another file may hold what was said of them earlier
        with tools.state.write() as connection:
            kept.export_again(connection, sorted({*missing, *later}))
        rows, again = rows + len(missing), again or bool(missing or later)
    set_aside = found.set_aside
    if again:
        _write(tools, publisher)
        set_aside = tools.history.load().set_aside
    for name in found.damage.files:
        tools.log.warning("history: %s was damaged and is set aside as %s.damaged", name, name)
    return found.damage.given_back(rows), set_aside


def _of_the_runs(damage: Damage, table: str, known: Mapping[str, str]) -> list[str]:
    """Of the keys `known` (with their runs), those of runs that a damaged file of the table is named after."""
    names = [PurePosixPath(file).name for file in damage.files if file.startswith(f"{table}/")]
    harmed = {run_id for run_id in set(known.values()) if any(name.startswith(run_id) for name in names)}
    return [key for key, run_id in known.items() if run_id in harmed]


def _write(tools: Tools, publisher: Publisher) -> dict[str, int]:
    """Everything settled into files; rows by table."""
    return {
        "snapshots": _publish_table(tools, publisher, "snapshots", observations),
        "api_calls": _publish_table(tools, publisher, "api_calls", calls, _tell_call),
        "diffs": _publish_table(tools, publisher, "diffs", decisions_for_history),
        "updates": _publish_table(tools, publisher, "updates", journal_for_history),
        "orders": _publish_table(tools, publisher, "orders", orders),
        "run_metrics": _metrics(tools, publisher),
    }


class _Table(Protocol):
    """What a module of state offers of a table whose rows go to history."""

    def unexported(self, connection: Connection, limit: int) -> list[ForHistory]: ...

    def mark_exported(self, connection: Connection, rows: Iterable[ForHistory]) -> None: ...


class DamageFound(Protocol):
    """What a load, rebuild or compaction says of damaged files."""

    @property
    def damage(self) -> Damage: ...

    @property
    def set_aside(self) -> tuple[str, ...]: ...


class _Kept(Protocol):
    """What a module of state offers of a table whose rows live on after they went to history."""

    def exported_keys(self, connection: Connection) -> list[tuple[str, str]]: ...

    def export_again(self, connection: Connection, keys: Sequence[str]) -> None: ...


_KEPT: Mapping[str, _Kept] = {
    "diffs": decisions_for_history,
    "updates": journal_for_history,
    "orders": orders,
    "run_metrics": run_book,
}


def _publish_table(
    tools: Tools,
    publisher: Publisher,
    name: str,
    table: _Table,
    tell: Callable[[ForHistory], None] = lambda _row: None,
) -> int:
    """Each chunk is written, then said to be safe; returns how many rows."""
    count = 0
    while True:
        with tools.state.read() as connection:
            chunk = table.unexported(connection, CHUNK)
        if not chunk:
            return count
        for run_id, rows in _by_run(chunk):
            values = [row.values for row in rows]
            publisher.go_on()
            tools.history.write(name, run_id, values, min(row.at for row in rows), _part_of(rows))
            for row in rows:
                tell(row)
        with tools.state.write() as connection:
            publisher.require(connection)
            table.mark_exported(connection, chunk)
        count += len(chunk)


def _part_of(rows: Sequence[ForHistory]) -> str:
    """The same rows make the same file, so that writing them once more after a crash replaces it."""
    first, last = rows[0].key, rows[-1].key
    return f"{first[:16]}_{len(rows)}" if isinstance(first, str) else f"{first}_{last}"


def _tell_call(call: ForHistory) -> None:
    """One line a call to the SP-API in the dated log that people know."""
    said = call.values
    if said["api"] == "sp_api":
        CALLS_LOG.info(
            "%s %s %s items=%s http=%s %s %s %sms request_id=%s",
            jst(call.at).strftime("%H:%M:%S.%f")[:-3],
            said["account"],
            said["operation"],
            said["items"],
            said["http_status"],
            said["outcome"],
            said["error"] or "-",
            said["duration_ms"],
            said["request_id"] or "-",
            extra={"figures": said | {"started_at": to_ms(call.at)}},
        )


def _metrics(tools: Tools, publisher: Publisher) -> int:
    with tools.state.read() as connection:
        ended = run_book.unexported(connection)
    for run in ended:
        publisher.go_on()
        tools.history.write("run_metrics", run.run_id, [metrics_row(as_record(run))], run.started_at)
        with tools.state.write() as connection:
            publisher.require(connection)
            run_book.mark_exported(connection, run.run_id)
    return len(ended)


def _end_lives(tools: Tools) -> None:
    """What is over and in history leaves state.db; the file shrinks when most of it is free."""
    with tools.state.write() as connection:
        ended = end_lives(connection, tools.clock.now())
    if ended:
        tools.state.give_back_space()


def _by_run(rows: Iterable[ForHistory]) -> Iterable[tuple[str, list[ForHistory]]]:
    ordered = sorted(rows, key=lambda row: row.run_id)  # stable: the order within a run stays
    return [(run_id, list(group)) for run_id, group in groupby(ordered, key=lambda row: row.run_id)]
