"""Laws of freshness by hour: who counts at each hour, and what it costs to ask about many."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from ecauto_pipeline.history.asked_rows import Row
from ecauto_pipeline.history.summaries import HistorySummaries
from ecauto_pipeline.history.tables import AUTHORITATIVE, Table
from ecauto_pipeline_tests.history.rows import NOON, snapshot, store_in

AGES = {"high": timedelta(hours=1), "low": timedelta(hours=5, seconds=30)}
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
STATUSES = (*sorted(AUTHORITATIVE), "api_error")


def test_an_asin_is_fresh_at_an_hour_where_any_answer_before_is_no_older_than_it_may_be(tmp_path: Path) -> None:
    """Of answers at any minute, on the hour, twice at once, before the first hour and after the last; loaded and not.
    An answer counts by its minute; one that is no answer, and an ASIN of no tier, never do."""
    drawn, store = random.Random(7), store_in(tmp_path)
    start, end = NOON - 6 * HOUR, NOON
    tiers = {f"B{number}": drawn.choice(["high", "low", "unheard"]) for number in range(12)} | {"B'?": "high"}
    rows, seen = [], list[tuple[str, datetime]]()
    for number in range(90):
        at = start + drawn.randrange(-7 * 60, 7 * 60) * MINUTE
        at = at.replace(minute=0) if drawn.random() < 0.3 else at
        at += timedelta(seconds=drawn.choice([0, 0, 30]))
        asin, status = drawn.choice([*tiers, "B_of_no_tier"]), drawn.choice(STATUSES)
        rows.append(snapshot(number, asin=asin, observed_at=at, status=status, price_jpy=None))
        if status in AUTHORITATIVE and at < end:
            seen.append((asin, at.replace(second=0)))
        rows += (
            [snapshot(1000 + number, asin=asin, observed_at=at, status=status, price_jpy=None)]
            if number % 9 == 0
            else []
        )
    store.write("snapshots", "r1", rows[:60], start - 8 * HOUR)
    store.load()
    store.write("snapshots", "r2", rows[60:], start - 8 * HOUR)
    expected: Counter[tuple[object, str]] = Counter()
    for hour in range(7):
        at = start + hour * HOUR
        for asin, tier in tiers.items():
            age = AGES.get(tier, timedelta(0))
            if any(at - age < answered <= at for one, answered in seen if one == asin):
                expected[at, tier] += 1
    found = HistorySummaries(store).fresh_by_hour(start, end, tiers, AGES)
    assert sorted(expected.items()) == [((row["at"], row["tier"]), row["fresh"]) for row in found]
    assert [] == HistorySummaries(store).fresh_by_hour(start, end, {}, AGES)


def test_a_question_about_a_hundred_thousand_asins_is_a_short_one(tmp_path: Path) -> None:
    """All names of a tier are one value of the query: as a value each they took more memory than a whole run may."""
    asked: list[int] = []

    class Counting(HistorySummaries):
        def _ask(self, table: Table, query: str, values: list[object], since: datetime | None) -> list[Row]:
            asked.append(len(values))
            return super()._ask(table, query, values, since)

    tiers = {f"B{number:09}": ("low", "high")[number % 50 == 0] for number in range(100_000)}
    assert [] == Counting(store_in(tmp_path)).fresh_by_hour(NOON - HOUR, NOON, tiers, AGES)
    assert 2 * 3 + 5 == asked[0]
