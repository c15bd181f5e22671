"""Which decisions leave state.db, and when: what history has, and nothing under way needs.

Not for: making or moving decisions (decisions.py), or how long other rows live (lifetimes.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, delete, select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Decision, Kind
from ecauto_pipeline.state.decisions import STANDING
from ecauto_pipeline.state.schema import diffs, listings

LIFE = timedelta(days=3)
UNSAID_LIFE = timedelta(days=1)
"""Of a skip of whose target something else has been said since."""


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
