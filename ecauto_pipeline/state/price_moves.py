"""Which prices have moved lately and by which steps, out of the update journal.

Not for: what of it counts (domain/selling/moves.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey, Outcome, PriceEdit, PriceMoves
from ecauto_pipeline.domain.selling.moves import moves_of
from ecauto_pipeline.state.of_accounts import ItemsOf, bound_to, of_bound_account, of_bound_items, portions_of
from ecauto_pipeline.state.schema import diffs, journal

_HAPPENED = or_(journal.c.outcome.is_(None), journal.c.outcome.in_((Outcome.DONE, Outcome.UNKNOWN)))
_MOVES = (
    select(*(journal.c[name] for name in ("item_id", "intent_at", "before", "after", "rollback_of")), diffs.c.reason)
    .outerjoin(diffs, diffs.c.diff_id == journal.c.diff_id)
    .where(journal.c.intent_at > bindparam("since"), journal.c.kind == Kind.PRICE, journal.c.after.is_not(None))
    .where(_HAPPENED, *of_bound_account(journal))
    .order_by(journal.c.intent_at, journal.c.update_id)
)
_MOVES_OF_ITEMS = _MOVES.where(of_bound_items(journal))
_TIMES = select(journal.c.item_id, journal.c.intent_at, journal.c.completed_at).where(
    or_(journal.c.intent_at >= bindparam("since"), journal.c.completed_at >= bindparam("since")),
    *of_bound_account(journal),
)
_TIMES_OF_ITEMS = _TIMES.where(of_bound_items(journal))


def price_moves(
    connection: Connection,
    accounts: Iterable[AccountKey],
    since: datetime,
    asked_for: Collection[str],
    item_id: str | None = None,
    items: ItemsOf | None = None,
) -> dict[ListingKey, PriceMoves]:
    """The listings of these accounts (`item_id`: that one alone; `items`: of the accounts named there, these alone)
    whose price was edited after `since`, with what of it counts.

    `asked_for`: reasons of decisions that a person's word stands behind. An edit of unknown outcome counts as done.
    """
    edits: dict[ListingKey, list[PriceEdit]] = defaultdict(list)
    for account in accounts:  # one query each: of one item, the index by listing finds its few edits
        for few in portions_of(account, items if item_id is None else {account: (item_id,)}):
            query = _MOVES if few is None else _MOVES_OF_ITEMS
            rows: Iterable[Any] = connection.execute(query, bound_to(account, few, since=to_ms(since)))
            for item, at, before, after, rollback_of, reason in rows:
                edit = PriceEdit(from_ms(at), before, after, rollback_of != "" or reason in asked_for)
                edits[ListingKey(account.platform, account.account_id, item)].append(edit)
    found = {key: moves_of(each) for key, each in edits.items()}
    return {key: moves for key, moves in found.items() if moves is not None}


def edit_times(
    connection: Connection, accounts: Iterable[AccountKey], since: datetime, items: ItemsOf | None = None
) -> dict[ListingKey, list[datetime]]:
    """When the listings of these accounts were edited since then, whatever became of it: each edit's beginning, and its
    end where it has one. `items`: as there."""
    found: dict[ListingKey, list[datetime]] = defaultdict(list)
    for account in accounts:
        for few in portions_of(account, items):
            query = _TIMES if few is None else _TIMES_OF_ITEMS
            for item, *moments in connection.execute(query, bound_to(account, few, since=to_ms(since))):
                key = ListingKey(account.platform, account.account_id, item)
                found[key] += [from_ms(at) for at in moments if at is not None]
    return found
