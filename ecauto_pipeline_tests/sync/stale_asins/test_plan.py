"""The planner against a real state.db: who is due, by which question, in what order, and how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import evaluate_freshness
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.settings import Tiers
from ecauto_pipeline.state import targets
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench, asin_no

HOUR, DAY, SLACK = timedelta(hours=1), timedelta(days=1), timedelta(minutes=5)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PlannerBench]:
    bench = PlannerBench(tmp_path)
    yield bench
    bench.database.close()


def test_an_empty_shop_has_an_empty_plan(bench: PlannerBench) -> None:
    """Nothing listed: nothing due, nothing asked, no division by nothing, whatever the way of spending."""
    for spend in ("due", "budget"):
        report, targets = bench.plan(spend=spend)
        assert ([], 0, 0, 0.0) == (targets, report.survey.total_asins, report.left_over, report.planned_seconds)


@pytest.mark.parametrize("spend", ["due", "budget"])
def test_one_new_listing_is_asked_in_detail(bench: PlannerBench, spend: str) -> None:
    """A shop with a single listing nobody has ever asked about: one question, by the operation that knows prices."""
    bench.list_asins([7])
    report, targets = bench.plan(spend=spend)
    assert [(asin_no(7), "detail", "new")] == [(t.asin, t.operation, t.reason) for t in targets]
    assert (1, 1, 1) == (report.survey.missing, report.survey.cache_misses, report.planned_calls["detail"])


def test_an_asin_in_three_shops_is_asked_once(bench: PlannerBench) -> None:
    """One question an ASIN a run, however many accounts list it."""
    for account in ("shop_1", "shop_2", "shop_3"):
        bench.list_asins(range(5), account)
    assert [asin_no(n) for n in range(5)] == sorted(t.asin for t in bench.plan()[1])


def test_only_listings_that_take_part_are_asked_about(bench: PlannerBench) -> None:
    """No quota for accounts that are not active, listings that are not listed, or accounts this run leaves out."""
    bench.list_asins([1], "shop_1")
    bench.list_asins([2], "shop_2")
    bench.list_asins([3], "shop_1", listed=0)
    assert [asin_no(1), asin_no(2)] == [t.asin for t in bench.plan()[1]]
    assert [asin_no(2)] == [t.asin for t in bench.plan(accounts=(AccountKey("base", "shop_2"),))[1]]


def test_max_items_takes_the_best_sellers(bench: PlannerBench) -> None:
    """A limited run asks about those sold last."""
    bench.list_asins(range(10))
    bench.know(range(10), age=2 * DAY)
    for n in (4, 8):
        bench.set(n, last_sold_at=to_ms(bench.clock.now() - n * HOUR))
    assert {asin_no(4), asin_no(8)} == {t.asin for t in bench.plan(max_items=2)[1]}


def test_a_second_run_right_after_the_first_asks_nothing(bench: PlannerBench) -> None:
    """Nothing to do after doing it; and the failures of the first run come first in the second."""
    bench.list_asins(range(60))
    _, first = bench.plan()
    bench.answer(first)
    bench.clock.advance(30)
    report, second = bench.plan()
    assert ([], 60, 0) == (second, report.survey.cache_hits, report.survey.cache_misses)
    bench.set(5, error_at=to_ms(bench.clock.now()), error_count=1)
    assert [(asin_no(5), "error")] == [(t.asin, t.reason) for t in bench.plan()[1]]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"doubt": "zero"}, "second_look"),
        ({"wants_detail": "zero"}, "second_look"),
        ({"wants_detail": "changed"}, "changed"),
        ({"error_at": 4_000_000_000_000}, "error"),
    ],
)
def test_what_is_owed_is_due_at_once_and_first(bench: PlannerBench, columns: dict[str, Any], reason: str) -> None:
    """A second look, an error or a seen change makes fresh data due, ahead of everything that is merely old."""
    bench.list_asins(range(30))
    bench.know(range(29), age=2 * DAY)
    bench.know([29], **columns)
    first = bench.plan()[1][0]
    assert (asin_no(29), "detail", reason) == (first.asin, first.operation, first.reason)


def test_filtered_out_gets_its_second_answer_after_the_wait(bench: PlannerBench) -> None:
    """Seen once, it is asked again when confirm_after has gone by, not before, and then no more."""
    bench.list_asins([1])
    bench.know([1], status="filtered_out", filtered_count=1, filtered_since=to_ms(bench.clock.now()))
    bench.clock.advance(59 * 60)
    assert [] == bench.plan()[1]
    bench.clock.advance(60)
    assert ["filtered_look"] == [t.reason for t in bench.plan()[1]]
    bench.set(1, filtered_count=2)
    assert [] == bench.plan()[1]


def test_stale_stock_with_a_fresh_price_is_swept(bench: PlannerBench) -> None:
    """The cheap question where it is enough; in detail where nothing can be compared; few of them in detail at once."""
    bench.list_asins(range(50))
    sold = to_ms(bench.clock.now())
    bench.know(range(40), age=2 * HOUR, last_sold_at=sold)
    bench.know(range(40, 50), age=2 * HOUR, last_sold_at=sold, probe_at=None)
    assert {("sweep", "stock_due"): 40, ("detail", "stock_due"): 10} == dict(
        Counter((t.operation, t.reason) for t in bench.plan()[1])
    )
    assert {"detail": 15} == dict(Counter(t.operation for t in bench.plan(max_items=15)[1]))


def test_an_hourly_run_keeps_the_hourly_tier_hourly(bench: PlannerBench) -> None:
    """Data of 10:00:30 is due at 11:00:00 already; at 10:30 it is not."""
    bench.list_asins(range(30))
    bench.know(range(30), last_sold_at=to_ms(bench.clock.now()))
    bench.clock.advance(1800)
    assert [] == bench.plan()[1]
    bench.clock.advance(1770)
    assert 30 == len(bench.plan()[1])


def test_a_price_older_than_a_day_is_asked_in_detail(bench: PlannerBench) -> None:
    """Sweeps confirmed the stock all day; the price has its own age."""
    bench.list_asins(range(30))
    old = to_ms(bench.clock.now() - DAY)
    bench.know(range(30), price_at=old, detail_at=old)
    report, targets = bench.plan()
    assert {("detail", "price_due"): 30} == dict(Counter((t.operation, t.reason) for t in targets))
    assert (30, 0) == (report.survey.price_expired, report.survey.stock_expired)


def test_out_of_stock_has_no_price_and_is_not_asked_for_one(bench: PlannerBench) -> None:
    """An answer without offers answers for the price too: it is not due again until it is old."""
    bench.list_asins([1])
    bench.know([1], status="out_of_stock", price_jpy=None, price_at=None, in_stock=0)
    assert [] == bench.plan()[1]


def test_a_slice_is_handed_what_it_can_ask_and_the_rest_is_counted(bench: PlannerBench) -> None:
    """planned + left over = due; the list is bounded by rate x slice and a margin, not by the wish."""
    bench.list_asins(range(5000))
    report, targets = bench.plan()
    assert 5000 == len(targets) + report.left_over
    assert 1220 <= len(targets) <= 1500
    assert (600.0, 660.0) == (report.planned_fetch_s, report.planned_seconds)


def test_planning_again_replaces_the_list(bench: PlannerBench) -> None:
    """A step that is repeated leaves one list, in the same order."""
    bench.list_asins(range(50))
    run = bench.run()
    stale_asins.run(bench.tools.for_run(run))
    first = bench.targets(run)
    stale_asins.run(bench.tools.for_run(run))
    assert first == bench.targets(run)


def test_a_survey_writes_nothing_and_counts_as_the_plan(bench: PlannerBench) -> None:
    """validate --dry-run says what a run would find."""
    from ecauto_pipeline.sync.stale_asins import plan as stale_asins

    bench.list_asins(range(10))
    bench.know(range(6), age=2 * DAY)
    before = stale_asins.survey(bench.tools)
    report, _ = bench.plan()
    assert before == report.survey
    assert (10, 4, 6, 6) == (before.total_asins, before.missing, before.price_expired, before.stock_expired)


@pytest.mark.parametrize("most", [1, 7, 59, 60, 61])
def test_rows_read_part_by_part_are_the_rows_read_at_once(bench: PlannerBench, most: int) -> None:
    """Each ASIN once, whichever parts its listings fall into, the failing ones with how they fail; so what is counted
    part by part is what is counted at once."""
    for account in ("shop_1", "shop_2", "shop_3"):
        bench.list_asins(range(20), account)
    bench.know(range(15), age=DAY)
    for number in (3, 10, 14):
        bench.set(number, failures=3, failed_at=1_000, failing_reason="x", failing_since=1_000)
    now, policy = bench.clock.now(), stale_asins.policy_of(bench.tools)
    with bench.database.read() as connection:
        whole = targets.read_rows(connection, now)
        parts = list(targets.each_part(connection, now, most=most))
    assert whole.tolist() == [row for part in parts for row in part.tolist()]
    assert max(part.size for part in parts) <= most
    at_once, *each = (
        stale_asins.count(rows, evaluate_freshness(rows, now, policy), to_ms(now)) for rows in (whole, *parts)
    )
    assert at_once == stale_asins.together(each)


def test_spending_the_budget_looks_oftener_at_what_changes_oftener(bench: PlannerBench) -> None:
    """Two goods that sell alike, followed for as long: that of which more changes were seen is planned to be looked at
    sooner. Nothing that is fresh being asked about, it makes no difference."""
    bench.list_asins(range(400))
    bench.know(range(400), age=HOUR / 2, orders_30d=1.0, demand_at=to_ms(bench.clock.now()), watched_days=20.0)
    bench.set(7, changes=20.0)
    assert [] == bench.plan(spend="due")[1]
    bench.plan(spend="budget", slice_s=10.0)
    with bench.database.read() as connection:
        query = select(asins.c.asin, asins.c.tau_s).where(asins.c.tau_s.is_not(None))
        periods = {row.asin: row.tau_s for row in connection.execute(query)}
    often = periods.pop(asin_no(7))
    assert often < min(periods.values()) / 2


def test_a_blind_sweep_is_given_up_by_itself(bench: PlannerBench) -> None:
    """Over half of the sweep's answers said nothing: details only, and the report says so; tried again a week later."""
    bench.list_asins(range(100))
    sold = to_ms(bench.clock.now())
    bench.know(range(100), age=2 * HOUR, last_sold_at=sold)
    bench.fetched(sweep_answers=100, sweep_unknown=51)
    report, targets = bench.plan()
    assert {"detail"} == {t.operation for t in targets}
    assert "51 of 100" in report.blind
    bench.clock.advance(8 * 86_400)
    assert "" == bench.plan()[0].blind


def test_a_sweep_that_misses_changes_is_given_up(bench: PlannerBench) -> None:
    """A miss rate above 30% over at least 50 audits is blindness too; 30% is not, nor are 49 audits."""
    verdicts = []
    for audited, missed in ((49, 49), (1, 0), (10, 0), (40, 0)):
        bench.fetched(probe_audited=audited, probe_missed=missed)
        verdicts.append(bool(bench.plan()[0].blind))
    assert [False, True, True, True] == verdicts


def test_twenty_four_missed_hours_are_one_catch_up_oldest_first(bench: PlannerBench) -> None:
    """After a day without runs one plan holds every ASIN once; within a tier and demand the oldest leads."""
    bench.list_asins(range(300))
    for n in range(300):
        bench.know([n], age=timedelta(hours=24, minutes=(n * 37) % 300))
    report, targets = bench.plan(slice_s=3600.0, partition_keys=tuple(f"2026-11-23-{h:02d}:00" for h in range(24)))
    ages = [(int(t.asin[1:]) * 37) % 300 for t in targets]
    assert 300 == len({t.asin for t in targets}) == len(targets)
    assert sorted(ages, reverse=True) == ages
    assert 0 == report.left_over


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_clock_change_of_an_hour_ends_in_a_sane_plan(bench: PlannerBench, jump: timedelta) -> None:
    """Set forwards, the hourly tier is due an hour early; set back, nothing is, and nothing is fresh for ever."""
    bench.list_asins(range(40))
    bench.know(range(20), last_sold_at=to_ms(bench.clock.now()))
    bench.know(range(20, 40))
    bench.clock.set(bench.clock.now() + jump)
    assert (20 if jump > timedelta() else 0) == len(bench.plan()[1])
    bench.clock.set(bench.clock.now() - timedelta(days=400))
    assert 40 == len(bench.plan()[1])


def test_nobody_starves_under_overload(bench: PlannerBench) -> None:
    """With a tenth of the budget needed, every ASIN is asked again and again, best sellers more often."""
    settings = bench.tools.settings.model_copy(update={"tiers": Tiers()})
    bench.tools = replace(bench.tools, settings=settings)
    bench.list_asins(range(100))
    bench.know(range(50), last_sold_at=to_ms(bench.clock.now() + 30 * DAY), probe_at=None)
    bench.know(range(50, 100), probe_at=None)
    asked: Counter[str] = Counter()
    for _ in range(90):
        bench.clock.advance(3600)
        targets = bench.plan(slice_s=10.0)[1][:10]
        asked.update(t.asin for t in targets)
        bench.answer(targets)
    assert 100 == len(asked)
    high = [asked[asin_no(n)] for n in range(50)]
    low = [asked[asin_no(n)] for n in range(50, 100)]
    assert min(high) > max(low)
    assert min(low) >= 2


def test_due_never_asks_about_what_is_fresh_over_a_day(bench: PlannerBench) -> None:
    """Every hour of two days: no target younger than its tier allows, but for the five minutes of slack."""
    bench.list_asins(range(90))
    sold, seen = to_ms(bench.clock.now() + DAY), to_ms(bench.clock.now() + DAY)
    bench.know(range(30), last_sold_at=sold)
    bench.know(range(30, 60), last_viewed_at=seen)
    bench.know(range(60, 90))
    last = {asin_no(n): bench.clock.now() for n in range(90)}
    least = {"high": HOUR - SLACK, "medium": 6 * HOUR - SLACK, "low": DAY - SLACK}
    asked: Counter[str] = Counter()
    for _ in range(48):
        bench.clock.advance(3600)
        targets = bench.plan()[1]
        for target in targets:
            age = bench.clock.now() - last[target.asin]
            assert target.reason == "audit" or least[target.tier] <= age <= timedelta(hours=25)
            last[target.asin] = bench.clock.now()
            asked[target.tier] += 1
        bench.answer(targets)
    assert 30 * 48 == asked["high"]
    assert 30 * 8 <= asked["medium"] <= 30 * 8 + 5
    assert 30 * 2 == asked["low"]


def test_a_shop_may_let_its_low_tier_come_early_to_spread_it(tmp_path: Path) -> None:
    """All filled in one hour: six hours' leave bring everybody home within four days, never late, then once a day."""
    spread = PlannerBench(tmp_path, tiers=Tiers(low_may_come_early=6 * HOUR))
    spread.list_asins(range(120))
    spread.know(range(120))
    last = {asin_no(n): spread.clock.now() for n in range(120)}
    by_hour: Counter[int] = Counter()
    for hour in range(1, 6 * 24 + 1):
        spread.clock.advance(3600)
        targets = spread.plan()[1]
        for target in targets:
            assert 18 * HOUR <= spread.clock.now() - last[target.asin] <= 24 * HOUR
            last[target.asin] = spread.clock.now()
        by_hour[hour] = len(targets)
        spread.answer(targets)
    spread.database.close()
    last_days = [by_hour[hour] for hour in range(4 * 24 + 1, 6 * 24 + 1)]
    assert 2 * 120 == sum(last_days)
    assert max(last_days) <= 13


def test_a_budget_leaves_no_call_idle(bench: PlannerBench) -> None:
    """Everything is fresh and half an hour old: a slice is still full, each ASIN once, the periods are on record."""
    bench.list_asins(range(8000))
    bench.know(range(8000), age=timedelta(minutes=30))
    report, targets = bench.plan(spend="budget")
    asked = Counter(t.operation for t in targets)
    assert len(targets) == len({t.asin for t in targets})
    assert asked["detail"] >= 1220
    assert asked["sweep"] >= 6000
    assert {"cadence"} == {t.reason for t in targets if t.reason != "audit"}
    assert 0 == report.left_over


def test_all_sold_today_all_new_and_no_sales_each_fill_a_slice(tmp_path: Path) -> None:
    """Odd shops under both ways of spending: a plan as large as the slice, best sellers first, nothing twice."""
    for case, columns in (("sold", {"last_sold_at": to_ms(PlannerBench(tmp_path).clock.now())}), ("none", {})):
        for spend in ("due", "budget"):
            folder = tmp_path / case / spend
            folder.mkdir(parents=True)
            odd = PlannerBench(folder)
            odd.list_asins(range(3000))
            odd.know(range(1500), age=25 * HOUR, orders_30d=1.0 if columns else 0.0, **columns)
            _, targets = odd.plan(spend=spend)
            assert 1220 <= len(targets) == len({t.asin for t in targets}) <= 3000
            odd.database.close()


def test_stock_and_price_at_two_cost_no_more_than_stock_alone(bench: PlannerBench) -> None:
    """The plan knows no kinds: what the first of the pair asked, the second finds fresh, prices and all."""
    bench.list_asins(range(200))
    bench.know(range(100), age=25 * HOUR)
    _, stock = bench.plan(include_price="floor")
    assert 200 == len(stock)
    bench.answer(stock)
    bench.clock.advance(120)
    assert [] == bench.plan(job="price_sync", include_price="all", include_visibility=False)[1]


def test_a_restart_goes_on_where_the_run_before_ended(bench: PlannerBench) -> None:
    """Killed in the middle: what was answered is not asked again, what was not is."""
    bench.list_asins(range(100))
    _, first = bench.plan()
    bench.answer(first[:40])
    bench.clock.advance(5)
    assert {t.asin for t in first[40:]} == {t.asin for t in bench.plan()[1]}


def test_the_sweep_is_audited(bench: PlannerBench) -> None:
    """About 1% of what a sweep confirmed today is looked at in detail once, and then no more that day."""
    bench.list_asins(range(2000))
    bench.know(range(2000), age=timedelta(hours=13), last_sold_at=to_ms(bench.clock.now()))
    now = to_ms(bench.clock.now())
    for n in range(2000):
        bench.set(n, stock_at=now, probe_at=now)
    _, targets = bench.plan()
    assert {("detail", "audit")} == {(t.operation, t.reason) for t in targets}
    assert 8 <= len(targets) <= 35
    bench.answer(targets)
    assert [] == bench.plan()[1]
