"""Laws of a refusal right after an hour or a day of calls began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.window_edges import ASKED_AGAIN_AFTER, RESETS_AGREE_WITHIN, closed_until

BEGAN = datetime(2026, 11, 10, 15, tzinfo=UTC)


@given(
    into_s=st.floats(0, 3599),
    length=st.sampled_from((timedelta(hours=1), timedelta(days=1))),
    limit=st.integers(1, 100_000),
    spent=st.floats(0, 1),
)
def test_a_window_is_closed_for_a_minute_or_to_its_end(
    into_s: float, length: timedelta, limit: int, spent: float
) -> None:
    """A minute where the call was made within five of its beginning and less than half of it is spent by our count;
    the whole of it otherwise. Never beyond its end, and never not at all."""
    called_at, ends_at, used = BEGAN + timedelta(seconds=into_s), BEGAN + length, int(limit * spent)
    until = closed_until(called_at, BEGAN, ends_at, used, limit)
    early = called_at < BEGAN + RESETS_AGREE_WITHIN and 2 * used < limit
    assert (called_at + ASKED_AGAIN_AFTER if early else ends_at) == until
    assert called_at < until <= ends_at
