"""Listings looked up by whoever explains, checks or tells the register: beside the ways that reading and rules go.

Not for: writing (shop_listings.py, shown.py) or the facts that decisions rest on (shop_listings.listing_facts).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, func, or_, select

from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.state.of_accounts import by_shop
from ecauto_pipeline.state.schema import listings

_REGISTER_IDS = by_shop(
    select(listings.c.item_id, listings.c.register_id).where(listings.c.register_id.is_not(None)), listings
)


@dataclass(frozen=True, slots=True)
class KnownListing:
    """A listing as it is explained: what it showed when it was last read (None = never), and what stands against it.

    `gone`: the shop has it no more, as a whole reading or two refusals proved; `gone_at` None where the moment is not
    known.
    """

    key: ListingKey
    asin: str
    shown_price_jpy: int | None
    shown_visible: int | None
    shown_stock: int | None
    read_at: datetime | None
    listed: bool
    hidden_by: str
    hidden_reason: str
    uneditable: str
    orphan: str
    delist: str
    gone: bool
    gone_at: datetime | None


def listings_about(connection: Connection, key: str) -> list[KnownListing]:
    """Every listing whose item id or ASIN is `key`, those that take no part too; in no order."""
    rows = connection.execute(select(listings).where(or_(listings.c.item_id == key, listings.c.asin == key)))
    return [
        KnownListing(
            key=ListingKey(row.platform, row.account_id, row.item_id),
            asin=row.asin or "",
            shown_price_jpy=row.shown_price_jpy,
            shown_visible=row.shown_visible,
            shown_stock=row.shown_stock,
            read_at=None if row.read_at is None else from_ms(row.read_at),
            listed=row.listed == 1,
            hidden_by=row.hidden_by,
            hidden_reason=row.hidden_reason,
            uneditable=row.uneditable,
            orphan=row.orphan,
            delist=row.delist,
            gone=row.gone_at is not None or (row.present == 0 and (row.read_at is not None or row.orphan == "no_item")),
            gone_at=None if row.gone_at is None else from_ms(row.gone_at),
        )
        for row in rows
    ]


def asin_of_item(connection: Connection, item_id: str) -> str:
    """The ASIN that an item belongs to, "" where no shop has such an item or nobody can place it."""
    found = connection.execute(select(listings.c.asin).where(listings.c.item_id == item_id)).scalars()
    return next((asin for asin in found if asin), "")


def is_known(connection: Connection, asin: str) -> bool:
    """Whether a listing has this ASIN, one that takes no part too."""
    return connection.execute(select(listings.c.asin).where(listings.c.asin == asin).limit(1)).first() is not None


def register_ids(connection: Connection, keys: Iterable[ListingKey]) -> dict[ListingKey, int]:
    """The rows of the register behind these listings; unregistered ones are left out."""
    items: dict[AccountKey, set[str]] = defaultdict(set)
    for key in keys:
        items[key.account].add(key.item_id)
    found: dict[ListingKey, int] = {}
    for account in sorted(items):
        for rows in _REGISTER_IDS.ask(connection, account, items):
            found |= {ListingKey(*account, row.item_id): row.register_id for row in rows}
    return found


def lately_read(
    connection: Connection, platform: str, account_id: str, but_for: Collection[str], most: int = 1
) -> list[str]:
    """Items that were in this shop when it was last read and are no candidates for delisting, lately read first."""
    query = select(listings.c.item_id).where(
        listings.c.platform == platform,
        listings.c.account_id == account_id,
        listings.c.present == 1,
        listings.c.delist == "",
    )
    rows = connection.execute(query.order_by(listings.c.read_at.desc(), listings.c.item_id)).scalars()
    return list(islice((item for item in rows if item not in but_for), most))


def count_listed(connection: Connection) -> dict[tuple[str, str], int]:
    """Listings that take part, by (platform, account)."""
    query = select(listings.c.platform, listings.c.account_id, func.count()).where(listings.c.listed == 1)
    rows = connection.execute(query.group_by(listings.c.platform, listings.c.account_id))
    return {(platform, account): count for platform, account, count in rows}
