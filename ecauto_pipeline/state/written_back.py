"""Edits that master.db was told of, and those that it is owed: a listing after another, all edits of it at once.

Not for: the edits (journal.py), what Amazon said (asins.py) or the writing (sync/base_updates/write_back.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select, tuple_, update

from ecauto_pipeline.domain.model import ListingKey, Outcome
from ecauto_pipeline.state.exporting import FEW
from ecauto_pipeline.state.journal import Update, update_row
from ecauto_pipeline.state.schema_decisions import journal

_MARK = update(journal).where(journal.c.update_id == bindparam("name")).values(written_back=1)


def not_written_back(connection: Connection, after: ListingKey | None = None, most: int = FEW) -> list[Update]:
    """Edits that were done and that the register does not know yet: all those of so many listings, the first that come
    after this one. By listing, oldest first."""
    order = (journal.c.platform, journal.c.account_id, journal.c.item_id)
    owed = select(journal).where(journal.c.outcome == Outcome.DONE, journal.c.written_back == 0)
    if after is not None:
        owed = owed.where(tuple_(*order) > tuple_(*after))
    ends = owed.with_only_columns(*order).distinct().order_by(*order).offset(most - 1).limit(1)
    last = connection.execute(ends).first()
    if last is not None:
        owed = owed.where(tuple_(*order) <= tuple_(*last))
    rows = connection.execute(owed.order_by(*order, journal.c.completed_at, journal.c.intent_at))
    return [update_row(row) for row in rows]


def mark_written_back(connection: Connection, update_ids: Iterable[str]) -> None:
    names = [{"name": update_id} for update_id in sorted(update_ids)]
    if names:
        connection.execute(_MARK, names)
