"""What nothing keeps in step is listed, each listing once, with the reason; what is in step is not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.reasons import WORDS
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins, listings, shop_accounts
from ecauto_pipeline.state.unwatched import count_unwatched, unwatched

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
_LONG_AGO = NOW - timedelta(days=3)
CASES: dict[str, tuple[dict[str, Any], dict[str, Any] | None, str]] = {
    "1": ({}, {"status": "success"}, ""),
    "2": ({"orphan": "no_item", "present": 0, "listed": 0}, {"status": "success"}, "orphan_no_item"),
    "3": ({"orphan": "no_register", "asin": None, "listed": 0}, None, "orphan_no_register"),
    "4": ({"delist": "delisted_candidate"}, {"status": "success"}, "deleted_at_shop"),
    "5": ({"blocked": 1}, {"status": "success"}, "blocklist"),
    "6": ({"uneditable": "community"}, {"status": "success"}, "uneditable"),
    "7": ({}, {"error_count": 3}, "never_answered"),
    "13": ({}, {"failures": 9, "failing_reason": "too_soon", "failing_since": to_ms(_LONG_AGO)}, "unanswerable"),
    "14": ({}, {"failures": 1, "failing_reason": "merged", "failing_since": to_ms(NOW)}, "unanswerable"),
    "15": ({}, {"failures": 9, "failing_reason": "too_soon", "failing_since": to_ms(NOW), "status": "success"}, ""),
    "8": ({}, {"error_count": 9, "status": "success"}, ""),
    "9": ({}, {"error_count": 1}, ""),
    "10": ({"present": 0, "register_id": None, "register_status": "", "listed": 0}, None, "gone_both_sides"),
    "11": ({"register_status": "delisted", "listed": 0}, None, "register_not_listed"),
    "12": ({"register_status": "delisted", "present": 0, "delist": "delisted_candidate"}, None, ""),
}


def test_each_reason_is_found_and_nothing_else(tmp_path: Path) -> None:
    """Deleted items, orphans of both sides and of none, blocked, uneditable, never answered; of this shop alone.

    What the register calls ended and the shop has no more is watched no more by intent.
    """
    database = Database(f"sqlite:///{tmp_path}/state.db")
    with database.write() as connection:
        for item, (side, fact, _) in CASES.items():
            for shop in ("mine", "other"):
                row = {"platform": "base", "account_id": shop, "item_id": item, "asin": f"B{item}", "present": 1}
                row |= {"register_id": 1, "register_status": "listed"}
                connection.execute(insert(listings), [{**row, "listed": 1, **side}])
            if fact is not None:
                connection.execute(insert(asins), [{"asin": f"B{item}", **fact}])
        mine = [AccountKey("base", "mine")]
        found = {row.key.item_id: row.reason for row in unwatched(connection, mine, NOW)}
        unread = count_unwatched(connection, mine, NOW)
        connection.execute(insert(shop_accounts), [{"platform": "base", "account_id": "mine", "full_read_at": 1}])
        counts = count_unwatched(connection, mine, NOW)
    database.close()
    assert {item: reason for item, (*_, reason) in CASES.items() if reason} == found
    assert (None, Counter(found.values())) == (unread, counts)
    assert set(found.values()) <= set(WORDS)
