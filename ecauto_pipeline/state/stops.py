"""Pushing that a person has stopped: of one shop, or of every shop; who said so, and since when.

It stands until somebody lifts it, whatever ends or begins meanwhile. Not for: heeding it (sync/base_updates) or a shop
that refuses us (shop_accounts.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.of_accounts import bound_to, of_bound_account
from ecauto_pipeline.state.schema_notes import stops
from ecauto_pipeline.state.upsert import insert_for

_EVERY = ("", "")
_STOP_OF = (
    select(stops)
    .where(
        or_(
            and_(*of_bound_account(stops)),
            stops.c.platform == "",
        )
    )
    .order_by(stops.c.platform)
    .limit(1)
)
PAUSED = "paused"
"""The reason of a row that waits because somebody has stopped the pushing."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One standing word. `account` None: of every shop, also of one that is added later."""

    account: AccountKey | None
    since: datetime
    who: str


def standing(connection: Connection) -> tuple[Stop, ...]:
    """Every stop that stands, the one of every shop first."""
    rows = connection.execute(select(stops).order_by(stops.c.platform, stops.c.account_id))
    return tuple(
        Stop(AccountKey(row.platform, row.account_id) if row.platform else None, from_ms(row.since), row.who)
        for row in rows
    )


def stop_of(connection: Connection, account: AccountKey) -> Stop | None:
    """The stop that holds for this shop, None while it may be pushed to."""
    row = connection.execute(_STOP_OF, bound_to(account)).first()
    return None if row is None else Stop(account if row.platform else None, from_ms(row.since), row.who)


def is_stopped(database: Database, account: AccountKey) -> bool:
    """Whether one holds for this shop now: what is looked at before each call."""
    return database.look(_STOP_OF, bound_to(account)) is not None


def put(connection: Connection, accounts: Iterable[AccountKey], now: datetime, who: str) -> None:
    """Stop these shops, () = every one. What is stopped already stays so, since then and by whom it was."""
    keys = [(one.platform, one.account_id) for one in accounts] or [_EVERY]
    for platform, account_id in keys:
        row = insert_for(connection, stops).values(platform=platform, account_id=account_id, since=to_ms(now), who=who)
        connection.execute(row.on_conflict_do_nothing())


def lift(connection: Connection, accounts: Iterable[AccountKey], known: Iterable[AccountKey]) -> tuple[Stop, ...]:
    """Let these shops be pushed to again, () = every one; the stops that end.

    Where every shop is stopped and only some are to go on, each other one of `known` stays stopped by itself.
    """
    chosen, before = set(accounts), standing(connection)
    for one in before:
        if chosen and one.account is None:
            put_again = [key for key in known if key not in chosen]
            connection.execute(delete(stops).where(stops.c.platform == ""))
            for key in put_again:
                put(connection, (key,), one.since, one.who)
        elif not chosen or one.account in chosen:
            where = _EVERY if one.account is None else (one.account.platform, one.account.account_id)
            connection.execute(delete(stops).where(stops.c.platform == where[0], stops.c.account_id == where[1]))
    return tuple(one for one in before if not chosen or one.account is None or one.account in chosen)
