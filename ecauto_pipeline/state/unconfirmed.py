"""Listings on show whose goods Amazon has not confirmed for too long: a merged ASIN, one that is never answered.

What nobody confirms is sold as it was last seen, and nothing else would tell. Not for: hiding them
(domain/selling/visibility.py) or telling people (alerts/rules/asking.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select, text

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.freshness.ages import Policy
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.few_rows import UNANSWERED, VISIBILITY_UNJUDGED, words_for
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
    return and_(listings.c.listed + 0 == 1, listings.c.shown_visible == 1, _SINCE < literal(now_ms, MS) - longest)


def unconfirmed(
    connection: Connection, accounts: Iterable[AccountKey], now: datetime, policy: Policy, factor: float
) -> list[Unconfirmed]:
    """Listings on show of these accounts not confirmed for `factor` times what their tier allows, the oldest first.

    Shops that refuse everything are left out: nothing is asked for them, and people were told. Looked at are those
    whose ASIN has an old answer or none; one that has no row at all is one without a verdict that knew it (judged.py).
    """
    refusing = set(refusing_accounts(connection))  # nothing is asked for these: their own alert says it
    watched = [account for account in accounts if account not in refusing]
    key = (listings.c.platform, listings.c.account_id, listings.c.item_id)
    query = (
        select(*key, listings.c.asin, _SINCE, func.coalesce(asins.c.error_reason, ""))
        .select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))
        .where(is_unconfirmed(now, policy, factor))
    )
    found: dict[ListingKey, Unconfirmed] = {}
    for few in in_portions(sorted(_long_ago(connection, now, policy, factor))):
        found |= _named(connection.execute(query.where(listings.c.asin.in_(few))))
    never = words_for(connection.dialect.name, VISIBILITY_UNJUDGED)
    found |= _named(connection.execute(query.where(never, asins.c.asin.is_(None))))
    mine = set(watched)
    return sorted((one for key, one in found.items() if key.account in mine), key=lambda one: (one.since, one.key))


def _long_ago(connection: Connection, now: datetime, policy: Policy, factor: float) -> set[str]:
    """ASINs whose last answer may be too old for the tier that they are of, and those that have none."""
    now_ms = to_ms(now)
    high, medium, low = (now_ms - round(factor * age) for age in policy.max_age_ms)
    chosen = (
        asins.c.stock_at < low,
        and_(asins.c.last_sold_at >= now_ms - policy.sold_within_ms, asins.c.stock_at < high),
        and_(asins.c.last_viewed_at >= now_ms - policy.viewed_within_ms, asins.c.stock_at < medium),
        text(UNANSWERED),
    )
    return {name for one in chosen for name in connection.execute(select(asins.c.asin).where(one)).scalars()}


def _named(rows: Iterable[Any]) -> dict[ListingKey, Unconfirmed]:
    found = {}
    for platform, account_id, item_id, asin, since, reason in rows:
        key = ListingKey(platform, account_id, item_id)
        found[key] = Unconfirmed(key, asin, from_ms(since), reason)
    return found
