"""Listings on show whose goods Amazon has not confirmed for too long: a merged ASIN, one that is never answered.

What nobody confirms is sold as it was last seen, and nothing else would tell. Not for: hiding them
(domain/selling/visibility.py) or telling people (alerts/rules/asking.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.freshness.ages import Policy
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import MS, asins, listings
from ecauto_pipeline.state.shop_accounts import refusing_accounts


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """One such listing. `since`: Amazon's last answer that counts, or our first sight of the listing without any;
    `reason`: of the last question without an answer, "" where none failed."""

    key: ListingKey
    asin: str
    since: datetime
    reason: str


_SINCE = func.coalesce(case((asins.c.status.is_not(None), asins.c.stock_at)), listings.c.first_seen_at)


def is_unconfirmed(now: datetime, policy: Policy, factor: float) -> ColumnElement[bool]:
    """Whether a row of listings, with its row of asins joined to it, is on show and so long not confirmed."""
    now_ms = to_ms(now)
    high, medium, low = (literal(round(factor * age), MS) for age in policy.max_age_ms)
    longest = case(
        (asins.c.last_sold_at >= now_ms - policy.sold_within_ms, high),
        (asins.c.last_viewed_at >= now_ms - policy.viewed_within_ms, medium),
        else_=low,
    )
    return and_(listings.c.listed == 1, listings.c.shown_visible == 1, _SINCE < literal(now_ms, MS) - longest)


def unconfirmed(
    connection: Connection, accounts: Iterable[AccountKey], now: datetime, policy: Policy, factor: float
) -> list[Unconfirmed]:
    """Listings on show of these accounts not confirmed for `factor` times what their tier allows, the oldest first.

    Shops that refuse everything are left out: nothing is asked for them, and people were told.
    """
    refusing = set(refusing_accounts(connection))  # nothing is asked for these: their own alert says it
    watched = [account for account in accounts if account not in refusing]
    key = (listings.c.platform, listings.c.account_id, listings.c.item_id)
    query = (
        select(*key, listings.c.asin, _SINCE.label("since"), func.coalesce(asins.c.error_reason, "").label("reason"))
        .select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))
        .where(is_unconfirmed(now, policy, factor), of_accounts(listings, watched))
        .order_by(_SINCE, *key)
    )
    return [
        Unconfirmed(ListingKey(row.platform, row.account_id, row.item_id), row.asin, from_ms(row.since), row.reason)
        for row in connection.execute(query)
    ]
