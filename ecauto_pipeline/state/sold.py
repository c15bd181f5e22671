"""What was sold, as sums by day and as narrow rows: for whoever adds up months of orders and keeps none of them.

Not for: orders one by one (orders.py), or what sales mean for the cadence (sales.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.day_sales import DAY_MS, JST_AHEAD_MS, DaySales
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.state.schema_notes import orders


class SoldPiece(NamedTuple):
    """One item row whose cost at the sale is known: yen of one piece; `sold_at` aware UTC."""

    key: ListingKey
    sold_at: datetime
    price_jpy: int | None
    cost_jpy: int
    amount: int


def each_sold(connection: Connection, since: datetime) -> Iterator[SoldPiece]:
    """Those of orders placed since then, in no order."""
    columns = (orders.c.sold_at, orders.c.price_jpy, orders.c.cost_at_sale_jpy, orders.c.amount)
    query = select(orders.c.platform, orders.c.account_id, orders.c.item_id, *columns).where(
        orders.c.sold_at >= to_ms(since), orders.c.amount > 0, orders.c.cost_at_sale_jpy.is_not(None)
    )
    for *key, sold_at, price, cost, amount in connection.execute(query, execution_options={"yield_per": 5_000}):
        yield SoldPiece(ListingKey(*key), from_ms(sold_at), price, cost, amount)


def sales_by_day(connection: Connection, since: datetime) -> list[DaySales]:
    """Of orders placed since then, oldest first; a day without one is left out."""
    day, left = (orders.c.sold_at + JST_AHEAD_MS) // DAY_MS, orders.c.profit_jpy
    query = (
        select(
            *(day, func.count(), func.sum(orders.c.amount)),
            func.sum(func.coalesce(orders.c.price_jpy, 0) * orders.c.amount),
            *(func.coalesce(func.sum(left), 0), func.count().filter(left < 0), func.count().filter(left.is_(None))),
        )
        .where(orders.c.sold_at >= to_ms(since), orders.c.amount > 0)
        .group_by(day)
        .order_by(day)
    )
    return [DaySales(*map(int, row)) for row in connection.execute(query)]
