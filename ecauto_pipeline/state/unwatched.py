"""Listings that nothing keeps in step, each with the reason: what a person believes watched, and is not.

Not for: deciding any of it (domain/, sync/listings) or its words (domain/reasons.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.freshness.failing import AT_ONCE, UNANSWERABLE_AFTER
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.joining import LISTED
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.shop_accounts import load_accounts

UNANSWERABLE = "unanswerable"
NEVER_ANSWERED = 3
"""Questions in a row without an answer, and never one before: asked again by each run, and known to nobody."""


@dataclass(frozen=True, slots=True)
class Unwatched:
    """One listing and why nothing keeps it in step. `asin` "" where nobody can place it; `gone_at`: since when the
    shop has it no more, None where it has it or the moment is not known.

    `on_sale`: the shop shows it, as last read. Of what is unanswerable: `because`, the reason that Amazon's answers
    gave without a break `since` then, and the ASIN that it was `merged_into`.
    """

    key: ListingKey
    asin: str
    reason: str
    gone_at: datetime | None = None
    on_sale: bool = False
    because: str = ""
    since: datetime | None = None
    merged_into: str = ""


def unwatched_reason(now: datetime, *, joined: bool = False) -> ColumnElement[str]:
    """Why nothing keeps a row of listings in step, "" where something does. `joined`: with its row of asins.

    What the register calls ended and the shop has no more either is watched no more by intent: no reason.
    """
    stayed = asins.c.failing_since <= to_ms(now - UNANSWERABLE_AFTER)
    hopeless = and_(asins.c.failures > 0, or_(stayed, asins.c.failing_reason.in_(AT_ONCE)))
    silent = and_(asins.c.status.is_(None), asins.c.error_count >= NEVER_ANSWERED)
    if not joined:
        hopeless, silent = (listings.c.asin.in_(select(asins.c.asin).where(one)) for one in (hopeless, silent))
    return case(
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
        (hopeless, UNANSWERABLE),
        (silent, "never_answered"),
        else_="",
    )


def unwatched(connection: Connection, accounts: Iterable[AccountKey], now: datetime) -> list[Unwatched]:
    """Every such listing of these accounts, by reason, account and item."""
    reason = unwatched_reason(now, joined=True)
    key = (listings.c.platform, listings.c.account_id, listings.c.item_id)
    query = select(*key, listings.c.asin, reason.label("reason"), listings.c.gone_at, listings.c.shown_visible)
    failing = (asins.c.failing_reason, asins.c.failing_since, asins.c.merged_into)
    query = query.add_columns(*failing).select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))
    found = connection.execute(query.where(of_accounts(listings, accounts), reason != "").order_by(reason, *key))
    return [_unwatched(row) for row in found]


def _unwatched(row: Row[Any]) -> Unwatched:
    failing = row.reason == UNANSWERABLE
    return Unwatched(
        key=ListingKey(row.platform, row.account_id, row.item_id),
        asin=row.asin or "",
        reason=row.reason,
        gone_at=None if row.gone_at is None else from_ms(row.gone_at),
        on_sale=row.shown_visible == 1,
        because=row.failing_reason if failing else "",
        since=from_ms(row.failing_since) if failing and row.failing_since else None,
        merged_into=row.merged_into if failing else "",
    )


def count_unwatched(connection: Connection, accounts: Iterable[AccountKey], now: datetime) -> dict[str, int] | None:
    """How many of these accounts' listings by reason, the commonest first; None before any shop was read whole."""
    accounts = list(accounts)
    seen = load_accounts(connection)
    if not any(account in seen and seen[account].full_read_at is not None for account in accounts):
        return None
    many = func.count()
    reason = unwatched_reason(now)
    query = select(reason, many).where(of_accounts(listings, accounts), reason != "")
    rows = connection.execute(query.group_by(reason).order_by(many.desc(), reason))
    return {name: count for name, count in rows}
