"""A held row as `ecauto holds ... --json` prints it: names are a promise. Not for: finding it (views/holds.py)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ecauto_pipeline.sync.people.holds import Hold
from ecauto_pipeline.views.holds import HeldRow


def row_document(row: HeldRow) -> dict[str, Any]:
    """A held row with all that one has to know to decide it."""
    return hold_document(row.hold) | {
        "title": row.title,
        "on_sale": row.on_sale,
        "shop": row.shop,
        "price_jpy": row.price_jpy,
        "cost_then_jpy": row.cost_then_jpy,
        "cost_now_jpy": row.cost_now_jpy,
        "cost_age_s": None if row.cost_age is None else round(row.cost_age.total_seconds()),
        "status": row.status,
        "profit_shown_jpy": row.profit_shown_jpy,
        "profit_wanted_jpy": row.profit_wanted_jpy,
        "cause": row.cause,
        "same_asin": row.same_asin,
        "amazon": row.amazon,
        "sent": row.sent,
        "sources": [asdict(one) for one in row.sources],
        "before": None if row.before is None else asdict(row.before),
    }


def hold_document(row: Hold) -> dict[str, Any]:
    """The held row alone."""
    return {
        "diff_id": row.diff_id,
        "run_id": row.run_id,
        "platform": row.key.platform,
        "account_id": row.key.account_id,
        "item_id": row.key.item_id,
        "asin": row.asin,
        "kind": row.kind.value,
        "shown": row.shown,
        "wanted": row.wanted,
        "cost_jpy": row.cost_jpy,
        "profit_jpy": row.profit_jpy,
        "reason": row.reason,
        "state": row.state,
        "age_s": round(row.age.total_seconds()),
        "evidence": row.evidence,
    }
