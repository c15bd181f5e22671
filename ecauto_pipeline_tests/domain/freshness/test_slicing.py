"""When one more slice starts within the hour, and when not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.freshness import slicing
from ecauto_pipeline.domain.freshness.slicing import SliceDecision, decide, fetch_end

HOUR = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def _decide(minute: float, ends: float | None = 10.0, **options: Any) -> SliceDecision:
    facts: dict[str, Any] = {"active": True, "queued": 0, "due_left": 500, "spend": "due", **options}
    facts["due_left"] = partial(int, facts["due_left"])
    end = None if ends is None else HOUR + timedelta(minutes=ends)
    return decide(now=HOUR + timedelta(minutes=minute), hour_start=HOUR, last_fetch_ends_at=end, **facts)


@pytest.mark.parametrize(
    ("launch", "reason", "decision"),
    [
        (False, "fetching", _decide(9.0)),
        (True, "next_slice", _decide(9.7)),  # the start-up overlaps the end of the fetch, and the pushes after it
        (True, "next_slice", _decide(15.0)),
        (False, "nothing_due", _decide(15.0, due_left=0)),
        (True, "next_slice", _decide(15.0, due_left=0, spend="budget")),
        (False, "another_run_waits", _decide(15.0, queued=1)),
        (False, "planning", _decide(0.2, ends=None)),
        (True, "next_slice", _decide(20.0, ends=None, active=False)),  # the run before died: its work is still there
        (False, "last_run_failed", _decide(20.0, ends=None, active=False, failed_at=HOUR + timedelta(minutes=11))),
        (True, "next_slice", _decide(20.0, ends=None, active=False, failed_at=HOUR + timedelta(minutes=10))),
        (True, "next_slice", _decide(20.0, ends=None, active=False, failed_at=HOUR + timedelta(hours=9))),
        (False, "hour_nearly_over", _decide(59.5)),
        (False, "outside_the_hour", _decide(-3.0)),
        (False, "outside_the_hour", _decide(60.0)),
    ],
)
def test_launch_or_wait(launch: bool, reason: str, decision: SliceDecision) -> None:
    """One slice follows the other without a gap; never two that fetch, never without work, never into the next hour."""
    assert SliceDecision(launch, reason) == decision


@given(
    minute=st.floats(-10, 70), ends=st.floats(0, 60), due=st.integers(0, 10), spend=st.sampled_from(["due", "budget"])
)
def test_never_two_at_once_and_never_into_the_next_hour(minute: float, ends: float, due: int, spend: str) -> None:
    """A launch leaves the fetch under way no more than the start-up to go, and a minute of the hour."""
    if _decide(minute, ends, due_left=due, spend=spend).launch:
        assert ends - minute <= 30 / 60 + 1e-6
        assert minute <= 59
        assert due > 0 or spend == "budget"


def test_a_whole_hour_is_filled_by_slices_back_to_back() -> None:
    """Looked at every 10 s, 25 s to start, slices of 10 minutes: the hour's time is used but for its last minute."""
    fetching_s, end, slices = 0.0, HOUR + timedelta(seconds=20 + 600), 1
    fetching_s += 600
    for tick in range(360):
        now = HOUR + timedelta(seconds=10 * tick)
        decision = _decide(tick / 6, (end - HOUR).total_seconds() / 60, due_left=1)
        if decision.launch:
            begin = max(end, now + timedelta(seconds=25))
            end, slices = begin + timedelta(seconds=600), slices + 1
            fetching_s += min(600.0, (HOUR + timedelta(hours=1) - begin).total_seconds())
    assert slices == 6
    assert fetching_s >= 0.98 * 3600


def test_the_end_of_a_fetch_is_what_was_noted_else_what_was_planned() -> None:
    """Noted beats planned, planned is bounded by the slice, unplanned is unknown."""
    assert fetch_end(None, None, HOUR, 600) is None
    assert HOUR + timedelta(seconds=42) == fetch_end(None, 42.0, HOUR, 600)
    assert HOUR + timedelta(seconds=600) == fetch_end(None, 4200.0, HOUR, 600)
    assert HOUR + timedelta(seconds=55) == fetch_end(55, 600.0, HOUR, 600)


@given(
    longest_s=st.floats(90, 3600),
    asins=st.integers(0, 1_000_000),
    asins_per_s=st.floats(0.1, 1000),
)
def test_a_slice_is_as_short_as_the_shop_is_small(longest_s: float, asins: int, asins_per_s: float) -> None:
    """Never longer than the owner says, never under 90 seconds; what is only asked when due needs no short one."""
    length_s = slicing.length_s(longest_s, "budget", asins, asins_per_s)
    assert 90 <= length_s <= longest_s
    assert longest_s == slicing.length_s(longest_s, "due", asins, asins_per_s)
    assert slicing.length_s(longest_s, "budget", asins + 1, asins_per_s) >= length_s or asins == 0


def test_ten_thousand_articles_are_looked_at_in_slices_of_a_hundred_seconds() -> None:
    """A pass of the sweep takes 1,000 s; 100,000 articles have slices of the full ten minutes."""
    assert (100.0, 600.0) == tuple(slicing.length_s(600, "budget", asins, 10.0) for asins in (10_000, 100_000))
