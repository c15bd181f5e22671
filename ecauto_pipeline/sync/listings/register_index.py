"""The register's published rows by account and item: from master.db, or as the listings in state know them.

Not for: reading master.db (register/) or whether what it says is believed (register_watch.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.joining import LISTED, RegisterSide
from ecauto_pipeline.register.rows import ListingRow
from ecauto_pipeline.shops.platforms import platform_named
from ecauto_pipeline.state import joined_listings

Sides = Mapping[str, RegisterSide]
"""One shop's rows by item_id."""
Index = Mapping[AccountKey, Sides]
"""By account, its id in small letters (`folded`)."""


def folded(account: AccountKey) -> AccountKey:
    """The key of an account in an Index: master.db spells ids in any case."""
    return AccountKey(account.platform, account.account_id.casefold())


def index_of(rows: Iterable[ListingRow]) -> Index:
    """Listed rows win over others, later ones over earlier; listed rows that disagree make the item ambiguous."""
    by_account: dict[AccountKey, dict[str, RegisterSide]] = {}
    for row in rows:
        if not row.item_id:
            continue
        sides = by_account.setdefault(folded(AccountKey(platform_named(row.platform), row.account_id)), {})
        side = side_of(row)
        other = sides.get(row.item_id)
        if other is not None and other.status == LISTED:
            if side.status != LISTED:
                continue
            if other.asin != side.asin or other.ambiguous:
                side = RegisterSide(side.register_id, side.asin, side.status, side.visible, side.price_jpy, True)
        sides[row.item_id] = side
    return by_account


def side_of(row: ListingRow) -> RegisterSide:
    """What one row says of its item."""
    return RegisterSide(row.register_id, row.asin, row.status, row.visible, row.selling_price_jpy)


def known_sides(connection: Connection, account: AccountKey, now: Sides) -> Sides:
    """The register's side of a shop as it was last joined. What was doubtful then, or is `now`, stays so."""
    found = {}
    for row in joined_listings.load_both_sides(connection, account.platform, account.account_id):
        if row["register_id"] is None:
            continue
        item_id, visible = row["item_id"], row["register_visible"]
        doubtful = row["orphan"] == "asin_mismatch" or (item_id in now and now[item_id].ambiguous)
        found[item_id] = RegisterSide(
            row["register_id"],
            row["asin"] or "",
            row["register_status"],
            None if visible is None else visible == 1,
            row["register_price_jpy"],
            doubtful,
        )
    return found
