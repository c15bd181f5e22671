"""What `ecauto status` says of the shops' budgets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.cli.status import gather
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.windows import ShopWindows
from ecauto_pipeline.wiring.open import open_tools


def test_the_calls_of_an_hour_that_is_over_are_not_this_hours(tmp_path: Path) -> None:
    """BASE counts by the clock hour: at :00 nothing is used yet, whatever the hour before cost."""
    clock = ManualClock(datetime(2026, 11, 10, 13, 50, tzinfo=UTC))
    with open_tools(parse({}, tmp_path), clock=clock, offline=True) as tools:
        windows = ShopWindows(tools.state, clock, "base", "base_account_1", per_hour=5000, per_day=100_000)
        for _ in range(3):
            windows.reserve("read")
        assert [3, 0, 0] == [shop["calls_this_hour"] for shop in gather(tools)["accounts"]]
        clock.advance(600)
        assert [0, 0, 0] == [shop["calls_this_hour"] for shop in gather(tools)["accounts"]]
