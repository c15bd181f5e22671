"""Laws of reading a shop right after :00, while BASE still counts the hour before; over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state import shop_accounts
from ecauto_pipeline_tests.sync.listings.shop_bench import NOON, ShopBench

ACCOUNT = "base_account_1"
BEGAN = NOON.replace(minute=0)
REFUSED = {"kind": "hour_api_limit", "api": "base", "account": ACCOUNT}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ShopBench]:
    clock = ManualClock(BEGAN + timedelta(seconds=0.4))
    with EmulatorServer(clock=clock, seed=7, listings=20, accounts=1) as emulator:
        yield ShopBench.at(tmp_path, emulator, clock, (ACCOUNT,))


def breaker(bench: ShopBench) -> str:
    with bench.tools.state.read() as connection:
        return shop_accounts.load_account(connection, "base", ACCOUNT).breaker


def test_a_run_that_begins_with_the_hour_waits_for_it(bench: ShopBench) -> None:
    """BASE's clock is behind: two minutes later the shop is read whole by this very run."""
    bench.emulator.control.add_faults({**REFUSED, "times": 2})
    assert {ACCOUNT: "full"} == dict(bench.read().modes)
    assert (BEGAN + timedelta(minutes=2), "") == (bench.clock.now(), breaker(bench))


def test_an_hour_that_stays_spent_is_left_alone_to_its_end(bench: ShopBench) -> None:
    """Six calls in five minutes, and from then on not one before :00."""
    bench.emulator.control.add_faults(REFUSED)
    assert {ACCOUNT: "hour_api_limit"} == dict(bench.read().not_read)
    calls = bench.last_call()
    bench.clock.advance(3000)
    assert {ACCOUNT: "hour_api_limit"} == dict(bench.read().not_read)
    assert (6, 6, "hour_api_limit") == (calls, bench.last_call(), breaker(bench))
    bench.emulator.control.clear_faults()
    bench.clock.set(BEGAN + timedelta(hours=1))
    assert {ACCOUNT: "full"} == dict(bench.read().modes)
