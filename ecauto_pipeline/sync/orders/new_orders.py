"""Which orders a shop has that nobody found before: one list call a shop, from a day before the newest order seen on.

Orders placed before the watch began are not new. What is known is listed again each time, so that one that the list
shows late is not missed: a day of it, in a busy shop as much as leaves room for new orders on the one page. A shop
that refuses is left alone for an hour; one whose calls are spent, until they are not, which is said.
Not for: what is done about them (watch.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError, Stopped
from ecauto_pipeline.shops.protocol import Order, Shop, key_of
from ecauto_pipeline.state import orders
from ecauto_pipeline.state.marks import read_mark, set_mark
from ecauto_pipeline.state.orders import placed_at
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.room_for_threads import look_for_room

LISTED_AGAIN, AT_LEAST = timedelta(days=1), timedelta(minutes=10)
"""Before the newest order: so long where few orders are known of it, and so long in any case."""
LISTED_KNOWN = 80
"""Known orders that are listed again at most: BASE gives a hundred orders a call."""
REMEMBERED = timedelta(days=30)
"""What is older is not listed again: state forgets orders (state/lifetimes.py), and would take them for new ones."""
RESTS_FOR = timedelta(hours=1)
_BEGAN, _NEWEST, _RESTS = "order_watch_began", "order_watch_newest", "order_watch_rests"
_MOST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Looked:
    """One look at every shop. `new`: orders that nobody found before; `spent`: until when a shop's calls are used up;
    `not_read`: why another one could not be asked."""

    new: Mapping[AccountKey, int] = field(default_factory=dict)
    spent: Mapping[AccountKey, datetime] = field(default_factory=dict)
    not_read: Mapping[AccountKey, str] = field(default_factory=dict)


def look(tools: Tools) -> Looked:
    """Ask every shop that tells of orders, side by side; one that has not answered when `stop` is set is not read."""
    shops = [shop for shop in tools.shops.values() if shop.abilities.orders]
    new: dict[AccountKey, int] = {}
    spent: dict[AccountKey, datetime] = {}
    not_read: dict[AccountKey, str] = {}
    if shops:
        look_for_room(min(_MOST_AT_ONCE, len(shops)))
        with ThreadPoolExecutor(min(_MOST_AT_ONCE, len(shops)), thread_name_prefix="orders") as workers:
            asked = [(key_of(shop), workers.submit(new_orders, tools, shop)) for shop in shops]
        for key, answer in asked:
            try:
                new[key] = len(answer.result())
            except BudgetSpent as error:
                spent[key] = error.until
            except CallError as error:
                not_read[key] = error.reason
            except Stopped:
                not_read[key] = "timeout"
    return Looked({key: count for key, count in new.items() if count}, spent, not_read)


def new_orders(tools: Tools, shop: Shop) -> list[Order]:
    """Orders of one shop that nobody found before, the oldest first.

    Raises the CallError family, BudgetSpent among them. The first look of all finds none.
    """
    key, now = key_of(shop), tools.clock.now()
    with tools.state.write() as connection:
        keys = orders.order_keys(connection, tools.at_rest)
        rests = read_mark(connection, f"{_RESTS}/{key}")
        began = read_mark(connection, f"{_BEGAN}/{key}")
        newest = read_mark(connection, f"{_NEWEST}/{key}")
        if began is None:
            set_mark(connection, f"{_BEGAN}/{key}", now.replace(microsecond=0))
        from_newest = None if newest is None else _listed_from(connection, key, newest, now)
    if began is None or (rests is not None and now < rests <= now + RESTS_FOR):
        return []
    since = began if from_newest is None else max(began, from_newest)
    try:
        listed = shop.orders(since)
    except AccountBlocked as error:
        with tools.state.write() as connection:
            set_mark(connection, f"{_RESTS}/{key}", now + RESTS_FOR)
        tools.log.warning("%s: its orders are not told (%s)", tools.name_of(key), error.reason)
        raise
    names = {order.unique_key: keys.of_order(key, order.unique_key) for order in listed}
    with tools.state.read() as connection:
        known = orders.known(connection, list(names.values()))
    return [order for order in listed if names[order.unique_key] not in known]


def _listed_from(connection: Connection, shop: AccountKey, newest: datetime, now: datetime) -> datetime:
    """From which order time on the list is asked for."""
    if now - newest > REMEMBERED:
        return newest + timedelta(seconds=1)
    full = placed_at(connection, shop, newest - LISTED_AGAIN, LISTED_KNOWN)
    return newest - LISTED_AGAIN if full is None else min(full, newest - AT_LEAST)


def seen(tools: Tools, shop: AccountKey, newest: datetime) -> None:
    """Every order up to this time has been kept: the next list begins there."""
    name = f"{_NEWEST}/{shop}"
    with tools.state.write() as connection:
        before = read_mark(connection, name)
        if before is None or newest > before:
            set_mark(connection, name, newest)
