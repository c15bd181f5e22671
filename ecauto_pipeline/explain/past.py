"""Rows of history as the values of an explanation.

Not for: asking history (story.py) or state.db (present.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ecauto_pipeline.domain.offers.offer_rule import Offer, score
from ecauto_pipeline.explain.model import Answered, Decided, OfferLine, Sent
from ecauto_pipeline.settings import Offers as OfferRule

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything this program can know of."""


def offer_lines(offers_json: str, rule: OfferRule) -> tuple[OfferLine, ...] | None:
    """The offers kept with an answer, as they were judged then, the chosen one first; None where none were kept.

    The first one that fits is the one that was chosen. Scores are today's rule's, shown for offers that fit.
    """
    try:
        rows = json.loads(offers_json) if offers_json else None
    except ValueError:
        return None
    if not isinstance(rows, list):
        return None
    lines, chosen = [], False
    for row in rows:
        offer = Offer(
            row.get("seller", ""),
            "new",
            row.get("price"),
            row.get("shipping"),
            row.get("hours"),
            row.get("availability", ""),
            _flag(row.get("prime")),
            _flag(row.get("fba")),
            bool(row.get("buybox")),
        )
        why = row.get("why_not", "")
        verdict = why or ("fits" if chosen else "chosen")
        chosen = chosen or not why
        lines.append(
            OfferLine(
                offer.seller_id,
                offer.listing_price_jpy,
                offer.shipping_jpy,
                offer.max_hours,
                offer.availability,
                offer.is_prime,
                offer.is_fba,
                offer.is_buybox,
                None if why else score(offer, rule),
                verdict,
            )
        )
    return tuple(lines)


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
        profit_jpy=row.get("profit_jpy"),
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


def _flag(value: object) -> bool | None:
    return None if value is None else bool(value)


def _whole(value: object) -> int | None:
    return None if value in (None, "") else int(str(value))
