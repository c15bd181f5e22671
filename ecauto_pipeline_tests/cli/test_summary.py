"""What a run's summary says beside its figures."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ecauto_pipeline.cli.summary import show_summary
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline.sync.run_record import RunRecord

NOON = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(("by_hand", "said"), [(3, True), (0, False), (None, False)])
def test_prices_that_a_person_set_are_counted(
    by_hand: int | None, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there are any; nothing is said where there are none, or where nobody looked."""
    judged = DiffReport(RowCounts(targets=3, unchanged=3), by_hand=by_hand)
    show_summary(
        RunRecord(
            run_id="run",
            job="full_sync",
            partition_key="",
            started_at=NOON,
            price_diffs=judged,
            base_updates=PushReport(),
        ),
        [],
    )
    assert said == ("人がショップで変えた価格: 3 件" in capsys.readouterr().out)
