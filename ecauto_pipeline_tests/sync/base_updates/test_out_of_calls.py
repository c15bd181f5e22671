"""How many changes wait for BASE's next hour: as many in every run of that hour, whoever has found them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.run_record import begin_run, end_run
from ecauto_pipeline_tests.sync.diffs.selling import ITEMS, World


def test_a_later_run_says_what_still_waits(tmp_path: Path) -> None:
    """A price and a hide wait: the first run skips them, the next ones leave alone what was said of them."""
    world = World(tmp_path)
    asins = [world.list_item(item, 1300, cost_jpy=1000) for item in ITEMS]
    world.sync()
    world.amazon(asins[0], 1200)
    world.amazon(asins[1], None, "out_of_stock")
    spent = world.clock.now()
    until = to_ms(spent + timedelta(hours=1))
    told = []
    for _ in range(3):
        world.later(minutes=8)
        world.read_shops(
            read_at=to_ms(spent), breaker="hour_api_limit", breaker_since=to_ms(spent), breaker_until=until
        )
        context = world.tools.for_run(world.run())
        begin_run(context)
        world.decide(context.run)
        told.append(push.run(context).out_of_calls)
        end_run(context)
    assert [(("shop_1", 2),)] * 3 == told
