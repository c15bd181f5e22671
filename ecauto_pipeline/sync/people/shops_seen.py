"""What the shops showed of the items of one rollback, kept while it works: nothing of it is written to state.

Who hid an item, or set its price, is for a reading of the whole line to say (sync/listings). What a run of ours did, or
read, after the shop showed this counts more, and state has it.
Not for: asking a shop (reading_back.py), or what may be sent (rollback_gate.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingFacts, ListingKey
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.state import shop_listings
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.sync.base_updates.ends import RowOutcome
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.people.reading_back import CLOCKS_AGREE_WITHIN, Reading, changes_of, read_shop
from ecauto_pipeline.sync.room_for_threads import look_for_room

LOOK_AGAIN_AFTER = timedelta(minutes=2)
"""So long a look counts: people go on working in a shop. In this time some 160 edits are made there, which the next
look lists with what people changed, a hundred a call."""
LISTED_WITHIN = timedelta(seconds=60)
"""So long after a change, by the shop's own clock, a list may still leave it out."""


class ShopsSeen:
    """The readings of one rollback, by shop. Of one shop, one thread at a time uses it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.readings: dict[AccountKey, Reading] = {}
        self._looked: dict[AccountKey, datetime] = {}
        self._since: dict[AccountKey, datetime] = {}

    def read(self, edits: Iterable[Update]) -> None:
        """What each shop shows now of what is to be taken back, all shops side by side. Raises Stopped."""
        context = self._context
        of_shops: dict[AccountKey, list[Update]] = {}
        for edit in edits:
            of_shops.setdefault(edit.key.account, []).append(edit)
        accounts = sorted(of_shops)
        self._looked |= dict.fromkeys(accounts, context.clock.now())
        look_for_room(len(accounts))
        with ThreadPoolExecutor(max_workers=max(1, len(accounts))) as pool:
            found = pool.map(lambda one: read_shop(context, context.shops[one], of_shops[one]), accounts)
            self.readings |= dict(zip(accounts, found, strict=True))

    def look_again(self, account: AccountKey) -> None:
        """What has changed at this shop since the last look, where that is LOOK_AGAIN_AFTER ago. Raises the CallError
        family: what it shows now is not known then, and nothing is to leave; and Stopped."""
        now = self._context.clock.now()
        looked = self._looked.get(account)
        if looked is None or now - looked < LOOK_AGAIN_AFTER or self._context.run.dry_run:
            return
        items = self.readings[account].items
        since = self._since.get(account, looked - CLOCKS_AGREE_WITHIN)
        found, newest = changes_of(self._context, self._context.shops[account], since, items.keys())
        items |= found
        self._looked[account] = now
        if newest is not None:
            self._since[account] = newest - LISTED_WITHIN

    def took(self, ended: RowOutcome) -> None:
        """The shop has taken an edit of the rollback: it shows that now."""
        diff = ended.decided.diff
        items = self.readings[diff.key.account].items if diff.key.account in self.readings else {}
        if ended.end != "pushed" or self._context.run.dry_run or diff.key.item_id not in items:
            return
        changed: dict[Kind, dict[str, Any]] = {
            Kind.PRICE: {"price_jpy": diff.wanted},
            Kind.VISIBILITY: {"visible": diff.wanted == 1},
            Kind.STOCK: {"stock": diff.wanted},
        }
        items[diff.key.item_id] = replace(items[diff.key.item_id], **changed.get(diff.kind, {}))

    def as_shown(self, connection: Connection, listings: Sequence[ListingFacts]) -> dict[ListingKey, ListingFacts]:
        """These listings, of one shop, as it showed them; what was not read is as state has it."""
        items = self.readings[listings[0].key.account].items if listings and self.readings else {}
        read = [items[one.key.item_id] for one in listings if one.key.item_id in items]
        ours = edited_since(connection, listings[0].key.account, read) if read else set()
        return {one.key: _as_shown(one, items.get(one.key.item_id), ours) for one in listings}


def edited_since(connection: Connection, account: AccountKey, items: Iterable[Item]) -> set[tuple[str, Kind]]:
    """(item_id, kind) of what we changed, or may have, after the shop showed it so."""
    since_ms = {item.item_id: to_ms(item.shown_at) for item in items if item.shown_at is not None}
    if not since_ms:
        return set()
    oldest_ms = min(since_ms.values())
    own = shop_listings.own_edits(connection, account.platform, account.account_id, list(since_ms), oldest_ms)
    return {(edit.item_id, Kind(edit.kind)) for edit in own if edit.at_ms > since_ms[edit.item_id]}


def _as_shown(listing: ListingFacts, item: Item | None, ours: set[tuple[str, Kind]]) -> ListingFacts:
    if item is None or (listing.read_at and item.shown_at and listing.read_at > item.shown_at):
        return listing
    found: dict[Kind, tuple[str, Any]] = {
        Kind.PRICE: ("shown_price_jpy", item.price_jpy),
        Kind.VISIBILITY: ("shown_visible", item.visible),
        Kind.STOCK: ("shown_stock", item.stock),
    }
    return replace(listing, **dict(one for kind, one in found.items() if (item.item_id, kind) not in ours))
