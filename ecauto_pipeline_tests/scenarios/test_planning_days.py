"""Days on which planning matters: a night missed, two o'clock, a sweep that sees nothing. By Amazon's list of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.reports.capacity import capacity
from ecauto_pipeline_tests.scenarios.picking import seen
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

pytestmark = pytest.mark.long

_START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)


@contextmanager
def _world(folder: Path, start: datetime = _START, listings: int = 100, speed: float = 100.0) -> Iterator[ShopDay]:
    """One shop over an Amazon that answers every question."""
    clock = ManualClock(start)
    with EmulatorServer(clock=clock, seed=9, listings=listings, accounts=1, speed=speed) as emulator:
        day = ShopDay(folder, emulator, clock, loads_when_asked=True)
        for asin in day.control.asins():
            if day.control.truth(asin)["failure"] is not None:
                day.control.set_truth(asin, offers=[{"seller_id": "A1SELLER", "price_jpy": 3000, "max_hours": 24}])
        yield day


def _asked(day: ShopDay, since: int, operation: str = "") -> list[str]:
    """ASINs in the order in which Amazon answered questions about them after call number `since`."""
    calls = day.control.calls(since=since, api="sp_api", operation=operation or None)
    return [asin for call in calls if call["http_status"] == 200 for asin in call["details"].get("asins", ())]


def _good_calls(day: ShopDay, since: int) -> list[dict[str, Any]]:
    return [call for call in day.control.calls(since=since, api="sp_api") if call["http_status"] == 200]


def test_a_missed_day_is_one_catch_up_oldest_first(tmp_path: Path) -> None:
    """24 hours without a run, then a backfill of all of them: every ASIN once, the longest unseen first.

    The shop was filled in three runs some hours apart, so that its answers are of three ages. Materializing the same
    hours again asks nothing and edits nothing.
    """
    with _world(tmp_path, speed=1.0) as day:
        filled: dict[str, int] = {}
        for number in range(3):
            since = seen(day)
            day.run("validate_cache", slice_s=20.0, push=False)
            filled |= {asin: number for asin in _asked(day, since, "getItemOffersBatch")}
            day.advance(2 * 3600)
        day.control.set_rate("getItemOffersBatch", 20.0, 20)
        day.advance(24 * 3600)
        end = day.clock.now()
        missed = tuple(hour_key(end - timedelta(hours=back)) for back in range(24, 0, -1))
        since = seen(day)
        result = day.run("stock_sync", partition_keys=missed)
        asked = _asked(day, since, "getItemOffersBatch")
        assert 24 == len(missed)
        assert {1} == set(Counter(asked).values())
        late = _late_and_never_sold(day, result.run_id)
        ages = [filled[asin] for asin in asked if asin in filled and asin in late]
        assert {0, 1, 2} == set(ages)
        assert sorted(ages) == ages
        rows = day.history("select distinct partition_key from snapshots where run_id = ?", result.run_id)
        assert [{"partition_key": missed[-1]}] == rows
        since = seen(day)
        day.run("stock_sync", partition_keys=missed)
        assert [] == _good_calls(day, since)
        assert [] == day.edits(since)


def test_a_day_of_hourly_runs_asks_about_nothing_that_is_not_due(tmp_path: Path) -> None:
    """By Amazon's own list of calls over 26 hours: who was asked again was as old as its tier allows, or was owed it.

    Owed: the last answer was none, a sweep saw a change or the goods were gone (a second look), or it is of the day's
    1%. All of the rest keep their hour, their six hours or their day, less five minutes.
    """
    slack = timedelta(minutes=5)
    with _world(tmp_path, listings=60, speed=400.0) as day:
        for account in day.accounts:
            for item in day.control.items(account)[:25]:
                if item["visible"] and item["stock"] and not item["variations"]:
                    day.control.sell(account, item["item_id"])
        ages = {"high": timedelta(hours=1), "medium": timedelta(hours=6), "low": timedelta(hours=24)}
        last: dict[str, datetime] = {}
        again: Counter[str] = Counter()
        for _ in range(27):
            since, now = seen(day), day.clock.now()
            run = day.run("stock_sync", push=False)
            told = _targets(day, run.run_id)
            for asin in set(_asked(day, since)):
                tier, reason = told[asin]
                if asin in last and reason in ("new", "stock_due", "price_due", "cadence"):
                    assert now - last[asin] >= ages[tier] - slack, (asin, tier, reason)
                    again[tier] += 1
                assert asin not in last or reason != "new"
            last |= dict.fromkeys(_asked(day, since), day.clock.now())
            day.advance(3600 - (day.clock.now() - now).total_seconds())
        assert _asked(day, 0, "getCompetitivePricing")
        assert again["high"] > 26 * 5
        assert again["low"] > 30
        assert set(again) <= {"high", "low"}


def _targets(day: ShopDay, run_id: str) -> dict[str, tuple[str, str]]:
    """Tier and reason of every ASIN that a run was to ask about."""
    with day.tools() as tools, tools.state.read() as connection:
        query = "select asin, tier, reason from plan_targets join plans using (plan_id) where run_id = ?"
        return {asin: (tier, reason) for asin, tier, reason in connection.exec_driver_sql(query, (run_id,))}


def _late_and_never_sold(day: ShopDay, run_id: str) -> set[str]:
    """What a run asks because of its age alone: nothing owed, no customer waiting."""
    query = (
        "select t.asin from plan_targets t join plans p using (plan_id) join asins a on a.asin = t.asin"
        " where p.run_id = ? and t.reason in ('price_due', 'stock_due') and a.last_sold_at is null"
    )
    with day.tools() as tools, tools.state.read() as connection:
        return {row[0] for row in connection.exec_driver_sql(query, (run_id,))}


def test_at_two_stock_and_price_cost_no_call_more_than_stock_alone(tmp_path: Path) -> None:
    """Two worlds alike: one runs the pair of 02:00 on one partition, the other the stock alone. The same questions."""
    made = []
    for pair in (True, False):
        with _world(tmp_path / str(pair), datetime(2026, 6, 1, 17, 0, tzinfo=UTC)) as day:
            day.run(push=False)
            day.advance(24 * 3600)
            since = seen(day)
            day.run("stock_sync", include_price="floor", push=False)
            if pair:
                day.run("price_sync", include_price="all", include_visibility=False, push=False)
            made.append(sorted(tuple(call["details"]["asins"]) for call in _good_calls(day, since)))
    assert len(made[0]) > 5
    assert made[0] == made[1]


def test_a_sweep_that_sees_nothing_is_given_up_and_said(tmp_path: Path) -> None:
    """Amazon tells nobody competitive prices: after one run the planner asks in detail alone, and says so.

    A week later it tries again, sees, and sweeps on.
    """
    with _world(tmp_path, listings=130, speed=400.0) as day:
        day.control.add_faults({"kind": "item_error", "operation": "getCompetitivePricing"})
        for account in day.accounts:  # sold lately: looked at every hour, by sweep
            for item in day.control.items(account):
                if item["visible"] and item["stock"] and not item["variations"]:
                    day.control.sell(account, item["item_id"])
        day.run(push=False)
        day.advance(70 * 60)
        since = seen(day)
        first = day.run("stock_sync", push=False).reports["stale_asins"]
        assert first.sweep_asins >= 100
        assert "" == first.blind
        assert Counter(_asked(day, since, "getCompetitivePricing"))
        day.advance(70 * 60)
        since = seen(day)
        result = day.run("stock_sync", push=False)
        second = result.reports["stale_asins"]
        assert 0 == second.sweep_asins
        assert "sweep answers said nothing" in second.blind
        assert [] == _asked(day, since, "getCompetitivePricing")
        assert len(_asked(day, since, "getItemOffersBatch")) > 100
        with day.tools() as tools:
            assert not capacity(tools).shop.sweep_sees
        day.control.clear_faults()
        day.advance(8 * 86_400)
        day.run(push=False)
        day.advance(70 * 60)
        since = seen(day)
        third = day.run("stock_sync", push=False).reports["stale_asins"]
        assert "" == third.blind
        assert len(_asked(day, since, "getCompetitivePricing")) == third.sweep_asins
