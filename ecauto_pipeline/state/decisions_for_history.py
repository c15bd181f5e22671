"""Decisions on their way into history, and out of state.db once nothing under way needs them.

Not for: making or moving decisions (decisions.py), or how long other rows live (lifetimes.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, delete, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Decision, Kind
from ecauto_pipeline.state.decisions import STANDING
from ecauto_pipeline.state.exporting import ForHistory, for_history, in_portions
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_decisions import diffs

LIFE = timedelta(days=3)
UNSAID_LIFE = timedelta(days=1)
"""Of a skip of whose target something else has been said since."""


def unexported(connection: Connection, limit: int) -> list[ForHistory]:
    """Decisions that history does not have yet, by id, for `diffs`."""
    query = select(diffs).where(diffs.c.exported == 0, diffs.c.decision != Decision.UNCHANGED)
    rows = connection.execute(query.order_by(diffs.c.diff_id).limit(limit))
    return [for_history(row, "diff_id", "decided_at", without=("state", "state_at", "exported")) for row in rows]


def mark_exported(connection: Connection, rows: Iterable[ForHistory]) -> None:
    """These are in history now; they live on here until `forget`."""
    for keys in in_portions([row.key for row in rows]):
        connection.execute(update(diffs).where(diffs.c.diff_id.in_(keys)).values(exported=1))


def exported_keys(connection: Connection) -> list[tuple[str, str]]:
    """(diff_id, run_id) of the rows that are in history and still here, by id."""
    query = select(diffs.c.diff_id, diffs.c.run_id).where(diffs.c.exported == 1).order_by(diffs.c.diff_id)
    return [(row.diff_id, row.run_id) for row in connection.execute(query)]


def export_again(connection: Connection, keys: Sequence[str]) -> None:
    """History has lost these: `unexported` hands them out once more."""
    for few in in_portions(keys):
        connection.execute(update(diffs).where(diffs.c.diff_id.in_(few)).values(exported=0))


def forget(connection: Connection, before: datetime) -> None:
    """Drop what is in history, was decided before, and is over: what waits, or what a person said, stands.

    A skip that nobody says any more goes earlier, a day after it was decided: a first fill leaves two a listing.
    """
    over = (diffs.c.exported == 1, diffs.c.state.not_in(STANDING))
    connection.execute(delete(diffs).where(*over, diffs.c.decided_at < to_ms(before)))
    unsaid = diffs.c.decided_at < to_ms(before + (LIFE - UNSAID_LIFE))
    connection.execute(delete(diffs).where(*over, unsaid, diffs.c.decision == Decision.SKIPPED, _other_is_said()))


def _other_is_said() -> ColumnElement[bool]:
    """Whether its listing was judged since, to something else."""
    kinds = (Kind.PRICE, Kind.VISIBILITY, Kind.STOCK)
    said = case(*((diffs.c.kind == kind.value, listings.c[f"{kind.value}_said"]) for kind in kinds))
    of_listing = and_(*(listings.c[name] == diffs.c[name] for name in ("platform", "account_id", "item_id")))
    return select(listings.c.item_id).where(of_listing, said != diffs.c.reason).exists()
