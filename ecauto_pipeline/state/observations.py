"""Answers about ASINs that are not yet in history: exactly one row a requested ASIN a request.

Not for: what an answer changes (domain/offers/learning.py) or the history they go to (history/).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.state.schema import observations

_MOST_OFFERS_CHARS = 20_000


class SnapshotIds:
    """Ids that sort by the time they were given: milliseconds, then chance, 32 hexadecimal digits (as in UUIDv7).

    Within one process every id is greater than the one before, whatever the clock does.
    """

    def __init__(self) -> None:
        self._lock, self._last = threading.Lock(), 0

    def next(self, now: datetime) -> str:
        with self._lock:
            fresh = (to_ms(now) << 80) | (7 << 76) | secrets.randbits(75)
            self._last = max(fresh, self._last + 1)
            return f"{self._last:032x}"


def insert_answers(
    connection: Connection,
    answers: Sequence[tuple[str, Answer]],
    *,
    run_id: str,
    partition_key: str,
    sp_account: str,
    observed_at: datetime,
) -> None:
    """One row an answer; each comes with its snapshot id."""
    if not answers:
        return
    shared = {
        "run_id": run_id,
        "partition_key": partition_key,
        "sp_account": sp_account,
        "observed_at": to_ms(observed_at),
    }
    connection.execute(insert(observations), [{"snapshot_id": sid, **shared, **_columns(a)} for sid, a in answers])


def _columns(answer: Answer) -> dict[str, object]:
    return {
        "asin": answer.asin,
        "operation": answer.operation,
        "status": str(answer.status),
        "reason": answer.reason,
        "price_jpy": answer.price_jpy,
        "in_stock": _flag(answer.in_stock),
        "offer_count": answer.offer_count,
        "ship_hours_max": answer.ship_hours_max,
        "is_prime": _flag(answer.is_prime),
        "is_fba": _flag(answer.is_fba),
        "request_id": answer.request_id,
        "http_status": answer.http_status,
        "offers_json": answer.offers_json if len(answer.offers_json) <= _MOST_OFFERS_CHARS else "",
        "seller_id": answer.seller_id,
        "listing_price_jpy": answer.listing_price_jpy,
        "shipping_jpy": answer.shipping_jpy,
    }


def disbelieve(
    connection: Connection, run_id: str, operation: str, snapshot_ids: Sequence[str], reason: str
) -> list[str]:
    """Turn earlier answers of this run into `api_error` rows with that reason. Returns the ids that were turned."""
    turned: list[str] = []
    for start in range(0, len(snapshot_ids), 500):
        chunk = list(snapshot_ids[start : start + 500])
        mine = (
            observations.c.snapshot_id.in_(chunk)
            & (observations.c.run_id == run_id)
            & (observations.c.operation == operation)
        )
        turned += connection.execute(select(observations.c.snapshot_id).where(mine)).scalars()
        values = {"status": str(Status.API_ERROR), "reason": reason, "price_jpy": None, "in_stock": None}
        connection.execute(update(observations).where(mine).values(**values))
    return turned


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)
