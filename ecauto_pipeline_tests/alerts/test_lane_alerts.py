"""What a lane's run finds is told of its lane: the run of another lane, which measured nothing of it, ends it not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.alerts.announce import announce, firing_now
from ecauto_pipeline.alerts.rule import in_lane
from ecauto_pipeline.alerts.rules import RULES, judge
from ecauto_pipeline.alerts.rules.runs import run_failed
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.silent_runs import stuck_runs
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.doctor.silence import silences
from ecauto_pipeline.settings import WHOLE_LANE, parse
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline_tests.alerts.alert_tools import NOON, tools_at
from ecauto_pipeline_tests.alerts.records import a_record

SHOPS = [{"id": "shop_1"}, {"id": "shop_2"}]
LANES = [
    {"id": "east", "shops": ["shop_1"], "sp_accounts": ["sp_1"]},
    {"id": "west", "shops": ["shop_2"], "sp_accounts": ["sp_2"]},
]
DOCUMENT: dict[str, Any] = {
    "mode": "live",
    "base": {"accounts": SHOPS},
    "sp_api": {"accounts": [{"id": "sp_1"}, {"id": "sp_2"}]},
}


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    opened = tools_at(tmp_path, {**DOCUMENT, "lanes": LANES})
    (tmp_path / "data").mkdir(exist_ok=True)
    yield opened
    opened.state.close()


def run_of(lane: str, hits: int, misses: int = 0) -> RunRecord:
    return replace(a_record(run_id=lane, cache_hits=hits, cache_misses=misses), lane=lane)


def hears(tools: Tools, record: RunRecord | None) -> set[str]:
    """What fires about the cache after a run was told of (None: after nothing)."""
    announce(tools, judge(record, alert_setup(tools)) if record is not None else (), record)
    return {key for key, _ in firing_now(tools) if key.startswith("cache_hit_rate")}


def test_the_run_of_another_lane_ends_nothing_that_was_found_in_this_one(tools: Tools) -> None:
    """A rate that was too low in the east stays so while the west is well, and ends with the east's own next run."""
    assert {"cache_hit_rate:@east"} == hears(tools, run_of("east", 10, 90))
    assert {"cache_hit_rate:@east"} == hears(tools, run_of("west", 100))
    assert set() == hears(tools, run_of("east", 100))


def test_what_is_the_same_for_every_lane_is_told_once(tools: Tools) -> None:
    """Three hundred lanes would tell of one missing channel three hundred times."""
    for lane in ("east", "west"):
        announce(tools, judge(run_of(lane, 100), alert_setup(tools)))
    assert ["alert_channel_configured"] == [key for key, _ in firing_now(tools)]
    assert {"register_read", "rules_read", "history_published"} <= {
        one.name for one in RULES.values() if not one.of_lane
    }


def test_an_alert_ends_with_its_lane_and_the_whole_with_the_first_lanes(tools: Tools, tmp_path: Path) -> None:
    """Nobody looks at it any more; that is no recovery."""
    assert {"cache_hit_rate:@east"} == hears(tools, run_of("east", 10, 90))
    gone = replace(tools, settings=parse(DOCUMENT, tmp_path))
    assert set() == hears(gone, None)
    assert {"cache_hit_rate"} == hears(gone, run_of(WHOLE_LANE, 10, 90))
    assert set() == hears(tools, None)


def test_a_failed_run_is_told_of_its_lane(tools: Tools) -> None:
    """The next run of the job in another lane is no sign that it is well again."""
    for lane, failed in (("east", True), ("west", False)):
        announce(tools, [run_failed(lane, in_lane("stock_sync", lane), "broken", failed=failed)])
    assert ["run_failed:stock_sync@east"] == [key for key, _ in firing_now(tools)]


def test_a_lane_that_stands_still_is_heard_while_others_run(tools: Tools) -> None:
    """Where nothing at all runs that is said once; a lane in which nothing ever ran is not judged."""
    with tools.state.write() as connection:
        for lane, hours in (("east", 5), ("west", 0)):
            run_book.begin(connection, lane, "stock_sync", "", NOON - timedelta(hours=hours), False, "", lane)
            run_book.end(connection, lane, NOON - timedelta(hours=hours))
    assert {"nothing_ran:@east"} == _silent(tools)
    assert {"nothing_ran"} == _silent(replace(tools, clock=ManualClock(NOON + timedelta(hours=8))))


def _silent(tools: Tools) -> set[str]:
    return {one.key for one in silences(tools, None) if not one.passed and one.rule == "nothing_ran"}


def test_a_run_that_is_stuck_is_told_of_its_lane(tools: Tools) -> None:
    """One that is alive in another lane hides it not."""
    with tools.state.write() as connection:
        for lane, hours in (("east", 5), ("west", 0)):
            run_book.begin(connection, lane, "stock_sync", "", NOON - timedelta(hours=hours), False, "", lane)
    found = {one.key: one.passed for one in stuck_runs(tools)}
    assert {"run_stuck:stock_sync@east": False, "run_stuck:stock_sync@west": True} == found
