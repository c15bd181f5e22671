"""The job of 02:00 through Dagster: prices alone, and no loss left on sale that it can't correct."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy import insert

from ecauto_pipeline.clock import SystemClock, to_ms
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.defs.installation import Installation, installed, one_shop

SHOP = "base_account_1"
STEPS = ("listings", "price_diffs", "base_updates")
"""Of the job, all but the asking: what Amazon has said is written beforehand."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=SystemClock(), seed=4, listings=12, accounts=2, speed=1000.0) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, emulator: EmulatorServer) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("price_sync"), one_shop(emulator.url, SHOP)) as installation:
        yield installation


@dg.op
def may_hide_op(pipeline: Pipeline) -> tuple[bool, bool]:
    """What the run may do of a listing's visibility: all that is wanted; losses alone."""
    run = pipeline.context.run
    return run.include_visibility, run.hide_failed_prices


@dg.job(name="price_sync", resource_defs={"pipeline": Pipeline.configure_at_launch()})
def may_hide() -> None:
    """A job of the price job's name, and so of its policy."""
    may_hide_op()


@pytest.mark.parametrize("ticked", [True, False])
def test_who_takes_the_tick_off_gets_no_hide_at_all(here: Installation, ticked: bool) -> None:
    """The price job judges no visibility whatever the launchpad says; without the tick it hides no loss either."""
    config = {"resources": {"pipeline": {"config": {"include_visibility": ticked}}}}
    result = may_hide.execute_in_process(run_config=config, instance=here.instance)
    assert (False, ticked) == result.output_for_node("may_hide_op")


def test_the_price_job_hides_a_loss_that_waits_for_a_person(here: Installation, emulator: EmulatorServer) -> None:
    """As the definitions have it: the loss is off sale, its price as it was, and what is out of stock is left alone."""
    on_show = [item for item in emulator.control.items(SHOP) if item["visible"]]
    loss = on_show[0]
    gone = next(item for item in on_show if item["asin"] != loss["asin"])
    with open_tools(here.settings, offline=True) as tools, tools.state.write() as connection:
        now = to_ms(tools.clock.now())
        for item, cost_jpy in ((loss, 3 * loss["price_jpy"]), (gone, None)):
            said = {"status": "success", "price_at": now} if cost_jpy else {"status": "out_of_stock"}
            facts = {"price_jpy": cost_jpy, "in_stock": int(bool(cost_jpy)), "stock_at": now, "snapshot_id": "s"}
            connection.execute(insert(asins).values(asin=item["asin"], **said, **facts))
    done = here.run("price_sync", steps=STEPS)
    shown = {item["item_id"]: (item["visible"], item["price_jpy"]) for item in emulator.control.items(SHOP)}
    assert done.success
    assert (False, loss["price_jpy"]) == shown[loss["item_id"]]
    assert (True, gone["price_jpy"]) == shown[gone["item_id"]]
