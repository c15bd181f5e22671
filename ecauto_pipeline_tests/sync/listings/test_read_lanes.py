"""Reading in a lane: its own shops alone, and what another lane or another machine works on stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.lanes import WHOLE, Lane
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import joined_listings
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.listings.read import may_retire
from ecauto_pipeline_tests.sync.listings.shop_bench import NOON, ShopBench

ONE, TWO = "base_account_1", "base_account_2"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ShopBench]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=60, accounts=2) as emulator:
        yield ShopBench.at(tmp_path, emulator, clock, (ONE, TWO))


def test_a_run_of_a_lane_leaves_the_shops_of_other_lanes_alone(bench: ShopBench) -> None:
    """It reads its own shops; those that ecauto.toml has in another lane go on taking part."""
    bench.read()
    before = bench.rows()
    lane = Lane("west", (AccountKey("base", ONE),), ("sp_1",))
    mine = {key: bench.tools.shops[key] for key in lane.shops}
    bench.tools = replace(bench.tools, shops=mine, active_shops=frozenset(bench.tools.shops), lane=lane)
    assert {ONE} == set(bench.read(lane="west", accounts=lane.shops).modes)
    assert {(row.account_id, row.item_id) for row in before if row.listed} == {
        (row.account_id, row.item_id) for row in bench.rows() if row.listed
    }


@pytest.mark.parametrize("lane", [WHOLE, Lane("west", (AccountKey("base", ONE),))], ids=["whole", "lane"])
def test_a_shop_that_another_machines_settings_have_is_not_taken_away(bench: ShopBench, lane: Lane) -> None:
    """Where state is shared by machines, a shop that this ecauto.toml lacks may be another's."""
    bench.read()
    with bench.tools.state.write() as connection:
        joined_listings.retire(connection, [AccountKey("base", ONE)], may_retire(_shared(bench.tools, lane)))
    assert {ONE, TWO} == {row.account_id for row in bench.rows() if row.listed}


def _shared(tools: Tools, lane: Lane) -> Tools:
    """The same with a state that is no file of this machine, and an ecauto.toml with one shop."""
    url = "postgresql+psycopg://127.0.0.1/never_opened"
    document = {"state": {"url": url}, "base": {"accounts": [{"id": ONE}]}}
    return replace(tools, settings=parse(document, tools.settings.root), lane=lane)
