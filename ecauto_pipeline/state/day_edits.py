"""The edits of a span of time at all shops: a page at a time, the newest first, how many there are of which kind, and
narrow those that may have spared a loss, for whoever goes through all of them.

Not for: the edits of one run (run_edits.py) or writing the journal (journal.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import Kind, ListingKey, Outcome
from ecauto_pipeline.state.journal import Update, update_row
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.state.schema_notes import orders


@dataclass(frozen=True, slots=True)
class EditCounts:
    """How many edits took place. `dearer`, `cheaper`: prices; `others`: stock, delistings, from an unknown price."""

    hidden: int = 0
    shown: int = 0
    dearer: int = 0
    cheaper: int = 0
    others: int = 0

    @property
    def total(self) -> int:
        return self.hidden + self.shown + self.dearer + self.cheaper + self.others


def page_between(connection: Connection, start: datetime, end: datetime, limit: int, offset: int = 0) -> list[Update]:
    """Edits that took place from `start` on and before `end`, by when they left, the newest first."""
    query = select(journal).where(*_done_between(start, end))
    query = query.order_by(journal.c.intent_at.desc(), journal.c.update_id).limit(limit).offset(offset)
    return [update_row(row) for row in connection.execute(query)]


def count_between(connection: Connection, start: datetime, end: datetime) -> EditCounts:
    """All of them, by kind."""
    visibility, price = journal.c.kind == Kind.VISIBILITY, journal.c.kind == Kind.PRICE

    def number(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.count().filter(which), 0)

    row = connection.execute(
        select(
            func.count(),
            number(and_(visibility, journal.c.after == 0)),
            number(and_(visibility, journal.c.after != 0)),
            number(and_(price, journal.c.after > journal.c.before)),
            number(and_(price, journal.c.after < journal.c.before)),
        ).where(*_done_between(start, end))
    ).one()
    total, hidden, shown, dearer, cheaper = (int(one) for one in row)
    return EditCounts(hidden, shown, dearer, cheaper, total - hidden - shown - dearer - cheaper)


def first_done(connection: Connection, since: datetime) -> datetime | None:
    """When the first edit left that took place since then, None = none did."""
    mine = (journal.c.outcome == Outcome.DONE, journal.c.intent_at >= to_ms(since))
    at = connection.execute(select(func.min(journal.c.intent_at)).where(*mine)).scalar()
    return None if at is None else from_ms(at)


class DoneEdit(NamedTuple):
    """One edit that took place: yen, or 0/1 for visibility; `at`: when it ended, aware UTC."""

    key: ListingKey
    kind: Kind
    before: int | None
    after: int
    at: datetime


def each_done(connection: Connection, since: datetime) -> Iterator[DoneEdit]:
    """Those that left since then, but for those of rollbacks, in the order in which they left, row by row; of prices
    those alone of items that were sold since then."""
    sold = select(orders.c.item_id).where(orders.c.sold_at >= to_ms(since))
    counts = or_(journal.c.kind != Kind.PRICE, journal.c.item_id.in_(sold))
    at = func.coalesce(journal.c.completed_at, journal.c.attempted_at, journal.c.intent_at)
    query = (
        select(*(journal.c[name] for name in ("platform", "account_id", "item_id", "kind", "before", "after")), at)
        .where(journal.c.outcome == Outcome.DONE, journal.c.intent_at >= to_ms(since), journal.c.rollback_of == "")
        .where(counts)
        .order_by(journal.c.intent_at, journal.c.update_id)
    )
    for *key, kind, before, after, ended in connection.execute(query, execution_options={"yield_per": 5_000}):
        yield DoneEdit(ListingKey(*key), Kind(kind), before, after, from_ms(ended))


def _done_between(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        journal.c.outcome == Outcome.DONE,
        journal.c.intent_at >= to_ms(start),
        journal.c.intent_at < to_ms(end),
    )
