"""What a listing shows after one of our own edits, and who hid it: kept beside what was read from the shop.

Written in the transaction of the edit's outcome, so that the next judgement starts from what is so. Not for: reading
the shop (that is another module's) or the edit itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, bindparam, func, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, Diff, Kind, ListingKey
from ecauto_pipeline.domain.selling.hidden_by import PERSON
from ecauto_pipeline.state.of_accounts import bound_to_listing, of_accounts, of_bound_listing
from ecauto_pipeline.state.schema import listings

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


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
    if kind is Kind.DELIST:
        went = func.coalesce(listings.c.gone_at, to_ms(now))
        gone = {"delist": "delisted_candidate", "listed": 0, "gone_at": went}
        _set(connection, key, **(gone if value else {"delist": "", "gone_at": None}))
    else:
        _set(connection, key, **_changed(kind, value, now, reason, cost_jpy))


def record_edits(connection: Connection, edits: Sequence[tuple[Diff, datetime]]) -> None:
    """`record_edit` for several that their shops took as they were wanted, and when: prices, visibility, stock."""
    for kind, rows in groupby(sorted(edits, key=_kind_of), key=_kind_of):
        connection.execute(_setting(kind), [_columns(diff, now) for diff, now in rows])


def _kind_of(edit: tuple[Diff, datetime]) -> Kind:
    return edit[0].kind


def _changed(kind: Kind, value: int | None, now: datetime, reason: str, cost_jpy: int | None) -> dict[str, Any]:
    """The columns of a listing after an edit of this kind, always the same ones."""
    if kind is Kind.PRICE:
        return {"shown_price_jpy": value, "price_by_hand": 0, "priced_jpy": value, "priced_cost_jpy": cost_jpy}
    if kind is Kind.STOCK:
        return {"shown_stock": value}
    hidden = {"hidden_by": "ours", "hidden_reason": reason, "hidden_at": to_ms(now)}
    shown = {"hidden_by": "", "hidden_reason": "", "hidden_at": None}
    return {"shown_visible": value, **(hidden if value == 0 else shown)}


def _columns(diff: Diff, now: datetime) -> dict[str, Any]:
    changed = _changed(diff.kind, diff.wanted, now, diff.reason, diff.cost_jpy)
    return bound_to_listing(diff.key) | {f"to_{name}": value for name, value in changed.items()}


@lru_cache(maxsize=len(Kind))
def _setting(kind: Kind) -> Update:
    """The statement for rows of `_columns`; made once, because making it costs more than a row."""
    names = _changed(kind, 1, _ANY_TIME, "", None)
    return update(listings).where(*of_bound_listing(listings)).values({name: bindparam(f"to_{name}") for name in names})


def record_reading(connection: Connection, key: ListingKey, kind: Kind, value: int | None, now: datetime) -> None:
    """What the shop showed when one item was read back. An item that was on show and is hidden now, a person hid: the
    next reading of the shop would not see it change any more. Else, who hid it is not touched."""
    if value is None:
        return
    if kind is Kind.VISIBILITY and value == 0:
        hidden = {"hidden_by": PERSON, "hidden_reason": "", "hidden_at": to_ms(now)}
        _set(connection, key, listings.c.shown_visible == 1, **hidden)
    column = {Kind.PRICE: "shown_price_jpy", Kind.VISIBILITY: "shown_visible", Kind.STOCK: "shown_stock"}.get(kind)
    if column:
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


def _set(connection: Connection, key: ListingKey, *where: ColumnElement[bool], **values: Any) -> None:
    mine = (*where, listings.c.platform == key.platform, listings.c.account_id == key.account_id)
    connection.execute(update(listings).where(*mine, listings.c.item_id == key.item_id).values(**values))
