"""What a shop shows now of the items whose edits are to be taken back.

What changed since the first of the edits is listed, for every one of them did; what that does not give in as few calls
as there are items is read one by one, or from the whole list.
Not for: what follows from it (rollback.py), or reading a shop for a run (sync/listings).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError, Transport
from ecauto_pipeline.shops.protocol import Item, Shop
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.sync.context import Tools

FEW = 2  # items that are read singly at once
ONE_BY_ONE = 100  # items to read singly after that; past it the whole list is cheaper
CLOCKS_AGREE_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reading:
    """Items by id as the shop shows them, each with the moment from which on it did (`shown_at`), and why some are
    missing ("" = the shop answered)."""

    items: dict[str, Item]
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


def changes_of(
    tools: Tools, shop: Shop, since: datetime, wanted: Collection[str]
) -> tuple[dict[str, Item], datetime | None]:
    """Of these items those that changed since a moment of the shop's own clock, or a little before it; and when, by
    that clock, any item changed last. Raises the CallError family, and Stopped."""
    found: dict[str, Item] = {}
    times: list[datetime] = []
    for page in _asked(tools, shop.items(modified_since=since)):
        found |= {item.item_id: item for item in page if item.item_id in wanted}
        times += [item.modified_at for item in page if item.modified_at is not None]
    return found, max(times, default=None)


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
    """Until all that is wanted was found."""
    for page in _asked(tools, pages):
        found |= {item.item_id: item for item in page if item.item_id in wanted}
        if wanted <= found.keys():
            return


def _asked(tools: Tools, pages: Iterable[list[Item]]) -> Iterator[list[Item]]:
    ahead = iter(pages)
    while True:
        tools.go_on()
        asked_at = tools.clock.now()
        page = next(ahead, None)
        if page is None:
            return
        yield [_seen(item, asked_at) for item in page]


def _read_singly(tools: Tools, shop: Shop, wanted: Iterable[str], found: dict[str, Item]) -> None:
    for item_id in sorted(wanted):
        tools.go_on()
        asked_at = tools.clock.now()
        try:
            found[item_id] = _seen(shop.item(item_id), asked_at)
        except (BudgetSpent, AccountBlocked):
            raise
        except CallError:
            continue


def _seen(item: Item, asked_at: datetime) -> Item:
    """What a shop shows is so from the moment of asking on, not of the answer."""
    return item if item.shown_at is not None else replace(item, shown_at=asked_at)
