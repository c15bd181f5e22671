"""Demand as orders show it: when an ASIN was last sold, and a count of its orders that fades over thirty days.

Counts of orders and of views share one stamp (`demand_at`): moving it fades both. Not for: reading orders from a shop.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import BigInteger, Connection, bindparam, case, or_, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.upsert import upsert

FADES_IN_S = 30 * 86_400.0
_CHUNK = 500


def add_sales(
    connection: Connection, counted: Iterable[tuple[str, datetime]], last_sold: Mapping[str, datetime], now: datetime
) -> None:
    """Count these orders (ASIN, time), one each; `last_sold_at` only ever moves forward."""
    now_ms = to_ms(now)
    fresh: dict[str, float] = dict.fromkeys(last_sold, 0.0)
    for asin, at in counted:
        fresh[asin] = fresh.get(asin, 0.0) + _left(now_ms - to_ms(at))
    known = _known(connection, list(fresh))
    rows = []
    for asin, orders in fresh.items():
        sold_at, before, views, stamp = known.get(asin, (None, 0.0, 0.0, None))
        left = _left(now_ms - stamp) if stamp is not None else 1.0
        times = [at for at in (sold_at, to_ms(last_sold[asin]) if asin in last_sold else None) if at is not None]
        rows.append(
            {
                "asin": asin,
                "last_sold_at": max(times, default=None),
                "orders_30d": before * left + orders,
                "views_30d": views * left,
                "demand_at": now_ms,
            }
        )
    upsert(connection, asins, rows)


def last_seen(connection: Connection, column: str, times: Mapping[str, datetime]) -> None:
    """Move `last_sold_at` or `last_viewed_at` of these ASINs forward to what another source says."""
    if not times:
        return
    upsert(connection, asins, [{"asin": asin} for asin in times])
    stamp, said = asins.c[column], bindparam("said", type_=BigInteger)
    moved = case((or_(stamp.is_(None), stamp < said), said), else_=stamp)
    connection.execute(
        update(asins).where(asins.c.asin == bindparam("name")).values({column: moved}),
        [{"name": asin, "said": to_ms(at)} for asin, at in times.items()],
    )


def _known(connection: Connection, names: list[str]) -> dict[str, tuple[int | None, float, float, int | None]]:
    columns = (asins.c.asin, asins.c.last_sold_at, asins.c.orders_30d, asins.c.views_30d, asins.c.demand_at)
    found = {}
    for start in range(0, len(names), _CHUNK):
        for row in connection.execute(select(*columns).where(asins.c.asin.in_(names[start : start + _CHUNK]))):
            found[row[0]] = (row[1], row[2], row[3], row[4])
    return found


def _left(age_ms: int) -> float:
    return math.exp(-max(0, age_ms) / 1000 / FADES_IN_S)
