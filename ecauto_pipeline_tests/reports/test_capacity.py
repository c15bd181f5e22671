"""`ecauto capacity` over this shop and over supposed ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.reports.capacity import HEADINGS, capacity, markdown, rows
from ecauto_pipeline.state.schema_calls import buckets
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PlannerBench]:
    bench = PlannerBench(tmp_path)
    yield bench
    bench.database.close()


def test_the_shop_as_it_is(bench: PlannerBench) -> None:
    """Tiers as sales and views make them, listings an ASIN as they are offered."""
    bench.list_asins(range(10))
    bench.list_asins(range(10), "shop_2")
    bench.know(range(2), last_sold_at=to_ms(bench.clock.now()))
    shop = capacity(bench.tools).shop
    assert (2, 0, 8, 2.0) == (shop.high, shop.medium, shop.low, shop.listings_per_asin)


def test_a_supposed_shop(bench: PlannerBench) -> None:
    """Tiers that are named, or the shares seen, and always as many ASINs as were said."""
    assert (1_000, 5_000, 94_000) == (
        (shop := capacity(bench.tools, listings=100_000).shop).high,
        shop.medium,
        shop.low,
    )
    assert (7, 8, 9) == ((shop := capacity(bench.tools, tiers=(7, 8, 9)).shop).high, shop.medium, shop.low)
    with pytest.raises(ValueError, match="0 listings"):
        capacity(bench.tools, listings=-1)


def test_what_each_choice_costs_and_buys(bench: PlannerBench) -> None:
    """Calls a day for the tiers' own ages, and for every call there is; the choice in force is marked."""
    found = capacity(bench.tools, tiers=(720, 0, 0))
    one = found.choices
    assert (720 / 20 * 24, (360 + 1800) * 24) == (one.due_calls, one.budget_calls)
    assert round(720 / (7_200 + 36_000), 6) == round(one.budget_every_h, 6)
    table = {name: (cost, buys) for name, cost, buys in rows(found, "en")}
    assert ("51,840 SP-API calls/d", "asked every 1 min on average, sellers more often") == table[
        'tiers.spend = "budget"'
    ]
    assert 'tiers.spend = "due" (in force)' in table
    assert 'schedules.include_price = "all" (in force)' in table


def test_measured_rates_and_a_blind_sweep_count(bench: PlannerBench) -> None:
    """A throttled account shows as what it is; a sweep proven blind is not reckoned with."""
    full = capacity(bench.tools, listings=100_000)
    row = {
        "account": "sp_1",
        "operation": "getItemOffersBatch",
        "rate_per_s": 0.05,
        "burst": 1,
        "tokens": 1,
        "updated_at": 0,
    }
    bench.fetched(sweep_answers=200, sweep_unknown=150)
    with bench.database.write() as connection:
        connection.execute(insert(buckets), row)
    slow = capacity(bench.tools, listings=100_000)
    assert slow.detail_load > 2 * full.detail_load
    assert (True, False) == (full.shop.sweep_sees, slow.shop.sweep_sees)


def test_the_table_says_all_of_it(bench: PlannerBench) -> None:
    """Every row has as many cells as headings; the same as markdown."""
    found = capacity(bench.tools, listings=300_000, sp_accounts=3)
    assert {len(HEADINGS)} == {len(row) for row in rows(found)}
    assert len(rows(found)) + 2 == len(markdown(found).splitlines())


def test_what_is_kept_of_the_calls_is_said(bench: PlannerBench) -> None:
    """A tenth of a shop's hour and of its day; the pushes of a day are reckoned without it."""
    said = {label: (figure, note) for label, figure, note in rows(capacity(bench.tools), "en")}
    assert ("500 calls/h a shop", "10,000 calls a day") == said["kept for hides and undoing"]
    assert "limit 88,000" == said["pushes a day"][1]  # 100,000 less a tenth, less two hundredths for reads
