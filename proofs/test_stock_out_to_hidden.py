"""How long a stock-out that Amazon tells of sells on: a slice at the documented rates, on a clock moved by hand.

`pytest proofs/test_stock_out_to_hidden.py -s` takes half a minute of CPU and prints what docs/performance.md shows.
Not for: how long it takes until Amazon is asked (benchmarks/freshness), or how slow a machine is (test_sensor_hour.py).
"""

from __future__ import annotations

import statistics
from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay
from ecauto_pipeline_tests.scenarios.test_push_while_asking import GivesBatchesTime, at_documented_rates

_START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
_ONE_IN = 25
"""Of the goods in stock are sold out when the day's slice begins."""
_DELAYS = """
    with hidden as (
        select asin, min(completed_at) as hid from updates
        where kind = 'visibility' and "after" = '0' and outcome = 'done' and attempted_at >= ? group by 1
    ), sold_out as (
        select h.asin, h.hid, min(s.observed_at) as said from hidden h join snapshots s on s.asin = h.asin
        where s.status = 'out_of_stock' and s.observed_at between ? and h.hid
        and s.operation <> 'getCompetitivePricing' group by 1, 2
    )
    select epoch(hid) - epoch(said) as delay_s from sold_out order by 1
"""


def _delays_s(folder: Path, early: bool) -> tuple[list[float], float]:
    """Seconds from the first answer that said so to the edit, and how long the slice asked."""
    clock = GivesBatchesTime(_START)
    with EmulatorServer(clock=clock, seed=9, listings=700, accounts=1, speed=100.0) as emulator:
        day = ShopDay(folder, emulator, clock)
        day.run("full_sync", slice_s=600.0)
        at_documented_rates(emulator)
        day.advance(25 * 3600)
        asins = [row["asin"] for row in day.register("select distinct asin from listings order by asin")]
        for asin in [asin for asin in asins if emulator.control.truth(asin)["status"] == "Success"][::_ONE_IN]:
            emulator.control.set_truth(asin, offers=[])
        clock.asking, began = True, clock.now()
        asked = day.run("full_sync", slice_s=600.0, push_while_asking=early).reports["sp_api_snapshots"]
        return [row["delay_s"] for row in day.history(_DELAYS, began, began)], asked.seconds


def test_a_stock_out_is_hidden_within_a_minute_of_its_first_answer(tmp_path: Path) -> None:
    """Half of them within a minute, all within two and a half; where they wait for the slice it is far longer."""
    (tmp_path / "early").mkdir()
    (tmp_path / "late").mkdir()
    early, asked_s = _delays_s(tmp_path / "early", early=True)
    late, _ = _delays_s(tmp_path / "late", early=False)
    for name, delays in (("while the slice asks", early), ("when it has asked", late)):
        print(f"| {name} | {len(delays)} | {statistics.median(delays):.0f} s | {max(delays):.0f} s |")
    print(f"the slice asked for {asked_s:.0f} s")
    assert len(early) == len(late) >= 20
    assert statistics.median(early) <= 60
    assert max(early) <= 150
    assert statistics.median(late) > 2 * statistics.median(early)
