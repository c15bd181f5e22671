"""Rows of the history as a run would leave them, made from small numbers; and the stores that the tests fill."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline_tests.duckdb_asked import asked_of

NOON = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""12:00 in Japan."""


def snapshot(number: int, *, at: datetime = NOON, **other: object) -> dict[str, object]:
    """One answer about one of ten ASINs; the same number is the same row."""
    return {
        "snapshot_id": f"s{number:08d}",
        "run_id": "run",
        "asin": f"B{number % 10:09d}",
        "observed_at": at + timedelta(seconds=number),
        "operation": "getItemOffersBatch",
        "status": "success",
        "price_jpy": 1000 + number,
        "in_stock": True,
    } | other


def snapshots(numbers: Iterable[int], *, at: datetime = NOON) -> list[dict[str, object]]:
    """One row a number, in the given order."""
    return [snapshot(number, at=at) for number in numbers]


def store_in(folder: Path, *, lock_timeout_s: float = 1.0, now: datetime = NOON) -> HistoryStore:
    """A store with a clock moved by hand: waiting for a lock takes no time."""
    return HistoryStore(folder / "history", folder / "history.duckdb", ManualClock(now), lock_timeout_s=lock_timeout_s)


def asked(store: HistoryStore, query: str) -> list[tuple[object, ...]]:
    """What a person gets who opens the database and asks."""
    return asked_of(store.database, query)[1]


def ids(store: HistoryStore) -> list[str]:
    """Every snapshot_id in the database, sorted, repeated where it is there twice."""
    return [str(row[0]) for row in asked(store, "SELECT snapshot_id FROM snapshots ORDER BY 1")]
