"""The account book of the runs: one row a run, and the text that each of its steps left as its section.

Not for: what a section holds (sync/run_record.py), what it means (alerts/) or Dagster's own record of a run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.lanes import WHOLE_LANE
from ecauto_pipeline.domain.liveness import Life, Signs, life_of
from ecauto_pipeline.state.owner import process_of
from ecauto_pipeline.state.schema_runs import run_sections, runs
from ecauto_pipeline.state.shared_time import shared_now
from ecauto_pipeline.state.upsert import upsert

FEW = 500  # names in one statement


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as kept. `owner`: the process that works on it (owner.py), "" where an earlier version kept none.

    `stop_by`: who asked it to end before its time, "" = nobody; `lane`: whose shops it works on. `sections`: text by
    section, of the steps that were done; times aware UTC.
    """

    run_id: str
    job: str
    partition_key: str
    started_at: datetime
    ended_at: datetime | None
    heartbeat_at: datetime | None
    dry_run: bool
    owner: str = ""
    stop_by: str = ""
    lane: str = WHOLE_LANE
    sections: Mapping[str, str] = field(default_factory=dict)


def life(run: RunRow, now: datetime) -> Life:
    """Whether somebody still works on a run that is not ended, by its process and its heartbeat."""
    return life_of(Signs(process_of(run.owner), run.heartbeat_at or run.started_at), now)


def begin(
    connection: Connection,
    run_id: str,
    job: str,
    partition_key: str,
    started_at: datetime,
    dry_run: bool,
    owner: str = "",
    lane: str = WHOLE_LANE,
) -> None:
    """Open the run's row; a second call for the same run says only whose it is now."""
    if _known(connection, run_id):
        connection.execute(update(runs).where(runs.c.run_id == run_id).values(owner=owner))
    else:
        connection.execute(
            insert(runs).values(
                run_id=run_id,
                job=job,
                partition_key=partition_key,
                started_at=to_ms(started_at),
                heartbeat_at=to_ms(started_at),
                dry_run=int(dry_run),
                owner=owner,
                lane=lane,
            )
        )


def write_section(connection: Connection, run_id: str, section: str, text: str) -> None:
    """Keep what a step reports; the same section again is replaced. Of a run that nobody began nothing is kept."""
    if _known(connection, run_id):
        upsert(connection, run_sections, [{"run_id": run_id, "section": section, "document": text}])


def beat(connection: Connection, run_id: str, now: datetime) -> None:
    """Still alive."""
    stamp = to_ms(shared_now(connection, now))
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(heartbeat_at=stamp))


def ask_to_end(connection: Connection, run_id: str, who: str) -> None:
    """Keep that a person wants this run to end; of one that has ended nothing is kept."""
    connection.execute(update(runs).where(runs.c.run_id == run_id, runs.c.ended_at.is_(None)).values(stop_by=who))


def asked_to_end_by(connection: Connection, run_id: str) -> str:
    """Who wants this run to end, "" = nobody."""
    return connection.execute(select(runs.c.stop_by).where(runs.c.run_id == run_id)).scalar() or ""


def starting_with(connection: Connection, prefix: str) -> list[str]:
    """The ids of the runs that begin so, by id."""
    query = select(runs.c.run_id).where(runs.c.run_id.startswith(prefix, autoescape=True))
    return list(connection.execute(query.order_by(runs.c.run_id)).scalars())


def end(connection: Connection, run_id: str, now: datetime) -> None:
    """Close the run; the first close stands."""
    connection.execute(
        update(runs).where(runs.c.run_id == run_id, runs.c.ended_at.is_(None)).values(ended_at=to_ms(now))
    )


def end_at_last_sign(connection: Connection, run_id: str) -> None:
    """Close a run that is known to be over, at its last sign of life; the first close stands."""
    still_open = update(runs).where(runs.c.run_id == run_id, runs.c.ended_at.is_(None))
    connection.execute(still_open.values(ended_at=func.coalesce(runs.c.heartbeat_at, runs.c.started_at)))


def read(connection: Connection, run_id: str) -> RunRow | None:
    """The run, None where nobody began it."""
    found = _rows(connection, select(runs).where(runs.c.run_id == run_id))
    return found[0] if found else None


def recent(connection: Connection, limit: int = 20) -> list[RunRow]:
    """The newest runs, newest first."""
    return _rows(connection, select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id).limit(limit))


def page(
    connection: Connection,
    limit: int,
    *,
    job: str = "",
    before: tuple[datetime, str] | None = None,
    sections: Sequence[str] | None = None,
    lane: str = WHOLE_LANE,
    since: datetime | None = None,
) -> list[RunRow]:
    """The newest runs, newest first, of one job or all. `before`: (started_at, run_id) of the run that stood last on
    the page before. `sections`: those that are looked at, None = all of them. `lane`: those that work on its shops, of
    the whole lane every one; `since`: those that began then or later."""
    query = select(runs).where(*of_lane(lane)).order_by(runs.c.started_at.desc(), runs.c.run_id).limit(limit)
    if since is not None:
        query = query.where(runs.c.started_at >= to_ms(since))
    if job:
        query = query.where(runs.c.job == job)
    if before is not None:
        at, name = to_ms(before[0]), before[1]
        query = query.where(or_(runs.c.started_at < at, and_(runs.c.started_at == at, runs.c.run_id > name)))
    return _rows(connection, query, sections)


def jobs(connection: Connection) -> list[str]:
    """The jobs of which a run is on record, by name."""
    return list(connection.execute(select(runs.c.job).distinct().order_by(runs.c.job)).scalars())


def oldest(connection: Connection) -> datetime | None:
    """When the oldest run on record began."""
    found = connection.execute(select(func.min(runs.c.started_at))).scalar()
    return None if found is None else from_ms(found)


def last_sign(connection: Connection, jobs: Iterable[str], lane: str = WHOLE_LANE) -> datetime | None:
    """When a run of these jobs (and lane) that is no dry run last gave a sign of life; None where none was begun."""
    sign = func.coalesce(runs.c.ended_at, runs.c.heartbeat_at, runs.c.started_at)
    of_them = (runs.c.dry_run == 0, runs.c.job.in_(list(jobs)), *of_lane(lane))
    newest = connection.execute(select(func.max(sign)).where(*of_them)).scalar()
    return None if newest is None else from_ms(newest)


def unended(connection: Connection) -> list[RunRow]:
    """Runs that are under way, or were killed, oldest first."""
    return _rows(connection, select(runs).where(runs.c.ended_at.is_(None)).order_by(runs.c.started_at))


def unexported(connection: Connection) -> list[RunRow]:
    """Closed runs whose row is not in history yet, oldest first."""
    query = select(runs).where(runs.c.exported == 0, runs.c.ended_at.is_not(None)).order_by(runs.c.started_at)
    return _rows(connection, query)


def mark_exported(connection: Connection, run_id: str) -> None:
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(exported=1))


def exported_keys(connection: Connection) -> list[tuple[str, str]]:
    """(run_id, run_id) of the runs that are in history and still here, by id."""
    query = select(runs.c.run_id).where(runs.c.exported == 1).order_by(runs.c.run_id)
    return [(run_id, run_id) for run_id in connection.execute(query).scalars()]


def export_again(connection: Connection, keys: Sequence[str]) -> None:
    """History has lost these: `unexported` hands them out once more."""
    for start in range(0, len(keys), FEW):
        few = keys[start : start + FEW]
        connection.execute(update(runs).where(runs.c.run_id.in_(few)).values(exported=0))


def forget(connection: Connection, before: datetime) -> None:
    """Drop runs that are in history and began before, with their sections."""
    old = (runs.c.exported == 1, runs.c.started_at < to_ms(before))
    connection.execute(delete(run_sections).where(run_sections.c.run_id.in_(select(runs.c.run_id).where(*old))))
    connection.execute(delete(runs).where(*old))


def sections(
    connection: Connection,
    section: str,
    *,
    since: datetime | None = None,
    limit: int | None = None,
    live_of_hour: str = "",
    lane: str = WHOLE_LANE,
) -> list[tuple[str, str]]:
    """(run_id, text) of one section, of the newest runs that have it, newest first.

    `live_of_hour`: a partition key; only its runs that were no dry runs. `lane`: of runs that work on its shops.
    """
    query = (
        select(run_sections.c.run_id, run_sections.c.document)
        .join(runs, runs.c.run_id == run_sections.c.run_id)
        .where(run_sections.c.section == section, *of_lane(lane))
        .where(runs.c.started_at >= (to_ms(since) if since is not None else 0))  # so SQLite begins with the newest run
        .order_by(runs.c.started_at.desc(), runs.c.run_id)
    )
    if live_of_hour:
        query = query.where(runs.c.partition_key == live_of_hour, runs.c.dry_run == 0)
    return [(row.run_id, row.document) for row in connection.execute(query.limit(limit))]


def of_lane(lane: str) -> tuple[ColumnElement[bool], ...]:
    """Runs that work on shops of this lane: its own, and those of the whole; of the whole every run."""
    return () if lane == WHOLE_LANE else (runs.c.lane.in_((lane, WHOLE_LANE, "")),)


def _known(connection: Connection, run_id: str) -> bool:
    return connection.execute(_KNOWN, {"run": run_id}).first() is not None


_KNOWN = select(runs.c.run_id).where(runs.c.run_id == bindparam("run"))


def _rows(connection: Connection, query: Select[Any], wanted: Sequence[str] | None = None) -> list[RunRow]:
    rows = connection.execute(query).all()
    texts = _texts(connection, [row.run_id for row in rows], wanted)
    return [_row(row, texts[row.run_id]) for row in rows]


def _texts(
    connection: Connection, run_ids: Iterable[str], wanted: Sequence[str] | None
) -> Mapping[str, dict[str, str]]:
    names, found = list(run_ids), defaultdict[str, dict[str, str]](dict)
    for start in range(0, len(names), FEW):
        query = select(run_sections).where(run_sections.c.run_id.in_(names[start : start + FEW]))
        if wanted is not None:
            query = query.where(run_sections.c.section.in_(list(wanted)))
        for row in connection.execute(query):
            found[row.run_id][row.section] = row.document
    return found


def _row(row: Row[Any], texts: Mapping[str, str]) -> RunRow:
    return RunRow(
        run_id=row.run_id,
        job=row.job,
        partition_key=row.partition_key,
        started_at=from_ms(row.started_at),
        ended_at=from_ms(row.ended_at) if row.ended_at is not None else None,
        heartbeat_at=from_ms(row.heartbeat_at) if row.heartbeat_at is not None else None,
        dry_run=bool(row.dry_run),
        owner=row.owner,
        stop_by=row.stop_by,
        lane=row.lane or WHOLE_LANE,
        sections=texts,
    )
