"""Which listings lately had a price that their shop did not take, out of the update journal.

Not for: what counts as failed (domain/selling/corrections.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey, Outcome
from ecauto_pipeline.domain.selling.corrections import RESTS_FOR, Edited, FailedPrice, failed_price
from ecauto_pipeline.state.of_accounts import ByShop, ItemsOf, of_bound_account, of_bound_items
from ecauto_pipeline.state.revisions import CORRECTION_FACTS
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_decisions import journal

OTHER_VALUE = "other_value"
"""What the journal's error begins with where the shop's answer to an edit showed another value."""


def failed_prices(
    connection: Connection,
    accounts: Iterable[AccountKey],
    now: datetime,
    items: ItemsOf | None = None,
) -> dict[ListingKey, FailedPrice]:
    """The listings of these accounts (`items`: of the accounts named there, these alone) whose last price was refused
    or had no effect."""
    found: dict[ListingKey, FailedPrice] = {}
    for account in accounts:
        for found_edits in _EDITS.ask(connection, account, items, since=to_ms(now - RESTS_FOR)):
            for item, edits in groupby(found_edits, key=lambda row: row.item_id):
                rows = list(edits)
                shown = rows[0]  # the listing's side, beside each of its edits
                changed_at = None if shown.item_modified_at is None else from_ms(shown.item_modified_at)
                in_sale = bool(shown.regular_price_jpy)
                failed = failed_price([_edited(row) for row in rows], shown.shown_price_jpy, in_sale, changed_at, now)
                if failed is not None:
                    found[ListingKey(account.platform, account.account_id, item)] = failed
    return found


def _edits(mine: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The settled edits of every listing of which a price may have been in vain, each listing's together, in order."""
    of_listing = and_(*(listings.c[name] == journal.c[name] for name in ("platform", "account_id", "item_id")))
    in_vain = or_(
        journal.c.refused == 1,
        journal.c.error.startswith(OTHER_VALUE),
        and_(journal.c.outcome == Outcome.DONE, journal.c.after != listings.c.shown_price_jpy),
    )
    items = select(journal.c.item_id).join(listings, of_listing).where(*mine, journal.c.kind == Kind.PRICE, in_vain)
    edits = ("item_id", "kind", "after", "outcome", "completed_at", "intent_at", "refused", "error")
    query = select(*(journal.c[name] for name in edits), *(listings.c[name] for name in CORRECTION_FACTS))
    settled = journal.c.outcome.in_((Outcome.DONE, Outcome.FAILED))
    query = query.join(listings, of_listing).where(*mine, settled, journal.c.item_id.in_(items))
    return query.order_by(journal.c.item_id, journal.c.intent_at, journal.c.update_id)


_MINE = (*of_bound_account(journal), journal.c.intent_at >= bindparam("since"))
_EDITS = ByShop(_edits(_MINE), _edits([*_MINE, of_bound_items(journal)]))


def _edited(row: Row[Any]) -> Edited:
    return Edited(
        kind=Kind(row.kind),
        after=row.after,
        outcome=Outcome(row.outcome),
        at=from_ms(row.completed_at or row.intent_at),
        refused=row.refused == 1,
        other_value=row.error.startswith(OTHER_VALUE),
    )
