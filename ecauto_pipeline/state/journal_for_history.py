"""Edits on their way into history, and out of state.db once nothing under way needs them.

Not for: the edits themselves (journal.py), or how long other rows live (lifetimes.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Outcome
from ecauto_pipeline.state.exporting import ForHistory, for_history, in_portions
from ecauto_pipeline.state.schema_decisions import journal


def unexported(connection: Connection, limit: int) -> list[ForHistory]:
    """Edits with an outcome that history does not have yet, by id, for `updates`.

    An unknown one is handed out again when it is settled.
    """
    query = select(journal).where(journal.c.exported == 0, journal.c.outcome.is_not(None))
    rows = connection.execute(query.order_by(journal.c.update_id).limit(limit))
    found = [
        for_history(row, "update_id", "intent_at", without=("written_back", "exported", "refused")) for row in rows
    ]
    for row in found:
        intent_at = row.values.pop("intent_at")
        row.values["attempted_at"] = row.values["attempted_at"] or intent_at
    return found


def mark_exported(connection: Connection, rows: Iterable[ForHistory]) -> None:
    """These are in history now, as they were handed out: what was settled since is to go there once more."""
    said = {row.key: _word(row.values["outcome"], row.values["completed_at"]) for row in rows}
    for keys in in_portions(list(said)):
        columns = (journal.c.update_id, journal.c.outcome, journal.c.completed_at)
        now = connection.execute(select(*columns).where(journal.c.update_id.in_(keys)))
        same = [row.update_id for row in now if said[row.update_id] == (row.outcome, row.completed_at)]
        connection.execute(update(journal).where(journal.c.update_id.in_(same)).values(exported=1))


def _word(outcome: object, completed_at: object) -> tuple[object, int | None]:
    return outcome, to_ms(completed_at) if isinstance(completed_at, datetime) else None


def exported_keys(connection: Connection) -> list[tuple[str, str]]:
    """(update_id, run_id) of the rows that are in history and still here, by id."""
    query = select(journal.c.update_id, journal.c.run_id).where(journal.c.exported == 1).order_by(journal.c.update_id)
    return [(row.update_id, row.run_id) for row in connection.execute(query)]


def export_again(connection: Connection, keys: Sequence[str]) -> None:
    """History has lost these: `unexported` hands them out once more."""
    for few in in_portions(keys):
        connection.execute(update(journal).where(journal.c.update_id.in_(few)).values(exported=0))


def forget(connection: Connection, before: datetime) -> None:
    """Drop what is in history and was intended before; what is still to be read back stays, however old."""
    settled = (journal.c.outcome.is_not(None), journal.c.outcome != Outcome.UNKNOWN)
    connection.execute(delete(journal).where(journal.c.exported == 1, journal.c.intent_at < to_ms(before), *settled))
