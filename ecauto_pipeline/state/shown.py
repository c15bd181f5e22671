"""What a listing shows after one of our own edits, and who hid it: kept beside what was read from the shop.

Written in the transaction of the edit's outcome, so that the next judgement starts from what is so. Not for: reading
the shop (that is another module's) or the edit itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import listings


def record_edit(
    connection: Connection,
    key: ListingKey,
    kind: Kind,
    value: int | None,
    now: datetime,
    reason: str = "",
    cost_jpy: int | None = None,
) -> None:
    """The shop took our value (yen, 0/1, quantity). A hide becomes ours with its reason, an un-hide nobody's,
    a price nobody's but ours.

    `cost_jpy`: what a price was made from, None where that is not known.
    A candidate for delisting takes no part any more; one that is none again does so from the next reading on.
    """
    values: dict[str, Any]
    if kind is Kind.PRICE:
        values = {"shown_price_jpy": value, "price_by_hand": 0, "priced_jpy": value, "priced_cost_jpy": cost_jpy}
    elif kind is Kind.STOCK:
        values = {"shown_stock": value}
    elif kind is Kind.VISIBILITY:
        hidden = {"hidden_by": "ours", "hidden_reason": reason, "hidden_at": to_ms(now)}
        shown = {"hidden_by": "", "hidden_reason": "", "hidden_at": None}
        values = {"shown_visible": value, **(hidden if value == 0 else shown)}
    else:
        went = func.coalesce(listings.c.gone_at, to_ms(now))
        gone = {"delist": "delisted_candidate", "listed": 0, "gone_at": went}
        values = gone if value else {"delist": "", "gone_at": None}
    _set(connection, key, **values)


def record_reading(connection: Connection, key: ListingKey, kind: Kind, value: int | None) -> None:
    """What the shop showed when one item was read back; who hid it is not touched."""
    column = {Kind.PRICE: "shown_price_jpy", Kind.VISIBILITY: "shown_visible", Kind.STOCK: "shown_stock"}.get(kind)
    if column and value is not None:
        _set(connection, key, **{column: value})


def hidden_for(connection: Connection, accounts: Iterable[AccountKey], reason: str) -> set[ListingKey]:
    """Listings of these shops that we hid for this reason, and that are hidden still."""
    columns = (listings.c.platform, listings.c.account_id, listings.c.item_id)
    ours = (listings.c.hidden_by == "ours", listings.c.hidden_reason == reason, listings.c.shown_visible == 0)
    rows = connection.execute(select(*columns).where(of_accounts(listings, accounts), *ours))
    return {ListingKey(*row) for row in rows}


def record_uneditable(connection: Connection, key: ListingKey, reason: str) -> None:
    """The shop refuses edits of this item for good."""
    _set(connection, key, uneditable=reason)


def _set(connection: Connection, key: ListingKey, **values: Any) -> None:
    mine = (listings.c.platform == key.platform, listings.c.account_id == key.account_id)
    connection.execute(update(listings).where(*mine, listings.c.item_id == key.item_id).values(**values))
