"""When the pictures of the last day are drawn: once an hour, and when a run left what a person has to see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.reports.asset_pictures import GOOD_FOR, to_be_drawn
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline.sync.run_record import RunRecord

NOON = datetime(2026, 6, 1, 3, tzinfo=UTC)
QUIET = RunRecord(run_id="r", job="stock_sync", partition_key="2026-06-01-12:00", started_at=NOON)
WELL = replace(
    QUIET,
    price_diffs=DiffReport(holds_kept=3),
    visibility_diffs=DiffReport(),
    base_updates=PushReport(account=RowCounts(targets=9, pushed=9), edits=9),
)


@pytest.mark.parametrize("record", [QUIET, WELL], ids=["nothing measured", "all well"])
def test_within_the_hour_they_are_not_drawn_again(record: RunRecord) -> None:
    """Whatever was sent well; from the hour's end on they are, and where the clock was set back."""
    ages = [timedelta(0), timedelta(minutes=59), GOOD_FOR, timedelta(seconds=-1)]
    assert [False, False, True, True] == [to_be_drawn(NOON, record, NOON + age) for age in ages]


def test_where_nobody_knows_of_any_they_are_drawn() -> None:
    """The first run of an installation, and after Dagster's records are gone."""
    assert to_be_drawn(None, QUIET, NOON)


@pytest.mark.parametrize(
    "left",
    [
        {"price_diffs": DiffReport(holds_new=1)},
        {"visibility_diffs": DiffReport(holds_new=1)},
        {"base_updates": PushReport(account=RowCounts(targets=1, failed=1))},
        {"base_updates": PushReport(unknown=1)},
    ],
    ids=["price held", "hide held", "edit failed", "outcome unknown"],
)
def test_what_a_person_has_to_see_is_drawn_at_once(left: dict[str, DiffReport | PushReport]) -> None:
    """Rows newly held, edits that failed or of unknown outcome; of a rehearsal nothing waits or went wrong."""
    record = replace(WELL, **left)  # type: ignore[arg-type]  # mypy wants each field's own type of a mapping
    assert to_be_drawn(NOON, record, NOON)
    assert not to_be_drawn(NOON, replace(record, dry_run=True), NOON)
