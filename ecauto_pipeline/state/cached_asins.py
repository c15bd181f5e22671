"""State of ASINs as the old cache knows it: in without displacing any answer of ours, out as it is believed now.

Not for: files (migrate/cache_files.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.cache_format import CachedAsin
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.state.catalogue import Text
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.upsert import upsert

_CHUNK = 500
IMPORTED = "imported"
"""The reason of a status that nobody here has asked for; such a row has no snapshot behind it."""


def known_of(connection: Connection, wanted: Sequence[str]) -> set[str]:
    """Which of these were ever answered here (imported ones too: the first import stands)."""
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        some = asins.c.asin.in_(wanted[start : start + _CHUNK])
        found |= set(connection.execute(select(asins.c.asin).where(some, asins.c.status.is_not(None))).scalars())
    return found


def remember(connection: Connection, new: Iterable[CachedAsin]) -> None:
    """Believed in stock at that price, as of the file's stamps; no snapshot, nothing a sweep could be compared with."""
    upsert(
        connection,
        asins,
        [
            {
                "asin": cached.asin,
                "status": str(Status.SUCCESS),
                "reason": IMPORTED,
                "price_jpy": cached.price_jpy,
                "in_stock": 1,
                "price_at": to_ms(cached.price_at) if cached.price_at else None,
                "stock_at": to_ms(cached.stock_at) if cached.stock_at else None,
            }
            for cached in new
        ],
    )


def answered(connection: Connection) -> list[CachedAsin]:
    """Every ASIN ever answered, by ASIN; without text."""
    query = select(asins).where(asins.c.status.is_not(None)).order_by(asins.c.asin)
    return [
        CachedAsin(
            asin=row.asin,
            price_jpy=row.price_jpy if row.status == Status.SUCCESS else None,
            in_stock=None if row.in_stock is None else bool(row.in_stock),
            price_at=from_ms(row.price_at) if row.price_at is not None else None,
            stock_at=from_ms(row.stock_at) if row.stock_at is not None else None,
            basic_at=None,
            is_prime=None if row.is_prime is None else bool(row.is_prime),
            is_fba=None if row.is_fba is None else bool(row.is_fba),
        )
        for row in connection.execute(query)
    ]


def with_text(cached: CachedAsin, text: Text | None) -> CachedAsin:
    """The same with what the catalogue says."""
    if text is None:
        return cached
    return replace(
        cached,
        title=text.title,
        description=text.description,
        brand=text.brand,
        category=text.category,
        images=text.images,
        basic_at=from_ms(text.basic_at) if text.basic_at is not None else None,
    )
