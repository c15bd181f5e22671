"""Listings that nothing keeps in step, each with the reason: what a person believes watched, and is not.

Not for: deciding any of it (domain/, sync/listings) or its words (domain/reasons.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, select

from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import asins, listings

NEVER_ANSWERED = 3
"""Questions in a row without an answer, and never one before: asked again by each run, and known to nobody."""


@dataclass(frozen=True, slots=True)
class Unwatched:
    """One listing and why nothing keeps it in step. `asin` "" where nobody can place it."""

    key: ListingKey
    asin: str
    reason: str


_REASON = case(
    (listings.c.orphan != "", "orphan_" + listings.c.orphan),
    (listings.c.delist != "", "deleted_at_shop"),
    (listings.c.blocked == 1, "blocklist"),
    (listings.c.uneditable != "", "uneditable"),
    (and_(asins.c.status.is_(None), asins.c.error_count >= NEVER_ANSWERED), "never_answered"),
    else_="",
)


def unwatched(connection: Connection, accounts: Iterable[AccountKey]) -> list[Unwatched]:
    """Every such listing of these accounts, by reason, account and item."""
    key = (listings.c.platform, listings.c.account_id, listings.c.item_id)
    joined = listings.outerjoin(asins, asins.c.asin == listings.c.asin)
    query = select(*key, listings.c.asin, _REASON).select_from(joined)
    rows = connection.execute(query.where(of_accounts(listings, accounts), _REASON != "").order_by(_REASON, *key))
    return [Unwatched(ListingKey(*row[:3]), row[3] or "", row[4]) for row in rows]
