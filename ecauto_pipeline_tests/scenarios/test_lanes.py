"""Two lanes, three shops, ASINs that both lanes list: through the emulator, one after the other and at once."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Run
from ecauto_pipeline.sync.line import run_line
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay

LANES = {
    "sp_api": {"accounts": [{"id": "sp_1"}, {"id": "sp_2"}]},
    "lanes": [
        {"id": "east", "shops": ["base_account_1", "base_account_2"], "sp_accounts": ["sp_1"]},
        {"id": "west", "shops": ["base_account_3"], "sp_accounts": ["sp_2"]},
    ],
}
START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
WORLD: dict[str, Any] = {"seed": 4, "listings": 48, "accounts": 4, "speed": 1000.0}
EAST, WEST = {"base_account_1", "base_account_2"}, {"base_account_3"}
ACCOUNT = ("targets", "pushed", "unchanged", "held", "blocked", "skipped", "failed")


def asked_of(emulator: EmulatorServer) -> Counter[str]:
    """How often Amazon was asked about each ASIN in detail."""
    calls = emulator.control.calls(api="sp_api", operation="getItemOffersBatch")
    return Counter(asin for call in calls for asin in call["details"]["asins"])


def listed_by(day: ShopDay, shops: set[str]) -> set[str]:
    """The ASINs that these shops list in the register."""
    marks = ", ".join("?" * len(shops))
    query = f"select asin from listings where status = 'listed' and account_id in ({marks})"
    return {row["asin"] for row in day.register(query, *sorted(shops))}


def figures(result: RunResult) -> dict[str, Any]:
    return {name: result.figures[name] for name in ACCOUNT}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[Any, Any], Counter[str]]:
    """What one run of everything comes to: its account, what the shops show then, what was asked."""
    with EmulatorServer(clock=(clock := ManualClock(START)), **WORLD) as emulator:
        day = ShopDay(tmp_path_factory.mktemp("whole"), emulator, clock, loads_when_asked=True)
        return figures(day.run()), _shop_windows(day), asked_of(emulator)


def _shop_windows(day: ShopDay) -> dict[Any, Any]:
    return {key: (item["price_jpy"], item["visible"]) for key, item in day.shown().items()}


def test_lanes_one_after_the_other_leave_the_shops_as_one_run_of_everything_does(
    tmp_path: Path, alone: tuple[dict[str, Any], dict[Any, Any], Counter[str]]
) -> None:
    """No ASIN is asked twice, each lane pushes to its own shops with its own account, and the figures add up."""
    with EmulatorServer(clock=(clock := ManualClock(START)), **WORLD) as emulator:
        day = ShopDay(tmp_path, emulator, clock, LANES, loads_when_asked=True)
        shared = listed_by(day, EAST) & listed_by(day, WEST)
        first, second = day.run(lane="east"), day.run(lane="west")
        asked, shown, calls = asked_of(emulator), _shop_windows(day), emulator.control.calls()
    whole, windows, asked_alone = alone
    assert shared
    assert set(asked_alone) == set(asked)
    assert {1} == set(asked.values())
    assert windows == shown
    assert whole == {name: first.figures[name] + second.figures[name] for name in ACCOUNT}
    assert ["east", "west"] == [one.figures["lane"] for one in (first, second)]
    assert len(shared) <= second.figures["cache_hits"]
    by_shop = {call["account"] for call in calls if call["api"] == "base" and call["operation"] == "items"}
    assert EAST | WEST == by_shop


def test_two_lanes_at_once_ask_about_nothing_twice(tmp_path: Path) -> None:
    """Whoever comes first asks about what both list; the other finds it answered, or leaves it to him."""
    with EmulatorServer(clock=(clock := ManualClock(START)), **WORLD) as emulator:
        day = ShopDay(tmp_path, emulator, clock, LANES, loads_when_asked=True)
        shared = listed_by(day, EAST) & listed_by(day, WEST)
        runs = [threading.Thread(target=_work_in, args=(day, lane)) for lane in ("east", "west")]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        asked = asked_of(emulator)
        with day.tools() as tools, tools.state.read() as connection:
            ended = {row.lane for row in run_book.recent(connection) if row.ended_at is not None}
    assert {"east", "west"} == ended
    assert shared <= set(asked)
    assert {1} == set(asked.values())


def _work_in(day: ShopDay, lane: str) -> None:
    with day.tools(lane, lane) as tools:
        run = Run(lane, "full_sync", (hour_key(START),), START, lane=lane, accounts=tools.lane.shops)
        run_line(tools.for_run(run))


def test_what_breaks_one_lane_leaves_the_other_alone(tmp_path: Path) -> None:
    """A selling account that Amazon shuts out: its lane gets no answers, the other lane all of them."""
    with EmulatorServer(clock=(clock := ManualClock(START)), **WORLD) as emulator:
        day = ShopDay(tmp_path, emulator, clock, LANES, loads_when_asked=True)
        for operation in ("getItemOffersBatch", "getItemOffers", "getCompetitivePricing"):
            fault = {"kind": "http_error", "api": "sp_api", "operation": operation, "status": 403, "account": "sp_2"}
            emulator.control.add_faults(fault)
        west, east = day.run(lane="west"), day.run(lane="east")
    assert 0 == west.figures["status_success"]
    assert 0 < east.figures["status_success"]
    assert 0 < east.figures["pushed"]
