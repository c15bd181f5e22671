"""Orders that were found: one row an item row of an order, counted, asked about and told of once.

An order is known by a hash keyed with a secret of this installation (salts.py): what the shop calls it stands nowhere,
and can't be guessed back from what does. Nothing about a buyer comes here.
Not for: reading orders from a shop (shops/), asking Amazon (sync/orders) or telling people (alerts/orders.py).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.state.exporting import ForHistory, for_history, in_portions
from ecauto_pipeline.state.salts import ORDERS, AtRest, salt
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_notes import orders
from ecauto_pipeline.state.upsert import insert_for

_NO_MESSAGE = "-"
"""Stands for the message of what is not worth one."""


@dataclass(frozen=True, slots=True)
class OrderKeys:
    """Names for orders and their rows that only this installation can make."""

    secret: bytes

    def of_order(self, shop: AccountKey, unique_key: str) -> str:
        """The same order always has the same name; 40 hexadecimal digits."""
        return self._hash(str(shop), unique_key)

    def of_row(self, shop: AccountKey, unique_key: str, row: int) -> str:
        """Of one item row of it."""
        return self._hash(str(shop), unique_key, str(row))

    def _hash(self, *parts: str) -> str:
        return hmac.new(self.secret, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:40]


def order_keys(connection: Connection, at_rest: AtRest) -> OrderKeys:
    """The installation's own; made with the first order that is looked for (needs a write transaction).

    Raises Transport `token_key` where this machine can't read their secret.
    """
    return OrderKeys(salt(connection, ORDERS, at_rest))


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """One item row as the shop tells it. `asin` "" = nobody can place the item; `price_jpy` of one piece."""

    order_id: str
    order_key: str
    key: ListingKey
    asin: str
    amount: int
    price_jpy: int | None
    sold_at: datetime


@dataclass(frozen=True, slots=True)
class AskedOrder:
    """What is known of the goods after the sale. `status` "" = nobody could be asked; `profit_jpy` of the whole row."""

    status: str = ""
    reason: str = ""
    cost_at_sale_jpy: int | None = None
    profit_jpy: int | None = None
    seller_id: str = ""
    is_prime: bool | None = None
    is_fba: bool | None = None
    ship_hours_max: int | None = None
    snapshot_id: str = ""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One row as kept. `settled_at` None = Amazon is still to be asked; `told`: a message holds it."""

    found: FoundOrder
    cost_then_jpy: int | None
    seen_at: datetime
    settled_at: datetime | None
    asked: AskedOrder
    told: bool


def known(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those of these orders (`OrderKeys.of_order`) that were found before."""
    found: set[str] = set()
    for part in in_portions(keys):
        found.update(connection.execute(select(orders.c.order_key).where(orders.c.order_key.in_(part))).scalars())
    return found


def placed_at(connection: Connection, shop: AccountKey, since: datetime, place: int) -> datetime | None:
    """When the `place`-th newest of a shop's orders was placed (1 = the newest); None where since then fewer were."""
    mine = (orders.c.platform == shop.platform, orders.c.account_id == shop.account_id)
    query = select(orders.c.sold_at).where(*mine, orders.c.sold_at >= to_ms(since))
    query = query.group_by(orders.c.order_key, orders.c.sold_at).order_by(orders.c.sold_at.desc())
    at = connection.execute(query.offset(place - 1).limit(1)).scalar()
    return None if at is None else from_ms(at)


def counted(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of these rows (`OrderKeys.of_row`) that were found, and counted for their ASIN."""
    found: set[str] = set()
    for part in in_portions(ids):
        query = select(orders.c.order_id).where(orders.c.order_id.in_(part), orders.c.asin != "")
        found.update(connection.execute(query).scalars())
    return found


def add(connection: Connection, rows: Iterable[FoundOrder], run_id: str, now: datetime) -> list[FoundOrder]:
    """Keep these; returns those that nobody found before, which alone are to be counted."""
    fresh = []
    for row in rows:
        statement = insert_for(connection, orders).values(
            order_id=row.order_id,
            order_key=row.order_key,
            run_id=run_id,
            platform=row.key.platform,
            account_id=row.key.account_id,
            item_id=row.key.item_id,
            asin=row.asin,
            amount=row.amount,
            price_jpy=row.price_jpy,
            cost_then_jpy=_cost_then(connection, row),
            sold_at=to_ms(row.sold_at),
            seen_at=to_ms(now),
        )
        if connection.execute(statement.on_conflict_do_nothing(index_elements=["order_id"])).rowcount:
            fresh.append(row)
    return fresh


def add_empty(connection: Connection, order_key: str, shop: AccountKey, run_id: str, sold_at: datetime) -> None:
    """An order that was taken back before its rows were read: known, and nothing to count, ask about or tell."""
    stamp = to_ms(sold_at)
    statement = insert_for(connection, orders).values(
        order_id=order_key,
        order_key=order_key,
        run_id=run_id,
        platform=shop.platform,
        account_id=shop.account_id,
        item_id="",
        amount=0,
        sold_at=stamp,
        seen_at=stamp,
        settled_at=stamp,
        message_id=_NO_MESSAGE,
        exported=1,
    )
    connection.execute(statement.on_conflict_do_nothing(index_elements=["order_id"]))


def _cost_then(connection: Connection, row: FoundOrder) -> int | None:
    """What the price sold at was made from; of a price that is not ours, what was known of the cost last."""
    mine = (listings.c.platform == row.key.platform, listings.c.account_id == row.key.account_id)
    columns = (listings.c.priced_jpy, listings.c.priced_cost_jpy)
    set_by_us = connection.execute(select(*columns).where(*mine, listings.c.item_id == row.key.item_id)).first()
    if set_by_us is not None and set_by_us.priced_cost_jpy is not None and set_by_us.priced_jpy == row.price_jpy:
        return int(set_by_us.priced_cost_jpy)
    known_cost = connection.execute(select(asins.c.price_jpy).where(asins.c.asin == row.asin)).scalar()
    return None if known_cost is None else int(known_cost)


def unsettled(connection: Connection) -> list[OrderRow]:
    """Rows that Amazon is still to be asked about, the oldest sale first."""
    query = select(orders).where(orders.c.settled_at.is_(None)).order_by(orders.c.sold_at, orders.c.order_id)
    return [_row(row) for row in connection.execute(query)]


def settle(connection: Connection, order_id: str, asked: AskedOrder, now: datetime) -> None:
    """What came of asking; a row that is settled stays as it is."""
    values = {
        "status": asked.status,
        "reason": asked.reason,
        "cost_at_sale_jpy": asked.cost_at_sale_jpy,
        "profit_jpy": asked.profit_jpy,
        "seller_id": asked.seller_id,
        "is_prime": _flag(asked.is_prime),
        "is_fba": _flag(asked.is_fba),
        "ship_hours_max": asked.ship_hours_max,
        "snapshot_id": asked.snapshot_id,
        "settled_at": to_ms(now),
        "exported": 0,
    }
    open_row = (orders.c.order_id == order_id, orders.c.settled_at.is_(None))
    connection.execute(update(orders).where(*open_row).values(**values))


def untold(connection: Connection) -> list[OrderRow]:
    """Settled rows that no message holds, the oldest sale first."""
    query = select(orders).where(orders.c.message_id == "", orders.c.settled_at.is_not(None))
    return [_row(row) for row in connection.execute(query.order_by(orders.c.sold_at, orders.c.order_id))]


def tell(connection: Connection, ids: Sequence[str], message_id: str) -> None:
    """A message holds these rows from now on."""
    for part in in_portions(ids):
        connection.execute(
            update(orders).where(orders.c.order_id.in_(part), orders.c.message_id == "").values(message_id=message_id)
        )


def recent(connection: Connection, since: datetime, limit: int) -> list[OrderRow]:
    """Rows of orders placed since then, the newest first."""
    query = select(orders).where(orders.c.sold_at >= to_ms(since), orders.c.amount > 0)
    rows = connection.execute(query.order_by(orders.c.sold_at.desc(), orders.c.order_id).limit(limit))
    return [_row(row) for row in rows]


def unexported(connection: Connection, limit: int) -> list[ForHistory]:
    """Settled rows that history does not have yet, by id, for `orders`."""
    query = select(orders).where(orders.c.exported == 0, orders.c.settled_at.is_not(None))
    rows = connection.execute(query.order_by(orders.c.order_id).limit(limit))
    return [for_history(row, "order_id", "sold_at", without=("message_id", "exported")) for row in rows]


def mark_exported(connection: Connection, rows: Iterable[ForHistory]) -> None:
    """These are in history now; they live on here until `forget`."""
    for keys in in_portions([row.key for row in rows]):
        connection.execute(update(orders).where(orders.c.order_id.in_(keys)).values(exported=1))


def exported_keys(connection: Connection) -> list[tuple[str, str]]:
    """(order_id, run_id) of the rows that are in history and still here, by id."""
    query = select(orders.c.order_id, orders.c.run_id).where(orders.c.exported == 1, orders.c.amount > 0)
    return [(row.order_id, row.run_id) for row in connection.execute(query.order_by(orders.c.order_id))]


def export_again(connection: Connection, keys: Sequence[str]) -> None:
    """History has lost these: `unexported` hands them out once more."""
    for few in in_portions(keys):
        connection.execute(update(orders).where(orders.c.order_id.in_(few)).values(exported=0))


def forget(connection: Connection, before: datetime) -> None:
    """Drop orders placed before that are in history and were told of."""
    over = (orders.c.exported == 1, orders.c.message_id != "", orders.c.sold_at < to_ms(before))
    connection.execute(delete(orders).where(*over))


def _row(row: Row[Any]) -> OrderRow:
    key = ListingKey(row.platform, row.account_id, row.item_id)
    return OrderRow(
        found=FoundOrder(row.order_id, row.order_key, key, row.asin, row.amount, row.price_jpy, from_ms(row.sold_at)),
        cost_then_jpy=row.cost_then_jpy,
        seen_at=from_ms(row.seen_at),
        settled_at=None if row.settled_at is None else from_ms(row.settled_at),
        asked=AskedOrder(
            status=row.status,
            reason=row.reason,
            cost_at_sale_jpy=row.cost_at_sale_jpy,
            profit_jpy=row.profit_jpy,
            seller_id=row.seller_id,
            is_prime=None if row.is_prime is None else bool(row.is_prime),
            is_fba=None if row.is_fba is None else bool(row.is_fba),
            ship_hours_max=row.ship_hours_max,
            snapshot_id=row.snapshot_id,
        ),
        told=row.message_id != "",
    )


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)
