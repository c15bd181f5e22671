"""The control plane's powers over the shops: what a person at the cart's screens and a customer may do.

Not for: Amazon, clock, limits, faults, tokens (control.py).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from ecauto_pipeline.emulator.shop_world import Item, Sale
from ecauto_pipeline.emulator.state import Emulation

_EDITABLE = {
    *("title", "detail", "price_jpy", "proper_price_jpy", "stock", "visible", "identifier", "list_order", "editable"),
}


class ShopPowers:
    """Edits by a person, sales, and looking at them. Safe to use from any thread."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation

    def items(self, account: str) -> list[dict[str, Any]]:
        """All items of a shop, by list_order."""
        with self._emulation.lock:
            self._arrive()
            return [item.fields() for item in self._emulation.shops.page(account)]

    def item(self, account: str, item_id: int) -> dict[str, Any] | None:
        with self._emulation.lock:
            item = self._emulation.shops.item(account, item_id)
            return None if item is None else item.fields()

    def edit_item(self, account: str, item_id: int, **changes: Any) -> dict[str, Any]:
        """A person's edit in the shop's own screens: title, detail, price_jpy, stock, visible, identifier ..."""
        unknown = sorted(set(changes) - _EDITABLE)
        if unknown:
            raise ValueError(f"unknown fields {unknown}; known are {sorted(_EDITABLE)}")
        if "visible" in changes:
            changes["visible"] = bool(changes["visible"])
        with self._emulation.lock:
            item = self._find(account, item_id)
            edited = self._emulation.shops.edit(item, self._emulation.time.seconds(), **changes)
            self._emulation.store.commit()
            return asdict(edited)

    def add_item(self, account: str, item_id: int, title: str, price_jpy: int, **fields: Any) -> dict[str, Any]:
        """A person puts an item on sale: stock 1 and visible unless said otherwise."""
        with self._emulation.lock:
            self._check_account(account)
            now = int(self._emulation.time.seconds())
            standard: dict[str, Any] = {
                "detail": "",
                "stock": 1,
                "visible": True,
                "list_order": item_id,
                "identifier": None,
            }
            item = Item(item_id, account, title, price_jpy=price_jpy, created=now, modified=now, **standard | fields)
            self._emulation.shops.put([item])
            self._emulation.store.commit()
            return asdict(item)

    def delete_item(self, account: str, item_id: int) -> None:
        """A person deletes an item. Raises KeyError when there is none."""
        with self._emulation.lock:
            self._find(account, item_id)
            self._emulation.shops.remove(account, item_id)
            self._emulation.store.commit()

    def sell(self, account: str, item_id: int, amount: int = 1, status: str = "ordered") -> dict[str, Any]:
        """A customer orders; the stock goes down."""
        with self._emulation.lock:
            item = self._find(account, item_id)
            sale = self._emulation.shops.sell(item, self._emulation.time.seconds(), amount, status)
            self._emulation.store.commit()
            return asdict(sale)

    def expect_order(self, account: str, item_id: int, at: datetime, amount: int = 1, status: str = "ordered") -> None:
        """A customer will order when the emulator's clock has come to `at`, unless the item can't be bought then."""
        if at.tzinfo is None:
            raise ValueError("the time of an order needs its zone")
        with self._emulation.lock:
            self._find(account, item_id)
            self._emulation.shops.expect(account, item_id, at.timestamp(), amount, status)
            self._emulation.store.commit()

    def orders(self, account: str) -> list[dict[str, Any]]:
        """All orders of a shop that have come, newest first."""
        with self._emulation.lock:
            self._arrive()
            sales: list[Sale] = self._emulation.shops.sales(account, 0, 2.0**40, -1, 0)
            return [asdict(sale) for sale in sales]

    def register_rows(self) -> dict[str, list[dict[str, Any]]]:
        """The owner's register that belongs to the seeded shops: `products` and `listings`, in its own columns."""
        with self._emulation.lock:
            demo = self._emulation.demo
            return {
                "products": [dict(row) for row in demo.products()],
                "listings": [dict(plan.row) for plan in demo.plans()],
            }

    def _arrive(self) -> None:
        self._emulation.shops.arrive(self._emulation.time.seconds())
        self._emulation.store.commit()

    def _find(self, account: str, item_id: int) -> Item:
        item = self._emulation.shops.item(account, item_id)
        if item is None:
            raise KeyError(f"no item {item_id} in {account}")
        return item

    def _check_account(self, account: str) -> None:
        if account not in self._emulation.accounts:
            raise KeyError(f"no shop {account!r}; there are {', '.join(self._emulation.accounts)}")
