"""A stop meets a run under way; 12,000 wrong prices in 24 shops whose hour is spent but for what is kept. Prints both.

One shop alone can't do that: it has 500 calls until the full hour, and ten minutes are 1,200 edits of half a second.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ecauto_pipeline_tests.scenarios.emergency import EDIT_S, emergency
from ecauto_pipeline_tests.scenarios.shop_day import RunResult

SHOPS, ITEMS = 24, 500
TEN_MINUTES_S = 600.0


@pytest.mark.timeout(600)
def test_a_run_under_way_sends_no_more_than_the_call_each_shop_has_in_hand(tmp_path: Path) -> None:
    """Stopped from outside while three shops are being edited: by the emulator's list, one more edit a shop at most."""
    with emergency(tmp_path, shops=3, items=60) as one:
        one.day.run()
        one.spoil()
        one.day.run("price_sync")
        assert one.say_yes(), "three shops whose prices all fall are held as one each"
        mark, ended = one.mark(), list[RunResult]()
        run = threading.Thread(target=lambda: ended.append(one.day.run("price_sync")))
        run.start()
        while run.is_alive() and len(one.day.edits(mark)) < 30:
            run.join(0.01)
        one.stop()
        sent = len(one.day.edits(mark))
        run.join()
        after = len(one.day.edits(mark)) - sent
        print(f"\n{sent} edits until the stop, {after} after it, {ended[0].figures['skipped']} rows wait")
        assert 30 <= sent < 180
        assert after <= 3
        assert sent + after == len(one.wrong_and_on_sale())


@pytest.mark.timeout(3600)
def test_none_of_12000_is_wrong_and_on_sale_after_ten_minutes(tmp_path: Path) -> None:
    """By the emulator's own list; the minutes are the busiest shop's calls, of half a second each, side by side."""
    with emergency(tmp_path, shops=SHOPS, items=ITEMS) as one:
        assert SHOPS * ITEMS == one.go_wrong()
        one.spend_the_hour()
        mark, began, clock_began = one.mark(), time.monotonic(), one.clock.now()
        one.stop()
        one.mend()
        report = one.take_back()
        took_s, waited_s = time.monotonic() - began, (one.clock.now() - clock_began).total_seconds()
        calls = one.calls_since(mark)
        busiest_s = max(calls.values()) * EDIT_S
        print(
            f"\n{report.account.pushed:,} prices put back in {SHOPS} shops, {sum(calls.values()):,} calls,"
            f" {max(calls.values())} in the busiest: {busiest_s / 60:.1f} minutes at BASE;"
            f" here {took_s:.0f} s, waited {waited_s:.0f} s by the shops' clock"
        )
        assert set() == one.wrong_and_on_sale()
        assert (SHOPS * ITEMS, 0) == (report.account.pushed, report.left)
        assert busiest_s + waited_s <= TEN_MINUTES_S
