"""What a shop shows now of the items whose edits are to be taken back.

What changed since the first of the edits is listed, for every one of them did; what that does not give in as few calls
as there are items is read one by one, or from the whole list.
Not for: what follows from it (rollback.py), or reading a shop for a run (sync/listings).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError, Transport
from ecauto_pipeline.shops.protocol import Item, Shop
from ecauto_pipeline.state import shop_listings
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.state.of_accounts import item_of
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.sync.base_updates.read_back import shown_value
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.rollback_gate import shown_in

FEW = 2  # items that are read singly at once
ONE_BY_ONE = 100  # items to read singly after that; past it the whole list is cheaper
CLOCKS_AGREE_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reading:
    """Items by id as the shop shows them, and why some are missing ("" = the shop answered)."""

    items: Mapping[str, Item]
    problem: str = ""


def read_shop(tools: Tools, shop: Shop, edits: Sequence[Update]) -> Reading:
    """The items of these edits, of one shop, as it shows them now. Raises Stopped."""
    wanted = {edit.key.item_id for edit in edits if edit.kind is not Kind.DELIST}
    found: dict[str, Item] = {}
    try:
        if len(wanted) > FEW:
            _read_changed(tools, shop, edits, wanted, found)
        if len(wanted - found.keys()) > ONE_BY_ONE:
            _read_pages(tools, shop.items(), wanted, found)
        else:
            _read_singly(tools, shop, wanted - found.keys(), found)
    except AccountBlocked:
        return Reading(found, "account_blocked")
    except CallError as error:
        return Reading(found, error.reason)
    return Reading(found)


def value_now(connection: Connection, edit: Update, item: Item, now: datetime) -> int | None:
    """What the shop shows now. Of an item shown a while ago (an export) what we did to it since is not seen."""
    key, value = edit.key, shown_value(item, edit.kind)
    if item.shown_at is None:
        return value
    since_ms = to_ms(item.shown_at)
    own = shop_listings.own_edits(connection, key.platform, key.account_id, [key.item_id], since_ms)
    listing = next(listing_facts(connection, (key.account,), now, items=item_of(key)), None)
    later = any(one.kind == edit.kind and one.at_ms > since_ms for one in own)
    return shown_in(listing, edit.kind) if later and listing is not None else value


def _read_changed(tools: Tools, shop: Shop, edits: Sequence[Update], wanted: set[str], found: dict[str, Item]) -> None:
    since = min(edit.intent_at for edit in edits) - CLOCKS_AGREE_WITHIN
    pages = islice(shop.items(modified_since=since), len(wanted))
    try:
        _read_pages(tools, pages, wanted, found)
    except Transport as error:
        if error.reason != "list_moved":
            raise
        found.clear()  # pages moved under the reading: the whole list tells


def _read_pages(tools: Tools, pages: Iterable[list[Item]], wanted: set[str], found: dict[str, Item]) -> None:
    for page in pages:
        tools.go_on()
        found |= {item.item_id: item for item in page if item.item_id in wanted}
        if wanted <= found.keys():
            return


def _read_singly(tools: Tools, shop: Shop, wanted: Iterable[str], found: dict[str, Item]) -> None:
    for item_id in sorted(wanted):
        tools.go_on()
        try:
            found[item_id] = shop.item(item_id)
        except (BudgetSpent, AccountBlocked):
            raise
        except CallError:
            continue
