"""What the rules say of some listings just before an edit of them is sent: as they stand in state.db now.

A few queries for all of them. Not for: a whole run's listings, or the rules themselves (evaluate.py, domain/).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey, Diff, Kind, ListingFacts, ListingKey
from ecauto_pipeline.state.corrections import failed_prices
from ecauto_pipeline.state.known_asins import KnownAsin, known_of
from ecauto_pipeline.state.price_moves import price_moves
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.sync.context import IncludePrice
from ecauto_pipeline.sync.diffs.evaluate import SAID_SO, Rules, with_failed_price


class JudgedAgain:
    """Some listings of one shop as state has them now."""

    def __init__(
        self, rules: Rules, connection: Connection, account: AccountKey, items: Collection[str], now: datetime
    ) -> None:
        of, self._rules, self._now = {account: set(items)}, rules, now
        moves = price_moves(connection, (account,), now - rules.move_window, SAID_SO, items=of)
        failed = failed_prices(connection, (account,), now, items=of)
        found = list(listing_facts(connection, (account,), now, moves=moves, items=of))
        self._listings: dict[ListingKey, ListingFacts] = {
            one.key: with_failed_price(one, failed[one.key]) if one.key in failed else one for one in found
        }
        self._known = known_of(connection, {one.asin for one in found if one.asin})

    def verdict(
        self, key: ListingKey, kind: Kind, priced: bool, include: IncludePrice = "all"
    ) -> tuple[Diff | None, KnownAsin | None]:
        """The verdict about one target; None when the listing no longer takes part.

        `priced`: this run's price push of the listing counts as done though the shop may not show it yet (dry run).
        `include`: which prices count where a price is asked about.
        """
        listing = self._listings.get(key)
        if listing is None:
            return None, None
        known = self._known.get(listing.asin)
        if kind is Kind.PRICE:
            return self._rules.price(listing, known.facts if known else None, self._now, include), known
        both = self._rules.visibility_and_stock(listing, known, self._now, "all" if priced else "never")
        return both[0 if kind is Kind.VISIBILITY else 1], known
