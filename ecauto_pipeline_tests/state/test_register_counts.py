"""What state.db keeps of the register's counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts, believed_from, falls
from ecauto_pipeline.state import register_counts
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.register_counts import Watched
from ecauto_pipeline.state.schema import shop_accounts

SHOP, NOW = AccountKey("base", "shop_1"), datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
WATCHED = Watched(believed_from(RegisterCounts(100, 90, 1), NOW), RegisterCounts(10, 9, 1))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"before": {"of_tomorrow": 1}, "lately": {}, "since": 0}', "null"])
def test_a_document_of_another_shape_is_one_that_was_not_counted(tmp_path: Path, text: str) -> None:
    """Of a later version, or spoiled: the next run begins with what was joined; nobody fails over it."""
    state = Database(f"sqlite:///{tmp_path / 'state.db'}")
    with state.write() as connection:
        register_counts.save(connection, SHOP, WATCHED)
        assert (WATCHED, {SHOP: WATCHED}) == (
            register_counts.load(connection, SHOP),
            dict(register_counts.fallen(connection)),
        )
        connection.execute(shop_accounts.update().values(register_counts=text))
        assert (None, {}) == (register_counts.load(connection, SHOP), dict(register_counts.fallen(connection)))
    state.close()


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 40)), min_size=1, max_size=30))
def test_no_way_of_losing_rows_passes_within_a_day(portions: list[tuple[int, int]]) -> None:
    """Whatever the counts and the hours between them: what is believed at last is never less than four fifths of any
    count of the day before it, but for fewer than twenty rows."""
    believed, now = believed_from(RegisterCounts(400), NOW), NOW
    seen = [(now, 400)]
    for count, hours in portions:
        now += timedelta(hours=hours)
        if falls(believed.counts, RegisterCounts(count), 0.2):
            continue
        believed = believed.after(RegisterCounts(count), now)
        day = [before for at, before in seen if now - at < timedelta(hours=24)]
        assert all(before - count < 20 or count >= before * 0.8 for before in day)
        seen.append((now, count))
