"""Whoever looks at one item asks history once for its decisions and edits, whatever moment is looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ecauto_pipeline.views.kept_past import GOOD_FOR, KeptPast, Row

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ROWS: list[Row] = [{"n": n, "decided_at": NOW - timedelta(days=n), "attempted_at": NOW} for n in (3, 2, 1)]


class CountingHistory:
    """Holds three decisions and counts how often it is asked for them."""

    left_out: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.asked = 0

    def diffs_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[Row]:
        self.asked += 1
        return ROWS

    def prices_of(self, asin: str, start: datetime, end: datetime) -> list[Row]:
        return []

    snapshots_of = updates_of = prices_of


def test_any_moment_is_told_from_one_question() -> None:
    """Of the time that is asked for alone; a minute later it is asked again."""
    history = CountingHistory()
    kept = KeptPast(history)
    assert [3, 2, 1] == [row["n"] for row in kept.diffs_of("B1", NOW - timedelta(days=9), NOW)]
    assert [2] == [row["n"] for row in kept.diffs_of("B1", NOW - timedelta(days=2), NOW - timedelta(days=1))]
    assert 1 == history.asked
    kept.diffs_of("B1", NOW, NOW + GOOD_FOR + timedelta(seconds=1))
    kept.diffs_of("B2", NOW, NOW)
    assert 3 == history.asked
