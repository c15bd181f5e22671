"""One shop on BASE as the protocol of shops wants it.

Items are read by their time of creation, which no edit moves; changes by their time of change, newest first, each page
overlapping the one before by a row, so that an item leaving in mid-read is noticed. A page that fails ends the read
with an error: not read, never "not there". Not for: tokens, repetition (client.py) or deciding when to read (sync/).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import Any

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.domain.selling.call_shares import CallKind
from ecauto_pipeline.errors import ItemGone, ItemRefused, OutcomeUnknown, Transport
from ecauto_pipeline.shops.base import PLATFORM
from ecauto_pipeline.shops.base.client import BaseClient
from ecauto_pipeline.shops.base.limits import PAGE_ROWS
from ecauto_pipeline.shops.base.parse import item_of, items_of, order_heads_of, sales_of
from ecauto_pipeline.shops.protocol import Abilities, Item, Order, Sale

MOST_RESTARTS = 3
_FIELDS = {Kind.PRICE: "price", Kind.VISIBILITY: "visible", Kind.STOCK: "stock"}


class BaseShop:
    """One shop account on BASE. One thread at a time uses it."""

    platform = PLATFORM

    def __init__(self, client: BaseClient, min_interval_s: float = 0.0) -> None:
        self._client, self._min_interval_s = client, min_interval_s
        self.account_id = client.account_id
        self.abilities = Abilities(edit_s=max(Abilities().edit_s, min_interval_s))

    def for_undoing(self) -> BaseShop:
        """The same shop, for taking something back: its calls may use what [base.limits] reserve keeps."""
        return BaseShop(self._client.for_undoing(), self._min_interval_s)

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        """Pages of <= 100 items. With `modified_since`: newest first, ending at the first page wholly older.

        Raises Transport `list_moved` when the list kept moving under the read; an item may come twice, the later one
        counts.
        """
        return self._changed(modified_since) if modified_since is not None else self._all()

    def item(self, item_id: str) -> Item:
        """One item by its id in the path. Raises ItemGone when BASE says there is none."""
        if not item_id.isdigit():
            raise ItemRefused("bad_item_id", "an item_id of BASE is a number", permanent=True)
        item = item_of(self._client.get("items_detail", f"/items/detail/{item_id}").get("item"))
        if item.item_id != item_id:
            raise Transport("shapeless", "another item than the one asked for")
        return item

    def edit(self, item_id: str, kind: Kind, value: int) -> Item:
        """Set price (yen), visibility (0/1) or stock, and see in the answer that it is so.

        Raises OutcomeUnknown when nobody knows whether it happened, also when the answer shows something else.
        """
        if kind not in _FIELDS:
            raise ItemRefused("no_such_edit", f"a {kind} is no edit")
        values: dict[str, str | int] = {"item_id": item_id, _FIELDS[kind]: value}
        answer = self._client.post("items_edit", "/items/edit", _call_kind(kind, value), values)
        try:
            item = item_of(answer.get("item"))
        except Transport:
            raise OutcomeUnknown("shapeless", "the answer to an edit shows no item") from None
        if item.item_id != item_id or _shown(item, kind) != value:
            raise OutcomeUnknown("other_value", f"asked for {kind} {value}, the answer shows {_shown(item, kind)}")
        return item

    def series(self, edits: Sequence[tuple[Kind, int]]) -> AbstractContextManager[None]:
        """Their calls are counted in the shop's windows together."""
        return self._client.series([_call_kind(kind, value) for kind, value in edits])

    def flush(self) -> None:
        """Every edit has left at once."""

    def sales(self, since: datetime, until: datetime | None = None) -> list[Sale]:
        """Item rows of the orders placed in [since, until), oldest first, cancelled ones left out.

        One call a hundred orders and one an order.
        """
        sales: list[Sale] = []
        for order in self.orders(since, until):
            with suppress(ItemGone):  # an order that was taken back between the list and its detail
                sales += self.order_rows(order)
        return sales

    def orders(self, since: datetime, until: datetime | None = None) -> list[Order]:
        """The orders placed in [since, until), oldest first, cancelled ones left out. One call a hundred."""
        return sorted(self._orders(since, until), key=lambda order: (order.ordered_at, order.unique_key))

    def order_rows(self, order: Order) -> list[Sale]:
        """The item rows of one order. Raises ItemGone when BASE knows it no more."""
        path = f"/orders/detail/{order.unique_key}"
        return sales_of(self._client.get("orders_detail", path, kind="list"), order)

    def check(self) -> dict[str, object]:
        """users/me: shop id, name and address, proof that the credentials work."""
        user = self._client.get("users_me", "/users/me").get("user")
        if not isinstance(user, dict):
            raise Transport("shapeless", "users/me without a user")
        return {name: user[name] for name in ("shop_id", "shop_name", "shop_url") if name in user}

    def token_expires_at(self) -> datetime | None:
        """When this shop has to be authorised anew unless it is used before; None when that isn't known."""
        tokens = self._client.tokens.current()
        return tokens.refresh_expires_at if tokens else None

    def token_file_problem(self) -> str:
        """Why the token file does not hold the tokens in use, "" = it does."""
        return self._client.tokens.file_problem

    def token_days_left(self, now: datetime) -> float | None:
        """Days until then, negative when it has passed."""
        return self._client.tokens.token_days_left(now)

    def _all(self) -> Iterator[list[Item]]:
        offset = 0
        while True:
            page = self._page({"order": "created", "sort": "asc", "limit": PAGE_ROWS, "offset": offset})
            if page:
                yield page
            if len(page) < PAGE_ROWS:
                return
            offset += PAGE_ROWS

    def _changed(self, since: datetime) -> Iterator[list[Item]]:
        for _ in range(MOST_RESTARTS):
            offset, last = 0, ""
            while True:
                page = self._page({"order": "modified", "sort": "desc", "limit": PAGE_ROWS, "offset": offset})
                if last and last not in {item.item_id for item in page}:
                    break  # something left or was edited under us: once more from the top
                fresh = page[1:] if last and page[0].item_id == last else page
                if fresh:
                    yield fresh
                older = all(item.modified_at is not None and item.modified_at < since for item in page)
                if older or len(page) < PAGE_ROWS:
                    return
                offset, last = offset + PAGE_ROWS - 1, page[-1].item_id
        raise Transport("list_moved", "the list of changed items moved under each of the reads")

    def _page(self, values: dict[str, str | int]) -> list[Item]:
        page = items_of(self._client.get("items_list", "/items", {**values, "max_image_no": 1}, kind="list"))
        if len(page) > PAGE_ROWS:
            raise Transport("shapeless", "a page of more items than asked for")
        return page

    def _orders(self, since: datetime, until: datetime | None) -> Iterator[Order]:
        values: dict[str, Any] = {"start_ordered": _wall_clock(since), "limit": PAGE_ROWS}
        if until is not None:
            values["end_ordered"] = _wall_clock(until)
        seen: set[str] = set()
        offset = 0
        while True:
            page = order_heads_of(self._client.get("orders_list", "/orders", {**values, "offset": offset}, kind="list"))
            for head in page:
                order = head.order
                inside = since <= order.ordered_at and (until is None or order.ordered_at < until)
                if inside and not head.cancelled and order.unique_key not in seen:
                    seen.add(order.unique_key)
                    yield order
            if len(page) < PAGE_ROWS:
                return
            offset += PAGE_ROWS


def _call_kind(kind: Kind, value: int) -> CallKind:
    return "hide" if kind is Kind.VISIBILITY and value == 0 else "edit"


def _shown(item: Item, kind: Kind) -> int | None:
    if kind is Kind.PRICE:
        return item.price_jpy
    if kind is Kind.STOCK:
        return item.stock
    return None if item.visible is None else int(item.visible)


def _wall_clock(moment: datetime) -> str:
    return jst(moment).strftime("%Y-%m-%d %H:%M:%S")
