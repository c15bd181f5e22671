"""A slice is a span of time: what it can ask is decided by what Amazon lets it ask, not by what the plan expected."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)


def test_a_slice_whose_list_was_too_short_goes_on_asking_until_its_time_is_over(tmp_path: Path) -> None:
    """The first plan knows the documented rates; this Amazon allows a hundred times as much: nothing is left over.

    No ASIN is asked twice for it, what failed included, and the records say what was asked in the end.
    """
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=4, listings=500, accounts=2, speed=100.0) as emulator:
        day = ShopDay(tmp_path, emulator, clock, loads_when_asked=True)
        result = day.run("stock_sync", slice_s=60.0, push=False)
        planned, fetched = result.reports["stale_asins"], result.reports["sp_api_snapshots"]
        calls = emulator.control.calls(api="sp_api", operation="getItemOffersBatch")
        asked = Counter(asin for call in calls for asin in call["details"]["asins"])
    assert planned.left_over > 0
    assert planned.survey.total_asins == len(asked) == fetched.planned
    assert set(asked.values()) == {1}
    assert fetched.left_over == 0
    assert fetched.seconds < 60
    assert (planned.survey.cache_misses, 0) == (result.figures["cache_misses"], result.figures["cache_hits"])


def test_a_slice_at_the_documented_rates_makes_one_list(tmp_path: Path) -> None:
    """Where Amazon allows what its documents say, the slice is over before its list is."""
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=4, listings=500, accounts=2, speed=1.0) as emulator:
        day = ShopDay(tmp_path, emulator, clock, loads_when_asked=True)
        result = day.run("stock_sync", slice_s=60.0, push=False)
        planned, fetched = result.reports["stale_asins"], result.reports["sp_api_snapshots"]
    assert planned.detail_asins == fetched.planned
    assert 0 < fetched.left_over < planned.detail_asins


def test_a_run_is_planned_to_take_what_its_edits_take(tmp_path: Path) -> None:
    """The plan's time, against which a run counts as too long, holds the edits that the run found necessary."""
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=4, listings=120, accounts=2, speed=100.0) as emulator:
        day = ShopDay(tmp_path, emulator, clock, loads_when_asked=True)
        result = day.run("full_sync", include_price="all")
        edits = Counter(call["account"] for call in day.edits())
    planned_s = result.reports["stale_asins"].planned_seconds
    assert edits
    assert result.figures["planned_seconds"] >= planned_s + 0.5 * max(edits.values())
