"""New orders lane by lane: one run for the lane whose shop sold, and a lane that can't be looked at stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.lanes import LANE_TAG, ORDERS_TAG, lane_id
from ecauto_pipeline.emulator.credentials import base_app
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.defs.installation import Installation, installed

EAST, WEST = "base_account_1", "base_account_2"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=SystemClock(), seed=4, listings=24, accounts=2, speed=1000.0) as emulator:
        yield emulator


def two_lanes(url: str, missing: str = "") -> str:
    """`missing`: a variable that the second account is told to use and that nobody has set."""
    secret = f'refresh_token_env = "{missing}"\n' if missing else ""
    shops = "".join(
        f'[[base.accounts]]\nid = "{shop}"\nredirect_uri = "{base_app(shop).redirect_uri}"\n' for shop in (EAST, WEST)
    )
    return f"""
[sp_api]
endpoint = "{url}"
lwa_endpoint = "{url}"
[[sp_api.accounts]]
id = "sp_1"
[[sp_api.accounts]]
id = "sp_2"
{secret}[base]
endpoint = "{url}/1"
{shops}[[lanes]]
id = "east"
shops = ["{EAST}"]
sp_accounts = ["sp_1"]
[[lanes]]
id = "west"
shops = ["{WEST}"]
sp_accounts = ["sp_2"]
"""


def tick(here: Installation) -> list[dg.RunRequest]:
    """What one look of the sensor asks for."""
    repository = build_defs().get_repository_def()
    with dg.build_sensor_context(instance=here.instance, repository_def=repository) as context:
        said = repository.get_sensor_def("new_orders")(context)
    found = said if isinstance(said, list) else [said]
    return [one for one in found if isinstance(one, dg.RunRequest)]


def sell(emulator: EmulatorServer, shop: str) -> None:
    emulator.control.sell(shop, next(item for item in emulator.control.items(shop) if item["stock"])["item_id"])


def test_a_lane_whose_shop_sold_gets_a_run_that_waits_for_no_slice(tmp_path: Path, emulator: EmulatorServer) -> None:
    """Not under the tag of which one run works at a time: somebody is about to buy."""
    with installed(tmp_path, two_lanes(emulator.url)) as here:
        assert [] == tick(here)
        sell(emulator, WEST)
        (asked,) = tick(here)
    assert "west" == asked.tags[ORDERS_TAG]
    assert LANE_TAG not in asked.tags
    assert "west" == lane_id(dg.DagsterRun("order_watch", tags=asked.tags, run_config=asked.run_config))


def test_a_lane_that_can_not_be_looked_at_stops_no_other(tmp_path: Path, emulator: EmulatorServer) -> None:
    """What it lacks is said by status and doctor; the other lane hears of its order."""
    with installed(tmp_path, two_lanes(emulator.url, "NOBODY_SET_THIS")) as here:
        assert [] == tick(here)
        sell(emulator, EAST)
        assert ["east"] == [one.tags[ORDERS_TAG] for one in tick(here)]
