"""Reads what one shop shows into state.db: what changed since the last reading, or everything.

Every page is kept as it comes, with what the shop showed at that moment (or when it made the export that we read); an
edit of ours that may have happened after that counts more than the page. Absence is proven by a whole reading alone,
and doubted even then.
Not for: which shops, or the register's side (read.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.domain.selling.hidden_by import SeenBefore, who_hid
from ecauto_pipeline.domain.selling.joining import RegisterSide
from ecauto_pipeline.domain.selling.set_by_hand import PriceBefore, set_by_hand
from ecauto_pipeline.errors import ItemGone, Transport
from ecauto_pipeline.shops.protocol import Item, Shop, key_of
from ecauto_pipeline.state import locks, shop_listings
from ecauto_pipeline.state.shop_accounts import ShopAccount
from ecauto_pipeline.state.shop_listings import OwnEdit
from ecauto_pipeline.sync.context import Tools

FULL_EVERY = timedelta(hours=23, minutes=30)
CLOCKS_AGREE_WITHIN = timedelta(minutes=10)
SETTLED_AFTER = timedelta(seconds=60)
VERIFY_MOST, PROBES = 50, 5
SidesOf = Callable[[Sequence[str]], Mapping[str, RegisterSide]]
"""What the register says of these items of the shop, by item_id."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading one shop's items. `mode`: full | incremental; `modified_seen`: where the next one starts."""

    mode: str
    pages: int
    items: int
    gone: int
    started_at: datetime
    modified_seen: datetime | None


@dataclass(slots=True)
class _Tally:
    pages: int = 0
    items: int = 0
    newest: datetime | None = None


def read_items(tools: Tools, shop: Shop, known: ShopAccount, register: SidesOf) -> Reading:
    """Read what is new, or everything once a day, at first sight, and when what is new does not fit what was known.

    Raises the CallError family; the pages read until then are kept.
    """
    now = tools.clock.now()
    due = known.full_read_at is None or now - known.full_read_at >= FULL_EVERY
    if not due and known.modified_seen is not None and known.read_at is not None:
        try:
            reading = _read_changed(tools, shop, known.modified_seen, known.read_at, register)
        except Transport as error:
            if error.reason != "list_moved":
                raise
            reading = None
        if reading is not None:
            return reading
    return _read_all(tools, shop, register)


def _read_changed(tools: Tools, shop: Shop, since: datetime, last_read: datetime, register: SidesOf) -> Reading | None:
    """None when an item turned up that a whole reading had found gone: only another whole one helps."""
    started_at, tally, head = tools.clock.now(), _Tally(), since
    pages = iter(shop.items(modified_since=since))
    while True:
        tools.go_on()
        asked_at = tools.clock.now()
        page = next(pages, None)
        if page is None:
            break
        news, back = _keep(tools, shop, page, asked_at, register, tally)
        if tally.pages == 1 and tally.newest is not None:
            head = max(since, tally.newest)
        if back:
            return None
        older = all(item.modified_at is not None and item.modified_at <= since for item in page)
        if older and not news and last_read - since > SETTLED_AFTER:
            break
    return Reading("incremental", tally.pages, tally.items, 0, started_at, min(head, started_at))


def _read_all(tools: Tools, shop: Shop, register: SidesOf) -> Reading:
    """Everything; a second time when rows came twice or too many are missing, as pages may have moved."""
    started_at, tally = tools.clock.now(), _Tally()
    with tools.state.read() as connection:
        known = shop_listings.present_items(connection, shop.platform, shop.account_id)
    seen = _read_pages(tools, shop, register, tally)
    if tally.items > len(seen) or len(known - seen) > VERIFY_MOST:
        seen |= _read_pages(tools, shop, register, tally)
    gone = _proven_gone(tools, shop, sorted(known - seen), register)
    with tools.state.write(locks.shop(key_of(shop))) as connection:
        shop_listings.mark_absent(connection, shop.platform, shop.account_id, gone, tools.clock.now())
    settled = started_at - CLOCKS_AGREE_WITHIN  # changes during the reading are read again
    modified_seen = settled if tally.newest is None else min(tally.newest, settled)
    return Reading("full", tally.pages, len(seen), len(gone), started_at, modified_seen)


def _read_pages(tools: Tools, shop: Shop, register: SidesOf, tally: _Tally) -> set[str]:
    seen: set[str] = set()
    pages = iter(shop.items())
    while True:
        tools.go_on()
        asked_at = tools.clock.now()
        page = next(pages, None)
        if page is None:
            return seen
        _keep(tools, shop, page, asked_at, register, tally)
        seen |= {item.item_id for item in page}


def _proven_gone(tools: Tools, shop: Shop, missing: list[str], register: SidesOf) -> list[str]:
    """Those of the missing items that are really not there. Few are asked for one by one, of many a sample.

    Raises Transport `list_incomplete` when the list hid items that exist.
    """
    gone = []
    asked = missing if len(missing) <= VERIFY_MOST else missing[:: max(1, len(missing) // PROBES)]
    for item_id in asked:
        tools.go_on()
        asked_at = tools.clock.now()
        try:
            item = shop.item(item_id)
        except ItemGone:
            gone.append(item_id)
        else:
            _keep(tools, shop, [item], asked_at, register, _Tally())
            if len(missing) > VERIFY_MOST:
                raise Transport("list_incomplete", f"{len(missing)} items missing from the list, but not gone")
    return missing if len(missing) > VERIFY_MOST else gone


def _keep(
    tools: Tools,
    shop: Shop,
    page: Iterable[Item],
    asked_at: datetime,
    register: SidesOf,
    tally: _Tally,
) -> tuple[bool, bool]:
    """Store a page. Returns whether it held news, and whether an item came back that had been found gone."""
    items = {item.item_id: item for item in page}
    now_ms = to_ms(tools.clock.now())
    shown_ms = {number: to_ms(item.shown_at or asked_at) for number, item in items.items()}
    since_ms = min(shown_ms.values(), default=now_ms)
    of_shop = (shop.platform, shop.account_id)
    sides = register(list(items))
    with tools.state.write(locks.shop(key_of(shop))) as connection:
        before = shop_listings.load_shop_side(connection, *of_shop, list(items))
        oldest = min((row["read_at"] or 0 for row in before.values()), default=since_ms)
        edits: dict[str, list[OwnEdit]] = {}
        for edit in shop_listings.own_edits(connection, *of_shop, list(items), min(oldest, since_ms)):
            edits.setdefault(edit.item_id, []).append(edit)
        rows = [
            _row(item, before.get(number), edits.get(number, []), sides.get(number), shown_ms[number], now_ms)
            for number, item in items.items()
        ]
        shop_listings.save_shop_side(connection, *of_shop, rows)
    tally.pages += 1
    tally.items += len(items)
    times = [item.modified_at for item in items.values() if item.modified_at is not None]
    tally.newest = max([*times, *([tally.newest] if tally.newest else [])], default=None)
    shown = ("identifier", "shown_price_jpy", "shown_visible", "shown_stock", "item_modified_at")
    news = any(row["item_id"] not in before or any(before[row["item_id"]][n] != row[n] for n in shown) for row in rows)
    back = any(row["present"] == 0 and row["read_at"] is not None for row in before.values())
    return news, back


def _row(
    item: Item,
    before: dict[str, Any] | None,
    edits: list[OwnEdit],
    register: RegisterSide | None,
    shown_ms: int,
    now_ms: int,
) -> dict[str, object]:
    read_ms = (before or {}).get("read_at") or 0
    own = [
        edit
        for edit in edits
        if edit.kind == Kind.VISIBILITY and edit.at_ms >= read_ms
        if edit.sure or edit.after == 0  # a show that may never have left: what is hidden still, no person hid after it
    ]
    seen = None
    if before is not None and before["read_at"] is not None:
        shown = before["shown_visible"]
        seen = SeenBefore(None if shown is None else shown == 1, str(before["hidden_by"]))
    hidden_by = who_hid(  # at first sight of what the register does not name: once it was asked (settle_who_hid)
        seen,
        item.visible,
        register.visible if register else None,
        own[-1].after if own else None,
        register_known=register is not None,
    )
    same = before is not None and before["hidden_by"] == hidden_by
    price = PriceBefore(before["shown_price_jpy"], before["price_by_hand"] == 1) if before and read_ms else None
    ours = [edit.after for edit in edits if edit.kind == Kind.PRICE and edit.at_ms >= read_ms]
    by_hand = set_by_hand(price, item.price_jpy, register.price_jpy if register else None, ours)
    row: dict[str, object] = {
        "item_id": item.item_id,
        "identifier": item.identifier,
        "shown_price_jpy": item.price_jpy,
        "shown_visible": None if item.visible is None else int(item.visible),
        "shown_stock": item.stock,
        "has_variations": int(item.has_variations),
        "price_by_hand": int(by_hand),
        "regular_price_jpy": item.regular_price_jpy,
        "item_modified_at": shop_listings.milliseconds(item.modified_at),
        "read_at": shown_ms,
        "present": 1,
        "gone_at": None,
        "first_seen_at": now_ms,
        "hidden_by": hidden_by,
        "hidden_reason": before["hidden_reason"] if same and before else "",
        "hidden_at": before["hidden_at"] if same and before else (shown_ms if hidden_by else None),
    }
    for edit in edits:  # what we did after the shop showed this is not in it
        if edit.at_ms > shown_ms and before is not None:
            row |= {name: before[name] for name in _SHOWN_BY.get(edit.kind, ())}
    return row


_SHOWN_BY: Mapping[str, tuple[str, ...]] = {
    Kind.PRICE: ("shown_price_jpy", "price_by_hand"),
    Kind.STOCK: ("shown_stock",),
    Kind.VISIBILITY: ("shown_visible", "hidden_by", "hidden_reason", "hidden_at"),
}
