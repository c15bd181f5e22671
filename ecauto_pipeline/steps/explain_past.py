"""Rows of history as the values of an explanation.

Not for: asking history (explain.py) or state.db (explain_state.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ecauto_pipeline.steps.explanation import Answered, Decided, Sent

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything this program can know of."""


def answered(row: Mapping[str, Any]) -> Answered:
    """A row of `snapshots`."""
    return Answered(
        row["snapshot_id"],
        row["run_id"],
        row["observed_at"],
        row["operation"] or "",
        row["status"],
        row["reason"] or "",
        row["price_jpy"],
        row["in_stock"],
        row["offer_count"],
        row.get("http_status"),
        row.get("request_id") or "",
        row.get("offers_json") or "",
    )


def decided(row: Mapping[str, Any]) -> Decided:
    """A row of `diffs`."""
    return Decided(
        row["diff_id"],
        row["run_id"],
        row["decided_at"],
        row["platform"] or "",
        row["account_id"] or "",
        row["item_id"] or "",
        row["kind"],
        _whole(row["shown"]),
        _whole(row["wanted"]),
        row["decision"],
        row["reason"] or "",
        row["snapshot_id"] or "",
        row.get("cost_jpy"),
        row.get("evidence") or "",
    )


def sent(row: Mapping[str, Any]) -> Sent:
    """A row of `updates`."""
    return Sent(
        row["update_id"],
        row["diff_id"] or "",
        row["run_id"],
        row["attempted_at"] or BEGINNING,
        row["completed_at"],
        row["platform"] or "",
        row["account_id"] or "",
        row["item_id"] or "",
        row["kind"],
        _whole(row["before"]),
        _whole(row["after"]),
        row["outcome"] or "",
        row["error"] or "",
        row["attempts"],
        row.get("rollback_of") or "",
    )


def _whole(value: object) -> int | None:
    return None if value in (None, "") else int(str(value))
