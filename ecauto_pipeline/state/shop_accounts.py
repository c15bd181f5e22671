"""What we remember of each shop account: when it was read, and the breaker that keeps us away from it.

A breaker is "" (closed) or the reason why the shop as a whole waits: `access_denied`, `token` (until a person helps or
a good answer comes), `hour_api_limit`, `day_api_limit` (until a time), `not_read` (the last read failed).
Not for: counting calls (windows.py) or the listings themselves (shop_listings.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError
from ecauto_pipeline.state.schema import shop_accounts
from ecauto_pipeline.state.upsert import upsert

FOR_A_PERSON = frozenset({"access_denied", "token"})
_TIMES = ("full_read_at", "read_at", "modified_seen", "orders_read_at", "breaker_since", "breaker_until")


@dataclass(frozen=True, slots=True)
class ShopAccount:
    """One shop account. Times aware UTC, None = never (`breaker_until`: until somebody or a good answer closes it)."""

    account_id: str
    full_read_at: datetime | None = None
    read_at: datetime | None = None
    modified_seen: datetime | None = None
    orders_read_at: datetime | None = None
    breaker: str = ""
    breaker_since: datetime | None = None
    breaker_until: datetime | None = None
    refresh_expires_at: datetime | None = None

    def waits_at(self, now: datetime) -> bool:
        """Whether nothing at all may be asked of this shop now (its window is used up)."""
        return self.breaker in ("hour_api_limit", "day_api_limit") and (
            self.breaker_until is not None and now < self.breaker_until
        )

    @property
    def needs_person(self) -> bool:
        return self.breaker in FOR_A_PERSON


def load_account(connection: Connection, platform: str, account_id: str) -> ShopAccount:
    """What is known of this account; an account never seen has nothing."""
    mine = (shop_accounts.c.platform == platform, shop_accounts.c.account_id == account_id)
    row = connection.execute(select(shop_accounts).where(*mine)).first()
    return ShopAccount(account_id) if row is None else _account(row)


def was_read_whole(connection: Connection, account: AccountKey) -> bool:
    """Whether all of this shop's items were ever read, so that what was not among them is known not to be there."""
    mine = (shop_accounts.c.platform == account.platform, shop_accounts.c.account_id == account.account_id)
    return connection.execute(select(shop_accounts.c.full_read_at).where(*mine)).scalar() is not None


def load_accounts(connection: Connection) -> dict[AccountKey, ShopAccount]:
    """Every account that was ever seen."""
    rows = connection.execute(select(shop_accounts))
    return {AccountKey(row.platform, row.account_id): _account(row) for row in rows}


def refusing_accounts(connection: Connection) -> list[AccountKey]:
    """Accounts that refuse everything until a person helps."""
    where = (shop_accounts.c.platform, shop_accounts.c.account_id)
    query = select(*where).where(shop_accounts.c.breaker.in_(sorted(FOR_A_PERSON))).order_by(*where)
    return [AccountKey(*row) for row in connection.execute(query)]


def open_breakers(connection: Connection) -> dict[tuple[str, str], ShopAccount]:
    """Shops that are kept away from for some reason, by (platform, account)."""
    rows = connection.execute(select(shop_accounts).where(shop_accounts.c.breaker != ""))
    return {(row.platform, row.account_id): _account(row) for row in rows}


def breaker_of(error: CallError) -> tuple[str, datetime | None]:
    """The breaker (reason, until) that this error opens; ("", None) for one that concerns an item or the kept share."""
    if isinstance(error, BudgetSpent):
        return (error.reason, error.until) if error.reason in ("hour_api_limit", "day_api_limit") else ("", None)
    if isinstance(error, AccountBlocked):
        return (error.reason if error.reason in FOR_A_PERSON else "token"), None
    return "", None


def open_breaker(
    connection: Connection, platform: str, account_id: str, reason: str, now: datetime, until: datetime | None = None
) -> bool:
    """Keep away from this shop. True when the breaker was not open for this reason already (say so once)."""
    before = load_account(connection, platform, account_id)
    since = before.breaker_since if before.breaker == reason and before.breaker_since else now
    _set(connection, platform, account_id, breaker=reason, breaker_since=since, breaker_until=until)
    return before.breaker != reason


def close_breaker(connection: Connection, platform: str, account_id: str) -> bool:
    """The shop answers again. True when a breaker was open."""
    before = load_account(connection, platform, account_id)
    if before.breaker:
        _set(connection, platform, account_id, breaker="", breaker_since=None, breaker_until=None)
    return bool(before.breaker)


def record_read(
    connection: Connection,
    platform: str,
    account_id: str,
    *,
    read_at: datetime,
    modified_seen: datetime | None,
    full: bool,
) -> None:
    """The items were read, to the end. `read_at` is when that began."""
    times: dict[str, Any] = {"read_at": read_at, "modified_seen": modified_seen}
    _set(connection, platform, account_id, **times, **({"full_read_at": read_at} if full else {}))


def record_orders(connection: Connection, platform: str, account_id: str, until: datetime) -> None:
    """Every order placed before `until` has been counted."""
    _set(connection, platform, account_id, orders_read_at=until)


def record_refresh_expiry(connection: Connection, platform: str, account_id: str, at: datetime | None) -> None:
    """When the refresh token dies if it is not used before."""
    _set(connection, platform, account_id, refresh_expires_at=at)


def _set(connection: Connection, platform: str, account_id: str, **values: Any) -> None:
    stored = {name: to_ms(value) if isinstance(value, datetime) else value for name, value in values.items()}
    upsert(connection, shop_accounts, [{"platform": platform, "account_id": account_id, **stored}])


def _account(row: Any) -> ShopAccount:
    values = row._asdict()
    times = {name: None if values[name] is None else from_ms(values[name]) for name in (*_TIMES, "refresh_expires_at")}
    return ShopAccount(account_id=row.account_id, breaker=row.breaker, **times)
