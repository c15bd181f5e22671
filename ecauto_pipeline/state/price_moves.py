"""Which prices have moved lately and by which steps, out of the update journal.

Not for: what of it counts (domain/selling/moves.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey, Outcome, PriceEdit, PriceMoves
from ecauto_pipeline.domain.selling.moves import moves_of
from ecauto_pipeline.state.of_accounts import ItemsOf, portions_of
from ecauto_pipeline.state.schema import diffs, journal


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
    happened = or_(journal.c.outcome.is_(None), journal.c.outcome.in_((Outcome.DONE, Outcome.UNKNOWN)))
    names = ("item_id", "intent_at", "before", "after", "rollback_of")
    query = (
        select(*(journal.c[name] for name in names), diffs.c.reason)
        .outerjoin(diffs, diffs.c.diff_id == journal.c.diff_id)
        .where(journal.c.intent_at > to_ms(since), journal.c.kind == Kind.PRICE, journal.c.after.is_not(None), happened)
        .order_by(journal.c.intent_at, journal.c.update_id)
    )
    edits: dict[ListingKey, list[PriceEdit]] = defaultdict(list)
    for account in accounts:  # one query each: of one item, the index by listing finds its few edits
        mine = [journal.c.platform == account.platform, journal.c.account_id == account.account_id]
        if item_id is not None:
            mine.append(journal.c.item_id == item_id)
        for few in portions_of(account, items):
            named = [] if few is None else [journal.c.item_id.in_(few)]
            rows: Iterable[Any] = connection.execute(query.where(*mine, *named))
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
    times = (journal.c.item_id, journal.c.intent_at, journal.c.completed_at)
    found: dict[ListingKey, list[datetime]] = defaultdict(list)
    for account in accounts:
        mine = (journal.c.platform == account.platform, journal.c.account_id == account.account_id)
        for few in portions_of(account, items):
            named = [] if few is None else [journal.c.item_id.in_(few)]
            lately = or_(journal.c.intent_at >= to_ms(since), journal.c.completed_at >= to_ms(since))
            for item, *moments in connection.execute(select(*times).where(*mine, *named, lately)):
                key = ListingKey(account.platform, account.account_id, item)
                found[key] += [from_ms(at) for at in moments if at is not None]
    return found
