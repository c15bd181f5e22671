"""The fleet at a glance: who works on which lane, and what was not measured is not made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import lane_leases
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.views.fleet import LaneNow, look_at_fleet
from ecauto_pipeline.wiring.open import open_tools

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
LANES = {
    "emulator": {"accounts": 2},
    "base": {"accounts": ({"id": "base_account_1"}, {"id": "base_account_2"})},
    "sp_api": {"accounts": ({"id": "sp_1"}, {"id": "sp_2"})},
    "lanes": (
        {"id": "east", "shops": ("base_account_1",), "sp_accounts": ("sp_1",)},
        {"id": "west", "shops": ("base_account_2",), "sp_accounts": ("sp_2",)},
    ),
}


def test_a_lane_says_who_works_on_it_and_when_a_run_of_it_ended(tmp_path: Path) -> None:
    """One is worked on, and its last run took 90 s; of the other nothing is known. SQLite's server is not measured."""
    clock, owner = ManualClock(NOW), new_owner()
    with open_tools(parse(LANES, tmp_path), clock=clock, offline=True) as tools:
        with tools.state.write() as connection:
            run_book.begin(connection, "one", "stock_sync", "", NOW, False, owner, lane="east")
            run_book.end(connection, "one", NOW + timedelta(seconds=90))
            lane_leases.claim(connection, "east", "two", owner, NOW)
        now = look_at_fleet(tools)
    east, west = now.lanes
    assert ("two", 1, NOW + timedelta(seconds=90), 90.0) == (east.run_id, east.number, east.ended_at, east.seconds)
    assert east.host == owner.partition("|")[0]
    assert LaneNow("west", 1, 1) == west
    assert now.server is None


def test_without_lanes_there_is_the_one_with_all(tmp_path: Path) -> None:
    """As on one machine."""
    with open_tools(parse({}, tmp_path), clock=ManualClock(NOW), offline=True) as tools:
        assert ["all"] == [one.lane for one in look_at_fleet(tools).lanes]
