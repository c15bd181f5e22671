"""Laws of the breakers and reading stamps of shop accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError, ItemGone, Transport
from ecauto_pipeline.state import shop_accounts
from ecauto_pipeline.state.database import Database

NOON = datetime(2026, 11, 10, 3, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'state.db'}")


@pytest.mark.parametrize(
    ("error", "breaker"),
    [
        (AccountBlocked("access_denied"), ("access_denied", None)),
        (AccountBlocked("token"), ("token", None)),
        (AccountBlocked("invalid_scope"), ("token", None)),
        (BudgetSpent("hour_api_limit", NOON), ("hour_api_limit", NOON)),
        (BudgetSpent("hour_reserve", NOON), ("", None)),
        (ItemGone("bad_item_id"), ("", None)),
        (Transport("timeout"), ("", None)),
    ],
)
def test_only_trouble_of_the_whole_shop_opens_its_breaker(error: CallError, breaker: tuple[str, object]) -> None:
    """An item's error or the share kept for hides never keeps us from the rest of a shop."""
    assert breaker == shop_accounts.breaker_of(error)


def test_a_breaker_is_news_once(database: Database) -> None:
    """Opening it again for the same reason is no news and keeps the time of the first; closing is news once, too."""
    with database.write() as connection:
        assert shop_accounts.open_breaker(connection, "base", "a", "access_denied", NOON)
        assert not shop_accounts.open_breaker(connection, "base", "a", "access_denied", NOON + timedelta(hours=1))
        found = shop_accounts.load_account(connection, "base", "a")
        assert (NOON, True) == (found.breaker_since, found.needs_person)
        assert shop_accounts.close_breaker(connection, "base", "a")
        assert not shop_accounts.close_breaker(connection, "base", "a")


def test_a_spent_window_waits_for_its_end_only(database: Database) -> None:
    """The shop waits before `until` and not after."""
    with database.write() as connection:
        until = NOON + timedelta(minutes=10)
        shop_accounts.open_breaker(connection, "base", "a", "hour_api_limit", NOON, until)
        found = shop_accounts.load_account(connection, "base", "a")
    assert [True, False] == [found.waits_at(NOON), found.waits_at(until)]


def test_stamps_do_not_disturb_each_other(database: Database) -> None:
    """Recording a read, orders or a token leaves everything else as it was."""
    with database.write() as connection:
        shop_accounts.open_breaker(connection, "base", "a", "not_read", NOON)
        shop_accounts.record_read(connection, "base", "a", read_at=NOON, modified_seen=None, full=True)
        shop_accounts.record_read(
            connection, "base", "a", read_at=NOON + timedelta(hours=1), modified_seen=NOON, full=False
        )
        shop_accounts.record_orders(connection, "base", "a", NOON)
        shop_accounts.record_refresh_expiry(connection, "base", "a", NOON + timedelta(days=30))
        found = shop_accounts.load_accounts(connection)[AccountKey("base", "a")]
    assert (NOON, NOON + timedelta(hours=1), NOON, NOON, "not_read") == (
        found.full_read_at,
        found.read_at,
        found.modified_seen,
        found.orders_read_at,
        found.breaker,
    )
    assert NOON + timedelta(days=30) == found.refresh_expires_at
