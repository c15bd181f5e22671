"""How often each ASIN is looked at: a count of views that fades over 30 days, and when it was last looked at.

Both move the tier and the weight of an ASIN, nothing else. Counts of orders and of views share one stamp
(`demand_at`): moving it fades both. Not for: orders (state/sales.py) or the file of views (domain/freshness).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.freshness.cadence import MEMORY_DAYS
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.upsert import upsert

_MEMORY_MS = MEMORY_DAYS * 86_400_000
_CHUNK = 500
_BY_PORTIONS = {"yield_per": 5_000}
_others = listings.alias()
_NOTHING = {"demand_at": None, "orders_30d": 0.0, "views_30d": 0.0, "last_viewed_at": None}


def record_views(connection: Connection, views: Iterable[tuple[str, datetime, float]], now: datetime) -> int:
    """Views as (ASIN, viewed at, count); returns how many rows counted.

    A row counts when it is newer than the newest one counted for that ASIN before: reading the same file again, or a
    longer one, changes nothing but what is new.
    """
    by_asin: dict[str, list[tuple[int, float]]] = {}
    for asin, at, count in views:
        by_asin.setdefault(asin, []).append((to_ms(at), count))
    now_ms, rows, counted = to_ms(now), [], 0
    for asin, known in _known(connection, list(by_asin)).items():
        new = [(at, count) for at, count in by_asin[asin] if at > (known["last_viewed_at"] or -1)]
        if not new:
            continue
        counted += len(new)
        fade = _left(now_ms - known["demand_at"]) if known["demand_at"] is not None else 1.0
        rows.append(
            {
                "asin": asin,
                "orders_30d": known["orders_30d"] * fade,
                "views_30d": known["views_30d"] * fade + sum(count * _left(now_ms - at) for at, count in new),
                "demand_at": now_ms,
                "last_viewed_at": max(at for at, _ in new),
            }
        )
    upsert(connection, asins, rows)
    return counted


class OnSale(NamedTuple):
    """One ASIN that some shop shows. `listings`: how many are on show; `orders_a_day`: of all of them, faded to now;
    `stock_at` milliseconds, None = never answered."""

    listings: int
    orders_a_day: float
    stock_at: int | None


def on_sale(connection: Connection, now: datetime) -> Iterator[OnSale]:
    """Every ASIN with a listing on show, in no order, row by row: they are many."""
    shown = (listings.c.listed == 1, listings.c.shown_visible == 1, listings.c.asin.is_not(None))
    of_asin = select(listings.c.asin, func.count().label("offered")).where(*shown).group_by(listings.c.asin).subquery()
    query = select(of_asin.c.offered, asins.c.orders_30d, asins.c.demand_at, asins.c.stock_at).select_from(
        of_asin.outerjoin(asins, asins.c.asin == of_asin.c.asin)
    )
    now_ms = to_ms(now)
    for offered, orders, at, stock_at in connection.execute(query, execution_options=_BY_PORTIONS):
        yield OnSale(offered, _a_day(orders or 0.0, at, now_ms), stock_at)


def orders_a_day(connection: Connection, keys: Collection[ListingKey], now: datetime) -> dict[ListingKey, float]:
    """Orders a day of each of these listings: its ASIN's, shared by all listings of it; those without one left out."""
    if not keys:
        return {}
    offered = (
        select(func.count())
        .where(_others.c.asin == listings.c.asin, _others.c.listed == 1)
        .correlate(listings)
        .scalar_subquery()
    )
    query = (
        select(
            *(listings.c.platform, listings.c.account_id, listings.c.item_id),
            *(asins.c.orders_30d, asins.c.demand_at, offered),
        )
        .join(asins, asins.c.asin == listings.c.asin)
        .where(asins.c.orders_30d > 0)
    )
    now_ms, found = to_ms(now), {}
    for *key, orders, at, many in connection.execute(query, execution_options=_BY_PORTIONS):
        listing = ListingKey(*key)
        if listing in keys:
            found[listing] = _a_day(orders, at, now_ms) / max(1, many)
    return found


def _a_day(orders_30d: float, demand_at: int | None, now_ms: int) -> float:
    return orders_30d * (_left(now_ms - demand_at) if demand_at is not None else 1.0) / MEMORY_DAYS


def last_demand(connection: Connection) -> dict[str, tuple[datetime | None, datetime | None]]:
    """When each ASIN that takes part was last sold and viewed, None = never."""
    taking_part = select(listings.c.asin).where(listings.c.listed == 1, listings.c.asin.is_not(None))
    query = select(asins.c.asin, asins.c.last_sold_at, asins.c.last_viewed_at).where(asins.c.asin.in_(taking_part))
    return {row.asin: (_time(row.last_sold_at), _time(row.last_viewed_at)) for row in connection.execute(query)}


def asins_of_items(connection: Connection, item_ids: Iterable[str]) -> dict[str, str]:
    """The ASIN of each item, in whichever shop it is; unknown items, and ids that two shops give two, are absent."""
    wanted = sorted(set(item_ids))
    found: dict[str, set[str]] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = select(listings.c.item_id, listings.c.asin).where(
            listings.c.item_id.in_(wanted[start : start + _CHUNK]), listings.c.asin.is_not(None)
        )
        for item_id, asin in connection.execute(query):
            found.setdefault(item_id, set()).add(asin)
    return {item_id: asins.pop() for item_id, asins in found.items() if len(asins) == 1}


def _known(connection: Connection, wanted: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = dict.fromkeys(wanted, _NOTHING)
    for start in range(0, len(wanted), _CHUNK):
        query = select(asins.c.asin, *(asins.c[name] for name in _NOTHING))
        for row in connection.execute(query.where(asins.c.asin.in_(wanted[start : start + _CHUNK]))):
            found[row.asin] = dict(row._mapping)
    return found


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)


def _left(age_ms: int) -> float:
    return math.exp(-max(0, age_ms) / _MEMORY_MS)
