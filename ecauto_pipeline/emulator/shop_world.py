"""BASE's truth: the items and orders of the shops, which change when somebody edits or sells.

For: rows and the rules BASE itself keeps (modified moves, a sale takes stock). Not for: permissions, limits or the
shape of answers (base_api).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from ecauto_pipeline.emulator.store import Store

_EXPECTED = "expected_orders"
_ORDERS = {"list_order": "list_order", "created": "created", "modified": "modified"}


@dataclass(frozen=True, slots=True)
class Variation:
    """One choice of an item, with stock of its own."""

    variation_id: int
    name: str
    stock: int
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of one shop. Times are seconds since the epoch; `editable` False: digital goods."""

    item_id: int
    account: str
    title: str
    detail: str
    price_jpy: int
    stock: int
    visible: bool
    list_order: int
    identifier: str | None
    created: int
    modified: int
    proper_price_jpy: int | None = None
    editable: bool = True
    images: tuple[str, ...] = ()
    variations: tuple[Variation, ...] = ()
    asin: str | None = None

    def fields(self) -> dict[str, Any]:
        """As the control plane shows it; as `asdict` would, which copies each field for long."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        return shown | {"variations": tuple(asdict(variation) for variation in self.variations)}


@dataclass(frozen=True, slots=True)
class Sale:
    """One order of one item."""

    unique_key: str
    account: str
    ordered: int
    modified: int
    dispatch_status: str
    item_id: int
    variation_id: int | None
    title: str
    price_jpy: int
    amount: int


class ShopWorld:
    """All shops' items and orders. Not thread-safe: its owner serialises."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # Items

    def item(self, account: str, item_id: int) -> Item | None:
        row = self._store.row("SELECT * FROM items WHERE item_id = ? AND account = ?", (item_id, account))
        return None if row is None else _item(row)

    def item_of_variation(self, account: str, variation_id: int) -> Item | None:
        for row in self._store.rows("SELECT * FROM items WHERE account = ? AND variations <> '[]'", (account,)):
            item = _item(row)
            if any(variation.variation_id == variation_id for variation in item.variations):
                return item
        return None

    def page(
        self,
        account: str,
        order: str = "list_order",
        descending: bool = False,
        limit: int = -1,
        offset: int = 0,
        without: frozenset[int] = frozenset(),
    ) -> list[Item]:
        """Items of a shop in order, as if those `without` were not there; `limit` -1 is all."""
        sort = "DESC" if descending else "ASC"
        rows = self._store.rows(
            f"SELECT * FROM items WHERE account = ? AND item_id NOT IN ({', '.join('?' * len(without))})"
            f" ORDER BY {_ORDERS[order]} {sort}, item_id {sort} LIMIT ? OFFSET ?",
            (account, *without, limit, offset),
        )
        return [_item(row) for row in rows]

    def put(self, items: Iterable[Item]) -> None:
        """Insert or replace items as they stand."""
        self._store.write_many(
            "INSERT OR REPLACE INTO items (item_id, account, title, detail, price, proper_price, stock, visible,"
            " list_order, identifier, created, modified, editable, images, variations, asin)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_row(item) for item in items),
        )

    def edit(self, item: Item, now_s: float, **changes: Any) -> Item:
        """Change an item; `modified` moves, and stock follows the variations where there are any."""
        edited = replace(item, **changes, modified=int(now_s))
        if edited.variations:
            edited = replace(edited, stock=sum(variation.stock for variation in edited.variations))
        self.put([edited])
        return edited

    def remove(self, account: str, item_id: int) -> bool:
        """Take an item out of the shop, as its owner may. False when there was none."""
        return self._store.write("DELETE FROM items WHERE item_id = ? AND account = ?", (item_id, account)) > 0

    # Orders

    def sell(
        self, item: Item, now_s: float, amount: int = 1, status: str = "ordered", keep_stock: bool = False
    ) -> Sale:
        """A customer orders: the stock goes down (to zero at the least) and an order stands."""
        first = item.variations[0] if item.variations else None
        sale = Sale(
            unique_key=secrets.token_hex(8).upper(),
            account=item.account,
            ordered=int(now_s),
            modified=int(now_s),
            dispatch_status=status,
            item_id=item.item_id,
            variation_id=first.variation_id if first else None,
            title=item.title,
            price_jpy=item.price_jpy,
            amount=amount,
        )
        self.add_sales([sale])
        if keep_stock:
            return sale
        if first:
            rest = (replace(first, stock=max(0, first.stock - amount)), *item.variations[1:])
            self.edit(item, now_s, variations=rest)
        else:
            self.edit(item, now_s, stock=max(0, item.stock - amount))
        return sale

    def expect(self, account: str, item_id: int, at_s: float, amount: int = 1, status: str = "ordered") -> None:
        """A customer will order this at `at_s`, unless it can't be bought then."""
        waiting = [*self._store.setting(_EXPECTED, []), [at_s, account, item_id, amount, status]]
        self._store.set_setting(_EXPECTED, sorted(waiting))

    def arrive(self, now_s: float) -> None:
        """Let the orders come whose time has come; a hidden or sold-out item is left by its customer."""
        waiting = self._store.setting(_EXPECTED, [])
        due = [one for one in waiting if one[0] <= now_s]
        if not due:
            return
        self._store.set_setting(_EXPECTED, waiting[len(due) :])
        for at_s, account, item_id, amount, status in due:
            item = self.item(account, item_id)
            if item is not None and item.visible and item.stock >= amount:
                self.sell(item, at_s, amount, status)

    def add_sales(self, sales: Iterable[Sale]) -> None:
        self._store.write_many(
            "INSERT INTO orders (unique_key, account, ordered, modified, dispatch_status, item_id, variation_id, title,"
            " price, amount) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    sale.unique_key,
                    sale.account,
                    sale.ordered,
                    sale.modified,
                    sale.dispatch_status,
                    sale.item_id,
                    sale.variation_id,
                    sale.title,
                    sale.price_jpy,
                    sale.amount,
                )
                for sale in sales
            ),
        )

    def sales(self, account: str, start_s: float, end_s: float, limit: int, offset: int) -> list[Sale]:
        """Orders placed in [start, end], newest first."""
        rows = self._store.rows(
            "SELECT * FROM orders WHERE account = ? AND ordered BETWEEN ? AND ?"
            " ORDER BY ordered DESC, unique_key LIMIT ? OFFSET ?",
            (account, start_s, end_s, limit, offset),
        )
        return [_sale(row) for row in rows]

    def sale(self, account: str, unique_key: str) -> Sale | None:
        row = self._store.row("SELECT * FROM orders WHERE account = ? AND unique_key = ?", (account, unique_key))
        return None if row is None else _sale(row)


def _item(row: Any) -> Item:
    return Item(
        item_id=row["item_id"],
        account=row["account"],
        title=row["title"],
        detail=row["detail"],
        price_jpy=row["price"],
        stock=row["stock"],
        visible=bool(row["visible"]),
        list_order=row["list_order"],
        identifier=row["identifier"],
        created=row["created"],
        modified=row["modified"],
        proper_price_jpy=row["proper_price"],
        editable=bool(row["editable"]),
        images=tuple(json.loads(row["images"])),
        variations=tuple(Variation(*entry) for entry in json.loads(row["variations"])),
        asin=row["asin"],
    )


def _row(item: Item) -> tuple[Any, ...]:
    variations = [[each.variation_id, each.name, each.stock, each.identifier] for each in item.variations]
    return (
        item.item_id,
        item.account,
        item.title,
        item.detail,
        item.price_jpy,
        item.proper_price_jpy,
        item.stock,
        int(item.visible),
        item.list_order,
        item.identifier,
        item.created,
        item.modified,
        int(item.editable),
        json.dumps(item.images),
        json.dumps(variations, ensure_ascii=False),
        item.asin,
    )


def _sale(row: Any) -> Sale:
    return Sale(
        unique_key=row["unique_key"],
        account=row["account"],
        ordered=row["ordered"],
        modified=row["modified"],
        dispatch_status=row["dispatch_status"],
        item_id=row["item_id"],
        variation_id=row["variation_id"],
        title=row["title"],
        price_jpy=row["price"],
        amount=row["amount"],
    )
