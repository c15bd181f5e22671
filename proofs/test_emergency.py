"""12,000 wrong prices in 24 shops whose hour is spent but for what is kept, from the stop to the last one. Prints both.

One shop alone can't do that: it has 500 calls until the full hour, and ten minutes are 1,200 edits of half a second.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ecauto_pipeline_tests.scenarios.emergency import EDIT_S, emergency

SHOPS, ITEMS = 24, 500
TEN_MINUTES_S = 600.0


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
