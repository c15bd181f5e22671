"""What the client needs from outside: the pace of every bucket, and the ledger of calls.

Not for: how they are kept (state/buckets.py, state/calls.py).
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, Protocol

from ecauto_pipeline.limiter import Bucket, RateLimit


class Pace(Protocol):
    """The buckets of all accounts (state/buckets.py)."""

    def take(
        self,
        account: str,
        operation: str,
        limit: RateLimit,
        *,
        until_s: float | None = None,
        stop: threading.Event | None = None,
    ) -> Any:
        """Wait for a slot; None when it would come after `until_s`. Raises Stopped."""

    def answered(
        self,
        account: str,
        operation: str,
        limit: RateLimit,
        advertised_per_s: float | None,
        permit: Any,
        sent_s: float,
        received_s: float,
    ) -> None:
        """The API let the call through."""

    def refused(self, account: str, operation: str, limit: RateLimit, permit: Any) -> None:
        """The API said 429."""

    def peek(self, account: str, operation: str, limit: RateLimit) -> Bucket:
        """The bucket as it stands."""

    def last_seen(self, account: str, operation: str, limit: RateLimit) -> Bucket:
        """The bucket as this process saw it last; nobody is asked."""


class Ledger(Protocol):
    """The call ledger (state/calls.py)."""

    def record(
        self,
        *,
        api: str,
        operation: str,
        account: str,
        started_at: datetime,
        duration_ms: int,
        items: int | None,
        http_status: int | None,
        outcome: str,
        error: str,
        request_id: str,
        rate_limit: float | None,
        run_id: str,
    ) -> None:
        """One row a try."""

    def flush(self, connection: Any = None) -> None:
        """Write what waits."""
