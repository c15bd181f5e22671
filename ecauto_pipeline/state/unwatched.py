"""Listings that nothing keeps in step, each with the reason: what a person believes watched, and is not.

Not for: deciding any of it (domain/, sync/listings) or its words (domain/reasons.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, or_, select

from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.joining import LISTED
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.shop_accounts import load_accounts

NEVER_ANSWERED = 3
"""Questions in a row without an answer, and never one before: asked again by each run, and known to nobody."""


@dataclass(frozen=True, slots=True)
class Unwatched:
    """One listing and why nothing keeps it in step. `asin` "" where nobody can place it; `gone_at`: since when the
    shop has it no more, None where it has it or the moment is not known.
    """

    key: ListingKey
    asin: str
    reason: str
    gone_at: datetime | None = None


_SILENT = select(asins.c.asin).where(asins.c.status.is_(None), asins.c.error_count >= NEVER_ANSWERED)
_REASON = case(
    (listings.c.orphan != "", "orphan_" + listings.c.orphan),
    (and_(listings.c.present == 0, listings.c.register_id.is_(None)), "gone_both_sides"),
    (
        and_(listings.c.delist != "", or_(listings.c.present == 1, listings.c.register_status == LISTED)),
        "deleted_at_shop",
    ),
    (
        and_(listings.c.present == 1, listings.c.register_id.is_not(None), listings.c.register_status != LISTED),
        "register_not_listed",
    ),
    (listings.c.blocked == 1, "blocklist"),
    (listings.c.uneditable != "", "uneditable"),
    (listings.c.asin.in_(_SILENT), "never_answered"),
    else_="",
)
"""What the register calls ended and the shop has no more either is watched no more by intent: no reason."""


def unwatched(connection: Connection, accounts: Iterable[AccountKey]) -> list[Unwatched]:
    """Every such listing of these accounts, by reason, account and item."""
    key = (listings.c.platform, listings.c.account_id, listings.c.item_id)
    query = select(*key, listings.c.asin, _REASON, listings.c.gone_at)
    rows = connection.execute(query.where(of_accounts(listings, accounts), _REASON != "").order_by(_REASON, *key))
    return [
        Unwatched(ListingKey(*row[:3]), row[3] or "", row[4], None if row[5] is None else from_ms(row[5]))
        for row in rows
    ]


def count_unwatched(connection: Connection, accounts: Iterable[AccountKey]) -> dict[str, int] | None:
    """How many of these accounts' listings by reason, the commonest first; None before any shop was read whole."""
    accounts = list(accounts)
    seen = load_accounts(connection)
    if not any(account in seen and seen[account].full_read_at is not None for account in accounts):
        return None
    many = func.count()
    query = select(_REASON, many).where(of_accounts(listings, accounts), _REASON != "")
    return {
        reason: count for reason, count in connection.execute(query.group_by(_REASON).order_by(many.desc(), _REASON))
    }
