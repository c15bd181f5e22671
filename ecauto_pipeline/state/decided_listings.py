"""Which listings a decision stands about, without the decision: for whoever lists them all.

Not for: the decisions themselves (decisions.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, and_, select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, Decision, Kind, ListingKey
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema_decisions import diffs


def held_listings(connection: Connection, accounts: Iterable[AccountKey]) -> set[ListingKey]:
    """Listings of these shops about which a change waits for a person."""
    key = (diffs.c.platform, diffs.c.account_id, diffs.c.item_id)
    open_hold = (diffs.c.decision == Decision.HELD, diffs.c.state == "open")
    rows = connection.execute(select(*key).where(*open_hold, of_accounts(diffs, accounts)))
    return {ListingKey(*row) for row in rows}


def lately_blocked(connection: Connection, accounts: Iterable[AccountKey], since: datetime) -> set[ListingKey]:
    """Listings of these shops whose price was stopped by a limit since then, and may be no more."""
    key = (diffs.c.platform, diffs.c.account_id, diffs.c.item_id)
    stopped = and_(diffs.c.decision == Decision.BLOCKED, diffs.c.kind == Kind.PRICE, diffs.c.decided_at >= to_ms(since))
    rows = connection.execute(select(*key).where(stopped, of_accounts(diffs, accounts)).distinct())
    return {ListingKey(*row) for row in rows}
