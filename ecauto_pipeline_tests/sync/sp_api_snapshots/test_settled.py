"""What has been answered since a plan was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.sync.sp_api_snapshots.settled import settled

MADE = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)
NOW = MADE + timedelta(minutes=3)


@pytest.mark.parametrize("role", [Role.SWEEP, Role.DETAIL, Role.CONFIRM])
def test_an_answer_since_the_plan_settles_it_and_one_from_the_future_does_not(role: Role) -> None:
    """A clock that was a month ahead left stamps by which nothing was asked for a month; clocks that differ by a little
    are those of machines that share the work."""
    moments = {MADE: True, NOW + timedelta(minutes=1): True, MADE - timedelta(1): False, NOW + timedelta(30): False}
    found = {
        moment: settled(AsinRow("B1", detail_at=moment, error_at=None), role, MADE, NOW, waits=False, handed_over=False)
        for moment in moments
    }
    assert moments == found
