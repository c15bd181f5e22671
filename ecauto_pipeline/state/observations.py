"""Answers about ASINs that are not yet in history: exactly one row a requested ASIN a request.

Not for: what an answer changes (domain/offers/learning.py) or the history they go to (history/).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.state.exporting import ForHistory, for_history, in_portions
from ecauto_pipeline.state.schema import observations
from ecauto_pipeline.state.upsert import add_rows

_MOST_OFFERS_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Observation:
    """One answer about one ASIN that is not in history yet."""

    snapshot_id: str
    run_id: str
    observed_at: datetime
    operation: str
    status: str
    reason: str
    price_jpy: int | None
    in_stock: bool | None
    offer_count: int | None
    http_status: int | None
    request_id: str
    offers_json: str
    ship_hours_max: int | None = None
    is_prime: bool | None = None
    is_fba: bool | None = None
    seller_id: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer as it was kept, less what a later sweep would be compared with: those figures are unknown."""

    snapshot_id: str
    observed_at: datetime
    answer: Answer


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
    add_rows(connection, observations, [{"snapshot_id": sid, **shared, **_columns(a)} for sid, a in answers])


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


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        row.asin,
        row.operation,
        Status(row.status),
        row.reason,
        price_jpy=row.price_jpy,
        in_stock=None if row.in_stock is None else bool(row.in_stock),
        offer_count=row.offer_count,
        ship_hours_max=row.ship_hours_max,
        is_prime=None if row.is_prime is None else bool(row.is_prime),
        is_fba=None if row.is_fba is None else bool(row.is_fba),
        seller_id=row.seller_id,
        listing_price_jpy=row.listing_price_jpy,
        shipping_jpy=row.shipping_jpy,
        http_status=row.http_status,
        request_id=row.request_id,
        offers_json=row.offers_json,
    )


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


def believe_after_all(connection: Connection, answers: Sequence[tuple[str, Answer]]) -> None:
    """Answers that were turned into `api_error` rows say again what they said; each with its snapshot id."""
    for snapshot_id, answer in answers:
        row = observations.c.snapshot_id == snapshot_id
        connection.execute(update(observations).where(row).values(**_columns(answer)))


def of_asin(connection: Connection, asin: str) -> list[Observation]:
    """What is not in history yet about one ASIN, in no order."""
    return [
        Observation(
            snapshot_id=row.snapshot_id,
            run_id=row.run_id,
            observed_at=from_ms(row.observed_at),
            operation=row.operation,
            status=row.status,
            reason=row.reason,
            price_jpy=row.price_jpy,
            in_stock=None if row.in_stock is None else bool(row.in_stock),
            offer_count=row.offer_count,
            http_status=row.http_status,
            request_id=row.request_id,
            offers_json=row.offers_json,
            ship_hours_max=row.ship_hours_max,
            is_prime=None if row.is_prime is None else bool(row.is_prime),
            is_fba=None if row.is_fba is None else bool(row.is_fba),
            seller_id=row.seller_id,
        )
        for row in connection.execute(select(observations).where(observations.c.asin == asin))
    ]


def kept_since(connection: Connection, asins: Sequence[str], since: datetime) -> list[Kept]:
    """What was answered about these ASINs (a call's worth) since then and is not in history yet, oldest first."""
    theirs = observations.c.asin.in_(asins) & (observations.c.observed_at >= to_ms(since))
    return [
        Kept(row.snapshot_id, from_ms(row.observed_at), _answer(row))
        for row in connection.execute(select(observations).where(theirs).order_by(observations.c.seq))
    ]


def unexported(connection: Connection, limit: int) -> list[ForHistory]:
    """The oldest answers, for `snapshots`; their keys are numbers that rise."""
    rows = connection.execute(select(observations).order_by(observations.c.seq).limit(limit))
    return [for_history(row, "seq", "observed_at", without=("seq",)) for row in rows]


def mark_exported(connection: Connection, rows: Iterable[ForHistory]) -> None:
    """These are in history: they leave."""
    for keys in in_portions([row.key for row in rows]):
        connection.execute(delete(observations).where(observations.c.seq.in_(keys)))


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)
