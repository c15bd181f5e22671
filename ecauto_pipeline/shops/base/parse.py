"""BASE's answers as values: items, order heads, order rows.

A row that lacks what identifies it makes the whole answer unusable (Transport: not read, never "not there"); a figure
that isn't one is unknown. Of orders only item, price, amount and time are ever looked at.
Source: baseinc/api-docs (April 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecauto_pipeline.errors import Transport
from ecauto_pipeline.shops.protocol import Item, Order, Sale


@dataclass(frozen=True, slots=True)
class OrderHead:
    """One order of the list, and whether it was taken back."""

    order: Order
    cancelled: bool


def items_of(document: Mapping[str, Any]) -> list[Item]:
    """The rows of a page of items, in its order. Raises Transport."""
    return [item_of(row) for row in _rows(document, "items")]


def item_of(row: object) -> Item:
    """One item. Raises Transport when it has no id."""
    number = _whole(row.get("item_id")) if isinstance(row, Mapping) else None
    if number is None or not isinstance(row, Mapping):
        raise Transport("shapeless", "an item without item_id")
    visible = _whole(row.get("visible"))
    return Item(
        item_id=str(number),
        identifier=_text(row.get("identifier")).strip(),
        title=_text(row.get("title")),
        price_jpy=_whole(row.get("price")),
        stock=_whole(row.get("stock")),
        visible=bool(visible) if visible in (0, 1) else None,
        has_variations=bool(row.get("variations")),
        modified_at=_moment(row.get("modified")),
        regular_price_jpy=_whole(row.get("proper_price")) or None,
    )


def order_heads_of(document: Mapping[str, Any]) -> list[OrderHead]:
    """The rows of a page of orders. Raises Transport."""
    return [_order_head(row) for row in _rows(document, "orders")]


def sales_of(document: Mapping[str, Any], order: Order) -> list[Sale]:
    """The item rows of one order's detail, cancelled ones left out. Raises Transport."""
    detail = document.get("order")
    rows = detail.get("order_items") if isinstance(detail, Mapping) else None
    if not isinstance(rows, list):
        raise Transport("shapeless", "an order without order_items")
    sales = []
    for place, row in enumerate(rows):
        number = _whole(row.get("item_id")) if isinstance(row, Mapping) else None
        if number is None or not isinstance(row, Mapping):
            raise Transport("shapeless", "an order row without item_id")
        if row.get("status") == "cancelled":
            continue
        amount, price_jpy = _whole(row.get("amount")), _whole(row.get("price"))
        pieces = 1 if amount is None else amount
        sales.append(Sale(str(number), order.ordered_at, pieces, order.unique_key, place, price_jpy))
    return sales


def _order_head(row: object) -> OrderHead:
    key = row.get("unique_key") if isinstance(row, Mapping) else None
    ordered_at = _moment(row.get("ordered")) if isinstance(row, Mapping) else None
    if not isinstance(key, str) or not key.isalnum() or ordered_at is None or not isinstance(row, Mapping):
        raise Transport("shapeless", "an order without unique_key or ordered")
    return OrderHead(Order(key, ordered_at), row.get("dispatch_status") == "cancelled")


def _rows(document: Mapping[str, Any], name: str) -> list[object]:
    rows = document.get(name)
    if not isinstance(rows, list):
        raise Transport("shapeless", f"an answer without {name}")
    return rows


def _whole(value: object) -> int | None:
    """A whole number >= 0, also as text; None for everything else."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return value if isinstance(value, int) and 0 <= value < _LARGEST else None


_LARGEST = 10**18  # what 18 digits hold, and any database takes


def _text(value: object) -> str:
    """Text that every database takes: no half characters, no zeros; "" for what is no text."""
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "") if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    seconds = None if isinstance(value, bool) else _whole(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and seconds < 2**36 else None
