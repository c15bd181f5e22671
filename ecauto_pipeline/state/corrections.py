"""Which listings lately had a price that their shop did not take, out of the update journal.

Not for: what counts as failed (domain/selling/corrections.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey, Outcome
from ecauto_pipeline.domain.selling.corrections import RESTS_FOR, Edited, FailedPrice, failed_price
from ecauto_pipeline.state.schema import journal, listings

OTHER_VALUE = "other_value"
"""What the journal's error begins with where the shop's answer to an edit showed another value."""


def failed_prices(
    connection: Connection, accounts: Iterable[AccountKey], now: datetime, item_id: str | None = None
) -> dict[ListingKey, FailedPrice]:
    """The listings of these accounts (`item_id`: that one alone) whose last price was refused or had no effect."""
    found: dict[ListingKey, FailedPrice] = {}
    since = journal.c.intent_at >= to_ms(now - RESTS_FOR)
    in_vain = or_(
        journal.c.refused == 1,
        journal.c.error.startswith(OTHER_VALUE),
        and_(journal.c.outcome == Outcome.DONE, journal.c.after != listings.c.shown_price_jpy),
    )
    shown = ("item_id", "shown_price_jpy", "regular_price_jpy", "item_modified_at")
    for account in accounts:
        mine = [journal.c.platform == account.platform, journal.c.account_id == account.account_id]
        if item_id is not None:
            mine.append(journal.c.item_id == item_id)
        query = select(*(listings.c[name] for name in shown)).join(journal, _of_listing())
        for row in connection.execute(query.where(*mine, since, journal.c.kind == Kind.PRICE, in_vain).distinct()):
            edits = _edits(connection, account, row.item_id, since)
            changed_at = None if row.item_modified_at is None else from_ms(row.item_modified_at)
            failed = failed_price(edits, row.shown_price_jpy, bool(row.regular_price_jpy), changed_at, now)
            if failed is not None:
                found[ListingKey(account.platform, account.account_id, row.item_id)] = failed
    return found


def _edits(connection: Connection, account: AccountKey, item_id: str, since: ColumnElement[bool]) -> list[Edited]:
    mine = (journal.c.platform == account.platform, journal.c.account_id == account.account_id)
    settled = journal.c.outcome.in_((Outcome.DONE, Outcome.FAILED))
    query = select(journal).where(*mine, journal.c.item_id == item_id, settled, since)
    rows = connection.execute(query.order_by(journal.c.intent_at, journal.c.update_id))
    return [
        Edited(
            kind=Kind(row.kind),
            after=row.after,
            outcome=Outcome(row.outcome),
            at=from_ms(row.completed_at or row.intent_at),
            refused=row.refused == 1,
            other_value=row.error.startswith(OTHER_VALUE),
        )
        for row in rows
    ]


def _of_listing() -> ColumnElement[bool]:
    return and_(*(listings.c[name] == journal.c[name] for name in ("platform", "account_id", "item_id")))
