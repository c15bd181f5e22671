"""What is known of ASINs, as decisions need it: the facts that count, and the demand that says how old they may get.

One row per ASIN ever asked about. Not for: writing answers down or choosing what to ask next (both live elsewhere).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import Connection, func, select

from ecauto_pipeline.domain.model import AsinFacts, Status
from ecauto_pipeline.state.schema import asins

PART_ROWS = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = tuple(
    asins.c[name]
    for name in (
        *("asin", "status", "price_jpy", "in_stock", "price_at", "stock_at", "filtered_since", "filtered_count"),
        *("doubt", "snapshot_id", "last_sold_at", "last_viewed_at"),
    )
)
_STATUSES: dict[str | None, Status | None] = {None: None, **{str(status): status for status in Status}}


@dataclass(frozen=True, slots=True)
class KnownAsin:
    """The facts of one ASIN and when it was last sold and viewed (None = never heard of)."""

    facts: AsinFacts
    last_sold_at: datetime | None
    last_viewed_at: datetime | None


def known_asins(connection: Connection) -> dict[str, KnownAsin]:
    """All of them, by ASIN."""
    return {known.facts.asin: known for known in _read(connection.execute(select(*_COLUMNS)))}


def known_asin(connection: Connection, asin: str) -> KnownAsin | None:
    """One of them, None where it was never asked about."""
    return next(_read(connection.execute(select(*_COLUMNS).where(asins.c.asin == asin))), None)


def any_asin(connection: Connection) -> str:
    """The ASIN that was answered last, where none was one that was asked about. "" = none ever was."""
    newest = select(asins.c.asin).order_by(func.coalesce(asins.c.detail_at, 0).desc(), asins.c.asin)
    return connection.execute(newest.limit(1)).scalar() or ""


def _read(rows: Any) -> Iterator[KnownAsin]:
    times: dict[int | None, datetime | None] = {None: None}  # one batch of answers shares its stamp

    def time_of(milliseconds: int) -> datetime:
        found = times[milliseconds] = EPOCH + timedelta(milliseconds=milliseconds)
        return found

    for row in chain.from_iterable(rows.partitions(PART_ROWS)):
        asin, status, price, in_stock, price_at, stock_at, since, count, doubt, snapshot, sold, viewed = row
        yield KnownAsin(
            AsinFacts(
                asin=asin,
                status=_STATUSES[status],
                price_jpy=price,
                in_stock=None if in_stock is None else in_stock == 1,
                price_at=times[price_at] if price_at in times else time_of(price_at),
                stock_at=times[stock_at] if stock_at in times else time_of(stock_at),
                filtered_since=times[since] if since in times else time_of(since),
                filtered_count=count,
                doubt=doubt,
                snapshot_id=snapshot,
            ),
            times[sold] if sold in times else time_of(sold),
            times[viewed] if viewed in times else time_of(viewed),
        )
