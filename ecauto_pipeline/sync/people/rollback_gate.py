"""What a rollback may send: the limits that forbid to put a value back, and the last look before an edit leaves.

Not for: which edits are taken back (undoing.py) or in which order (rollback.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Diff, Kind, ListingFacts
from ecauto_pipeline.domain.selling.diffs import NEVER_SELL
from ecauto_pipeline.domain.selling.pricing import breaks_floor, outside
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.domain.selling.visibility import SHOWN_AGAIN
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.known_asins import KnownAsin, known_of
from ecauto_pipeline.state.of_accounts import item_of
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.sync.base_updates.recheck import FreeTargets, Look, RecheckResult
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.people.shops_seen import ShopsSeen
from ecauto_pipeline.sync.selling_terms import TermsOfShops

PRICE_BELOW_FLOOR = "price_below_floor"
WRONG_PRICE = "rollback_price"
"""Hidden by a rollback: the price that the run set is a loss, and could not be put back."""
MENDED = "rollback_mended"
"""Shown again by a rollback: one had hidden it for WRONG_PRICE."""


class RollbackGate:
    """The last look before something is put back: it still shows what we set, and the limits still allow it.

    `seen`: what the shops showed; asked at every look, for other runs push and read, too.
    """

    def __init__(self, context: Context, seen: ShopsSeen) -> None:
        self._context, self._seen = context, seen
        self._terms = TermsOfShops(context.settings)

    def __call__(self, connection: Connection, rows: Sequence[Decided], now: datetime) -> Look:
        free = FreeTargets(connection, rows)
        account, items = rows[0].diff.key.account, {row.diff.key.item_id for row in rows}
        found = self._seen.as_shown(
            connection, list(listing_facts(connection, (account,), now, items={account: items}))
        )
        known = known_of(connection, {row.diff.asin for row in rows})

        def look(decided: Decided, priced: bool) -> RecheckResult:
            diff = decided.diff
            return free.refusal(decided) or self._judged(diff, found.get(diff.key), known.get(diff.asin), priced)

        return look

    def _judged(self, diff: Diff, listing: ListingFacts | None, known: KnownAsin | None, priced: bool) -> RecheckResult:
        if listing is None:
            return RecheckResult("skipped", "not_listed")
        if diff.reason != WRONG_PRICE and shown_in(listing, diff.kind) != diff.shown:
            return RecheckResult("skipped", "changed_since")
        if priced and self._context.run.dry_run:  # its price would be another one by now
            listing = replace(listing, shown_price_jpy=None)
        cost_jpy = known.facts.price_jpy if known else None
        why = forbidden(diff, listing, cost_jpy, self._terms.of(diff.key.account, listing.rule))
        return RecheckResult("blocked", why) if why else RecheckResult()


def forbidden(diff: Diff, listing: ListingFacts, cost_jpy: int | None, terms: SellingTerms) -> str:
    """Why the limits forbid to put this value back; "" where they do not."""
    value = diff.wanted
    if diff.kind is Kind.PRICE and value is not None:
        why = outside(value, cost_jpy, terms)
        return f"price_{why}" if why else ""
    if diff.kind is Kind.VISIBILITY and value == 1:
        if listing.blocked_by_list:
            return "blocklist"
        if listing.rule is not None and listing.rule.never_sell:
            return NEVER_SELL
        if listing.blocked_by_list is None:
            return "blocklist_unknown"
        if listing.hidden_by not in SHOWN_AGAIN:
            return f"hidden_by_{listing.hidden_by or 'unknown'}"
        if breaks_floor(listing.shown_price_jpy, cost_jpy, terms):
            return PRICE_BELOW_FLOOR
    return ""


def facts_of(connection: Connection, diff: Diff, now: datetime) -> ListingFacts | None:
    """The listing that a row is about, as it stands in state."""
    return next(listing_facts(connection, (diff.key.account,), now, items=item_of(diff.key)), None)


def shown_in(listing: ListingFacts, kind: Kind) -> int | None:
    """What a listing shows of one kind, as state has it."""
    if kind is Kind.PRICE:
        return listing.shown_price_jpy
    if kind is Kind.STOCK:
        return listing.shown_stock
    return None if listing.shown_visible is None else int(listing.shown_visible)
