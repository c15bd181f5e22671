"""Every call the emulated APIs saw, in order, with what was made of it. Never a secret.

For: tests and people asking what a program really did. Not for: rate accounting (throttle, limits).
"""

from __future__ import annotations

import json
from typing import Any

from ecauto_pipeline.emulator.messages import Answer, Call, Seen
from ecauto_pipeline.emulator.store import Store


class CallLog:
    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, at: str, call: Call, seen: Seen, answer: Answer) -> None:
        """Note one call. A call whose answer was never delivered has no HTTP status."""
        undelivered = answer.delivery in ("reset", "hang")
        self._store.write(
            "INSERT INTO calls (at, api, operation, account, method, path, details, http_status, outcome, request_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                at,
                seen.api,
                seen.operation,
                seen.account,
                call.method,
                call.path,
                json.dumps(_details(seen), ensure_ascii=False),
                None if undelivered else answer.status,
                answer.outcome,
                answer.request_id,
            ),
        )

    def since(
        self,
        seq: int = 0,
        api: str | None = None,
        operation: str | None = None,
        account: str | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Calls after number `seq`, oldest first."""
        rows = self._store.rows(
            "SELECT * FROM calls WHERE seq > ? AND (? IS NULL OR api = ?) AND (? IS NULL OR operation = ?)"
            " AND (? IS NULL OR account = ?) ORDER BY seq LIMIT ?",
            (seq, api, api, operation, operation, account, account, -1 if limit is None else limit),
        )
        return [{**dict(row), "details": json.loads(row["details"])} for row in rows]

    def counts(self, api: str) -> dict[tuple[str, str], dict[str, int]]:
        """Calls by (account, operation), and of these by outcome."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        for row in self._store.rows(
            "SELECT account, operation, outcome, count(*) AS calls FROM calls WHERE api = ?"
            " GROUP BY account, operation, outcome",
            (api,),
        ):
            counts.setdefault((row["account"] or "", row["operation"]), {})[row["outcome"]] = row["calls"]
        return counts


def _details(seen: Seen) -> dict[str, Any]:
    details = dict(seen.details)
    if seen.asins:
        details["asins"] = list(seen.asins)
    if seen.item_id is not None:
        details["item_id"] = seen.item_id
    return details
