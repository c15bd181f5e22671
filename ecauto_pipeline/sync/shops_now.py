"""The shops as they stand when a step ends: which can't be worked on, what waits in them, how long their tokens live,
which a person has stopped.

Not for: reading them (listings/) or what opens a breaker (state/shop_accounts.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.shop_accounts import ShopAccount, load_accounts
from ecauto_pipeline.state.stops import stop_of
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.sections import ShopsReport, StoppedShop

UNREAD_FOR_NEWS = timedelta(minutes=50)
"""A shop that two hourly runs in a row could not read is news; one reading that failed may well succeed in the next."""


def shops_now(connection: Connection, tools: Tools) -> ShopsReport:
    """Of every active shop, whether this run may touch it or not."""
    now = tools.clock.now()
    seen = load_accounts(connection)
    accounts = {key: seen[key] for key in tools.shops if key in seen}
    expiries = [one.refresh_expires_at for one in accounts.values() if one.refresh_expires_at is not None]
    return ShopsReport(
        held_open=decisions.count_open_holds(connection, None if tools.lane.whole else tools.shops),
        token_days_left=(min(expiries) - now) / timedelta(days=1) if expiries else None,
        breakers=tuple(
            (tools.name_of(key), one.breaker) for key, one in accounts.items() if one.breaker and not _young(one, now)
        ),
        shops=tuple(tools.name_of(key) for key in sorted(tools.shops)),
        token_days={
            tools.name_of(key): (one.refresh_expires_at - now) / timedelta(days=1)
            for key, one in accounts.items()
            if one.refresh_expires_at is not None
        },
        stopped=tuple(_stopped(connection, tools)),
    )


def _stopped(connection: Connection, tools: Tools) -> Iterator[StoppedShop]:
    for key in sorted(tools.shops):
        stop = stop_of(connection, key)
        if stop is not None:
            yield StoppedShop(tools.name_of(key), stop.who, stop.since)


def _young(account: ShopAccount, now: datetime) -> bool:
    return account.breaker == "not_read" and now - (account.breaker_since or now) < UNREAD_FOR_NEWS
