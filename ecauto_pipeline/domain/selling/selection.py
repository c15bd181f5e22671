"""Which listings a run limited by `max_items` works on: best sellers first, the same ones in every step.

Pure and deterministic, so that reading, fetching and deciding agree without telling each other. Not for: the order
in which ASINs are asked about (cadence and freshness) or in which updates leave (guards.push_order).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ecauto_pipeline.domain.model import ListingKey

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def best_sellers(listings: Iterable[tuple[ListingKey, datetime | None]], limit: int | None) -> frozenset[ListingKey]:
    """The `limit` listings sold last, by `last_sold_at` (None = never), ties by key. None = all of them."""
    rows = list(listings)
    if limit is not None and limit < len(rows):
        rows.sort(key=lambda row: (row[0].platform, row[0].account_id, row[0].item_id))
        rows.sort(key=lambda row: row[1] or _NEVER, reverse=True)
        rows = rows[: max(0, limit)]
    return frozenset(key for key, _ in rows)
