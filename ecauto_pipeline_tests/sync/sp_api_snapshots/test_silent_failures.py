"""A failure that looks like an answer, from the wire to the next plan: said, believed by nobody, asked again first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state import plans
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline_tests.amazon.silent_failures import SILENT_FAILURES, fault_name, patience_s
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, kept, rows_of, tools_at

_CLOCK = ManualClock(datetime(2026, 1, 5, 3, tzinfo=UTC))
_LISTED = 40
_DETAIL = "getItemOffersBatch"


@pytest.fixture(scope="module")
def world() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=_CLOCK, seed=3, listings=60, accounts=1, speed=1.0) as server:
        for operation in (_DETAIL, "getItemOffers", "getCompetitivePricing"):
            server.control.set_rate(operation, 1000.0, 1000)
        yield server


@pytest.fixture(scope="module")
def shop(world: EmulatorServer, tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """Forty listings that are in stock, all of them known."""
    tools = tools_at(tmp_path_factory.mktemp("shop"), world.url, _CLOCK, timeout_s=30.0)
    truths = ((asin, world.control.truth(asin)) for asin in world.control.asins())
    sound = [asin for asin, is_so in truths if is_so["known"] and is_so["status"] == "Success" and not is_so["failure"]]
    rows = [
        {"platform": "base", "account_id": "shop_1", "item_id": str(n), "asin": asin, "listed": 1}
        for n, asin in enumerate(sound[:_LISTED])
    ]
    for asin in sound[:_LISTED]:
        world.control.set_truth(asin, price_jpy=3000)
    with tools.state.write() as connection:
        connection.execute(insert(listings), rows)
    fetch.run(tools.for_run(_planned(tools, "first")))
    return tools


def _planned(tools: Tools, run_id: str, **options: Any) -> Run:
    run = a_run(run_id, _CLOCK.now(), **options)
    with tools.state.write() as connection:
        run_book.begin(connection, run.run_id, run.job, run.partition_key, run.started_at, run.dry_run)
    stale_asins.run(tools.for_run(run))
    return run


def _asked(tools: Tools, run: Run) -> list[tuple[str, str]]:
    with tools.state.read() as connection:
        return [(target.asin, target.reason) for target in plans.targets_of_run(connection, run.run_id)]


@pytest.mark.parametrize(("fault", "reason"), SILENT_FAILURES, ids=fault_name)
def test_a_silent_failure_is_said_moves_no_state_and_is_asked_again_first(
    world: EmulatorServer, shop: Tools, fault: dict[str, Any], reason: str
) -> None:
    """Twenty api_error rows with the true reason; what was believed stays, as old as it was; next run: these first."""
    _CLOCK.advance(25 * 3600)
    name = f"{_CLOCK.now():%m%d%H}"
    run = _planned(shop, f"fault-{name}", max_items=20)
    asked = [asin for asin, _ in _asked(shop, run)]
    before = rows_of(shop, asked)
    world.control.add_faults({"api": "sp_api", "seconds": 2.0, **fault})
    waiting = tools_at(shop.settings.root, world.url, _CLOCK, timeout_s=patience_s(fault))
    report = fetch.run(waiting.for_run(run))
    world.control.clear_faults()
    named = [row for row in report.unanswered if row[0] == _DETAIL]
    assert [(_DETAIL, asin, reason, 1) for asin in sorted(asked)[:3]] == named
    rows = [row for row in kept(shop, run.run_id) if row.operation == _DETAIL]
    assert sorted(asked) == sorted(row.asin for row in rows)
    assert 20 == len(rows)
    assert {("api_error", reason)} == {(row.status, row.reason) for row in rows}
    after = rows_of(shop, asked)
    assert {reason} == {row.error_reason for row in after.values()}
    unsaid = {a: replace(row, error_count=0, error_at=None, error_reason="") for a, row in after.items()}
    assert before == unsaid
    _CLOCK.advance(60)
    following = _planned(shop, f"again-{name}")
    assert {(asin, "error") for asin in asked} == set(_asked(shop, following)[:20])
    assert {"success": _LISTED} == dict(fetch.run(shop.for_run(following)).by_status)
    assert {0} == {row.error_count for row in rows_of(shop, asked).values()}
