"""How often each ASIN is looked at: a count of views that fades over 30 days, and when it was last looked at.

Both move the tier and the weight of an ASIN, nothing else. Counts of orders and of views share one stamp
(`demand_at`): moving it fades both. Not for: orders (state/sales.py) or the file of views (domain/freshness).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.freshness.cadence import MEMORY_DAYS
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.upsert import upsert

_MEMORY_MS = MEMORY_DAYS * 86_400_000
_CHUNK = 500
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


@dataclass(frozen=True, slots=True)
class OnSale:
    """One ASIN that some shop shows. `listings`: those on show; `orders_a_day`: of all of them, faded to `now`;
    `stock_at` None = never answered."""

    asin: str
    listings: tuple[ListingKey, ...]
    orders_a_day: float
    stock_at: datetime | None


def on_sale(connection: Connection, now: datetime) -> list[OnSale]:
    """Every ASIN with a listing on show, by ASIN."""
    query = (
        select(
            *(listings.c.asin, listings.c.platform, listings.c.account_id, listings.c.item_id),
            *(asins.c.orders_30d, asins.c.demand_at, asins.c.stock_at),
        )
        .select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))
        .where(listings.c.listed == 1, listings.c.shown_visible == 1, listings.c.asin.is_not(None))
        .order_by(listings.c.asin)
    )
    now_ms, found = to_ms(now), []
    for asin, rows in groupby(connection.execute(query), key=lambda row: str(row.asin)):
        shown = list(rows)
        first = shown[0]
        fade = _left(now_ms - first.demand_at) if first.demand_at is not None else 1.0
        keys = tuple(ListingKey(row.platform, row.account_id, row.item_id) for row in shown)
        found.append(OnSale(asin, keys, (first.orders_30d or 0.0) * fade / MEMORY_DAYS, _time(first.stock_at)))
    return found


def orders_a_day(connection: Connection, keys: Iterable[ListingKey], now: datetime) -> dict[ListingKey, float]:
    """Orders a day of each of these listings: its ASIN's, shared by all listings of it."""
    wanted, now_ms = set(keys), to_ms(now)
    items = sorted({key.item_id for key in wanted})
    shared = (
        select(listings.c.asin, func.count().label("offered")).where(listings.c.listed == 1).group_by(listings.c.asin)
    )
    of_asin = shared.subquery()
    found: dict[ListingKey, float] = {}
    for begin in range(0, len(items), _CHUNK):
        query = (
            select(
                *(listings.c.platform, listings.c.account_id, listings.c.item_id),
                *(asins.c.orders_30d, asins.c.demand_at, of_asin.c.offered),
            )
            .join(asins, asins.c.asin == listings.c.asin)
            .outerjoin(of_asin, of_asin.c.asin == listings.c.asin)
            .where(listings.c.item_id.in_(items[begin : begin + _CHUNK]), asins.c.orders_30d > 0)
        )
        for row in connection.execute(query):
            key = ListingKey(row.platform, row.account_id, row.item_id)
            if key in wanted:
                fade = _left(now_ms - row.demand_at) if row.demand_at is not None else 1.0
                found[key] = row.orders_30d * fade / MEMORY_DAYS / max(1, row.offered or 1)
    return found


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
