"""Wrong prices are out and the hour is spent: stop, rollback, and what is left for the next hour.

`proofs/test_emergency.py` does the same with 12,000 prices in 24 shops.
"""

from __future__ import annotations

from pathlib import Path

from ecauto_pipeline.domain.selling.call_shares import reserved
from ecauto_pipeline_tests.scenarios.emergency import emergency

PER_HOUR, KEPT, FOR_READS = 40, 4, 10


def test_what_is_kept_puts_as_many_prices_right_and_the_next_hour_the_rest(tmp_path: Path) -> None:
    """One call a price, shops side by side; how many are left is said, and the same again goes on after :00."""
    assert KEPT == reserved(PER_HOUR)
    calls = KEPT + FOR_READS - 1  # one page tells what all of a shop's items show
    with emergency(tmp_path, shops=2, items=calls + 3, per_hour=PER_HOUR) as one:
        assert 2 * (calls + 3) == one.go_wrong()
        one.spend_the_hour()
        one.stop()
        one.mend()
        mark = one.mark()
        report = one.take_back()
        assert (2 * calls, 6, 6) == (report.account.pushed, report.left, len(one.wrong_and_on_sale()))
        assert 2 * calls == len(one.day.edits(mark))
        one.day.advance(3600)
        report = one.take_back()
        assert (6, 0, set()) == (report.account.pushed, report.left, one.wrong_and_on_sale())
