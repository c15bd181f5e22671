"""Which prices have moved lately and by which steps, out of the update journal.

Not for: what of it counts (domain/selling/moves.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey, Outcome, PriceEdit, PriceMoves
from ecauto_pipeline.domain.selling.moves import moves_of
from ecauto_pipeline.state.of_accounts import ItemsOf, by_shop
from ecauto_pipeline.state.schema_decisions import diffs, journal

_HAPPENED = or_(journal.c.outcome.is_(None), journal.c.outcome.in_((Outcome.DONE, Outcome.UNKNOWN)))
_MOVES = by_shop(
    select(*(journal.c[name] for name in ("item_id", "intent_at", "before", "after", "rollback_of")), diffs.c.reason)
    .outerjoin(diffs, diffs.c.diff_id == journal.c.diff_id)
    .where(journal.c.intent_at > bindparam("since"), journal.c.kind == Kind.PRICE, journal.c.after.is_not(None))
    .where(_HAPPENED)
    .order_by(journal.c.intent_at, journal.c.update_id),
    journal,
)
_TIMES = by_shop(
    select(journal.c.item_id, journal.c.intent_at, journal.c.completed_at).where(
        or_(journal.c.intent_at >= bindparam("since"), journal.c.completed_at >= bindparam("since"))
    ),
    journal,
)


def price_moves(
    connection: Connection,
    accounts: Iterable[AccountKey],
    since: datetime,
    asked_for: Collection[str],
    items: ItemsOf | None = None,
) -> dict[ListingKey, PriceMoves]:
    """The listings of these accounts (`items`: of the accounts named there, these alone) whose price was edited after
    `since`, with what of it counts.

    `asked_for`: reasons of decisions that a person's word stands behind. An edit of unknown outcome counts as done.
    """
    edits: dict[ListingKey, list[PriceEdit]] = defaultdict(list)
    for account in accounts:  # one query each: of one item, the index by listing finds its few edits
        for rows in _MOVES.ask(connection, account, items, since=to_ms(since)):
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
        for rows in _TIMES.ask(connection, account, items, since=to_ms(since)):
            for item, *moments in rows:
                key = ListingKey(account.platform, account.account_id, item)
                found[key] += [from_ms(at) for at in moments if at is not None]
    return found
